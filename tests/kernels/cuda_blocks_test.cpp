// The body of the CUDA kernel that back-projects blocks of voxels from pairs of pixels, run on the host over
// all blocks and threads of a launch, against the operator's definition in double precision.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <memory>
#include <span>
#include <string>

#include "kernels/shared/fdk_block.hpp"
#include "kernels/view_matrix.hpp"
#include "tests/kernels/cuda_expectations.hpp"
#include "tests/kernels/host_team.hpp"
#include "tests/support/comparison.hpp"

namespace feldspar::kernels {
namespace {

using testing::HostTeam;
using testing::Order;
using testing::ScanCase;
constexpr float nan = std::numeric_limits<float>::quiet_NaN();

/// Exactly as many elements as a kernel may touch, so that a sanitizer sees one too many; NaN before.
template <class Pair>
struct Packed {
  PairShape shape;
  std::vector<Pair> pairs;
  std::vector<float> scales;

  Packed(View3<const float> projections, int first_row, Order order)
      : shape{projections.nx, first_row, projections.ny},
        pairs(static_cast<std::size_t>(shape.plane() * projections.nz), Pair::of(nan, nan)) {
    if (sizeof(Pair) < sizeof(FloatPair))
      for (int view = 0; view < projections.nz; ++view) scales.push_back(scale_of(projections, view));
    const PairPacking<Pair> packing{projections.data, shape, pairs.data(),
                                    scales.empty() ? nullptr : scales.data()};
    auto memory = std::make_unique<typename PairPacking<Pair>::Memory>();
    for (int view = 0; view < projections.nz; ++view)
      for (int y = 0; y * packing.tile < shape.stride(); ++y)
        for (int x = 0; x * packing.tile <= shape.columns; ++x) packing(view, x, y, *memory, HostTeam{order});
  }

  static float scale_of(View3<const float> projections, int view) {
    std::uint32_t largest = 0;
    const View3<const float> one = projections.planes(view, 1);
    for (std::size_t n = 0; n < one.size(); ++n) {
      std::uint32_t bits = 0;
      const float value = std::fabs(one.data[n]);
      std::memcpy(&bits, &value, sizeof bits);
      largest = std::max(largest, bits);
    }
    return half_scale(largest);
  }

