// The bodies of the CUDA kernels that merge neighbouring views, run on the host over all indices of their
// launches, against the CPU's merged views and against the views themselves.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "kernels/back_projector.hpp"
#include "kernels/merge_plan.hpp"
#include "kernels/shared/fdk_block.hpp"
#include "tests/kernels/host_team.hpp"
#include "tests/kernels/merging_cases.hpp"
#include "tests/support/comparison.hpp"

namespace feldspar::kernels {
namespace {

using geometry::Range;
using testing::dense_scan;
using testing::everywhere;
using testing::HostTeam;
using testing::MergeCase;
using testing::Order;
using testing::waves;
constexpr float nan = std::numeric_limits<float>::quiet_NaN();

/// How the work is cut.
struct Cut {
  int height = 1 << 20;
  int batch = 1 << 20;  ///< views, a multiple of the merging's unit
  int rows_at_once = 16;
  Order order = Order::rising;
};

/// The launches for one unit of views and one slab. Memory is as large as a plan says, NaN before.
void add_unit(std::span<const ExactViewMatrix> views, const ViewMerging& merging, const MergeScene& scene,
              const LinearStack& stack, const Cut& cut, float* volume) {
  const MergePlan plan = plan_merging(views, merging, scene);
  const auto& [slots, most_columns, most_sources, tile_pairs] = plan.sizes;
  const int tiles = static_cast<int>(plan.tiles.size());
  const std::size_t all_slots = plan.tiles.size() * static_cast<std::size_t>(slots);
  std::vector<MergeColumn> columns(all_slots * most_columns, MergeColumn{1 << 30, {nan, nan, nan, nan}});
  std::vector<MergeRows> rows(all_slots * most_sources, MergeRows{nan, nan});
  std::vector<FloatPair> pairs(plan.tiles.size() * tile_pairs, FloatPair{nan, nan});
  ASSERT_EQ(plan.sources.size(), all_slots);
  const HostTeam team{cut.order};

  const MergePlacing placing{plan.tiles.data(), plan.sources.data(), columns.data(),
                             rows.data(),       plan.sizes,          scene.detector_columns};
  for (int tile = 0; tile < tiles; ++tile)
    for (int slot = 0; slot < slots; ++slot)
      for (int n = 0; n < std::max(most_columns, most_sources) + 7; ++n) placing(tile, slot, n);

  const Merging merge{plan.tiles.data(), plan.sources.data(), columns.data(), rows.data(), plan.sizes, stack,
                      pairs.data(),      cut.rows_at_once};
  std::vector<float> lines(static_cast<std::size_t>(merge.line_pitch()) * cut.rows_at_once, nan);
  std::vector<float> sums(static_cast<std::size_t>(merge.sum_pitch()) * cut.rows_at_once, nan);
  int parts = 0;
  for (const MergeTile& tile : plan.tiles)
    parts = std::max(parts, tile.shape.stride() / cut.rows_at_once + 1);
  for (int tile = 0; tile < tiles; ++tile)
    for (int group = 0; group < MergeTile::most_groups; ++group)
      for (int part = 0; part < parts; ++part)
        merge(tile, group, part, Merging::Memory{lines.data(), sums.data()}, team);

  using Block = FdkBlock<FloatPair>;
  auto memory = std::make_unique<Block::Memory>();
  for (int n = 0; n < tiles; ++n) {
    const MergeTile& tile = plan.tiles[static_cast<std::size_t>(n)];
    const Block block{merged_target({volume, scene.grid.nx, scene.grid.ny, 0, 0, 0, 0, scene.slices.first,
                                     scene.slices.count(), Disc{}},
                                    tile),
                      {pairs.data() + n * tile_pairs, tile.shape, nullptr}};
    for (int k = 0; k < scene.slices.count(); k += Block::height)
      for (int j = tile.first_j; j < tile.first_j + merging.tile; j += Block::depth)
        for (int i = tile.first_i; i < tile.first_i + merging.tile; i += Block::width)
          block(tile.view, tile.groups, {i, j, k}, *memory, team);
  }
}

std::vector<float> on_host(const MergeCase& c, const std::vector<float>& projections,
                           const ViewMerging& merging, const Cut& cut = {}) {
  const auto views = geometry::make_views(c.scan);
  const int nu = c.scan.detector.columns, nv = c.scan.detector.rows, count = static_cast<int>(views.size());
  std::vector<ExactViewMatrix> matrices;
  for (const auto& view : views) matrices.push_back(make_exact_view_matrix(view, c.grid));
  std::vector<float> volume(c.grid.voxels());
  for (int first = 0; first < c.grid.nz; first += cut.height) {
    const Range slices{first, std::min(c.grid.nz, first + cut.height)};
    Range rows =
        geometry::shadow_window(views, geometry::slab_of(c.grid, first, slices.count()), nu, nv).rows;
    rows = {std::max(0, rows.first - merging.extra_rows()), std::min(nv, rows.end + merging.extra_rows())};
    const MergeScene scene{c.grid, slices, rows, nu, everywhere};
    EXPECT_TRUE(can_merge(matrices, scene));
    const int unit = std::min(cut.batch, merging.batch_unit());
    for (int view = 0; view < count; view += unit) {
      const int some = std::min(unit, count - view);
      std::vector<float> part;
      for (int n = view; n < view + some; ++n)
        part.insert(part.end(), projections.begin() + (std::ptrdiff_t(n) * nv + rows.first) * nu,
                    projections.begin() + (std::ptrdiff_t(n) * nv + rows.end) * nu);
      add_unit(std::span(matrices).subspan(std::size_t(view), std::size_t(some)), merging, scene,
               {part.data(), nu, rows.first, rows.count()}, cut,
               volume.data() + std::size_t(first) * c.grid.nx * c.grid.ny);
    }
  }
  return volume;
}

std::vector<float> by_cpu(const MergeCase& c, std::vector<float> projections, const ViewMerging& merging) {
  const auto backend = open_backend("cpu:baseline", {.threads = 2, .budget = nullptr});
  const auto views = geometry::make_views(c.scan);
  const int nu = c.scan.detector.columns, nv = c.scan.detector.rows;
  std::vector<float> volume(c.grid.voxels());
  backend->make_back_projector({.radius = everywhere, .merging = merging})
      ->accumulate(views, {0, nv}, {projections.data(), nu, nv, static_cast<int>(views.size())}, c.grid,
                   {0, c.grid.nz}, {volume.data(), c.grid.nx, c.grid.ny, c.grid.nz});
  return volume;
}

class CudaMerging : public ::testing::TestWithParam<MergeCase> {
 protected:
  const ViewMerging merging_ =
      merging_of(GetParam().views, geometry::make_views(GetParam().scan), GetParam().grid, everywhere);
};

// Tiles, means, planes and weights are the same. The CPU gives sixteen rows one shift, which is off by up to
// 8 rows times the change of magnification between a view and the mean: half the angle of a group of 16, 3
// degrees, times half the angle that a tile of 16 voxels is seen under, 4.5 of 200 mm, is 0.0012. So 0.01
// rows of waves 44 long, whose steepest change is 0.14 of their height a row: 1.4e-3 of a single view. Views
// on either side of the mean are off in opposite directions, and so are rows: a fifth may remain.
TEST_P(CudaMerging, GivesWhatTheCpuGives) {
  const std::vector<float> stack = waves(GetParam().scan);
  const std::vector<float> expected = by_cpu(GetParam(), stack, merging_);

  const std::vector<float> result = on_host(GetParam(), stack, merging_);

  const auto difference = testing::compare(std::span(result), std::span(expected));
  EXPECT_LT(difference.relative, 1e-4) << "at " << difference.where;
  EXPECT_LT(difference.worst, 2.8e-4) << "at " << difference.where;
}

// The bound of view_merging_test, which derives it.
TEST_P(CudaMerging, GivesWhatTheViewsThemselvesGive) {
  constexpr double resampling = 5e-3;
  const std::vector<float> stack = waves(GetParam().scan);
  const std::vector<float> direct = by_cpu(GetParam(), stack, {});

  const std::vector<float> merged = on_host(GetParam(), stack, merging_);

  const auto difference = testing::compare(std::span(merged), std::span(direct));
  EXPECT_LT(difference.relative, resampling) << "at " << difference.where;
  EXPECT_LT(difference.worst, 4 * resampling) << "at " << difference.where;
}

TEST_P(CudaMerging, HasTheSameBitsInAnySlabsTeamsAndOrders) {
  const std::vector<float> stack = waves(GetParam().scan);
  const std::vector<float> whole = on_host(GetParam(), stack, merging_);

  EXPECT_EQ(on_host(GetParam(), stack, merging_, {.height = 16, .rows_at_once = 32}), whole);
  EXPECT_EQ(on_host(GetParam(), stack, merging_, {.height = 48, .rows_at_once = 8, .order = Order::falling}),
            whole);
}

INSTANTIATE_TEST_SUITE_P(Host, CudaMerging, ::testing::ValuesIn(testing::merge_cases()),
                         [](const auto& of) { return of.param.name; });

// A single column of voxels is the middle of its tile, where nothing is displaced, however far the views are
// apart. All but one view are dark, so that errors of views on either side of the mean cannot cancel.
TEST(CudaMerging, IsExactInTheMiddleOfATileForEachView) {
  for (const auto& [x, y] : {std::pair{11.0, -4.0}, {-6.0, 9.0}, {2.0, 13.0}})
    for (const std::size_t lit : {0, 1, 3}) {
      MergeCase c{"", dense_scan(), {1, 1, 100, {0.4, 0.4, 0.4}, {x, y, -19.8}}, 4};
      c.scan.source_object_distance = 60, c.scan.source_detector_distance = 150;
      c.scan.angles = {0.3, 0.38, 0.46, 0.54};
      std::vector<float> stack = waves(c.scan);
      const std::size_t pixels = stack.size() / 4;
      for (std::size_t n = 0; n < stack.size(); ++n)
        if (n / pixels != lit) stack[n] = 0;
      const std::vector<float> direct = by_cpu(c, stack, {});

      const std::vector<float> merged = on_host(c, stack, {.views = 4, .tile = 16, .displacement = 0});

      const auto difference = testing::compare(std::span(merged), std::span(direct));
      EXPECT_LT(difference.relative, 7.5e-3) << x << ", " << y << ", view " << lit;  // as view_merging_test
    }
}

}  // namespace
}  // namespace feldspar::kernels
