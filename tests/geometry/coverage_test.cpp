// Which pixels a slab needs, how angles share the turn, and the upright virtual detector.
#include "geometry/coverage.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <numeric>

#include "geometry/rectification.hpp"
#include "tests/support/scans.hpp"

namespace feldspar::geometry {
namespace {

constexpr double turn = 2 * std::numbers::pi;

double sum(const std::vector<double>& values) { return std::accumulate(values.begin(), values.end(), 0.0); }

std::vector<double> degrees(std::initializer_list<double> values) {
  std::vector<double> angles;
  for (const double v : values) angles.push_back(v * turn / 360);
  return angles;
}

class Window : public ::testing::TestWithParam<testing::Case> {};

TEST_P(Window, HoldsEveryShadowOfTheSlab) {
  const auto& c = GetParam();
  const auto views = make_views(c.scan);
  const int nu = c.scan.detector.columns, nv = c.scan.detector.rows;
  const VolumeGrid slab = slab_of(c.grid, c.grid.nz / 3, (c.grid.nz + 2) / 3);

  const PixelWindow window = shadow_window(views, slab, nu, nv);

  const auto holds = [](Range range, double at, int count) {  // both neighbours, as far as they exist
    const int below = static_cast<int>(std::floor(at));
    return (below < 0 || below >= count || (below >= range.first && below < range.end)) &&
           (below + 1 < 0 || below + 1 >= count || (below + 1 >= range.first && below + 1 < range.end));
  };
  for (const View& view : views)
    for (int k = 0; k < slab.nz; ++k)
      for (int j = 0; j < slab.ny; ++j)
        for (int i = 0; i < slab.nx; ++i) {
          const DetectorPoint at = project(view, slab.centre_of(i, j, k));
          ASSERT_TRUE(holds(window.columns, at.column, nu)) << at.column;
          ASSERT_TRUE(holds(window.rows, at.row, nv)) << at.row;
        }
}

std::vector<testing::Case> cases() {
  auto all = testing::named_cases();
  for (auto& c : testing::random_cases(10, 11)) all.push_back(std::move(c));
  return all;
}
INSTANTIATE_TEST_SUITE_P(Geometries, Window, ::testing::ValuesIn(cases()),
                         [](const auto& of) { return of.param.name; });

TEST(ShadowWindow, ThinSlabNeedsFewRows) {
  const auto scan = testing::plain_scan(40);
  const VolumeGrid slab = slab_of(centred_grid(10, 10, 20, 0.4), 10, 1);
  const PixelWindow window = shadow_window(make_views(scan), slab, 37, 29);
  EXPECT_LE(window.rows.count(), 4);
  EXPECT_LT(window.columns.count(), 37);
}

TEST(AngularCoverage, EqualStepsShareTheTurn) {
  const auto coverage = angular_coverage(testing::plain_scan(36).angles);
  EXPECT_TRUE(coverage.complete);
  for (const double step : coverage.steps) EXPECT_NEAR(step, turn / 36, 1e-12);
}

TEST(AngularCoverage, SenseAndOrderDoNotMatter) {
  const auto forward = angular_coverage(degrees({0, 30, 90, 180, 250, 300}));
  const auto backward = angular_coverage(degrees({-300, -250, -180, -90, -30, 0}));
  EXPECT_NEAR(forward.steps[2], 75 * turn / 360, 1e-12);  // half of 60 and half of 90
  EXPECT_NEAR(backward.steps[3], 75 * turn / 360, 1e-12);
  EXPECT_NEAR(sum(forward.steps), turn, 1e-12);
  EXPECT_NEAR(sum(backward.steps), turn, 1e-12);
}

TEST(AngularCoverage, RepeatedViewsShareTheirWeight) {
  std::vector<double> angles = testing::plain_scan(36).angles;
  angles.push_back(angles[0] + turn);
  const auto coverage = angular_coverage(angles);
  EXPECT_NEAR(coverage.steps.front(), turn / 72, 1e-9);
  EXPECT_NEAR(coverage.steps.back(), turn / 72, 1e-9);
  EXPECT_NEAR(sum(coverage.steps), turn, 1e-9);
  EXPECT_NEAR(coverage.span, turn, 1e-9);
}

TEST(AngularCoverage, OverrunOfAFlyScanStaysAFullTurn) {
  std::vector<double> angles;
  for (int n = 0; n < 1570; ++n) angles.push_back(n * 0.2299575 * turn / 360);
  const auto coverage = angular_coverage(angles);
  EXPECT_TRUE(coverage.complete);
  EXPECT_NEAR(sum(coverage.steps), turn, 1e-9);
  EXPECT_NEAR(coverage.span, 361.033 * turn / 360, 1e-5);
}

TEST(AngularCoverage, MissingViewsAreNoShortScan) {
  std::vector<double> angles = testing::plain_scan(360).angles;
  angles.erase(angles.begin() + 100, angles.begin() + 105);
  const auto coverage = angular_coverage(angles);
  EXPECT_TRUE(coverage.complete);
  EXPECT_NEAR(coverage.steps[99], 3.5 * turn / 360, 1e-9);
  EXPECT_NEAR(sum(coverage.steps), turn, 1e-9);
}

TEST(AngularCoverage, MissingViewOfASparseScanIsNoShortScan) {
  std::vector<double> angles = testing::plain_scan(30).angles;
  angles.erase(angles.begin() + 7);
  const auto coverage = angular_coverage(angles);
  EXPECT_TRUE(coverage.complete);
  EXPECT_NEAR(coverage.steps[6], 1.5 * turn / 30, 1e-9);
  EXPECT_NEAR(sum(coverage.steps), turn, 1e-9);
}

TEST(AngularCoverage, PartialTurnIsNotClosed) {
  std::vector<double> angles;
  for (int n = 0; n <= 220; ++n) angles.push_back(n * turn / 360);
  const auto coverage = angular_coverage(angles);
  EXPECT_FALSE(coverage.complete);
  for (const double step : coverage.steps) EXPECT_NEAR(step, turn / 360, 1e-9);
}

TEST(FieldOfView, IsTheCircleThatTouchesTheEdgeRays) {
  auto scan = testing::plain_scan(4);
  const double angle = std::atan(18.5 / 500);
  EXPECT_NEAR(field_of_view(scan).inner_radius, 200 * std::sin(angle), 1e-12);
  scan.detector.column_offset = 5;
  EXPECT_NEAR(field_of_view(scan).inner_radius, 200 * std::sin(std::atan(13.5 / 500)), 1e-12);
  EXPECT_NEAR(field_of_view(scan).outer_radius, 200 * std::sin(std::atan(23.5 / 500)), 1e-12);
}

class Upright : public ::testing::TestWithParam<testing::Case> {};

TEST_P(Upright, VirtualPixelsLieOnTheRaysOfRealOnes) {
  const auto& c = GetParam();
  const auto views = make_views(c.scan);
  const int nu = c.scan.detector.columns, nv = c.scan.detector.rows;

  const Rectification r = make_rectification(views, nu, nv);

  EXPECT_TRUE(is_aligned(r.views, r.columns, r.rows, 1e-9));
  for (std::size_t n = 0; n < views.size(); ++n)
    for (const auto& [column, row] :
         {std::pair{0, 0}, {r.columns - 1, 0}, {0, r.rows - 1}, {r.columns / 2, r.rows / 3}}) {
      const Vec3 point = from_pixel(r.views[n], column, row).pixel_origin;
      const auto& h = r.homographies[n];
      const double w = h[6] * column + h[7] * row + h[8];
      const DetectorPoint real = project(views[n], point);
      EXPECT_NEAR((h[0] * column + h[1] * row + h[2]) / w, real.column, 1e-8);
      EXPECT_NEAR((h[3] * column + h[4] * row + h[5]) / w, real.row, 1e-8);
    }
}

TEST_P(Upright, CoversTheRealDetector) {
  const auto& c = GetParam();
  const auto views = make_views(c.scan);
  const int nu = c.scan.detector.columns, nv = c.scan.detector.rows;
  const Rectification r = make_rectification(views, nu, nv);
  for (std::size_t n = 0; n < views.size(); ++n)
    for (const auto& [column, row] : {std::pair{0, 0}, {nu - 1, 0}, {0, nv - 1}, {nu - 1, nv - 1}}) {
      const DetectorPoint at = project(r.views[n], from_pixel(views[n], column, row).pixel_origin);
      EXPECT_GE(at.column, -0.5);
      EXPECT_LE(at.column, r.columns - 0.5);
      EXPECT_GE(at.row, -0.5);
      EXPECT_LE(at.row, r.rows - 0.5);
    }
}
INSTANTIATE_TEST_SUITE_P(Geometries, Upright, ::testing::ValuesIn(cases()),
                         [](const auto& of) { return of.param.name; });

}  // namespace
}  // namespace feldspar::geometry
