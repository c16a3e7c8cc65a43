// The plan of a reconstruction as it is stored: with the volume that was made by it, or for a time in a file
// of its own.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace feldspar::io {

/// Many numbers of one kind, as the shifts of all views.
struct StoredNumbers {
  std::string name;            ///< without '/'
  std::vector<double> values;  ///< in the order of what they are of
  bool single = false;         ///< none of them needs more than single precision
};

/// A text and the lists of numbers that are too long for it.
struct StoredPlan {
  std::string text;                    ///< TOML; empty for no plan
  std::vector<StoredNumbers> numbers;  ///< each with a name of its own

  /// Those of that name; null without any.
  [[nodiscard]] const std::vector<double>* find(const std::string& name) const;
};

/// Makes a file of the plan alone, which must not be there yet. Throws Error(io).
void write_plan(const std::filesystem::path& path, const StoredPlan& plan);

/// The plan in such a file, or in a volume that was made by one; none where there is none. Throws
/// Error(bad_file) for a file that is damaged.
[[nodiscard]] std::optional<StoredPlan> read_plan(const std::filesystem::path& path);

}  // namespace feldspar::io
