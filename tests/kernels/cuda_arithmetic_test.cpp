// The bodies of the CUDA kernels, run on the host in a loop over the indices of a launch, those past the
// edges included, against the operators' definitions in double precision.
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <string>

#include "kernels/shared/attenuate.hpp"
#include "kernels/shared/cubic_sampler.hpp"
#include "kernels/shared/fdk_column.hpp"
#include "kernels/shared/linear_sampler.hpp"
#include "kernels/view_matrix.hpp"
#include "tests/kernels/cuda_expectations.hpp"
#include "tests/support/comparison.hpp"

namespace feldspar::kernels {
namespace {

using testing::ScanCase;
constexpr float nan = std::numeric_limits<float>::quiet_NaN(),
                infinity = std::numeric_limits<float>::infinity();

/// `count` rounded up to a whole number of blocks of `width`: the indices a launch runs over.
constexpr int launched(int count, int width) { return (count + width - 1) / width * width; }

// ------------------------------------------------------------------------------------ back-projection

class FdkColumns : public ::testing::TestWithParam<ScanCase> {
 protected:
  /// Runs every thread of a launch for every batch. Returns whether all batches were upright.
  template <bool upright>
  static std::vector<float> run(std::span<const geometry::View> views, View3<const float> projections,
                                const geometry::VolumeGrid& grid) {
    using Column = FdkColumn<LinearStack, upright>;
    std::vector<float> volume(grid.voxels(), 0.0f);
    const int count = static_cast<int>(views.size());
    for (int first = 0; first < count; first += ViewBatch::capacity) {
      ViewBatch batch{};
      for (int n = first; n < std::min(first + ViewBatch::capacity, count); ++n)
        batch.view[batch.count++] = make_view_matrix(views[static_cast<std::size_t>(n)], grid);
      const LinearStack stack{projections.row(0, first), projections.nx, 0, projections.ny};
      const Column column{volume.data(), grid.nx, grid.ny, 0, grid.nz, stack};
      for (int k = 0; k < grid.nz; k += Column::length)
        for (int j = 0; j < launched(grid.ny, 8); ++j)
          for (int i = 0; i < launched(grid.nx, 32); ++i) column(batch, i, j, k);
    }
    return volume;
  }

