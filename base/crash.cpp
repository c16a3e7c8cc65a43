#include "base/crash.hpp"

#include <unistd.h>

#include <array>
#include <csignal>
#include <cstddef>
#include <cstring>

#include "base/error.hpp"
#include "base/text.hpp"

namespace feldspar {
namespace {

thread_local const std::string* in_hand = nullptr;

void say(const char* text, std::size_t length) { (void)!::write(STDERR_FILENO, text, length); }
void say(const char* text) { say(text, std::strlen(text)); }

/// What a handler may do: nothing that allocates or locks. Without a file it returns, and with the signal's
/// default in place again the instruction, or abort(), ends the process.
extern "C" void name_the_file(int /*signal*/) {
  if (!in_hand) return;
  say("\nerror: ");
  say(in_hand->data(), in_hand->size());
  say(": the library that handles this format crashed over the file: it is damaged, or was made to do harm; "
      "compare it "
      "with its original, or write it anew with the program it is from\n");
  ::_exit(static_cast<int>(ErrorKind::bad_file));
}

}  // namespace

FileInHand::FileInHand(const std::filesystem::path& path)
    : name_(printable(path.string())), before_(in_hand) {
  in_hand = &name_;
}

FileInHand::~FileInHand() { in_hand = before_; }

void name_files_in_crashes() {
  static std::array<char, 64 << 10> stack;  // for a stack that ran over
  stack_t other{};
  other.ss_sp = stack.data(), other.ss_size = stack.size();
  (void)::sigaltstack(&other, nullptr);
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) {
    struct sigaction present {};
    ::sigaction(signal, nullptr, &present);
    if (present.sa_handler != SIG_DFL) continue;
    struct sigaction action {};
    action.sa_handler = name_the_file;
    action.sa_flags = SA_ONSTACK | static_cast<int>(SA_RESETHAND);
    ::sigemptyset(&action.sa_mask);
    ::sigaction(signal, &action, nullptr);
  }
}

}  // namespace feldspar