  [[nodiscard]] PairStack<Pair> stack() const {
    return {pairs.data(), shape, scales.empty() ? nullptr : scales.data()};
  }
};

struct Piece {
  int first_row = 0;
  int first_slice = 0;
  int slices = 0;
};

/// How the kernel is launched.
struct Launches {
  int views_at_once = 32;
  Order order = Order::rising;
  Disc disc = {};
};

/// Adds all views to slices of a volume.
template <class Pair>
std::vector<float> run(std::span<const geometry::View> views, View3<const float> projections,
                       const geometry::VolumeGrid& grid, const Piece& piece, const Launches& launches = {}) {
  const auto [views_at_once, order, disc] = launches;
  std::vector<float> volume(static_cast<std::size_t>(grid.nx) * grid.ny * piece.slices, 0.0f);
  const BlockTarget target{volume.data(), grid.nx,           grid.ny,      0,   0, grid.nx,
                           grid.ny,       piece.first_slice, piece.slices, disc};
  using Block = FdkBlock<Pair>;
  auto memory = std::make_unique<typename Block::Memory>();
  for (int first = 0; first < projections.nz; first += views_at_once) {
    const int some = std::min(views_at_once, projections.nz - first);
    const Packed<Pair> packed(projections.planes(first, some), piece.first_row, order);
    std::vector<ViewMatrix> matrices;
    matrices.reserve(static_cast<std::size_t>(some));
    for (const geometry::View& view :
         views.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(some)))
      matrices.push_back(make_view_matrix(view, grid));
    const Block block{target, packed.stack()};
    for (int k = 0; k < piece.slices; k += Block::height)
      for (int j = 0; j < grid.ny; j += Block::depth)
        for (int i = 0; i < grid.nx; i += Block::width)
          block(matrices.data(), some, {i, j, k}, *memory, HostTeam{order});
  }
  return volume;
}

class Blocks : public ::testing::TestWithParam<ScanCase> {
 protected:
  const geometry::CircularScan& scan_ = GetParam().scan;
  const geometry::VolumeGrid& grid_ = GetParam().grid;
  const std::vector<geometry::View> views_ = geometry::make_views(scan_);
  const std::vector<float> values_ =
      testing::noise(static_cast<std::size_t>(scan_.detector.columns) * scan_.detector.rows * views_.size());
  const View3<const float> projections_{values_.data(), scan_.detector.columns, scan_.detector.rows,
                                        static_cast<int>(views_.size())};
  const Piece whole_{0, 0, grid_.nz};
};

TEST_P(Blocks, AgreeWithTheDefinition) {
  const auto expected = testing::expected_back_projection(views_, projections_, grid_);

  const auto result = run<FloatPair>(views_, projections_, grid_, whole_);

  const auto difference = testing::compare(std::span(result), std::span(expected));
  EXPECT_LT(difference.worst, testing::column_tolerance(GetParam())) << "at " << difference.where;
}

TEST_P(Blocks, InHalfPrecisionAgreeWithinItsRounding) {
  const auto expected = testing::expected_back_projection(views_, projections_, grid_);

  const auto result = run<HalfPair>(views_, projections_, grid_, whole_);

  // Each pixel is off by at most 2^-11 of itself (2^-12 of its power of two), and all weights are positive.
  const auto difference = testing::compare(std::span(result), std::span(expected));
  EXPECT_LT(difference.worst, 0x1p-11 + testing::column_tolerance(GetParam())) << "at " << difference.where;
  EXPECT_GT(difference.worst, 0x1p-16) << "is it half precision at all?";
}

/// A race shows where the order of the threads does.
TEST_P(Blocks, DoNotDependOnTheOrderOfTheirThreads) {
  EXPECT_EQ(run<FloatPair>(views_, projections_, grid_, whole_, {.order = Order::falling}),
            run<FloatPair>(views_, projections_, grid_, whole_));
}

/// Slices 5 .. 9 from rows cut to what they need, in calls of 16 views: the bits of the whole.
TEST_P(Blocks, DoNotDependOnTheSlabTheRowsAndTheCalls) {
  const int nu = projections_.nx, nv = projections_.ny, count = projections_.nz;
  std::vector<float> seen = values_, cut;  // the rows that are left out are 0, as far as they are seen
  const Piece piece{2, 5, std::min(5, grid_.nz - 5)};
  const int rows = nv - 5;
  for (int n = 0; n < count; ++n)
    for (int row = 0; row < nv; ++row) {
      const auto begin = seen.begin() + static_cast<std::ptrdiff_t>(n * nv + row) * nu;
      if (row >= piece.first_row && row < piece.first_row + rows)
        cut.insert(cut.end(), begin, begin + nu);
      else
        std::fill(begin, begin + nu, 0.0f);
    }
  const auto whole = run<FloatPair>(views_, {seen.data(), nu, nv, count}, grid_, whole_);

  const auto slab =
      run<FloatPair>(views_, {cut.data(), nu, rows, count}, grid_, piece, {.views_at_once = 16});

  EXPECT_TRUE(std::equal(slab.begin(), slab.end(),
                         whole.begin() + std::ptrdiff_t{piece.first_slice} * grid_.nx * grid_.ny));
}

std::vector<ScanCase> upright_cases() {
  std::vector<ScanCase> all;
  for (const ScanCase& c : testing::back_projection_cases())
    if (c.scan.detector.roll == 0 && c.scan.detector.tilt == 0) all.push_back(c);
  geometry::CircularScan tall = testing::plain_scan(3);
  tall.detector.rows = 331;  // more than a block is high, and more than a tile of the packing
  all.push_back({"higher_than_a_block", tall, testing::cubic_grid(9, 8, 267, 0.5)});
  geometry::CircularScan full = testing::plain_scan(5);
  full.detector.rows = 28;  // with their zeros they fill the stride
  all.push_back({"rows_without_slack", full, testing::cubic_grid(12, 11, 60, 0.6)});
  all.push_back({"coarse_voxels", tall, testing::cubic_grid(5, 4, 40, 3.1)});
  return all;
}

INSTANTIATE_TEST_SUITE_P(Geometries, Blocks, ::testing::ValuesIn(upright_cases()),
                         [](const auto& instance) { return std::string(instance.param.name); });

TEST(Block, LeavesVoxelsInTheSourcesPlaneFinite) {
  const geometry::VolumeGrid grid{3, 1, 3, {10, 1, 10}, {-10, -200, -10}};  // y of the source
  geometry::CircularScan scan = testing::plain_scan(1);
  scan.angles = {0};
  const std::vector<float> values(std::size_t{37} * 29, 1.0f);

  const auto volume = run<FloatPair>(geometry::make_views(scan), {values.data(), 37, 29, 1}, grid, {0, 0, 3});

  EXPECT_EQ(volume, std::vector<float>(grid.voxels(), 0.0f));
}

TEST(Block, IsLeftOutOnlyWhereAllOfItIsBeyondTheDisc) {
  const geometry::VolumeGrid grid = testing::cubic_grid(60, 52, 3, 0.5);
  const auto views = geometry::make_views(testing::plain_scan(1));
  const std::vector<float> values(std::size_t{37} * 29, 1.0f);
  const View3<const float> projections{values.data(), 37, 29, 1};
  const double radius = 6;
  const auto part = [&](double length) { return static_cast<float>(length / radius); };

  const auto all = run<FloatPair>(views, projections, grid, {0, 0, 3});
  const Disc disc{part(grid.origin.x), part(0.5), part(grid.origin.y), part(0.5)};
  const auto cut = run<FloatPair>(views, projections, grid, {0, 0, 3}, {.disc = disc});

  int left_out = 0;
  for (std::size_t n = 0; n < all.size(); ++n) {
    const int i = static_cast<int>(n) % 60, j = static_cast<int>(n) / 60 % 52;
    const bool in = std::hypot(grid.origin.x + 0.5 * i, grid.origin.y + 0.5 * j) <= radius;
    EXPECT_TRUE(cut[n] == all[n] || (!in && cut[n] == 0.0f)) << n;
    left_out += cut[n] != all[n];
  }
  EXPECT_GT(left_out, 3 * 8 * 8);
}

TEST(RowPlace, IsBetweenTwoRows) {
  for (const float v : {-2.0f, -1.0f, -0.75f, 0.0f, 0.25f, 0.5f, 1.0f, 7.875f, 1999.0f, 1999.5f, 15999.75f}) {
    const RowPlace place = place_of(v - 0.5f);
    EXPECT_GE(place.fraction, 0.0f) << v;
    EXPECT_LE(place.fraction, 1.0f) << v;
    EXPECT_EQ(static_cast<float>(place.row) + place.fraction, v);
  }
}

TEST(RowPlace, IsFarFromAllRowsWhereverTheyCannotBe) {
  for (const float far : {40000.5f, 0x1p22f, 0x1.8p23f - 1, 0x1.8p23f, 0x1.8p23f + 1, 1e10f, 1e30f})
    for (const float v_half : {far, -far}) {
      const RowPlace place = place_of(v_half);
      EXPECT_GE(static_cast<std::uint32_t>(place.row) + 2u, 40000u) << v_half;  // before all: huge
      EXPECT_TRUE(std::isfinite(place.fraction)) << v_half;
    }
}

TEST(Half, OfEveryPatternComesBack) {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const float value = from_half(static_cast<std::uint16_t>(bits));
    const bool is_nan = (bits & 0x7fffu) > 0x7c00u;
    EXPECT_EQ(std::isnan(value), is_nan) << bits;
    EXPECT_TRUE(is_nan || to_half(value) == bits) << bits;
  }
}

