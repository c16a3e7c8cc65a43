// Filtered back-projection of a parallel beam against bodies whose line integrals are exact: half a turn,
// more than that, repeated and uneven views, an axis that is off the middle or leans.
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "base/error.hpp"
#include "recon/setup/fdk_setup.hpp"
#include "tests/recon/reconstruct.hpp"
#include "tests/support/comparison.hpp"
#include "tests/support/failure.hpp"
#include "tests/support/scans.hpp"

namespace feldspar::recon {
namespace {

using geometry::CircularScan;
using std::numbers::pi;
using testing::Body;
using testing::reconstruct;
using testing::VirtualScan;
using testing::VolumeInMemory;

constexpr double mu = 0.05;

/// 96 x 40 pixels of 0.4 mm.
CircularScan small_scan(int views = 180, double sweep = pi) {
  CircularScan scan = testing::parallel_scan(views, sweep);
  scan.detector = {
      .columns = 96, .rows = 40, .column_pitch = 0.4, .row_pitch = 0.4, .column_offset = 0, .row_offset = 0};
  return scan;
}

struct Variation {
  const char* name;
  void (*change)(CircularScan&);
};

void append(CircularScan& scan, int views, double from, double step) {
  for (int n = 0; n < views; ++n) scan.angles.push_back(from + step * n);
}

const Variation turns[] = {
    {"half_turn", [](CircularScan&) {}},
    {"half_turn_and_its_opposite", [](CircularScan& s) { s = small_scan(181, pi * 181 / 180); }},
    {"three_quarters_of_a_turn", [](CircularScan& s) { s = small_scan(270, 1.5 * pi); }},
    {"just_over_half_a_turn", [](CircularScan& s) { s = small_scan(200, pi * 200 / 180); }},
    {"full_turn", [](CircularScan& s) { s = small_scan(360, 2 * pi); }},
    {"full_turn_of_odd_views", [](CircularScan& s) { s = small_scan(181, 2 * pi); }},
    {"full_turn_and_its_first_view_again", [](CircularScan& s) { s = small_scan(361, 2 * pi * 361 / 360); }},
    {"two_half_turns_of_other_density",
     [](CircularScan& s) {
       s.angles.clear();
       append(s, 180, 0, pi / 180);
       append(s, 60, pi, pi / 60);
     }},
    {"unequal_steps",
     [](CircularScan& s) {
       for (double& a : s.angles) a += 0.2 * std::sin(2 * a);
     }},
    {"golden_angles",
     [](CircularScan& s) {
       s.angles.clear();
       append(s, 233, 0, pi * (std::sqrt(5.0) - 1) / 2);
     }},
    {"reversed", [](CircularScan& s) {
       for (double& a : s.angles) a = -a;
     }}};

class UniformCylinder : public ::testing::TestWithParam<Variation> {};

// In a parallel beam there is no approximation: what is left is sampling at 96 columns and 180 views, 0.5 %.
TEST_P(UniformCylinder, ReadsItsAttenuation) {
  CircularScan scan = small_scan();
  GetParam().change(scan);
  const geometry::Vec3 centre{6, -4, 0};
  const VirtualScan source(scan, {Body{centre, {9, 9, 200}, 0, mu, true}});
  const geometry::VolumeGrid grid = geometry::centred_grid(96, 96, 8, 0.4);

  const VolumeInMemory volume = reconstruct(source, grid);

  EXPECT_NEAR(testing::mean_within(volume, grid, centre, 7, 1.5), mu, 0.005 * mu);
  EXPECT_NEAR(testing::mean_within(volume, grid, {-10, 6, 0}, 2, 1.5), 0, 0.005 * mu) << "air";
}
INSTANTIATE_TEST_SUITE_P(Turns, UniformCylinder, ::testing::ValuesIn(turns),
                         [](const auto& of) { return of.param.name; });

/// Bodies without symmetry, all of them inside what every geometry below sees.
std::vector<Body> asymmetric() {
  return {{{1, -2, 0.5}, {11, 8, 5}, 0.4, 0.04, false},
          {{5, 2, 2}, {2.5, 2, 2}, 0, 0.06, false},
          {{-4, -3, -2}, {2, 3, 2}, 0.7, -0.02, false},
          {{-2, 4, 1}, {1.5, 1.5, 3}, 0, 0.05, false}};
}

// As in the cone beam's tests: sharp edges fall between other pixels, which a Hann window to half of Nyquist
// leaves at a few per cent in norm. Rows are not smoothed, and only the straight scan's fall on the slices:
// between them linear interpolation blurs the bodies' tops, 4 % in norm. Ignoring the geometry differs by 8 %
// and more.
constexpr double sampling = 0.05;
constexpr double visible = 0.08;
constexpr kernels::RampOptions smooth{.window = kernels::RampWindow::hann, .cutoff = 0.5};
const geometry::VolumeGrid common_grid = geometry::centred_grid(66, 62, 34, 0.4);

double difference_from_straight(const VirtualScan& source) {
  static const VolumeInMemory straight =
      reconstruct(VirtualScan(small_scan(), asymmetric()), common_grid, {.ramp = smooth});
  const VolumeInMemory volume = reconstruct(source, common_grid, {.ramp = smooth});
  return testing::compare(std::span(volume.values), std::span(straight.values)).relative;
}

class Geometry : public ::testing::TestWithParam<Variation> {};

TEST_P(Geometry, GivesTheStraightVolume) {
  CircularScan varied = small_scan();
  GetParam().change(varied);

  EXPECT_LT(difference_from_straight(VirtualScan(varied, asymmetric())), sampling);
}

TEST_P(Geometry, ShowsWhenItIsIgnored) {
  CircularScan varied = small_scan();
  GetParam().change(varied);
  VirtualScan source(varied, asymmetric());
  source.claim(small_scan());

  EXPECT_GT(difference_from_straight(source), visible);
}
INSTANTIATE_TEST_SUITE_P(
    Geometries, Geometry,
    ::testing::Values(Variation{"axis_offset", [](CircularScan& s) { s.axis.offset = 1.73; }},
                      Variation{"axis_far_from_the_frame",  // only where it meets the detector matters
                                [](CircularScan& s) { s.axis.offset = 41.3, s.detector.column_offset = 40; }},
                      Variation{"detector_offset", [](CircularScan& s) { s.detector.row_offset = -1.5; }},
                      Variation{"axis_roll", [](CircularScan& s) { s.axis.roll = 0.1; }},
                      Variation{"detector_roll", [](CircularScan& s) { s.detector.roll = -0.12; }},
                      Variation{"detector_slant", [](CircularScan& s) { s.detector.slant = 0.45; }},
                      Variation{"reversed",
                                [](CircularScan& s) {
                                  for (double& a : s.angles) a = -a;
                                }},
                      Variation{"shifted_views",
                                [](CircularScan& s) {
                                  for (int n = 0; n < int(s.angles.size()); ++n)
                                    s.shifts.push_back({std::sin(0.7 * n), 0.8 * std::cos(1.3 * n)});
                                }}),
    [](const auto& of) { return of.param.name; });

// Rays that climb by the axis' tilt lack the frequencies near the axis' direction, so only a body that does
// not change along z keeps its value exactly: its paths grow with 1 / cos(tilt), which the weights undo.
TEST(ParallelBeam, TiltedAxisKeepsALongCylinder) {
  CircularScan scan = small_scan(360, 2 * pi);
  scan.axis.tilt = 0.3;
  const VirtualScan source(scan, {Body{{3, 2, 0}, {9, 9, 200}, 0, mu, true}});
  const geometry::VolumeGrid grid = geometry::centred_grid(96, 96, 4, 0.4);

  const VolumeInMemory volume = reconstruct(source, grid);

  EXPECT_NEAR(testing::mean_within(volume, grid, {3, 2, 0}, 7, 1), mu, 0.005 * mu);
}

TEST(ParallelBeam, CpuAgreesWithReferenceEndToEnd) {
  CircularScan scan = small_scan(30);
  scan.detector.columns = 41, scan.detector.rows = 37;
  scan.detector.roll = 0.02, scan.axis.offset = 0.9;
  const VirtualScan source(scan, asymmetric(), 50000);
  const geometry::VolumeGrid grid = geometry::centred_grid(23, 21, 19, 0.5);

  const VolumeInMemory expected = reconstruct(source, grid, {.device = "reference"}),
                       result = reconstruct(source, grid);

  // Rounding of each stage to single precision, as in the operators' own tests.
  EXPECT_LT(testing::compare(std::span(result.values), std::span(expected.values)).relative, 1e-5);
}

TEST(ParallelBeam, MissingDirectionsAreSaid) {
  const FdkSetup setup = prepare_fdk(small_scan(150, pi * 150 / 180));

  ASSERT_EQ(setup.findings.size(), 1u);
  EXPECT_EQ(testing::count_with(setup.findings, {"150.00 of the 180 degrees"}), 1);
  EXPECT_EQ(testing::count_of(setup.findings, "coverage.limited"), 1);
}

TEST(ParallelBeam, HalfATurnIsNothingToSpeakOf) { EXPECT_TRUE(prepare_fdk(small_scan()).findings.empty()); }

TEST(ParallelBeam, TooFewDirectionsAreRefused) {
  try {
    (void)prepare_fdk(small_scan(90, pi / 2));
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::bad_file);
    EXPECT_NE(std::string(error.what()).find("half turn"), std::string::npos) << error.what();
  }
}

TEST(ParallelBeam, DistancesAreRefused) {
  CircularScan scan = small_scan();
  scan.source_detector_distance = 500;
  EXPECT_THROW((void)prepare_fdk(scan), Error);
}

TEST(ParallelBeam, AxisBesideTheDetectorIsRefused) {
  CircularScan scan = small_scan();
  scan.axis.offset = 30;
  EXPECT_THROW((void)prepare_fdk(scan), Error);
}

}  // namespace
}  // namespace feldspar::recon
