// The simulator's rays against make_views, which derives the same by other means, and against hand
// arithmetic.
#include "simulate/rays.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <random>

namespace feldspar::simulate {
namespace {

using geometry::CircularScan;
using geometry::Vec3;

void expect_near(Vec3 a, Vec3 b, double tolerance) {
  EXPECT_NEAR(a.x, b.x, tolerance);
  EXPECT_NEAR(a.y, b.y, tolerance);
  EXPECT_NEAR(a.z, b.z, tolerance);
}

CircularScan small_scan() {
  CircularScan scan;
  scan.source_object_distance = 100;
  scan.source_detector_distance = 400;
  scan.detector = {.columns = 5, .rows = 3, .column_pitch = 2, .row_pitch = 1};
  scan.angles = {0, std::numbers::pi / 2};
  return scan;
}

/// 1e-15 of a metre in double, times the few dozen operations on the way.
constexpr double rounding = 1e-10;

TEST(rays, at_angle_zero_the_world_is_the_laboratory) {
  const Rays rays(small_scan(), 0);
  expect_near(rays.source(), {0, -100, 0}, rounding);
  expect_near(rays.pixel(0, 0), {-4, 300, -1}, rounding);
  expect_near(rays.pixel(4, 2), {4, 300, 1}, rounding);
}

TEST(rays, object_turned_counter_clockwise_sees_the_source_go_clockwise) {
  // Turned by +90 degrees, the object's +x points where the beam goes: the source is on its -x.
  const Rays rays(small_scan(), 1);
  expect_near(rays.source(), {-100, 0, 0}, rounding);
  expect_near(rays.pixel(2, 1), {300, 0, 0}, rounding);
  expect_near(rays.pixel(4, 1), {300, -4, 0}, rounding);
}

TEST(rays, axis_to_the_right_puts_the_source_to_the_left) {
  CircularScan scan = small_scan();
  scan.axis.offset = 3;
  expect_near(Rays(scan, 0).source(), {-3, -100, 0}, rounding);
}

TEST(rays, agree_with_make_views_for_any_parameters) {
  std::mt19937_64 random(11);
  std::uniform_real_distribution<double> unit(-1, 1);
  for (int n = 0; n < 200; ++n) {
    CircularScan scan;
    scan.source_object_distance = 200 + 150 * unit(random);
    scan.source_detector_distance = 700 + 300 * unit(random);
    scan.detector = {.columns = 301,
                     .rows = 200,
                     .column_pitch = 0.2,
                     .row_pitch = 0.3,
                     .column_offset = 10 * unit(random),
                     .row_offset = 10 * unit(random),
                     .roll = 0.3 * unit(random),
                     .tilt = 0.3 * unit(random),
                     .slant = 0.3 * unit(random)};
    scan.axis = {.offset = 2 * unit(random), .roll = 0.3 * unit(random), .tilt = 0.3 * unit(random)};
    scan.angles = {4 * unit(random), 4 * unit(random)};
    scan.shifts = {{unit(random), unit(random)}, {unit(random), unit(random)}};
    const auto views = geometry::make_views(scan);
    for (int view = 0; view < 2; ++view) {
      const Rays rays(scan, view);
      const geometry::View& expected = views[static_cast<std::size_t>(view)];
      expect_near(rays.source(), expected.source, rounding);
      expect_near(rays.pixel(0, 0), expected.pixel_origin, rounding);
      expect_near(rays.pixel(300, 150.5),
                  expected.pixel_origin + 300.0 * expected.column_step + 150.5 * expected.row_step, rounding);
    }
  }
}

TEST(rays, extra_angle_is_the_same_as_turning_the_view) {
  CircularScan scan = small_scan();
  scan.axis.roll = 0.1;
  const Vec3 turned = Rays(scan, 0, 0.25).pixel(1, 2);
  scan.angles[0] = 0.25;
  expect_near(turned, Rays(scan, 0).pixel(1, 2), rounding);
}

TEST(rays, columns_are_upright_only_while_axis_and_detector_are) {
  CircularScan scan = small_scan();
  scan.axis.offset = 1;
  scan.detector.slant = 0.1;
  EXPECT_TRUE(Rays(scan, 1).upright());
  scan.axis.roll = 1e-4;
  EXPECT_FALSE(Rays(scan, 1).upright());
  scan.axis.roll = 0;
  scan.detector.tilt = 1e-4;
  EXPECT_FALSE(Rays(scan, 1).upright());
}

}  // namespace
}  // namespace feldspar::simulate