  static bool all_upright(std::span<const geometry::View> views, const geometry::VolumeGrid& grid,
                          int columns) {
    return std::all_of(views.begin(), views.end(), [&](const geometry::View& view) {
      return is_upright(make_view_matrix(view, grid), grid.nz, columns);
    });
  }
};

TEST_P(FdkColumns, AgreeWithTheDefinition) {
  const auto& [name, scan, grid] = GetParam();
  const std::vector<geometry::View> views = geometry::make_views(scan);
  const int nu = scan.detector.columns, nv = scan.detector.rows, count = static_cast<int>(views.size());
  const View3<const float> size{nullptr, nu, nv, count};
  const std::vector<float> values = testing::noise(size.size());
  const View3<const float> projections{values.data(), nu, nv, count};
  const std::vector<double> expected = testing::expected_back_projection(views, projections, grid);

  const std::vector<float> result = run<false>(views, projections, grid);

  const auto difference = testing::compare(std::span(result), std::span(expected));
  EXPECT_LT(difference.worst, testing::column_tolerance(GetParam())) << "at " << difference.where;
}

TEST_P(FdkColumns, OfUprightViewsAgreeWithTheDefinition) {
  const auto& [name, scan, grid] = GetParam();
  const std::vector<geometry::View> views = geometry::make_views(scan);
  const int nu = scan.detector.columns, nv = scan.detector.rows, count = static_cast<int>(views.size());
  const bool posed = scan.detector.roll != 0 || scan.detector.tilt != 0;
  ASSERT_EQ(all_upright(views, grid, nu), !posed);
  if (posed) return;
  const View3<const float> size{nullptr, nu, nv, count};
  const std::vector<float> values = testing::noise(size.size());
  const View3<const float> projections{values.data(), nu, nv, count};
  const std::vector<double> expected = testing::expected_back_projection(views, projections, grid);

  const std::vector<float> result = run<true>(views, projections, grid);

  const auto difference = testing::compare(std::span(result), std::span(expected));
  EXPECT_LT(difference.worst, testing::column_tolerance(GetParam())) << "at " << difference.where;
}

/// Slices 5 .. 9 from rows cut to what they need, in calls of 16 views: the bits of the whole.
TEST_P(FdkColumns, DoNotDependOnTheSlabTheRowsAndTheCalls) {
  const auto& [name, scan, grid] = GetParam();
  const std::vector<geometry::View> views = geometry::make_views(scan);
  const int nu = scan.detector.columns, nv = scan.detector.rows, count = static_cast<int>(views.size());
  std::vector<float> values = testing::noise(View3<float>{nullptr, nu, nv, count}.size());
  const int first_row = 2, rows = nv - 5, first_slice = 5, slices = std::min(5, grid.nz - 5),
            nxy = grid.nx * grid.ny;
  std::vector<float> cut;  // the rows that are left out are 0, as far as they are seen
  for (int n = 0; n < count; ++n)
    for (int row = 0; row < nv; ++row) {
      const auto begin = values.begin() + static_cast<std::ptrdiff_t>(n * nv + row) * nu;
      if (row >= first_row && row < first_row + rows)
        cut.insert(cut.end(), begin, begin + nu);
      else
        std::fill(begin, begin + nu, 0.0f);
    }
  const std::vector<float> whole = run<false>(views, {values.data(), nu, nv, count}, grid);
  std::vector<float> slab(static_cast<std::size_t>(nxy * slices), 0.0f);

  for (int first = 0; first < count; first += 16) {
    ViewBatch batch{};
    for (int n = first; n < std::min(first + 16, count); ++n)
      batch.view[batch.count++] = make_view_matrix(views[static_cast<std::size_t>(n)], grid);
    const LinearStack stack{cut.data() + static_cast<std::ptrdiff_t>(first) * rows * nu, nu, first_row, rows};
    const FdkColumn<LinearStack, false> column{slab.data(), grid.nx, grid.ny, first_slice, slices, stack};
    for (int k = 0; k < slices; k += column.length)
      for (int j = 0; j < grid.ny; ++j)
        for (int i = 0; i < grid.nx; ++i) column(batch, i, j, k);
  }

  EXPECT_TRUE(std::equal(slab.begin(), slab.end(), whole.begin() + first_slice * nxy));
}

INSTANTIATE_TEST_SUITE_P(Geometries, FdkColumns, ::testing::ValuesIn(testing::back_projection_cases()),
                         [](const auto& instance) { return std::string(instance.param.name); });

TEST(FdkColumn, LeavesVoxelsInTheSourcesPlaneFinite) {
  const geometry::VolumeGrid grid{3, 1, 3, {10, 1, 10}, {-10, -200, -10}};  // y of the source
  geometry::CircularScan scan = testing::plain_scan(1);
  scan.angles = {0};
  const std::vector<float> values(37 * 29, 1.0f);
  ViewBatch batch{};
  batch.count = 1;
  batch.view[0] = make_view_matrix(geometry::make_views(scan)[0], grid);
  std::vector<float> volume(grid.voxels(), 0.0f);

  for (int i = 0; i < 3; ++i) {
    FdkColumn<LinearStack, true>{volume.data(), 3, 1, 0, 3, {values.data(), 37, 0, 29}}(batch, i, 0, 0);
    FdkColumn<LinearStack, false>{volume.data(), 3, 1, 0, 3, {values.data(), 37, 0, 29}}(batch, i, 0, 0);
  }

  EXPECT_EQ(volume, std::vector<float>(grid.voxels(), 0.0f));
}

/// A disc off the grid's middle, of 2.5 mm: the voxels in it get what they get without one, the others
/// nothing.
TEST(FdkColumn, LeavesOutVoxelsBeyondTheDisc) {
  const geometry::VolumeGrid grid{9, 7, 3, {1, 1.5, 1}, {-5, -3, -1}};
  const geometry::CircularScan scan = testing::plain_scan(1);
  const std::vector<float> values(37 * 29, 1.0f);
  ViewBatch batch{};
  batch.count = 1;
  batch.view[0] = make_view_matrix(geometry::make_views(scan)[0], grid);
  std::vector<float> all(grid.voxels(), 0.0f), round(grid.voxels(), 0.0f);
  const FdkColumn<LinearStack, true> plain{all.data(), 9, 7, 0, 3, {values.data(), 37, 0, 29}};
  FdkColumn<LinearStack, true> cut{round.data(), 9, 7, 0, 3, {values.data(), 37, 0, 29}};
  cut.disc = {-5 / 2.5f, 1 / 2.5f, -3 / 2.5f, 1.5f / 2.5f};

  for (int j = 0; j < 8; ++j)
    for (int i = 0; i < 32; ++i) plain(batch, i, j, 0), cut(batch, i, j, 0);

  for (int n = 0; n < 9 * 7 * 3; ++n) {
    const bool in = std::hypot(-5.0 + n % 9, -3 + 1.5 * (n / 9 % 7)) <= 2.5;
    ASSERT_GT(all[static_cast<std::size_t>(n)], 0) << n;
    EXPECT_EQ(round[static_cast<std::size_t>(n)], in ? all[static_cast<std::size_t>(n)] : 0.0f) << n;
  }
}

TEST(LinearSampler, FallsToZeroWithinOnePixelBeyondTheEdge) {
  const float pixels[] = {1, 2, 3, 4, 5, 6};  // 3 columns, 2 rows
  const LinearSampler sample{pixels, 3, 0, 2};

  EXPECT_EQ(sample(0, 0), 1.0f);
  EXPECT_EQ(sample(1.5f, 0.5f), 4.0f);  // (2 + 3 + 5 + 6) / 4
  EXPECT_EQ(sample(-0.5f, 0), 0.5f);
  EXPECT_EQ(sample(2.75f, 1), 1.5f);
  EXPECT_EQ(sample(2, 1.25f), 4.5f);
  EXPECT_EQ(sample(0, -0.25f), 0.75f);
  for (const float away : {-1.0f, 3.0f, -1e30f, 1e30f, infinity, -infinity, nan}) {
    EXPECT_EQ(sample(away, 0), 0.0f) << away;
    EXPECT_EQ(sample(0, away), 0.0f) << away;
  }
}

// ---------------------------------------------------------------------------------------- attenuation

TEST(AttenuateBlock, ReadsTheReferencesUnderItsWindow) {
  const int detector_columns = 11, detector_rows = 9, columns = 5, rows = 4, views = 3;
  const std::vector<float> white = testing::noise(99, 50000, 60000), dark = testing::noise(99, 90, 110);
  const std::vector<float> random = testing::noise(60, 200, 61000);
  const std::vector<std::uint16_t> counts(random.begin(), random.end());
  std::vector<float> result(counts.size(), -1.0f);
  const AttenuateBlock<std::uint16_t> block{
      counts.data(),   result.data(), columns, rows, {white.data(), 0}, {dark.data(), 0}, 0, 3, 2,
      detector_columns};

  for (int line = 0; line < rows * views; ++line)
    for (int column = 0; column < launched(columns, 256); ++column)
      EXPECT_EQ(block(column, line), met_nothing);

  static_assert(detector_rows >= 2 + rows);
  for (std::size_t n = 0; n < counts.size(); ++n) {
    const std::size_t pixel = (2 + n / columns % rows) * detector_columns + 3 + n % columns;
    // Two roundings of the quotient and one of a logarithm below 6.
    EXPECT_NEAR(result[n], testing::expected_line_integral(counts[n], white[pixel], dark[pixel]), 1e-6) << n;
  }
}

TEST(Attenuate, GuardsEveryKindOfPixel) {
  const auto met = [](float count, float white, float dark, double expected) {
    float p = -1;
    const unsigned outcome = attenuate(count, white, dark, 65535, p);
    EXPECT_NEAR(p, expected, 1e-6) << count << " " << white << " " << dark;
    return outcome;
  };
  EXPECT_EQ(met(500, 1100, 100, std::log(2.5)), met_nothing);
  EXPECT_EQ(met(2100, 1100, 100, -std::log(2.0)), met_nothing);  // above white stays negative
  EXPECT_EQ(met(101, 1100, 100, std::log(1000.0)), met_nothing);
  EXPECT_EQ(met(100, 1100, 100, std::log(1000.0)), met_floor);
  EXPECT_EQ(met(0, 1100, 100, std::log(1000.0)), met_floor);
  EXPECT_EQ(met(65535, 1100, 100, std::log(1000.0 / 65435)), met_saturation);
  EXPECT_EQ(met(500, 101, 100, 0), met_dead);
  EXPECT_EQ(met(500, nan, 100, 0), met_dead);
  EXPECT_EQ(met(500, infinity, 100, 0), met_dead);
  EXPECT_EQ(met(500, 1100, nan, 0), met_dead);
  EXPECT_EQ(met(65535, 101, 100, 0), met_dead | met_saturation);
  EXPECT_EQ(met(nan, 1100, 100, 0), met_not_finite);
  EXPECT_EQ(met(infinity, 101, 100, 0), met_not_finite | met_saturation);
  EXPECT_EQ(met(-infinity, 1100, 100, 0), met_not_finite);
}

TEST(Attenuate, NeverSaturatesWithoutALevel) {
  float p = 0;
  EXPECT_EQ(attenuate(65535, 1100, 100, 0, p), met_nothing);
}

// ------------------------------------------------------------------------------------------- rectifier

TEST(RectifyBlock, AgreesWithTheDefinitionInEveryWindow) {
  const int columns = 37, rows = 29, views = 2;
  const std::vector<float> values = testing::noise(columns * rows * views);
  const View3<const float> image{values.data(), columns, rows, views};
  const std::array<double, 9> h[] = {{1.01, 0.03, -1.7, -0.03, 0.99, 0.4, 1e-4, -2e-4, 1},
                                     {0.98, -0.05, 0.9, 0.05, 1.02, -1.3, -1e-4, 1e-4, 1.001}};
  Homography table[views];
  for (int n = 0; n < views; ++n) std::copy(h[n].begin(), h[n].end(), table[n].h);
  for (const auto& [first_column, first_row, nx, ny] :
       {std::array{-2, -3, 41, 35}, std::array{11, 9, 7, 5}}) {
    std::vector<float> target(static_cast<std::size_t>(nx * ny * views), -1.0f);
    const CubicSampler sampler{values.data(), columns, rows, 0, 0, columns, rows};
    const RectifyBlock block{sampler, table, target.data(), nx, ny, first_column, first_row};

    for (int line = 0; line < ny * views; ++line)
      for (int column = 0; column < launched(nx, 256); ++column) block(column, line);

    for (int n = 0; n < nx * ny * views; ++n)  // sixteen products with weights of at most 1.3 in sum
      EXPECT_NEAR(target[static_cast<std::size_t>(n)],
                  testing::expected_rectified(image, n / (nx * ny), h[n / (nx * ny)], first_column + n % nx,
                                              first_row + n / nx % ny),
                  8 * 0x1p-24)
          << n;
  }
}

TEST(CubicSampler, ReadsTheSameFromACutImage) {
  const int columns = 37, rows = 29, c0 = 10, r0 = 8, nx = 12, ny = 9;
  const std::vector<float> whole = testing::noise(columns * rows);
  std::vector<float> part;
  for (int row = r0; row < r0 + ny; ++row)
    for (int column = c0; column < c0 + nx; ++column)
      part.push_back(whole[static_cast<std::size_t>(row * columns + column)]);
  const CubicSampler all{whole.data(), columns, rows, 0, 0, columns, rows};
  const CubicSampler cut{part.data(), nx, ny, c0, r0, columns, rows};

  for (double v = r0 + 1; v < r0 + ny - 2; v += 0.37)
    for (double u = c0 + 1; u < c0 + nx - 2; u += 0.37) EXPECT_EQ(cut(u, v), all(u, v)) << u << " " << v;
}

TEST(CubicSampler, RepeatsTheEdgeByHalfAPixel) {
  const float pixels[] = {4, 4, 4, 4};
  const CubicSampler sample{pixels, 2, 2, 0, 0, 2, 2};

  EXPECT_NEAR(sample(-0.5, 1.5), 4, 1e-6);
  EXPECT_EQ(sample(-0.51, 0), 0.0f);
  EXPECT_EQ(sample(0, 1.51), 0.0f);
  EXPECT_EQ(sample(nan, 0), 0.0f);
}

}  // namespace
}  // namespace feldspar::kernels
