#include "cli/batch/child.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <thread>

#include "cli/console.hpp"

namespace feldspar::cli {
namespace {

/// A file without a name, for what a child says.
class Scratch {
 public:
  Scratch() : descriptor_(::memfd_create("said", MFD_CLOEXEC)) {}
  ~Scratch() { (void)::close(descriptor_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  [[nodiscard]] int descriptor() const { return descriptor_; }
  [[nodiscard]] std::string text() const {
    std::string all;
    char buffer[4096];
    for (ssize_t n; (n = ::pread(descriptor_, buffer, sizeof buffer, static_cast<off_t>(all.size()))) > 0;)
      all.append(buffer, static_cast<std::size_t>(n));
    return all;
  }

 private:
  int descriptor_;
};

/// What the child does before it becomes the program. Signals are blocked until then.
[[noreturn]] void become(char** words, int output, int errors, pid_t parent, const sigset_t& mask) {
  (void)::setpgid(0, 0);
  (void)::signal(SIGTERM, SIG_DFL);  // it must hear it, whatever this process was told to ignore
  (void)::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(127);  // which ended just before
  const int nothing = ::open("/dev/null", O_RDONLY);
  (void)::dup2(nothing, STDIN_FILENO);
  (void)::dup2(output, STDOUT_FILENO);
  (void)::dup2(errors, STDERR_FILENO);
  (void)::sigprocmask(SIG_SETMASK, &mask, nullptr);
  (void)::execvp(words[0], words);
  ::_exit(127);
}

}  // namespace

std::string own_program() { return std::filesystem::read_symlink("/proc/self/exe").string(); }

std::string shell_word(const std::string& word) {
  const auto is_control = [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; };
  const bool plain = std::none_of(word.begin(), word.end(), is_control);
  std::string text = plain ? "'" : "$'";
  for (const char c : word) {
    if (plain && c == '\'')
      text += "'\\''";
    else if (is_control(c))
      text += fmt::format("\\{:03o}", static_cast<unsigned char>(c));
    else if (!plain && (c == '\'' || c == '\\'))
      text += fmt::format("\\{}", c);
    else
      text += c;
  }
  return text + "'";
}

pid_t start_child(std::vector<std::string> words, int output, int errors) {
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  sigset_t all, mask;
  sigfillset(&all);
  (void)::sigprocmask(SIG_SETMASK, &all, &mask);  // none is lost between the fork and the program
  const pid_t parent = ::getpid(), child = ::fork();
  if (child == 0) become(pointers.data(), output, errors, parent, mask);
  const int error = errno;
  (void)::sigprocmask(SIG_SETMASK, &mask, nullptr);
  errno = error;
  return child;
}

Answer ask(const std::vector<std::string>& words, const AskOptions& options) {
  const Scratch output, errors;
  const pid_t child =
      start_child(words, output.descriptor(), options.shows_errors ? STDERR_FILENO : errors.descriptor());
  int status = -1;
  for (bool stopping = false; child > 0;) {
    const pid_t ended = ::waitpid(child, &status, WNOHANG);
    if (ended == child || (ended < 0 && errno != EINTR)) break;
    if (interrupted() && options.may_be_stopped && !stopping) {
      stopping = true;
      (void)::kill(child, SIGTERM);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  Answer answer{-1, output.text(), errors.text()};
  if (child > 0 && WIFEXITED(status)) answer.exit_code = WEXITSTATUS(status);
  return answer;
}

}  // namespace feldspar::cli
