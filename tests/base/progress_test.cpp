// Progress: the fraction that monitors see, and how they stop a task.
#include "base/progress.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include "base/stop.hpp"
#include "tests/support/errors.hpp"

namespace feldspar {
namespace {

TEST(Progress, TellsTheFractionAndTheStage) {
  std::vector<double> fractions;
  std::string last_stage;
  Progress progress([&](double fraction, std::string_view stage) {
    fractions.push_back(fraction);
    last_stage = stage;
    return true;
  });

  progress.expect(8);
  progress.advance(2, "filter");
  progress.advance(6, "back-projection");

  EXPECT_EQ(fractions, (std::vector<double>{0.25, 1.0}));
  EXPECT_EQ(last_stage, "back-projection");
}

TEST(Progress, NeverFallsAndNeverPassesOneFromManyThreads) {
  std::vector<double> fractions;
  Progress progress([&](double fraction, std::string_view) {
    fractions.push_back(fraction);
    return true;
  });
  progress.expect(3900);  // less than what is done
  std::vector<std::thread> threads;

  for (int n = 0; n < 4; ++n)
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) progress.advance(1, "work");
    });
  for (auto& thread : threads) thread.join();

  EXPECT_EQ(fractions.size(), 4000u);
  EXPECT_TRUE(std::is_sorted(fractions.begin(), fractions.end()));
  EXPECT_EQ(fractions.back(), 1.0);
}

TEST(Progress, StandsStillWhileWorkIsDoneAgain) {
  std::vector<double> fractions;
  Progress progress([&](double fraction, std::string_view) {
    fractions.push_back(fraction);
    return true;
  });
  progress.expect(4);

  for (const double work : {2.0, -2.0, 1.0, 2.0, 1.0}) progress.advance(work, "work");

  EXPECT_EQ(fractions, (std::vector<double>{0.5, 0.5, 0.5, 0.75, 1.0}));
}

TEST(Progress, CancelsWhenTheMonitorSaysSo) {
  Progress progress([](double fraction, std::string_view) { return fraction < 0.5; });
  progress.expect(2);

  progress.advance(0.5, "work");

  testing::expect_error(ErrorKind::cancelled, {"stopped"}, [&] { progress.advance(1, "work"); });
}

TEST(Progress, StopsWhenTheProcessIsToStop) {
  Progress progress;
  progress.expect(2);
  progress.advance(1, "work");

  set_stop_request([]() noexcept { return true; });

  testing::expect_error(ErrorKind::cancelled, {"stopped"}, [&] { progress.advance(1, "work"); });
  set_stop_request(nullptr);
  EXPECT_NO_THROW(progress.advance(1, "work"));
}

TEST(Progress, SaysNothingOfHowFarItIsWhenNoWorkIsExpected) {
  double seen = -1;
  Progress progress([&](double fraction, std::string_view) {
    seen = fraction;
    return true;
  });

  progress.advance(1, "work");

  EXPECT_EQ(seen, 0);
}

TEST(Progress, NeedsNoMonitor) {
  Progress progress;
  progress.expect(1);

  EXPECT_NO_THROW(progress.advance(1, "work"));
}

}  // namespace
}  // namespace feldspar
