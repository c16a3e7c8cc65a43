// The conventions of geometry/scan.hpp, one by one, against places worked out by hand.
#include "geometry/scan.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "base/error.hpp"
#include "geometry/coverage.hpp"
#include "tests/support/scans.hpp"

namespace feldspar::geometry {
namespace {

constexpr double quarter_turn = std::numbers::pi / 2;
constexpr double rounding = 1e-9;  // pixels; positions are a few hundred mm in double precision

/// SOD 200, SDD 500 (magnification 2.5), 101 x 81 pixels of 0.5 mm: the central ray meets pixel (50, 40).
CircularScan one_view(double angle = 0) {
  return {.source_object_distance = 200,
          .source_detector_distance = 500,
          .detector = {.columns = 101, .rows = 81, .column_pitch = 0.5, .row_pitch = 0.5},
          .axis = {},
          .angles = {angle},
          .shifts = {}};
}

void expect_pixel(const CircularScan& scan, Vec3 marker, double column, double row) {
  const DetectorPoint at = project(make_views(scan)[0], marker);
  EXPECT_NEAR(at.column, column, rounding);
  EXPECT_NEAR(at.row, row, rounding);
  EXPECT_GT(at.depth, 0);
}

TEST(Views, OriginProjectsToTheMiddle) { expect_pixel(one_view(), {0, 0, 0}, 50, 40); }

TEST(Views, RightOfTheBeamIsHigherColumn) { expect_pixel(one_view(), {2, 0, 0}, 50 + 2 * 2.5 / 0.5, 40); }

TEST(Views, UpIsHigherRow) { expect_pixel(one_view(), {0, 0, 3}, 50, 40 + 3 * 2.5 / 0.5); }

TEST(Views, NearTheSourceIsMagnifiedMore) {
  expect_pixel(one_view(), {2, -100, 0}, 50 + 2 * 500.0 / 100 / 0.5, 40);
}

TEST(Views, PositiveAngleTurnsTheObjectCounterClockwiseSeenFromAbove) {
  // A marker at +x, turned a quarter counter-clockwise, stands at +y: behind the axis, on the central ray.
  const DetectorPoint at = project(make_views(one_view(quarter_turn))[0], {10, 0, 0});
  EXPECT_NEAR(at.column, 50, rounding);
  EXPECT_NEAR(at.depth, 210, rounding);
  // One at -y (before the axis) stands at +x: to the right.
  expect_pixel(one_view(quarter_turn), {0, -2, 0}, 50 + 2 * 2.5 / 0.5, 40);
}

TEST(Views, DetectorOffsetMovesTheImageTheOtherWay) {
  CircularScan scan = one_view();
  scan.detector.column_offset = 4;
  scan.detector.row_offset = -3;
  expect_pixel(scan, {0, 0, 0}, 50 - 4 / 0.5, 40 + 3 / 0.5);
}

TEST(Views, AxisOffsetMovesTheObject) {
  CircularScan scan = one_view();
  scan.axis.offset = 2;
  expect_pixel(scan, {0, 0, 0}, 50 + 2 * 2.5 / 0.5, 40);
  expect_pixel(scan, {0, 0, 3}, 50 + 2 * 2.5 / 0.5, 40 + 3 * 2.5 / 0.5);
}

TEST(Views, AxisRollLeansTheTopToTheRight) {
  CircularScan scan = one_view();
  scan.axis.roll = 0.1;
  expect_pixel(scan, {0, 0, 3}, 50 + 3 * std::sin(0.1) * 2.5 / 0.5, 40 + 3 * std::cos(0.1) * 2.5 / 0.5);
}

TEST(Views, AxisTiltLeansTheTopToTheDetector) {
  CircularScan scan = one_view();
  scan.axis.tilt = 0.1;
  const double m = 500 / (200 + 3 * std::sin(0.1));
  expect_pixel(scan, {0, 0, 3}, 50, 40 + 3 * std::cos(0.1) * m / 0.5);
}

TEST(Views, PositiveRollLowersTheRightEdge) {
  CircularScan scan = one_view();
  scan.detector.roll = 0.1;
  // The ray that meets x = 10 mm on the detector finds it turned by 0.1 about the central ray.
  expect_pixel(scan, {4, 0, 0}, 50 + 10 * std::cos(0.1) / 0.5, 40 + 10 * std::sin(0.1) / 0.5);
}

TEST(Views, PositiveTiltLeansTheUpperEdgeToTheSource) {
  CircularScan scan = one_view();
  scan.detector.tilt = 0.1;
  const View view = make_views(scan)[0];
  EXPECT_LT(from_pixel(view, 50, 80).pixel_origin.y, from_pixel(view, 50, 0).pixel_origin.y);
}

TEST(Views, PositiveSlantMovesTheRightEdgeAway) {
  CircularScan scan = one_view();
  scan.detector.slant = 0.1;
  const View view = make_views(scan)[0];
  EXPECT_GT(from_pixel(view, 100, 40).pixel_origin.y, from_pixel(view, 0, 40).pixel_origin.y);
}

TEST(Views, ShiftedImageIsReadWhereItMovedTo) {
  CircularScan scan = one_view();
  scan.shifts = {{.column = 1.5, .row = -1}};
  expect_pixel(scan, {0, 0, 0}, 50 + 1.5 / 0.5, 40 - 1 / 0.5);
}

TEST(Views, EdgesGiveOffsetAndRoll) {
  const CircularScan scan = one_view();
  // On a detector 40.5 mm high the axis crosses the upper edge at +3 mm and the lower at +1 mm.
  const RotationAxis axis = axis_from_edges(3, 1, scan);
  EXPECT_NEAR(axis.offset, 2 / 2.5, 1e-12);
  EXPECT_NEAR(std::tan(axis.roll), 2 / 40.5, 1e-12);

  CircularScan tilted = scan;
  tilted.axis = axis;
  const View view = make_views(tilted)[0];
  // Two points of the axis: the line through their images crosses the edges where the instrument said.
  const DetectorPoint a = project(view, {0, 0, -5}), b = project(view, {0, 0, 5});
  const double slope = (b.column - a.column) / (b.row - a.row);
  EXPECT_NEAR((a.column + slope * (80.5 - a.row) - 50) * 0.5, 3, 1e-9);
  EXPECT_NEAR((a.column + slope * (-0.5 - a.row) - 50) * 0.5, 1, 1e-9);
}

TEST(Validation, NamesTheImpossibleQuantity) {
  const auto message = [](auto change) {
    CircularScan scan = one_view();
    change(scan);
    try {
      validate(scan);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::bad_file);
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  using S = CircularScan&;
  EXPECT_EQ(message([](S) {}), "accepted");
  EXPECT_NE(message([](S s) { s.source_object_distance = 0; }).find("source-to-object"), std::string::npos);
  EXPECT_NE(message([](S s) { s.source_detector_distance = 100; }).find("source-to-detector"),
            std::string::npos);
  EXPECT_NE(message([](S s) { s.detector.column_pitch = -1; }).find("column pitch"), std::string::npos);
  EXPECT_NE(message([](S s) { s.detector.rows = 0; }).find("rows"), std::string::npos);
  EXPECT_NE(message([](S s) { s.detector.column_offset = 30; }).find("column offset"), std::string::npos);
  EXPECT_NE(message([](S s) { s.angles = {}; }).find("views"), std::string::npos);
  EXPECT_NE(message([](S s) { s.angles = {NAN}; }).find("angle"), std::string::npos);
  EXPECT_NE(message([](S s) { s.shifts.resize(3); }).find("shifts"), std::string::npos);
  EXPECT_NE(message([](S s) { s.axis.roll = 2; }).find("axis roll"), std::string::npos);
}

}  // namespace
}  // namespace feldspar::geometry
