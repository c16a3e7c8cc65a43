#include "cli/console.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <memory>
#include <mutex>
#include <streambuf>
#include <string>
#include <string_view>

#include "base/log.hpp"
#include "base/stop.hpp"
#include "base/text.hpp"
#include "base/units.hpp"

namespace feldspar::cli {
namespace {

using Clock = std::chrono::steady_clock;

std::atomic<bool> stop_requested{false}, typed_once{false};
static_assert(std::atomic<bool>::is_always_lock_free, "signal handlers may touch lock-free atomics only");

/// Only a person's second Ctrl-C ends the process: a cluster's scancel sends SIGTERM to a task and to the
/// process that passes it on to the task, and wants both to end well.
extern "C" void request_stop(int signal) {
  stop_requested = true;
  if (signal != SIGINT || !typed_once.exchange(true)) return;
  std::signal(signal, SIG_DFL);
  (void)std::raise(signal);
}

/// stderr, with at most one line at its end that is drawn again and again.
class Terminal {
 public:
  bool hide_progress = false;

  [[nodiscard]] static bool is_interactive() { return isatty(STDERR_FILENO) == 1; }

  [[nodiscard]] static int width() {
    winsize size{};
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
  }

  /// One permanent line, above the line that is redrawn.
  void print(std::string_view line) {
    const std::scoped_lock lock(mutex_);
    write(fmt::format("{}{}\n{}", drawn_.empty() ? "" : "\r\033[K", line, drawn_));
  }

  /// Replaces the line that is redrawn; an empty one removes it.
  void redraw(std::string line) {
    const std::scoped_lock lock(mutex_);
    if (line == drawn_) return;
    drawn_ = std::move(line);
    write("\r\033[K" + drawn_);
  }

 private:
  /// A message that nobody can read must not cost the result.
  static void write(const std::string& text) {
    (void)std::fwrite(text.data(), 1, text.size(), stderr);
    (void)std::fflush(stderr);
  }

  std::mutex mutex_;
  std::string drawn_;
};

Terminal& terminal() {
  static Terminal instance;
  return instance;
}

/// What the program prints to stdout, made printable, with a memory for what could not be written.
class Results final : public std::streambuf {
 public:
  [[nodiscard]] bool flush() {
    // Whole lines go out at once, so no character is in two pieces.
    const std::string shown = printable(waiting_);
    waiting_.clear();
    complete_ = complete_ && std::fwrite(shown.data(), 1, shown.size(), stdout) == shown.size();
    complete_ = std::fflush(stdout) == 0 && complete_;
    return complete_;
  }

 private:
  int_type overflow(int_type c) override {
    if (!traits_type::eq_int_type(c, traits_type::eof())) waiting_ += traits_type::to_char_type(c);
    if (waiting_.size() > (1 << 16) && c == '\n') (void)flush();
    return traits_type::not_eof(c);
  }
  std::streamsize xsputn(const char* text, std::streamsize count) override {
    waiting_.append(text, static_cast<std::size_t>(count));
    if (waiting_.size() > (1 << 16) && waiting_.back() == '\n') (void)flush();
    return count;
  }
  int sync() override {
    (void)flush();
    return 0;
  }

  std::string waiting_;
  bool complete_ = true;
};

Results& results() {
  static Results& instance = *new Results;  // std::cout is flushed after statics are gone
  return instance;
}

std::string prefix_of(LogLevel level) {
  switch (level) {
    case LogLevel::warning: return "warning: ";
    case LogLevel::error: return "error: ";
    default: return "";
  }
}

/// One task's progress on stderr.
class ProgressDisplay {
 public:
  ~ProgressDisplay() {
    if (interactive_) terminal().redraw({});
  }

  void show(double fraction, std::string_view stage) {
    const auto now = Clock::now();
    const double elapsed = std::chrono::duration<double>(now - start_).count();
    if (fraction >= 1) return finish(elapsed);
    if (interactive_) {
      if (now - last_ < std::chrono::milliseconds(100)) return;
      terminal().redraw(bar(fraction, stage, elapsed));
    } else {
      const int tenth = static_cast<int>(fraction * 10);
      if (tenth <= tenth_ || now - last_ < std::chrono::seconds(3)) return;
      tenth_ = tenth;
      terminal().print(fmt::format("{:3.0f} %  {}{}", 100 * fraction, stage, left(fraction, elapsed)));
    }
    last_ = now;
  }

 private:
  void finish(double elapsed) {
    if (finished_) return;
    finished_ = true;
    if (interactive_)
      terminal().redraw({});
    else
      terminal().print(fmt::format("100 %  done in {}", format_seconds(elapsed)));
  }

  /// The time left, if what is left goes like what was done; nothing while that says little.
  static std::string left(double fraction, double elapsed) {
    if (fraction < 0.01 || elapsed < 1) return {};
    return fmt::format(", {} left", format_seconds(elapsed * (1 - fraction) / fraction));
  }

  static std::string bar(double fraction, std::string_view stage, double elapsed) {
    const std::string text = fmt::format(" {:3.0f} %  {}{}", 100 * fraction, stage, left(fraction, elapsed));
    const int room = std::min(40, Terminal::width() - static_cast<int>(text.size()) - 3);
    if (room < 5) return text.substr(0, static_cast<std::size_t>(std::max(0, Terminal::width() - 1)));
    return fmt::format("[{:<{}}]{}", std::string(static_cast<std::size_t>(fraction * room), '='), room, text);
  }

  const bool interactive_ = Terminal::is_interactive();
  const Clock::time_point start_ = Clock::now();
  Clock::time_point last_ = start_;
  int tenth_ = 0;
  bool finished_ = false;
};

}  // namespace

std::string with_flags(std::string text, const Remedies& remedies) {
  for (std::size_t n = 0; n < remedies.size(); ++n) {
    const auto& [option, value, words] = remedies[n];
    text += n == 0 ? "; " : ", or ";
    text += fmt::format("{}{}--{}{}{}", words, words.empty() ? "" : " ", option.name(),
                        value.empty() ? "" : " ", value);
  }
  return text;
}

void set_verbosity(Verbosity verbosity) {
  terminal().hide_progress = verbosity == Verbosity::quiet;
  set_log_threshold(verbosity == Verbosity::quiet     ? LogLevel::warning
                    : verbosity == Verbosity::verbose ? LogLevel::debug
                                                      : LogLevel::info);
  set_log_sink([](LogLevel level, std::string_view message, const Remedies& remedies) {
    terminal().print(prefix_of(level) + printable(with_flags(std::string(message), remedies)));
  });
}

void open_console() {
  // A file that takes the number of a closed stream would receive the messages.
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (fcntl(stream, F_GETFD) == -1 && errno == EBADF)
      (void)::open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  (void)std::signal(SIGPIPE, SIG_IGN);  // who reads the messages may go; results are checked at the end
  std::cout.rdbuf(&results());
}

bool results_arrived() { return results().flush(); }

void catch_interrupts() {
  set_stop_request(interrupted);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction present {};
    sigaction(signal, nullptr, &present);
    if (present.sa_handler == SIG_IGN) continue;  // as nohup and shells set it for background work
    struct sigaction action {};
    action.sa_handler = request_stop;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    sigaction(signal, &action, nullptr);
  }
}

bool interrupted() noexcept { return stop_requested; }

ProgressMonitor console_progress() {
  catch_interrupts();
  const auto display = terminal().hide_progress ? nullptr : std::make_shared<ProgressDisplay>();
  return [display](double fraction, std::string_view stage) {
    if (display) display->show(fraction, stage);
    return !interrupted();
  };
}

}  // namespace feldspar::cli
