// A crash with a file in hand ends with its name; any other as it always did.
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <thread>

#include "base/crash.hpp"

namespace feldspar {
namespace {

class Crashes : public ::testing::Test {
 protected:
  void SetUp() override {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "a sanitizer has these signals";
#endif
    ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  }
};
using CrashesDeathTest = Crashes;

TEST_F(CrashesDeathTest, NameTheFileInHandInAnyThread) {
  const auto crash = [](int signal) {
    name_files_in_crashes();
    std::thread([signal] {
      const FileInHand outer("outer.h5");
      { const FileInHand inner("inner.h5"); }
      (void)std::raise(signal);
    }).join();
  };
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT})
    EXPECT_EXIT(crash(signal), ::testing::ExitedWithCode(3), "error: outer.h5: .*crashed") << signal;
}

TEST_F(CrashesDeathTest, WithoutAFileAreWhatTheyAre) {
  const auto crash = [](int signal) {
    name_files_in_crashes();
    { const FileInHand closed("closed.h5"); }
    std::thread([] { static const FileInHand theirs("theirs.h5"); }).join();
    if (signal == SIGABRT) std::abort();
    (void)std::raise(signal);
    (void)std::raise(signal);  // what a faulting instruction does by itself
  };
  for (const int signal : {SIGSEGV, SIGBUS, SIGABRT})
    EXPECT_EXIT(crash(signal), ::testing::KilledBySignal(signal), "^[^:]*$") << signal;
}

}  // namespace
}  // namespace feldspar
