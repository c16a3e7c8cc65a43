// Texts of sections, keys and values, as several vendors' instruments write them, for readers that take a
// scan's geometry from such a text and its projections from numbered TIFFs.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/scan_source.hpp"

namespace feldspar::io::vendors {

/// "[section]" and "key = value" lines. Sections and keys compare without case and blanks at their ends; the
/// first of repeated keys counts. Every error is Error(bad_file) naming file, field and what was found.
class KeyedText {
 public:
  KeyedText(std::string_view text, std::filesystem::path file);

  /// Reads a file of at most 16 MiB. Throws Error(io) when it cannot be read.
  [[nodiscard]] static KeyedText read(const std::filesystem::path& file);

  /// The value without quotes; empty when absent. Whatever is asked for counts as used.
  [[nodiscard]] std::string text(std::string_view section, std::string_view key);
  /// Nothing when absent or empty.
  [[nodiscard]] std::optional<double> number(std::string_view section, std::string_view key);
  [[nodiscard]] double required(std::string_view section, std::string_view key);
  [[nodiscard]] double positive(std::string_view section, std::string_view key);
  [[nodiscard]] int count(std::string_view section, std::string_view key);  ///< 1 to a million

  [[nodiscard]] const std::filesystem::path& file() const { return file_; }
  [[nodiscard]] const std::vector<SourceField>& fields() const { return fields_; }

  [[noreturn]] void refuse(std::string_view section, std::string_view key, const std::string& what) const;

 private:
  std::filesystem::path file_;
  std::vector<SourceField> fields_;
};

}  // namespace feldspar::io::vendors
