// Every fault that can be seen is seen, by the check that is meant to see it.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/recon/verify/trusting.hpp"

namespace feldspar::testing {
namespace {

using recon::Check;

StoredScan scan_of(const geometry::CircularScan& scan) { return {VirtualScan(scan, engine_part()), 20000}; }

::testing::AssertionResult fails(const recon::Verdict& verdict, recon::CheckId id) {
  const Check* check = verdict.find(id);
  if (check && check->outcome == Check::Outcome::failed && verdict.failed())
    return ::testing::AssertionSuccess() << in_words(verdict);
  return ::testing::AssertionFailure() << id.name() << " did not fail\n" << in_words(verdict);
}

recon::Verdict verdict_on(const StoredScan& scan) { return Trial(scan).verdict(); }

TEST(Faults, SeesAWrongSenseOfRotation) {
  StoredScan scan = scan_of(good_scan());
  for (double& angle : scan.claimed().angles) angle = -angle;

  EXPECT_TRUE(fails(verdict_on(scan), "rotation-sense"));
}

TEST(Faults, SeesADetectorThatIsOnePercentNearer) {
  geometry::CircularScan wide = good_scan(360);  // 35 degrees of fan
  wide.source_object_distance = 60, wide.source_detector_distance = 180;
  StoredScan scan(VirtualScan(wide, engine_part()), 200000);
  scan.claimed().source_detector_distance *= 0.99;

  EXPECT_TRUE(fails(verdict_on(scan), "distances"));
}

TEST(Faults, SeesAnAxisThatIsOnePixelOff) {
  for (const double sign : {-1, 1}) {
    StoredScan scan = scan_of(good_scan());
    scan.claimed().axis.offset = sign * 0.4;  // a pixel at the object

    EXPECT_TRUE(fails(verdict_on(scan), "rotation-axis"));
  }
}

TEST(Faults, SeesAnAxisThatIsOnePixelOffInAShortScan) {
  StoredScan scan = scan_of(good_scan(130, 4.0));
  scan.claimed().axis.offset = 0.4;

  EXPECT_TRUE(fails(verdict_on(scan), "rotation-axis"));
}

TEST(Faults, SeesAnAxisThatIsOnePixelOffInHalfATurnOfAParallelBeam) {
  for (const double sign : {-1, 1}) {
    StoredScan scan = scan_of(good_parallel_scan());
    scan.claimed().axis.offset = sign * 0.4;

    EXPECT_TRUE(fails(verdict_on(scan), "rotation-axis"));
  }
}

TEST(Faults, SeesTwoNeighbouringAnglesSwapped) {
  for (const auto& geometry : {good_scan(), good_scan(130, 4.0), good_parallel_scan(90)}) {
    StoredScan scan = scan_of(geometry);
    std::swap(scan.claimed().angles[40], scan.claimed().angles[41]);

    EXPECT_TRUE(fails(verdict_on(scan), "view-order"));
  }
}

TEST(Faults, SeesTwoDistantViewsSwapped) {
  StoredScan scan = scan_of(good_scan());
  scan.swap_views(30, 95);

  const recon::Verdict verdict = verdict_on(scan);

  EXPECT_TRUE(fails(verdict, "every-view"));
}

TEST(Faults, SeesALostView) {
  for (const auto& geometry : {good_scan(), good_scan(130, 4.0)}) {
    StoredScan scan = scan_of(geometry);
    scan.lose_view(60);

    EXPECT_TRUE(fails(verdict_on(scan), "view-order"));
  }
}

TEST(Faults, SeesABlankView) {
  StoredScan scan = scan_of(good_scan());
  scan.blank_view(60);

  EXPECT_TRUE(fails(verdict_on(scan), "every-view"));
}

TEST(Faults, SeesOneNan) {
  const StoredScan scan = scan_of(good_scan(60));
  Trial trial(scan);
  trial.volume.values[12345] = NAN;

  EXPECT_TRUE(fails(trial.verdict(), "numbers"));
}

TEST(Faults, SeesAWrongWhiteLevel) {
  for (const double factor : {0.95, 1.05}) {
    StoredScan scan = scan_of(good_scan(90));
    scan.claimed_references().white[0] *= static_cast<float>(factor);

    EXPECT_TRUE(fails(verdict_on(scan), "air-level"));
  }
}

/// What may happen to the slices of one slab.
void damage(VolumeInMemory& volume, const geometry::VolumeGrid& grid, const std::string& how) {
  const std::size_t slice = std::size_t(grid.nx) * grid.ny;
  float* const slab = volume.values.data() + 16 * slice;
  if (how == "zero") std::fill_n(slab, 16 * slice, 0.0f);
  if (how == "repeated") std::copy_n(volume.values.data(), 16 * slice, slab);
  if (how == "scaled") std::transform(slab, slab + 16 * slice, slab, [](float v) { return 1.02f * v; });
  if (how == "mirrored") std::reverse(slab, slab + 16 * slice);
}

TEST(Faults, SeesACorruptedSlab) {
  const StoredScan scan = scan_of(good_scan(60));
  const Trial good(scan);
  for (const char* how : {"zero", "repeated", "scaled", "mirrored"}) {
    Trial trial = Trial(scan);
    damage(trial.volume, trial.grid(), how);

    EXPECT_TRUE(fails(trial.verdict(), "random-voxels")) << how;
  }
}

TEST(Faults, SeesACorruptedSlabOfMergedViews) {
  const StoredScan scan = scan_of(good_scan(360));
  for (const char* how : {"zero", "repeated", "mirrored"}) {
    Trial trial(scan, geometry::default_grid(scan.scan()), "4");
    damage(trial.volume, trial.grid(), how);

    EXPECT_TRUE(fails(trial.verdict(), "random-voxels")) << how;
  }
}

TEST(Faults, SeesAVolumeOfOtherProjections) {
  const StoredScan scan = scan_of(good_scan());
  Trial trial(scan);
  for (float& value : trial.volume.values) value *= 1.05f;

  const recon::Verdict verdict = trial.verdict();

  EXPECT_TRUE(fails(verdict, "re-projection"));
  EXPECT_TRUE(fails(verdict, "mass"));
}

TEST(Faults, DoesNotSeeTheSenseOfAParallelBeam) {
  StoredScan scan = scan_of(good_parallel_scan());
  for (double& angle : scan.claimed().angles) angle = -angle;

  const recon::Verdict verdict = verdict_on(scan);

  EXPECT_FALSE(verdict.failed()) << in_words(verdict);
  EXPECT_EQ(verdict.find("rotation-sense")->outcome, Check::Outcome::not_applicable);
}

TEST(Faults, DoesNotSeeAWrongSourceDistanceAlone) {
  StoredScan scan = scan_of(good_scan());
  scan.claimed().source_object_distance *= 1.01;

  const recon::Verdict verdict = verdict_on(scan);

  EXPECT_FALSE(verdict.failed()) << in_words(verdict);
}

}  // namespace
}  // namespace feldspar::testing
