// Least squares: known combinations come back, and undetermined ones are told.
#include "base/least_squares.hpp"

#include <gtest/gtest.h>

#include <array>

namespace feldspar {
namespace {

TEST(least_squares, finds_the_line_through_points_and_weighs_them) {
  LeastSquares fit(2);
  for (const double x : {1.0, 2.0, 5.0}) fit.add(std::array{1.0, x}, 3 - 0.5 * x);
  fit.add(std::array{1.0, 3.0}, 100, 0);  // an outlier without weight
  const std::vector<double> line = fit.solve();
  ASSERT_EQ(line.size(), 2U);
  EXPECT_NEAR(line[0], 3, 1e-12);
  EXPECT_NEAR(line[1], -0.5, 1e-12);
}

TEST(least_squares, adds_up_from_parts) {
  LeastSquares all(1), odd(1), even(1);
  for (int n = 0; n < 10; ++n) {
    const std::array row{n + 1.0};
    all.add(row, n * n);
    (n % 2 == 1 ? odd : even).add(row, n * n);
  }
  odd.add(even);
  EXPECT_NEAR(odd.solve().at(0), all.solve().at(0), 1e-12);
}

TEST(least_squares, columns_that_depend_on_each_other_have_no_solution) {
  LeastSquares fit(2);
  for (const double x : {1.0, 2.0, 5.0}) fit.add(std::array{x, 3 * x}, x);
  EXPECT_TRUE(fit.solve().empty());
}

}  // namespace
}  // namespace feldspar
