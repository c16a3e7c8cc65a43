// Borrowed blocks of values: their order, and sizes beyond 32 bits.
#include "base/view3.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace feldspar {
namespace {

TEST(View3, CountsBeyondThirtyTwoBits) {
  const View3<float> volume{nullptr, 2000, 2000, 2000};

  EXPECT_EQ(volume.size(), 8'000'000'000u);
  EXPECT_EQ(volume.bytes(), 32'000'000'000u);
}

TEST(View3, FindsRowsBeyondThirtyTwoBits) {
  const View3<char> volume{nullptr, 2000, 2000, 2000};

  const auto offset = volume.row(1999, 1999) - volume.data;

  EXPECT_EQ(offset, 7'999'998'000);
}

TEST(View3, PlanesAreAViewOfTheSameValues) {
  std::vector<int> values(2 * 3 * 4);
  const View3<int> stack{values.data(), 2, 3, 4};

  stack.planes(1, 2)(1, 2, 1) = 5;

  EXPECT_EQ(stack(1, 2, 2), 5);
  EXPECT_EQ(stack.planes(1, 2).size(), 12u);
}

}  // namespace
}  // namespace feldspar
