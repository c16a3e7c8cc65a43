// Other programs, this one included, run as children that end when this process does.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace feldspar::cli {

/// The program that is running, by its full path.
[[nodiscard]] std::string own_program();

/// `word` as bash takes it for one argument, whatever is in it; without control characters.
[[nodiscard]] std::string shell_word(const std::string& word);

/// Starts the program words[0], looked for as a shell does, with these very arguments; no shell reads them.
/// Its stdout and stderr go to these descriptors, it reads nothing, and it has a process group of its own, so
/// that it hears of a terminal's signals from this process only. When this process ends, by whatever, the
/// child is sent SIGTERM. Returns -1 and sets errno where it cannot be started; a program that is not there
/// ends with 127.
[[nodiscard]] pid_t start_child(std::vector<std::string> words, int output, int errors);

struct Answer {
  int exit_code = -1;  ///< -1 when it was ended by a signal or could not be started
  std::string output;  ///< what it printed to stdout
  std::string errors;  ///< and to stderr, where that was kept
};

struct AskOptions {
  bool shows_errors = false;  ///< on this process's stderr; otherwise they are kept
  bool may_be_stopped =
      true;  ///< when this process is asked to stop (catch_interrupts); otherwise it goes on
};

/// Runs the program to its end.
[[nodiscard]] Answer ask(const std::vector<std::string>& words, const AskOptions& options = {});

}  // namespace feldspar::cli
