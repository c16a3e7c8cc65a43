// The thread pool: every index once, exceptions out, nesting refused, and many short loops.
#include "base/parallel.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

#include "base/stop.hpp"
#include "tests/support/errors.hpp"

namespace feldspar {
namespace {

class Pool : public ::testing::TestWithParam<int> {};

TEST_P(Pool, CallsTheBodyOnceForEveryIndex) {
  ThreadPool pool(GetParam());
  std::vector<std::atomic<int>> calls(1000);

  pool.for_each(1000, [&](std::ptrdiff_t index, int) { ++calls[static_cast<std::size_t>(index)]; });

  for (const auto& count : calls) EXPECT_EQ(count, 1);
}

TEST_P(Pool, StopsWhenTheProcessIsToStop) {
  static std::atomic<int> calls;
  calls = 0;
  ThreadPool pool(GetParam());
  set_stop_request([]() noexcept { return calls >= 10; });

  testing::expect_error(ErrorKind::cancelled, {"stopped"},
                        [&] { pool.for_each(1000, [&](std::ptrdiff_t, int) { ++calls; }); });

  set_stop_request(nullptr);
  EXPECT_LE(calls, 10 + pool.size());
}

TEST_P(Pool, NeverRunsTwoBodiesAsTheSameWorker) {
  ThreadPool pool(GetParam());
  std::vector<std::atomic<int>> running(static_cast<std::size_t>(pool.size()));
  std::atomic<bool> clash = false;

  pool.for_each(2000, [&](std::ptrdiff_t, int worker) {
    if (++running.at(static_cast<std::size_t>(worker)) != 1) clash = true;
    std::this_thread::yield();
    --running[static_cast<std::size_t>(worker)];
  });

  EXPECT_FALSE(clash);
}

TEST_P(Pool, RethrowsTheExceptionOfABodyAndStopsEarly) {
  ThreadPool pool(GetParam());
  std::atomic<int> calls = 0;
  const auto loop = [&] {
    pool.for_each(1'000'000, [&](std::ptrdiff_t, int) {
      ++calls;
      throw std::runtime_error("broken");
    });
  };

  EXPECT_THROW(loop(), std::runtime_error);

  EXPECT_LE(calls, pool.size());  // each worker stops at the first it meets
}

TEST_P(Pool, WorksOnAfterAnException) {
  ThreadPool pool(GetParam());
  EXPECT_THROW(pool.for_each(10, [](std::ptrdiff_t, int) { throw std::runtime_error("broken"); }),
               std::runtime_error);
  std::atomic<int> calls = 0;

  pool.for_each(10, [&](std::ptrdiff_t, int) { ++calls; });

  EXPECT_EQ(calls, 10);
}

TEST_P(Pool, RefusesALoopInsideALoop) {
  ThreadPool pool(GetParam());
  ThreadPool other(2);

  for (ThreadPool* inner : {&pool, &other})
    testing::expect_error(ErrorKind::internal, {"inside"}, [&] {
      pool.for_each(1, [&](std::ptrdiff_t, int) { inner->for_each(1, [](std::ptrdiff_t, int) {}); });
    });
}

TEST_P(Pool, LetsABodyUseAPoolOfItsOwnThread) {
  ThreadPool pool(GetParam());
  std::vector<int> sums(20);

  pool.for_each(20, [&](std::ptrdiff_t n, int) {
    ThreadPool own(1);
    own.for_each(n, [&](std::ptrdiff_t index, int worker) {
      sums[static_cast<std::size_t>(n)] += static_cast<int>(index) + worker;
    });
    testing::expect_error(ErrorKind::internal, {"inside"},
                          [&] { pool.for_each(1, [](std::ptrdiff_t, int) {}); });
  });

  for (int n = 0; n < 20; ++n) EXPECT_EQ(sums[static_cast<std::size_t>(n)], n * (n - 1) / 2);
}

TEST_P(Pool, RunsManyShortLoops) {
  ThreadPool pool(GetParam());
  std::atomic<long> sum = 0;

  for (int n = 0; n < 5000; ++n) pool.for_each(n % 4, [&](std::ptrdiff_t index, int) { sum += index; });

  EXPECT_EQ(sum, 1250 * (0 + 0 + 1 + 3));  // the sums of the indices below 0, 1, 2 and 3
}

INSTANTIATE_TEST_SUITE_P(Threads, Pool, ::testing::Values(1, 2, 7));

TEST(ThreadPool, TakesLoopsFromSeveralThreadsInTurn) {
  ThreadPool pool(3);
  std::atomic<int> calls = 0;
  std::vector<std::thread> callers;
  callers.reserve(4);

  for (int n = 0; n < 4; ++n)
    callers.emplace_back([&] {
      for (int i = 0; i < 100; ++i) pool.for_each(10, [&](std::ptrdiff_t, int) { ++calls; });
    });
  for (auto& caller : callers) caller.join();

  EXPECT_EQ(calls, 4 * 100 * 10);
}

TEST(ThreadPool, UsesWhatTheProcessMayUseUnlessTold) {
  EXPECT_EQ(ThreadPool().size(), usable_processors());
  EXPECT_EQ(ThreadPool(5).size(), 5);
  EXPECT_GE(usable_processors(), 1);
}

}  // namespace
}  // namespace feldspar