TEST(Half, RoundsToTheNearestAndTiesToEven) {
  for (std::uint16_t low = 0; low < 0x7bff; ++low) {
    const float a = from_half(low), b = from_half(static_cast<std::uint16_t>(low + 1)),
                middle = 0.5f * (a + b);
    const std::uint16_t even = low % 2 == 0 ? low : static_cast<std::uint16_t>(low + 1);
    ASSERT_EQ(to_half(middle), even) << low;
    ASSERT_EQ(to_half(std::nextafter(middle, 0.0f)), low);
    ASSERT_EQ(to_half(std::nextafter(middle, b)), low + 1);
    ASSERT_EQ(to_half(-a), low | 0x8000u);
  }
  EXPECT_EQ(to_half(65519.9f), 0x7bff);
  EXPECT_EQ(to_half(65520.0f), 0x7c00);
  EXPECT_EQ(to_half(std::numeric_limits<float>::infinity()), 0x7c00);
}

TEST(HalfScale, TakesTheLargestValueToTheUpperEndOfTheRange) {
  for (const float largest : {1e-30f, 3e-7f, 0.99f, 1.0f, 1.99f, 70000.0f, 1e30f}) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, &largest, sizeof bits);
    const float scaled = largest / half_scale(bits);
    EXPECT_GE(scaled, 0x1p14f) << largest;
    EXPECT_LT(scaled, 0x1p15f) << largest;
  }
  EXPECT_EQ(half_scale(0), 1.0f);
  EXPECT_EQ(half_scale(0x7f800000u), 1.0f);
}

}  // namespace
}  // namespace feldspar::kernels
