// Merged views against the views themselves, on every instruction set of this machine.
#include "kernels/view_merging.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <tuple>
#include <vector>

#include "base/error.hpp"
#include "geometry/coverage.hpp"
#include "kernels/back_projector.hpp"
#include "tests/kernels/merging_cases.hpp"
#include "tests/support/comparison.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/scans.hpp"

namespace feldspar {
namespace {

using geometry::CircularScan;
using geometry::Range;
using kernels::ViewMerging;

using testing::dense_scan;
using testing::everywhere;
using testing::MergeCase;
using testing::two_pi;
using testing::waves;

/// Back-projects in slabs of `height` slices with only the rows they need, `batch` views at a time.
std::vector<float> back_project(const std::string& device, const MergeCase& c,
                                const std::vector<float>& stack, const ViewMerging& merging,
                                int height = 1 << 20, int batch = 1 << 20) {
  const auto backend = kernels::open_backend(device, {.threads = 2, .budget = nullptr});
  const auto projector = backend->make_back_projector({.radius = everywhere, .merging = merging});
  const auto views = geometry::make_views(c.scan);
  const int nu = c.scan.detector.columns, nv = c.scan.detector.rows, count = static_cast<int>(views.size());
  std::vector<float> volume(c.grid.voxels());
  for (int first = 0; first < c.grid.nz; first += height) {
    const Range slices{first, std::min(c.grid.nz, first + height)};
    Range rows =
        geometry::shadow_window(views, geometry::slab_of(c.grid, first, slices.count()), nu, nv).rows;
    rows = {std::max(0, rows.first - merging.extra_rows()), std::min(nv, rows.end + merging.extra_rows())};
    for (int view = 0; view < count; view += batch) {
      const int some = std::min(batch, count - view);
      std::vector<float> part;
      for (int n = view; n < view + some; ++n)
        part.insert(part.end(), stack.begin() + (std::ptrdiff_t(n) * nv + rows.first) * nu,
                    stack.begin() + (std::ptrdiff_t(n) * nv + rows.end) * nu);
      projector->accumulate(
          std::span(views).subspan(std::size_t(view), std::size_t(some)), rows,
          {part.data(), nu, rows.count(), some}, c.grid, slices,
          {volume.data() + std::size_t(first) * c.grid.nx * c.grid.ny, c.grid.nx, c.grid.ny, slices.count()});
    }
  }
  return volume;
}

ViewMerging merging_of(const MergeCase& c) {
  return kernels::merging_of(c.views, geometry::make_views(c.scan), c.grid, everywhere);
}

std::vector<std::string> instruction_sets() {
  std::vector<std::string> names;
  for (const auto& device : kernels::list_devices())
    if (device.name.starts_with("cpu:") && device.unavailable.empty()) names.push_back(device.name);
  return names;
}

class Merging : public ::testing::TestWithParam<std::tuple<std::string, MergeCase>> {
 protected:
  const std::string& device_ = std::get<0>(GetParam());
  const MergeCase& case_ = std::get<1>(GetParam());
};

// Waves of length L lose (2 pi f / L)^2 / 2 of their amplitude to a displacement by f pixels, and linear
// interpolation, which only the direct kernel uses at full spacing, (2 pi / L)^2 / 16 on average: with L = 36
// and f up to 0.35 a quarter of a per cent each. The pattern is as strong as its mean. A whole view displaced
// by 0.1 pixel would show as 1 %, a wrong weight of a per mille as 0.1 %.
constexpr double resampling = 5e-3;

TEST_P(Merging, GivesWhatTheViewsThemselvesGive) {
  const std::vector<float> stack = waves(case_.scan);
  const std::vector<float> direct = back_project(device_, case_, stack, {});

  const std::vector<float> merged = back_project(device_, case_, stack, merging_of(case_));

  const auto difference = testing::compare(std::span(merged), std::span(direct));
  EXPECT_LT(difference.relative, resampling) << "at " << difference.where;
  EXPECT_LT(difference.worst, 4 * resampling) << "at " << difference.where;
}

TEST_P(Merging, HasTheSameBitsInAnySlabsAndBatches) {
  const std::vector<float> stack = testing::noise(std::size_t(case_.scan.detector.columns) *
                                                  case_.scan.detector.rows * case_.scan.angles.size());
  const ViewMerging merging = merging_of(case_);
  const std::vector<float> whole = back_project(device_, case_, stack, merging);

  EXPECT_EQ(back_project(device_, case_, stack, merging, 16), whole);
  EXPECT_EQ(back_project(device_, case_, stack, merging, 48, merging.batch_unit()), whole);
}

TEST_P(Merging, AgreesBetweenInstructionSets) {
  const std::vector<float> stack = testing::noise(std::size_t(case_.scan.detector.columns) *
                                                  case_.scan.detector.rows * case_.scan.angles.size());
  const std::vector<float> baseline = back_project("cpu:baseline", case_, stack, merging_of(case_));

  const std::vector<float> result = back_project(device_, case_, stack, merging_of(case_));

  // The same operations in another order: a few roundings of 2^-24 each, as for the direct kernel.
  EXPECT_LT(testing::compare(std::span(result), std::span(baseline)).relative, 1e-5);
}

INSTANTIATE_TEST_SUITE_P(Host, Merging,
                         ::testing::Combine(::testing::ValuesIn(instruction_sets()),
                                            ::testing::ValuesIn(testing::merge_cases())),
                         [](const auto& of) {
                           return std::get<0>(of.param).substr(4) + "_" + std::get<1>(of.param).name;
                         });

class MergingOnDevice : public ::testing::TestWithParam<std::string> {};

// A single column of voxels is the middle of its tile, where nothing is displaced, however far the views are
// apart. All but one view are dark, so that errors of views on either side of the mean cannot cancel.
TEST_P(MergingOnDevice, IsExactInTheMiddleOfATileForEachView) {
  for (const auto& [x, y] : {std::pair{11.0, -4.0}, {-6.0, 9.0}, {2.0, 13.0}})
    for (const std::size_t lit : {0, 1, 3}) {
      MergeCase c{"", dense_scan(), {1, 1, 100, {0.4, 0.4, 0.4}, {x, y, -19.8}}, 4};
      c.scan.source_object_distance = 60, c.scan.source_detector_distance = 150;
      c.scan.angles = {0.3, 0.38, 0.46, 0.54};
      std::vector<float> stack = waves(c.scan);
      const std::size_t pixels = stack.size() / 4;
      for (std::size_t n = 0; n < stack.size(); ++n)
        if (n / pixels != lit) stack[n] = 0;

      const std::vector<float> direct = back_project(GetParam(), c, stack, {});

      const std::vector<float> merged =
          back_project(GetParam(), c, stack, {.views = 4, .tile = 16, .displacement = 0});

      const auto difference = testing::compare(std::span(merged), std::span(direct));

      // What the direct kernel's linear interpolation loses in u and v, at these wavelengths; a hundredth of
      // the weight or a tenth of a row would show beside it.
      EXPECT_LT(difference.relative, 1.5 * resampling) << x << ", " << y << ", view " << lit;
    }
}

INSTANTIATE_TEST_SUITE_P(Host, MergingOnDevice, ::testing::ValuesIn(instruction_sets()),
                         [](const auto& of) { return of.param.substr(4); });

/// 3176 views of the 36 um scan of a cell, or fewer.
CircularScan full_scan(int views) {
  CircularScan scan{.source_object_distance = 176.9,
                    .source_detector_distance = 983,
                    .detector = {.columns = 2000, .rows = 2000, .column_pitch = 0.2, .row_pitch = 0.2},
                    .axis = {},
                    .angles = {},
                    .shifts = {}};
  for (int n = 0; n < views; ++n) scan.angles.push_back(two_pi * n / views);
  return scan;
}

ViewMerging chosen_for(const CircularScan& scan) {
  return kernels::choose_merging(geometry::make_views(scan), geometry::default_grid(scan),
                                 geometry::field_of_view(scan).inner_radius);
}

TEST(MergingChoice, MergesADenseScanWithinTheStatedLimits) {
  const CircularScan scan = full_scan(3176);
  const double reach = geometry::field_of_view(scan).inner_radius / geometry::default_grid(scan).spacing.x;

  const ViewMerging merging = chosen_for(scan);

  const double half_spread = 0.5 * (merging.views - 1) * two_pi / 3176;
  EXPECT_GE(merging.views, 4);
  EXPECT_NEAR(merging.displacement, half_spread * merging.tile / std::numbers::sqrt2, 1e-6);
  EXPECT_LE(merging.displacement, ViewMerging::most_displacement);
  EXPECT_LE(merging.displacement * half_spread * reach, ViewMerging::most_smear);
}

TEST(MergingChoice, LeavesSparseScansAlone) {
  EXPECT_EQ(chosen_for(full_scan(600)).views, 1);
  EXPECT_EQ(chosen_for(full_scan(300)).views, 1);
}

TEST(MergingChoice, LeavesViewsAloneThatDoNotFollowEachOther) {
  CircularScan scan = full_scan(3176);
  for (std::size_t n = 0; n < scan.angles.size(); ++n)
    scan.angles[n] = 2.39996322972865332 * static_cast<double>(n);

  EXPECT_EQ(chosen_for(scan).views, 1);
}

TEST(MergingChoice, RefusesOtherNumbers) {
  const CircularScan scan = full_scan(100);
  const auto views = geometry::make_views(scan);

  for (const int count : {0, -1, 17, 32})
    testing::expect_error(ErrorKind::usage, {"cannot be merged", "16"},
                          [&] { (void)kernels::merging_of(count, views, geometry::default_grid(scan), 30); });
}

}  // namespace
}  // namespace feldspar
