// Memory under a budget: what is counted, what is refused, and what is given back.
#include "base/memory.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <thread>
#include <utility>
#include <vector>

#include "base/reservation.hpp"
#include "tests/support/errors.hpp"

namespace feldspar {
namespace {

constexpr std::size_t mebibyte = std::size_t{1} << 20;

TEST(MemoryBudget, RefusesTheByteThatIsTooMuchAndNamesThePurpose) {
  MemoryBudget budget(10 * mebibyte);
  budget.reserve(10 * mebibyte - 1, "the slab");

  testing::expect_error(ErrorKind::out_of_memory, {"the filter", "2 B", "10.0 MiB"},
                        [&] { budget.reserve(2, "the filter"); });

  EXPECT_EQ(budget.used(), 10 * mebibyte - 1);
  budget.reserve(1, "the last byte");
}

TEST(MemoryBudget, DoesNotWrapAround) {
  MemoryBudget budget(mebibyte);
  budget.reserve(1, "a byte");

  testing::expect_error(ErrorKind::out_of_memory, {"too much"},
                        [&] { budget.reserve(std::numeric_limits<std::size_t>::max(), "too much"); });
}

TEST(MemoryBudget, KeepsThePeak) {
  MemoryBudget budget;
  budget.reserve(5, "first");
  budget.reserve(6, "second");

  budget.release(11);

  EXPECT_EQ(budget.used(), 0u);
  EXPECT_EQ(budget.peak(), 11u);
}

TEST(MemoryBudget, CountsRightlyFromManyThreads) {
  MemoryBudget budget(1000);
  std::vector<std::thread> threads;

  for (int n = 0; n < 4; ++n)
    threads.emplace_back([&] {
      for (int i = 0; i < 10000; ++i) {
        budget.reserve(250, "a quarter");
        budget.release(250);
      }
    });
  for (auto& thread : threads) thread.join();

  EXPECT_EQ(budget.used(), 0u);
  EXPECT_LE(budget.peak(), 1000u);
}

TEST(Block, IsAlignedAndCountedWhileItLives) {
  MemoryBudget budget;
  {
    const Block small(100, "small", &budget);
    const Block large(20 * mebibyte + 1, "large", &budget);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(small.data()) % 64, 0u);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(large.data()) % 64, 0u);
    EXPECT_EQ(budget.used(), 20 * mebibyte + 101);
  }
  EXPECT_EQ(budget.used(), 0u);
}

TEST(Block, GivesBackWhatItHeldWhenItIsAssignedTo) {
  MemoryBudget budget;
  Block block(100, "first", &budget);

  block = Block(30, "second", &budget);
  const Block moved(std::move(block));

  EXPECT_EQ(budget.used(), 30u);
  EXPECT_EQ(moved.bytes(), 30u);
}

TEST(Block, RefusesWhatTheSystemDoesNotHaveAndCountsNothing) {
  MemoryBudget budget;

  testing::expect_error(ErrorKind::out_of_memory, {"the volume"},
                        [&] { const Block block(std::size_t{1} << 60, "the volume", &budget); });

  EXPECT_EQ(budget.used(), 0u);
}

TEST(Reservation, CountsWhileItLives) {
  MemoryBudget budget(10);
  {
    Reservation first(budget, 6, "first");
    testing::expect_error(ErrorKind::out_of_memory, {"second"},
                          [&] { const Reservation second(budget, 5, "second"); });
    const Reservation moved(std::move(first));
    EXPECT_EQ(budget.used(), 6u);
  }
  EXPECT_EQ(budget.used(), 0u);
}

TEST(Array3, HasXFastest) {
  Array3<int> array(2, 3, 4);
  array.fill(0);

  array(1, 2, 3) = 7;

  EXPECT_EQ(array.size(), 24u);
  EXPECT_EQ(array.data()[23], 7);
  EXPECT_EQ(&array(1, 0, 0) - array.data(), 1);
  EXPECT_EQ(&array(0, 1, 0) - array.data(), 2);
  EXPECT_EQ(&array(0, 0, 1) - array.data(), 6);
}

TEST(Array3, IsEmptyAfterItWasMovedFrom) {
  Array3<float> array(2, 2, 2);

  const Array3<float> other(std::move(array));

  EXPECT_EQ(array.size(), 0u);  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(array.data(), nullptr);
  EXPECT_EQ(other.size(), 8u);
}

}  // namespace
}  // namespace feldspar
