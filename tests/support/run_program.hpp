// Runs the program as a shell would.
#pragma once

#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace feldspar::testing {

struct Outcome {
  int exit_code = -1;
  std::string output;
};

/// The program under test, quoted for a shell: what FELDSPAR_PROGRAM names in the environment (a bundle's
/// tests run where nothing was built), else `built`.
inline std::string quoted_program(const char* built) {
  const char* other = std::getenv("FELDSPAR_PROGRAM");
  std::string quoted(1, '\'');
  quoted.append(other ? other : built).append("'");
  return quoted;
}

/// `command` as a shell takes it, with redirections.
inline Outcome run_shell(const std::string& command) {
  Outcome outcome;
  FILE* pipe = popen(command.c_str(), "r");
  std::array<char, 4096> buffer{};
  for (std::size_t n; (n = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
    outcome.output.append(buffer.data(), n);
  const int status = pclose(pipe);
  if (WIFEXITED(status)) outcome.exit_code = WEXITSTATUS(status);
  return outcome;
}

}  // namespace feldspar::testing
