#include "cli/child.hpp"

#include <fmt/format.h>
#include <sys/wait.h>

#include <cstdio>
#include <filesystem>

namespace feldspar::cli {

std::string own_program() { return std::filesystem::read_symlink("/proc/self/exe").string(); }

std::string shell_word(const std::string& word) {
  std::string text;
  for (const char c : word) {
    if (c == '\'')
      text.append("'\\''");
    else
      text.push_back(c);
  }
  return fmt::format("'{}'", text);
}

Answer ask(const std::string& command) {
  Answer answer;
  FILE* pipe = ::popen(command.c_str(), "r");
  if (!pipe) return answer;
  char buffer[4096];
  for (std::size_t n; (n = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) answer.output.append(buffer, n);
  const int status = ::pclose(pipe);
  if (WIFEXITED(status)) answer.exit_code = WEXITSTATUS(status);
  return answer;
}

}  // namespace feldspar::cli
