// One table of a scan description: every value asked for by name and kind, and whatever was never asked for
// refused.
#pragma once

#include <toml++/toml.h>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "io/scan_source.hpp"

namespace feldspar::io::stack {

/// Every member throws Error(bad_file) naming file and field when a value is of the wrong kind.
class Section {
 public:
  /// The table `name` of `root`, or `root` itself where `name` is empty; an absent table is an empty one.
  Section(const toml::table& root, std::string name, const std::filesystem::path& file,
          std::vector<SourceField>& fields);

  [[nodiscard]] bool has(const std::string& key) const;
  [[nodiscard]] std::optional<std::string> text(const std::string& key);
  [[nodiscard]] std::vector<std::string> texts(const std::string& key);  ///< one text, or an array of them
  [[nodiscard]] std::optional<double> number(const std::string& key);
  [[nodiscard]] std::vector<double> numbers(const std::string& key);   ///< an array, empty where absent
  [[nodiscard]] int count(const std::string& key, int otherwise);      ///< not negative
  [[nodiscard]] std::optional<double> length(const std::string& key);  ///< mm, from "36 um"
  [[nodiscard]] std::optional<double> angle(const std::string& key);   ///< rad, from "0.2 deg"
  [[nodiscard]] std::vector<double> one_or_two_lengths(const std::string& key);

  /// True for `yes`, false for `no`, `otherwise` where absent; other words are refused.
  [[nodiscard]] bool choice(const std::string& key, const char* yes, const char* no,
                            std::optional<bool> otherwise);

  /// Takes the table `name` for known, whose keys another Section asks for.
  void expect_table(const std::string& name) { known_.insert(name); }

  /// Refuses keys that nobody asked for.
  void finish() const;

  [[noreturn]] void refuse(const std::string& key, const std::string& what) const;

 private:
  [[nodiscard]] const toml::node* find(const std::string& key);
  [[nodiscard]] double quantity(const std::string& key, const std::string& text, bool is_length) const;

  const toml::table* table_ = nullptr;
  std::string name_;
  const std::filesystem::path& file_;
  std::vector<SourceField>& fields_;
  std::set<std::string> known_;
};

}  // namespace feldspar::io::stack
