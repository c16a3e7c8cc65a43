// Other programs, this one included, run through the shell for what they print.
#pragma once

#include <string>

namespace feldspar::cli {

/// The program that is running, by its full path.
[[nodiscard]] std::string own_program();

/// `word` as the shell takes it for one argument, whatever is in it.
[[nodiscard]] std::string shell_word(const std::string& word);

struct Answer {
  int exit_code = -1;  ///< -1 when it was ended by a signal or could not be started
  std::string output;  ///< what it printed to stdout
};
[[nodiscard]] Answer ask(const std::string& command);

}  // namespace feldspar::cli
