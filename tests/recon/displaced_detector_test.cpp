// Detectors that reach further on one side of the axis, over a full turn: the field is as wide as twice that
// side.
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "base/error.hpp"
#include "recon/setup/fdk_setup.hpp"
#include "tests/recon/reconstruct.hpp"
#include "tests/support/failure.hpp"
#include "tests/support/scans.hpp"

namespace feldspar::recon {
namespace {

using geometry::CircularScan;
using std::numbers::pi;

struct Displacement {
  const char* name;
  void (*make)(CircularScan&);
};

/// 96 x 16 pixels of 1 mm at magnification 2.5, or of 0.4 mm in a parallel beam.
CircularScan centred_scan(int views = 360, double sweep = 2 * pi) {
  CircularScan scan = testing::plain_scan(views, sweep);
  scan.detector.columns = 96, scan.detector.rows = 16;
  return scan;
}

void make_parallel(CircularScan& scan) {
  scan.beam = geometry::Beam::parallel;
  scan.source_object_distance = scan.source_detector_distance = 0;
  scan.detector.column_pitch = scan.detector.row_pitch = 0.4;
}

class Displaced : public ::testing::TestWithParam<Displacement> {};

// The short side reaches 9 to 13 mm from the axis, the cylinder 20.6 mm: 0.5 % is room for sampling, while
// counting rays once that were seen twice, or the reverse, is off by tens of per cent.
TEST_P(Displaced, CylinderWiderThanTheShortSideReadsItsAttenuation) {
  constexpr double mu = 0.05;
  CircularScan scan = centred_scan();
  GetParam().make(scan);
  ASSERT_TRUE(geometry::is_displaced(scan));
  const geometry::Vec3 centre{1.6, 0, 0};
  const testing::VirtualScan source(scan, {testing::Body{centre, {19, 19, 200}, 0, mu, true}});
  const geometry::VolumeGrid grid = geometry::centred_grid(110, 110, 4, 0.4);

  const auto volume = testing::reconstruct(source, grid);

  EXPECT_NEAR(testing::mean_within(volume, grid, centre, 17, 0.7), mu, 0.005 * mu);
  for (const double x : {-14.0, -7.0, 0.0, 7.0, 14.0})
    for (const double y : {-11.0, 0.0, 11.0}) {
      if (std::hypot(x - centre.x, y) > 16) continue;
      EXPECT_NEAR(testing::mean_within(volume, grid, {x, y, 0}, 1.5, 0.7), mu, 0.01 * mu) << x << ", " << y;
    }
}
INSTANTIATE_TEST_SUITE_P(
    Displacements, Displaced,
    ::testing::Values(
        Displacement{"detector_to_the_right", [](CircularScan& s) { s.detector.column_offset = 20; }},
        Displacement{"detector_to_the_left", [](CircularScan& s) { s.detector.column_offset = -18; }},
        Displacement{"axis_to_the_left", [](CircularScan& s) { s.axis.offset = -8; }},
        Displacement{"reversed",
                     [](CircularScan& s) {
                       s.detector.column_offset = 20;
                       for (double& a : s.angles) a = -a;
                     }},
        Displacement{"rolled",
                     [](CircularScan& s) { s.detector.column_offset = 20, s.detector.roll = 0.05; }},
        Displacement{"parallel", [](CircularScan& s) { make_parallel(s), s.axis.offset = 8; }},
        Displacement{"parallel_the_other_side",
                     [](CircularScan& s) { make_parallel(s), s.axis.offset = -7.5; }}),
    [](const auto& of) { return of.param.name; });

TEST(DisplacedDetector, IsSaidAndWidensTheDefaultVolume) {
  CircularScan scan = centred_scan();
  const int narrow = geometry::default_grid(scan).nx;
  scan.detector.column_offset = 20;

  const FdkSetup setup = prepare_fdk(scan);

  ASSERT_EQ(setup.findings.size(), 1u);
  EXPECT_EQ(testing::count_of(setup.findings, "detector.displaced"), 1);
  EXPECT_GT(geometry::default_grid(scan).nx, narrow + 30);
}

TEST(DisplacedDetector, NeedsAFullTurn) {
  CircularScan scan = centred_scan(240, 240 * pi / 180);
  scan.detector.column_offset = 20;
  try {
    (void)prepare_fdk(scan);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::bad_file);
    EXPECT_NE(std::string(error.what()).find("full turn"), std::string::npos) << error.what();
  }
}

// Half a turn of a parallel beam sees every line within the shorter side once, so an object there needs no
// more.
TEST(DisplacedDetector, HalfATurnOfAParallelBeamKeepsTheShorterSide) {
  constexpr double mu = 0.05;
  CircularScan scan = centred_scan(180, pi);
  make_parallel(scan), scan.axis.offset = 8;
  const testing::VirtualScan source(scan, {testing::Body{{1, 1, 0}, {7, 7, 200}, 0, mu, true}});
  const geometry::VolumeGrid grid = geometry::centred_grid(60, 60, 4, 0.4);

  const auto volume = testing::reconstruct(source, grid);

  EXPECT_FALSE(geometry::is_displaced(scan));
  EXPECT_NEAR(testing::mean_within(volume, grid, {1, 1, 0}, 6, 0.7), mu, 0.005 * mu);
}

}  // namespace
}  // namespace feldspar::recon
