// Slices are sharpest about the axis, and with the conventions, that a scan was taken with.
#include "recon/find/slice_sharpness.hpp"

#include <gtest/gtest.h>

#include <numbers>

#include "recon/find/axis_choice.hpp"
#include "recon/find/conventions.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/failing_backend.hpp"
#include "tests/support/resources.hpp"
#include "tests/support/scans.hpp"
#include "tests/support/virtual_scan.hpp"

namespace feldspar::recon {
namespace {

using testing::Body;
using testing::VirtualScan;

constexpr double pixel = 0.4;  // mm at the axis

/// One row of 96 columns of 1 mm.
geometry::CircularScan one_row(int views) {
  geometry::CircularScan scan = testing::plain_scan(views);
  scan.detector.columns = 96;
  scan.detector.rows = 1;
  return scan;
}

std::vector<Body> can() {
  return {{{0.5, -0.3, 0}, {13, 13, 40}, 0, 0.03, true},
          {{5, 3, 0}, {2, 3, 40}, 0.4, 0.06, true},
          {{-6, 1, 0}, {1.5, 1.5, 40}, 0, -0.03, true}};
}

VirtualScan taken(const geometry::CircularScan& truth, const geometry::CircularScan& claimed) {
  VirtualScan scan(truth, can());
  scan.claim(claimed);
  return scan;
}

// A tenth of a pixel doubles no edge.
TEST(SliceSharpness, FindsTheAxisOfAFullTurn) {
  geometry::CircularScan truth = one_row(120), claimed = truth;
  truth.axis.offset = 5.3 * pixel;

  const SharpnessEstimate found =
      sharpen_centre(taken(truth, claimed), claimed, {}, testing::all_resources());

  ASSERT_TRUE(found.known);
  EXPECT_NEAR(found.axis.offset, truth.axis.offset, 0.1 * pixel);
}

TEST(SliceSharpness, FindsTheAxisOfHalfATurn) {
  geometry::CircularScan truth = one_row(120);
  truth.beam = geometry::Beam::parallel;
  truth.source_object_distance = truth.source_detector_distance = 0;
  truth.detector.column_pitch = truth.detector.row_pitch = pixel;
  for (double& angle : truth.angles) angle *= 0.5;
  const geometry::CircularScan claimed = truth;
  truth.axis.offset = -1.6 * pixel;

  const SharpnessEstimate found =
      sharpen_centre(taken(truth, claimed), claimed, {}, testing::all_resources());

  ASSERT_TRUE(found.known);
  EXPECT_NEAR(found.axis.offset, truth.axis.offset, 0.15 * pixel);
}

TEST(AxisChoice, LooksOnTheGivenDevice) {
  const geometry::CircularScan scan = one_row(120);
  MemoryBudget budget;
  testing::FailingBackend device(std::size_t{1} << 30, 0, 0);

  testing::expect_error(ErrorKind::device, {}, [&] {
    (void)choose_axis(taken(scan, scan), scan, {}, Resources{budget, device, 1});
  });
}

TEST(AxisChoice, KeepsWithinTheGivenMemoryWhichItCanForesee) {
  const geometry::CircularScan scan = one_row(120);
  const VirtualScan source = taken(scan, scan);
  const auto look = [&](std::size_t memory) {
    MemoryBudget budget(memory);
    const int threads = testing::all_resources().threads;
    const auto backend = kernels::open_backend("cpu", {.threads = threads, .budget = &budget});
    return choose_axis(source, scan, {}, Resources{budget, *backend, threads}).axis.offset;
  };
  const std::size_t least = axis_bytes(source, scan, {}, testing::all_resources());

  EXPECT_NEAR(look(least), 0, 0.1 * pixel);
  testing::expect_error(ErrorKind::out_of_memory, {"reverse rays", "raise memory"},
                        [&] { (void)look(least / 2); });
}

TEST(AxisChoice, WarnsOfMetadataThatTheProjectionsContradict) {
  geometry::CircularScan truth = one_row(120), claimed = truth;
  truth.axis.offset = 2 * pixel;

  const AxisChoice found = choose_axis(taken(truth, claimed), claimed, {}, testing::all_resources());

  EXPECT_EQ(found.method, "reverse rays");
  EXPECT_EQ(found.findings.size(), 1u);
}

TEST(Conventions, OfARightScanAreSupported) {
  geometry::CircularScan scan = one_row(120);
  scan.axis.offset = 3 * pixel;

  const ConventionVerdict verdict = test_conventions(taken(scan, scan), scan, {}, testing::all_resources());

  EXPECT_TRUE(verdict.decided) << verdict.margin;
  EXPECT_EQ(verdict.best, 0u);
  EXPECT_TRUE(verdict.axis.known);
  EXPECT_EQ(verdict.tried.size(), 2u);
  EXPECT_FALSE(verdict.is_other_sign(scan));
}

TEST(Conventions, OfTheOtherSenseAndSideAreFound) {
  geometry::CircularScan truth = one_row(120), claimed = truth;
  truth.axis.offset = 3 * pixel, claimed.axis.offset = -3 * pixel;
  for (double& angle : claimed.angles) angle = -angle;

  const ConventionVerdict verdict =
      test_conventions(taken(truth, claimed), claimed, {}, testing::all_resources());

  ASSERT_TRUE(verdict.decided) << verdict.margin;
  EXPECT_TRUE(verdict.tried[verdict.best].reversed);
  EXPECT_TRUE(verdict.is_other_sign(claimed));
}

TEST(Conventions, OfACentredParallelBeamCannotBeTold) {
  geometry::CircularScan scan = one_row(60);
  scan.beam = geometry::Beam::parallel;
  scan.source_object_distance = scan.source_detector_distance = 0;
  scan.detector.column_pitch = scan.detector.row_pitch = pixel;

  const ConventionVerdict verdict = test_conventions(taken(scan, scan), scan, {}, testing::all_resources());

  EXPECT_FALSE(verdict.decided);
}

}  // namespace
}  // namespace feldspar::recon
