// Motion during a scan found in its projections: what was done to the scan, and nothing where nothing was.
#include "recon/find/motion.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <numbers>
#include <numeric>

#include "recon/find/motion_fit.hpp"
#include "tests/recon/reconstruct.hpp"
#include "tests/support/resources.hpp"
#include "tests/support/scans.hpp"
#include "tests/support/virtual_scan.hpp"

namespace feldspar::recon {
namespace {

using testing::Body;
using testing::VirtualScan;

constexpr double turn = 2 * std::numbers::pi;

/// 72 x 32 pixels of 1 mm, 0.4 mm at the axis.
geometry::CircularScan still_scan(int views = 90, double sweep = turn) {
  geometry::CircularScan scan = testing::plain_scan(views, sweep);
  scan.detector.columns = 72;
  scan.detector.rows = 32;
  return scan;
}

/// A can with rods and balls, in which neither directions nor heights look alike.
std::vector<Body> can() {
  return {{{0.5, -0.3, 0}, {10, 10, 4}, 0, 0.03, true},
          {{4, 2, 0.5}, {2, 3, 3}, 0.4, 0.06, true},
          {{-5, 1, -0.5}, {2.5, 2.5, 2}, 0, -0.02, false},
          {{1, -6, 1}, {3, 2, 2}, 1.0, 0.05, false}};
}

using Path = std::function<geometry::ViewShift(double time)>;  ///< pixels; time from 0 to 1

/// The path at every view, but for what a move of the object as a whole does.
std::vector<geometry::ViewShift> shifts_of(const geometry::CircularScan& scan, const Path& path) {
  Shifts pixels;
  for (std::size_t n = 0; n < scan.angles.size(); ++n) {
    const auto at = path(static_cast<double>(n) / static_cast<double>(scan.angles.size()));
    pixels.column.push_back(at.column), pixels.row.push_back(at.row);
  }
  remove_translation(pixels, scan.angles);
  std::vector<geometry::ViewShift> shifts;
  for (std::size_t n = 0; n < scan.angles.size(); ++n)
    shifts.push_back(
        {pixels.column[n] * scan.detector.column_pitch, pixels.row[n] * scan.detector.row_pitch});
  return shifts;
}

/// A scan that moved while it was taken and does not say so.
VirtualScan moving(const geometry::CircularScan& claimed, const Path& path) {
  geometry::CircularScan truth = claimed;
  truth.shifts = shifts_of(claimed, path);
  VirtualScan scan(truth, can());
  scan.claim(claimed);
  return scan;
}

MotionEstimate motion_of(const VirtualScan& scan) {
  std::vector<int> views(scan.scan().angles.size());
  std::iota(views.begin(), views.end(), 0);
  return estimate_motion(scan, scan.scan(), views, testing::all_resources());
}

/// Root mean square over the views, pixels of 1 mm.
double difference(const std::vector<geometry::ViewShift>& a, const std::vector<geometry::ViewShift>& b) {
  double sum = 0;
  for (std::size_t n = 0; n < a.size(); ++n)
    sum += std::pow(a[n].column - b[n].column, 2) + std::pow(a[n].row - b[n].row, 2);
  return std::sqrt(sum / static_cast<double>(a.size()));
}

std::vector<float> volume_of(const VirtualScan& source, const geometry::CircularScan& scan) {
  return testing::reconstruct(source, prepare_fdk(scan), geometry::default_grid(source.scan())).values;
}

double difference(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (std::size_t n = 0; n < a.size(); ++n) sum += std::pow(static_cast<double>(a[n] - b[n]), 2);
  return std::sqrt(sum / static_cast<double>(a.size()));
}

struct Case {
  const char* name;
  Path path;
};
void PrintTo(const Case& of, std::ostream* out) { *out << of.name; }

class Motion : public ::testing::TestWithParam<Case> {};

// A tenth of a pixel blurs nothing. The true shifts do not give the volume of the scan that stood still to
// the bit either: other rays were measured. What was found must come as near as they do, but for a quarter.
TEST_P(Motion, IsFoundAndUndone) {
  geometry::CircularScan scan = still_scan(), known = scan;
  const VirtualScan source = moving(scan, GetParam().path), still(scan, can());
  known.shifts = shifts_of(scan, GetParam().path);
  const std::vector<float> wanted = volume_of(still, scan);
  const double blurred = difference(volume_of(source, scan), wanted),
               best = difference(volume_of(source, known), wanted);

  const MotionEstimate found = motion_of(source);

  ASSERT_TRUE(found.found()) << found.text;
  EXPECT_LT(difference(found.shifts, known.shifts), 0.1) << found.text;
  scan.shifts = found.shifts;
  const double undone = difference(volume_of(source, scan), wanted);
  EXPECT_LT(undone, 1.25 * best) << blurred;
  EXPECT_LT(undone, 0.7 * blurred) << best;
}

const Case cases[] = {
    {"ALinearDrift",
     [](double t) {
       return geometry::ViewShift{2 * t, t};
     }},
    {"AJump",
     [](double t) {
       return geometry::ViewShift{t < 0.4 ? 0 : 1.5, t < 0.4 ? 0 : -1.0};
     }},
    {"AWave",
     [](double t) {
       return geometry::ViewShift{1.2 * std::sin(2 * turn * t), 0.7 * std::sin(3 * turn * t)};
     }},
};
INSTANTIATE_TEST_SUITE_P(Of, Motion, ::testing::ValuesIn(cases),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(Motion, OfAScanThatStoodStillLeavesItAsItWas) {
  geometry::CircularScan scan = still_scan();
  scan.shifts.assign(scan.angles.size(), {0.3, -0.2});

  const MotionEstimate found = motion_of(VirtualScan(scan, can()));

  EXPECT_FALSE(found.found()) << found.text;
  ASSERT_EQ(found.shifts.size(), scan.shifts.size());
  EXPECT_EQ(difference(found.shifts, scan.shifts), 0);
}

TEST(Motion, IsNotLookedForInLessThanATurn) {
  const geometry::CircularScan scan = still_scan(90, std::numbers::pi + 0.5);

  const MotionEstimate found = motion_of(VirtualScan(scan, can()));

  EXPECT_TRUE(found.shifts.empty());
  EXPECT_NE(found.text.find("full turn"), std::string::npos) << found.text;
}

TEST(Motion, AddsToTheShiftsThatTheScanStates) {
  geometry::CircularScan claimed = still_scan(), truth = claimed;
  for (std::size_t n = 0; n < truth.angles.size(); ++n) {
    const double stated = 3 * std::cos(2 * truth.angles[n]), unstated = 1.5 * std::sin(2 * truth.angles[n]);
    claimed.shifts.push_back({stated, 0}), truth.shifts.push_back({stated + unstated, 0});
  }
  VirtualScan source(truth, can());
  source.claim(claimed);

  const MotionEstimate found = motion_of(source);

  ASSERT_TRUE(found.columns.found) << found.text;
  EXPECT_LT(difference(found.shifts, truth.shifts), 0.1) << found.text;
}

}  // namespace
}  // namespace feldspar::recon
