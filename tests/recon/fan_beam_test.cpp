// One detector row of a cone beam: a fan, with the repeats and uneven steps that real scans have.
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <numeric>

#include "recon/setup/fdk_setup.hpp"
#include "tests/recon/reconstruct.hpp"
#include "tests/support/scans.hpp"

namespace feldspar::recon {
namespace {

using std::numbers::pi;

/// 96 pixels of 1 mm at magnification 2.5, and the angles of `views` views over a turn, the last of them
/// repeating the first.
geometry::CircularScan fan(int views) {
  geometry::CircularScan scan = testing::plain_scan(0);
  scan.detector.columns = 96, scan.detector.rows = 1;
  for (int n = 0; n < views; ++n) scan.angles.push_back(2 * pi * n / (views - 1));
  return scan;
}

/// The error of a cylinder off the centre, relative to its attenuation.
double error_of(const geometry::CircularScan& scan) {
  constexpr double mu = 0.05;
  const geometry::Vec3 centre{6, -4, 0};
  const testing::VirtualScan source(scan, {testing::Body{centre, {9, 9, 200}, 0, mu, true}});
  const geometry::VolumeGrid grid = geometry::default_grid(scan);
  return testing::mean_within(testing::reconstruct(source, grid), grid, centre, 7, 1) / mu - 1;
}

// 0.5 % is room for sampling at 96 columns; counting the repeated view twice would add 1 / 1600 only in the
// mean, so its weight is looked at by itself.
TEST(FanBeam, RepeatedFirstViewSharesItsWeight) {
  const geometry::CircularScan scan = fan(1601);
  const std::vector<double> steps = prepare_fdk(scan).coverage.steps;

  EXPECT_NEAR(error_of(scan), 0, 0.005);
  EXPECT_NEAR(steps.front() + steps.back(), steps[1], 1e-9);
  EXPECT_NEAR(std::accumulate(steps.begin(), steps.end(), 0.0), 2 * pi, 1e-9);
}

TEST(FanBeam, UnequalStepsKeepTheAttenuation) {
  geometry::CircularScan scan = fan(1601);
  for (double& angle : scan.angles) angle += 0.5 * std::sin(angle);

  EXPECT_NEAR(error_of(scan), 0, 0.005);
}

}  // namespace
}  // namespace feldspar::recon
