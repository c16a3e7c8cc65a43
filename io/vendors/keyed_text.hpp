// Texts of sections, keys and values, as several vendors' instruments write them, for readers that take a
// scan's geometry from such a text and its projections from numbered TIFFs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/scan_source.hpp"

namespace feldspar::io::vendors {

/// The most bytes that a text of this kind may have.
inline constexpr std::uintmax_t most_of_a_text = 16 << 20;

/// "[section]" and "key = value" lines. Sections and keys compare without case and blanks at their ends; the
/// first of repeated keys counts. Every error is Error(bad_file) naming file, field and what was found.
class KeyedText {
 public:
  KeyedText(std::string_view text, std::filesystem::path file);

  /// The value without quotes; empty when absent. What is asked for so counts as used.
  [[nodiscard]] std::string text(std::string_view section, std::string_view key);
  /// Nothing when absent or empty.
  [[nodiscard]] std::optional<double> number(std::string_view section, std::string_view key);
  /// The same of what is looked at and changes nothing but messages; `note` says why it is not used.
  [[nodiscard]] std::string unused_text(std::string_view section, std::string_view key,
                                        const std::string& note);
  [[nodiscard]] std::optional<double> unused_number(std::string_view section, std::string_view key,
                                                    const std::string& note);
  [[nodiscard]] double required(std::string_view section, std::string_view key);
  [[nodiscard]] double positive(std::string_view section, std::string_view key);
  [[nodiscard]] int count(std::string_view section, std::string_view key);  ///< 1 to a million

  [[nodiscard]] const std::filesystem::path& file() const { return file_; }
  [[nodiscard]] const std::vector<SourceField>& fields() const { return fields_; }

  [[noreturn]] void refuse(std::string_view section, std::string_view key, const std::string& what) const;

 private:
  SourceField* find(std::string_view section, std::string_view key);

  std::filesystem::path file_;
  std::vector<SourceField> fields_;
};

}  // namespace feldspar::io::vendors
