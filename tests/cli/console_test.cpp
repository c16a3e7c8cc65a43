// Progress into a log, messages, and stopping by a signal. CTest runs each case in a process of its own.
#include "cli/console.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <string>

#include "base/log.hpp"
#include "base/stop.hpp"
#include "tests/support/errors.hpp"

namespace feldspar::cli {
namespace {

TEST(Console, PrintsNoBarIntoALogAndSaysWhenAllIsDone) {
  ::testing::internal::CaptureStderr();
  Progress progress(console_progress());
  progress.expect(2);

  progress.advance(1, "filter");
  progress.advance(1, "filter");

  const std::string printed = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(printed.find('\r'), std::string::npos) << printed;
  EXPECT_TRUE(printed.starts_with("100 %")) << printed;
}

TEST(Console, PrintsOnlyWarningsAndErrorsWhenQuiet) {
  set_verbosity(Verbosity::quiet);
  ::testing::internal::CaptureStderr();
  Progress progress(console_progress());
  progress.expect(1);

  progress.advance(1, "filter");
  log_info("dropped");
  log_warning("kept");

  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "warning: kept\n");
}

TEST(Console, CancelsAfterASignal) {
  Progress progress(console_progress());
  progress.expect(2);
  progress.advance(1, "filter");

  std::raise(SIGTERM);

  EXPECT_TRUE(interrupted());
  testing::expect_error(ErrorKind::cancelled, {"stopped"}, [&] { progress.advance(1, "filter"); });
}

TEST(ConsoleDeathTest, EndsAtOnceAtTheSecondSignal) {
  catch_interrupts();

  EXPECT_EXIT(std::raise(SIGINT); std::raise(SIGINT), ::testing::KilledBySignal(SIGINT), "");
}

TEST(Console, TakesAnyNumberOfPoliteRequestsAsOne) {
  catch_interrupts();

  for (const int signal : {SIGTERM, SIGTERM, SIGHUP, SIGINT, SIGTERM, SIGHUP}) std::raise(signal);

  EXPECT_TRUE(interrupted());
  testing::expect_error(ErrorKind::cancelled, {"stopped"}, stop_if_requested);
}

TEST(ConsoleDeathTest, LeavesSignalsAloneThatTheCallerIgnores) {
  std::signal(SIGINT, SIG_IGN);

  catch_interrupts();
  std::raise(SIGINT);

  EXPECT_FALSE(interrupted());
}

}  // namespace
}  // namespace feldspar::cli
