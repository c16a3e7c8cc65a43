// Columns of numbers in a text, whose separators and decimals are what all of its lines agree on.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace feldspar {

/// Which numbers of each line are wanted, and what is stated of how they are written.
struct NumberColumns {
  int header_lines = 0;  ///< lines that are skipped at the beginning
  int first = 1;         ///< column, counted from 1
  int count = 1;         ///< neighbouring columns
  char separator = 0;    ///< comma, semicolon, tab or blank (any run of blanks); 0 where not stated
  char decimal = 0;      ///< '.' or ','; 0 where not stated
};

/// What was read.
struct NumberTable {
  std::vector<double> values;  ///< `count` a line
  std::string finding;         ///< what was made of commas that nothing was stated of; empty without any
};

/// Empty lines and those that begin with # count for nothing. A comma separates columns where every line can
/// be read so and in no other way; decimal commas must be stated, and thousands are never separated. Throws
/// Error(bad_file) naming `file` and the line where no number is, where lines have unlike numbers of columns,
/// and where the lines can be read in ways that differ.
[[nodiscard]] NumberTable parse_number_table(std::string_view text, const NumberColumns& columns,
                                             const std::string& file);

}  // namespace feldspar
