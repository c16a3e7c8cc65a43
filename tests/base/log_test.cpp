// Messages: where they go, and which are dropped.
#include "base/log.hpp"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/error.hpp"

namespace feldspar {
namespace {

class Log : public ::testing::Test {
 protected:
  Log() {
    set_log_threshold(LogLevel::info);
    set_log_sink([this](LogLevel level, std::string_view message, const Remedies&) {
      seen.emplace_back(level, message);
    });
  }
  ~Log() override {
    set_log_threshold(LogLevel::info);
    set_log_sink({});
  }
  std::vector<std::pair<LogLevel, std::string>> seen;
};

TEST_F(Log, ReachesTheSinkWithItsLevel) {
  log_info("first");
  log_warning("second");

  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen[0], std::pair(LogLevel::info, std::string("first")));
  EXPECT_EQ(seen[1], std::pair(LogLevel::warning, std::string("second")));
}

TEST_F(Log, ControlsNoTerminal) {
  log_warning("scan \x1b]0;owned\a.tif\nis odd");

  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].second, "scan \\u001b]0;owned\\u0007.tif\nis odd");
}

TEST_F(Log, DropsWhatIsBelowTheThreshold) {
  set_log_threshold(LogLevel::warning);

  log_info("dropped");
  log(LogLevel::debug, "dropped");
  log(LogLevel::error, "kept");

  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].second, "kept");
}

TEST_F(Log, CallsTheSinkFromOneThreadAtATime) {
  std::vector<std::thread> threads;

  for (int n = 0; n < 4; ++n)
    threads.emplace_back([] {
      for (int i = 0; i < 500; ++i) log_info("line");
    });
  for (auto& thread : threads) thread.join();

  EXPECT_EQ(seen.size(), 2000u);
}

TEST_F(Log, GoesToStderrAndNeverToStdoutWithoutASink) {
  set_log_sink({});
  ::testing::internal::CaptureStderr();
  ::testing::internal::CaptureStdout();

  log_warning("100 % of {} kept");

  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "warning: 100 % of {} kept\n");
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "");
}

TEST(Error, KindsAreTheExitCodesOfTheProgram) {
  EXPECT_EQ(static_cast<int>(ErrorKind::usage), 2);
  EXPECT_EQ(static_cast<int>(ErrorKind::bad_file), 3);
  EXPECT_EQ(static_cast<int>(ErrorKind::io), 4);
  EXPECT_EQ(static_cast<int>(ErrorKind::out_of_memory), 5);
  EXPECT_EQ(static_cast<int>(ErrorKind::device), 6);
  EXPECT_EQ(static_cast<int>(ErrorKind::cancelled), 7);
  EXPECT_EQ(static_cast<int>(ErrorKind::unsupported), 8);
  EXPECT_EQ(static_cast<int>(ErrorKind::untrusted), 9);
}

}  // namespace
}  // namespace feldspar
