// The fit of a hardening polynomial on slices that are made here.
#include "recon/find/hardening_fit.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

namespace feldspar::recon {
namespace {

constexpr int size = 80;

/// Slices of p^n for n to 3, made so that truth = sum of c_n times slice n is a disc of value 0.1 (with a
/// dense pin of 0.4 in it, when wanted) whose first slice is cupped by `cup`.
PowerSlices cupped_disc(const std::array<double, 3>& c, double cup, bool pin) {
  PowerSlices slices{.columns = size, .rows = size, .powers = std::vector<std::vector<float>>(3)};
  for (int j = 0; j < size; ++j)
    for (int i = 0; i < size; ++i) {
      const double r = std::hypot(i - 0.5 * (size - 1), j - 0.5 * (size - 1)) / 30;
      double truth = r < 1 ? 0.1 : 0;
      if (pin && std::hypot(i - 55, j - 40) < 5) truth = 0.4;
      const double first = truth > 0 ? truth * (1 - cup * (1 - r * r)) : 0;
      const double third = truth > 0 ? 0.05 + 0.1 * std::pow(r, 4) : 0.002 * (r - 1.2);
      slices.powers[0].push_back(static_cast<float>(first));
      slices.powers[2].push_back(static_cast<float>(third));
      slices.powers[1].push_back(static_cast<float>((truth - c[0] * first - c[2] * third) / c[1]));
      slices.computed.push_back(1);
    }
  return slices;
}

TEST(hardening_fit, finds_the_polynomial_that_makes_the_disc_uniform) {
  const std::array<double, 3> truth{0.8, 0.15, 0.05};
  for (const bool pin : {false, true}) {
    const HardeningFit found = fit_hardening(cupped_disc(truth, 0.2, pin), 1.0, 3);
    ASSERT_EQ(found.coefficients.size(), 3U) << found.reason;
    for (std::size_t n = 0; n < 3; ++n)  // a pin is left out, with what surrounds it: rounding alone counts
      EXPECT_NEAR(found.coefficients[n], truth[n], 1e-3) << n;
    EXPECT_GT(found.unevenness_before, 0.04);
    EXPECT_LT(found.unevenness_after, 1e-4);
  }
}

TEST(hardening_fit, keeps_the_reference_where_it_is) {
  for (const double reference : {0.3, 1.0, 2.5}) {
    const HardeningFit found = fit_hardening(cupped_disc({0.8, 0.15, 0.05}, 0.2, false), reference, 3);
    EXPECT_NEAR(polynomial_at(found.coefficients, reference), reference, 1e-9);
  }
}

TEST(hardening_fit, leaves_out_powers_that_make_the_polynomial_fall) {
  const HardeningFit found = fit_hardening(cupped_disc({1.0, 0.2, -0.06}, 0.2, false), 1.0, 5);
  ASSERT_FALSE(found.coefficients.empty()) << found.reason;
  EXPECT_LT(found.coefficients.size(), 3U);
  EXPECT_TRUE(rises(found.coefficients, 5));
}

TEST(hardening_fit, says_why_there_is_nothing_to_fit) {
  PowerSlices empty{.columns = size, .rows = size, .powers = {std::vector<float>(size * size)}};
  empty.computed.assign(size * size, 1);
  EXPECT_NE(fit_hardening(empty, 1, 3).reason, "");
  PowerSlices full = cupped_disc({0.8, 0.15, 0.05}, 0.2, false);  // no air is computed
  for (std::size_t n = 0; n < full.computed.size(); ++n) full.computed[n] = full.powers[0][n] > 0.02F;
  EXPECT_NE(fit_hardening(full, 1, 3).reason, "");
}

TEST(hardening_fit, polynomials_are_summed_and_judged) {
  const std::array<double, 3> c{1, -0.2, 0.5};
  EXPECT_DOUBLE_EQ(polynomial_at(c, 2), 2 - 0.8 + 4);
  EXPECT_TRUE(rises(c, 10));
  EXPECT_FALSE(rises(std::array<double, 2>{1, -0.2}, 3));
  EXPECT_TRUE(rises(std::array<double, 2>{1, -0.2}, 2.4));
}

}  // namespace
}  // namespace feldspar::recon
