// Air in a beam that has changed since the flats, told from an object that reaches over the detector's edge.
#include "recon/measure/inspection.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <utility>

#include "recon/correct/drift.hpp"
#include "tests/recon/correct/scenes.hpp"
#include "tests/support/failure.hpp"
#include "tests/support/resources.hpp"
#include "tests/support/scans.hpp"
#include "tests/support/virtual_scan.hpp"

namespace feldspar::recon {
namespace {

using testing::Body;
using testing::VirtualScan;

constexpr int columns = 96, views = 24;

/// A scan whose beam fell to `level` after the flats were taken, and slopes by 3 % across the detector.
class Dimmed final : public io::WrappedSource {
 public:
  Dimmed(VirtualScan scan, double level)
      : WrappedSource(std::make_unique<VirtualScan>(std::move(scan))), level_(level) {}
  void read(std::span<const int> wanted, const geometry::PixelWindow& window, void* counts) const override {
    inner().read(wanted, window, counts);
    auto* count = static_cast<float*>(counts);
    for (std::size_t n = 0; n < wanted.size() * static_cast<std::size_t>(window.rows.count()); ++n)
      for (int column = window.columns.first; column < window.columns.end; ++column)
        *count++ *= static_cast<float>(level_ * (1 + 0.03 * column / columns));
  }

 private:
  double level_;
};

/// A parallel beam over 96 mm, and a cylinder of this radius.
VirtualScan cylinder(double radius, double value, std::vector<Body> more = {}) {
  geometry::CircularScan scan = testing::parallel_scan(views);
  scan.detector.columns = columns, scan.detector.rows = 12;
  more.push_back({{1.5, 0, 0}, {radius, radius, 200}, 0, value, true});
  return {scan, more};
}

std::vector<int> all_views() {
  std::vector<int> all(views);
  std::iota(all.begin(), all.end(), 0);
  return all;
}

TEST(Inspection, TakesFlatEdgesForAirInAChangedBeam) {
  const Dimmed source(cylinder(30, 0.02), 0.69);
  const std::vector<int> all = all_views();

  const Inspection seen = inspect(source, all, testing::all_resources());
  const Drift drift = measure_drift(source, all, nullptr, {.level = seen.air_line_integral});

  // The beam is 0.69 at the left edge and 3 % more at the right one.
  EXPECT_NEAR(seen.air_line_integral, -std::log(0.69 * 1.015), 0.016);
  EXPECT_EQ(seen.truncated_share, 0);
  EXPECT_EQ(testing::count_with(seen.findings, {"flat", "of the open beam", "outline"}), 1);
  ASSERT_EQ(drift.view_offset.size(), static_cast<std::size_t>(views));
  EXPECT_NEAR(drift.view_offset[7], std::log(0.69 * 1.015), 0.016);
}

TEST(Inspection, LeavesScansWithAirAtTheWhiteLevelAlone) {
  const Inspection seen = inspect(cylinder(30, 0.02), all_views(), testing::all_resources());

  EXPECT_EQ(seen.air_line_integral, 0);
  EXPECT_EQ(seen.truncated_share, 0);
  EXPECT_TRUE(seen.findings.empty());
}

TEST(Inspection, SeesThatACylinderReachesOverTheEdge) {
  for (const double radius : {50.0, 60.0, 100.0, 400.0}) {
    SCOPED_TRACE(radius);
    const double middle = 0.6;  // its line integral in the middle; the edges are flat in air's range
    const Inspection seen =
        inspect(cylinder(radius, middle / (2 * radius)), all_views(), testing::all_resources());

    EXPECT_EQ(seen.air_line_integral, 0);
    if (radius > 50) {
      EXPECT_GT(seen.truncated_share, 0.95);
    }
  }
}

TEST(Inspection, SeesThatARichObjectReachesOverTheEdge) {
  std::vector<Body> inside;
  for (int n = 0; n < 12; ++n)
    inside.push_back(
        {{40 * std::cos(2.4 * n) * n / 12, 45 * std::sin(2.4 * n) * n / 12, 0}, {6, 6, 200}, 0, 0.02, true});
  const Inspection seen = inspect(cylinder(80, 0.002, inside), all_views(), testing::all_resources());

  EXPECT_EQ(seen.air_line_integral, 0);
  EXPECT_GT(seen.truncated_share, 0.9);
}

TEST(Inspection, AsksOnlyTheLongerSideOfADisplacedDetectorForAir) {
  geometry::CircularScan scan = testing::parallel_scan(views);
  scan.detector.columns = columns, scan.detector.rows = 12, scan.detector.column_offset = 20;
  const VirtualScan source(scan, {{{0, 0, 0}, {40, 40, 200}, 0, 0.02, true}});  // from -28 to 68 is seen
  const auto share = [&](OuterEdges outer) {
    return inspect(source, all_views(), testing::all_resources(), outer).truncated_share;
  };

  EXPECT_EQ(share(OuterEdges::right), 0);
  EXPECT_GT(share(OuterEdges::left), 0.9);
  EXPECT_GT(share(OuterEdges::both), 0.9);
}

TEST(Inspection, TakesNoBeamThatLostMostOfItForAir) {
  const Inspection seen = inspect(Dimmed(cylinder(30, 0.02), 0.4), all_views(), testing::all_resources());

  EXPECT_EQ(seen.air_line_integral, 0);
  EXPECT_GT(seen.truncated_share, 0.9);
}

/// Counts with noise, of which none is above a limit.
class Clipped final : public io::WrappedSource {
 public:
  Clipped(VirtualScan scan, double most, bool noisy)
      : WrappedSource(std::make_unique<VirtualScan>(std::move(scan))), most_(most), noisy_(noisy) {}
  void read(std::span<const int> wanted, const geometry::PixelWindow& window, void* counts) const override {
    inner().read(wanted, window, counts);
    auto* count = static_cast<float*>(counts);
    const int width = window.columns.count(), height = window.rows.count();
    for (const int view : wanted)
      for (int n = 0; n < width * height; ++n, ++count) {
        const auto place = (static_cast<std::uint64_t>(view) << 20) +
                           static_cast<std::uint64_t>((window.rows.first + n / width) * columns +
                                                      window.columns.first + n % width);
        const double noise = noisy_ ? std::sqrt(*count) * testing::normal_at(5, place) : 0;
        *count = static_cast<float>(std::min(most_, std::round(*count + noise)));
      }
  }

 private:
  double most_;
  bool noisy_;
};

TEST(Inspection, SeesWhereCountsEndBelowTheFullScale) {
  // Of 60000: the air lost, hardly lost, and a part of what is behind the object.
  for (const double most : {40000.0, 55000.0, 60000.0}) {
    const Clipped source(cylinder(30, 0.02), most, true);

    const Inspection seen = inspect(source, all_views(), testing::all_resources());

    EXPECT_EQ(seen.saturation_level, most);
    EXPECT_GT(seen.saturated_share, 0.1) << most;
    EXPECT_EQ(testing::count_with(seen.findings, {"counts, which none exceeds"}), 1) << most;
  }
}

TEST(Inspection, TakesNeitherNoiseNorItsAbsenceForSaturation) {
  for (const bool noisy : {false, true}) {
    const Inspection seen =
        inspect(Clipped(cylinder(30, 0.02), 65535, noisy), all_views(), testing::all_resources());

    EXPECT_EQ(seen.saturation_level, 0);
    EXPECT_EQ(seen.saturated_share, 0);
  }
}

}  // namespace
}  // namespace feldspar::recon
