// The rotation axis found in noisy projections of bodies off the axis, about an axis that is known.
#include "recon/find/centre.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <numbers>
#include <numeric>
#include <random>

#include "base/error.hpp"
#include "tests/support/resources.hpp"
#include "tests/support/scans.hpp"
#include "tests/support/virtual_scan.hpp"

namespace feldspar::recon {
namespace {

using testing::Body;
using testing::VirtualScan;

constexpr double degree = std::numbers::pi / 180;

/// 128 columns of 1 mm, 0.4 mm at the axis, 48 rows.
geometry::CircularScan small_scan(int views, double sweep = 2 * std::numbers::pi) {
  geometry::CircularScan scan = testing::plain_scan(views, sweep);
  scan.detector.columns = 128;
  scan.detector.rows = 48;
  return scan;
}

geometry::CircularScan parallel(int views, double sweep) {
  geometry::CircularScan scan = small_scan(views, sweep);
  scan.beam = geometry::Beam::parallel;
  scan.source_object_distance = scan.source_detector_distance = 0;
  scan.detector.column_pitch = scan.detector.row_pitch = 0.4;
  return scan;
}

/// A can with rods, in which no direction looks like another.
std::vector<Body> can() {
  return {{{0.5, -0.3, 0}, {13, 13, 40}, 0, 0.03, true},
          {{5, 3, 0}, {2, 3, 40}, 0.4, 0.06, true},
          {{-6, 1, 0}, {1.5, 1.5, 40}, 0, -0.03, true},
          {{1, -7, 0}, {3, 1, 40}, 1.0, 0.05, true}};
}

/// Gives another source's counts the scatter of `quanta` in the open beam, and the scan another axis to
/// claim.
class NoisyScan final : public io::WrappedSource {
 public:
  NoisyScan(geometry::CircularScan scan, std::vector<Body> bodies, double quanta = 10000)
      : WrappedSource(std::make_unique<VirtualScan>(scan, std::move(bodies), quanta)),
        claimed_(std::move(scan)) {
    claimed_.axis = {};
  }
  [[nodiscard]] const geometry::CircularScan& scan() const override { return claimed_; }
  void read(std::span<const int> views, const geometry::PixelWindow& window, void* counts) const override {
    inner().read(views, window, counts);
    auto* out = static_cast<float*>(counts);
    for (const int view : views)
      for (int row = window.rows.first; row < window.rows.end; ++row) {
        std::mt19937 random(static_cast<unsigned>(view * 1000 + row));
        for (int column = window.columns.first; column < window.columns.end; ++column, ++out)
          *out += std::normal_distribution<float>(0, std::sqrt(*out))(random);
      }
  }

 private:
  geometry::CircularScan claimed_;
};

CentreEstimate find(const NoisyScan& scan) {
  std::vector<int> views(scan.scan().angles.size());
  std::iota(views.begin(), views.end(), 0);
  return find_centre(scan, scan.scan(), views, testing::all_resources());
}

// What a reconstruction needs (a tenth of a pixel doubles no edge): these are demands on the program, several
// times what the noise of 10000 quanta leaves.
constexpr double offset_limit = 0.1 * 0.4;
constexpr double roll_limit = 0.02 * degree;

struct Axis {
  double pixels, degrees;
};

class CentreOfCone : public ::testing::TestWithParam<Axis> {};
class CentreOfParallel : public ::testing::TestWithParam<Axis> {};

void expect_found(geometry::CircularScan scan, Axis axis) {
  scan.axis.offset = axis.pixels * 0.4, scan.axis.roll = axis.degrees * degree;

  const CentreEstimate found = find(NoisyScan(scan, can()));

  EXPECT_NEAR(found.axis.offset, scan.axis.offset, offset_limit);
  ASSERT_TRUE(found.roll_known);
  EXPECT_NEAR(found.axis.roll, scan.axis.roll, roll_limit);
  EXPECT_NEAR(found.axis.offset, scan.axis.offset, 5 * found.offset_uncertainty);
  EXPECT_NEAR(found.axis.roll, scan.axis.roll, 5 * found.roll_uncertainty);
  EXPECT_EQ(found.contradicts(), std::abs(axis.pixels) > 1);
}

TEST_P(CentreOfCone, IsFoundInAFullTurn) { expect_found(small_scan(180), GetParam()); }
TEST_P(CentreOfParallel, IsFoundInAFullTurn) {
  expect_found(parallel(180, 2 * std::numbers::pi), GetParam());
}

constexpr Axis axes[] = {{0, 0}, {20, 0.5}, {-7.75, -0.2}};
INSTANTIATE_TEST_SUITE_P(Axes, CentreOfCone, ::testing::ValuesIn(axes));
INSTANTIATE_TEST_SUITE_P(Axes, CentreOfParallel, ::testing::ValuesIn(axes));

TEST(Centre, IsFoundWhereTheDetectorIsDisplaced) {
  geometry::CircularScan scan = small_scan(180);
  scan.detector.column_offset = 25;

  expect_found(scan, {2.4, 0.1});
}

TEST(Centre, IsFoundWithAnObliqueDetectorThatTurnsBackwards) {
  geometry::CircularScan scan = small_scan(180);
  scan.detector.slant = 0.04;
  for (double& angle : scan.angles) angle = -angle;

  expect_found(scan, {-4.2, 0.1});
}

TEST(Centre, OfAShortScanIsFoundInTheRaysThatItHasTwice) {
  geometry::CircularScan scan = small_scan(130, std::numbers::pi + 0.45);
  scan.axis.offset = 2.6;

  const CentreEstimate found = find(NoisyScan(scan, can()));

  EXPECT_NEAR(found.axis.offset, 2.6, offset_limit);
}

TEST(Centre, OfAHalfTurnInParallelNeedsItsLastView) {
  geometry::CircularScan scan = parallel(91, std::numbers::pi * 91 / 90);
  scan.axis.offset = -1.7;

  const CentreEstimate found = find(NoisyScan(scan, can()));

  EXPECT_NEAR(found.axis.offset, -1.7, offset_limit);
}

TEST(Centre, OfAHalfTurnInParallelIsFoundWithoutTheClosingView) {
  geometry::CircularScan scan = parallel(180, std::numbers::pi);
  scan.axis.offset = -1.7;

  const CentreEstimate found = find(NoisyScan(scan, can()));

  EXPECT_NEAR(found.axis.offset, -1.7, offset_limit);
}

TEST(Centre, IsUnknownWhereNoRayIsMeasuredTwice) {
  const NoisyScan scan(parallel(90, 0.7 * std::numbers::pi), can());

  const CentreEstimate found = find(scan);

  EXPECT_FALSE(found.known);
  EXPECT_NE(found.doubt.find("rays twice"), std::string::npos);
}

TEST(Centre, IsUnknownWhereNothingIs) {
  const NoisyScan scan(small_scan(60), {}, 1e8);

  const CentreEstimate found = find(scan);

  EXPECT_FALSE(found.known);
  EXPECT_NE(found.doubt.find("no object"), std::string::npos);
}

TEST(Centre, OfADetectorOfOneRowHasNoRoll) {
  geometry::CircularScan scan = small_scan(180);
  scan.detector.rows = 1;
  scan.axis.offset = 1.3;

  const CentreEstimate found = find(NoisyScan(scan, can()));

  EXPECT_FALSE(found.roll_known);
  EXPECT_NEAR(found.axis.offset, 1.3, offset_limit);
}

}  // namespace
}  // namespace feldspar::recon
