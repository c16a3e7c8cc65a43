// The row filter of the CUDA backend, run on the host step by step as a block of threads would, against the
// convolution in space and double precision that it stands for.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <set>
#include <vector>

#include "kernels/shared/filter_row.hpp"
#include "tests/kernels/cuda_expectations.hpp"
#include "tests/kernels/host_team.hpp"
#include "tests/support/comparison.hpp"

namespace feldspar::kernels {
namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN();

PixelWeight single(const FdkWeight& w) {
  const auto f = [](double x) { return static_cast<float>(x); };
  return {{f(w.ray.x), f(w.ray.y), f(w.ray.z)},
          {f(w.column_step.x), f(w.column_step.y), f(w.column_step.z)},
          {f(w.row_step.x), f(w.row_step.y), f(w.row_step.z)},
          {f(w.to_axis.x), f(w.to_axis.y), f(w.to_axis.z)},
          f(w.scale)};
}

TEST(PixelWeight, KeepsSinglePrecisionOnALargeDetector) {
  geometry::CircularScan scan = testing::plain_scan(3);
  scan.detector = {.columns = 4000, .rows = 3000, .column_pitch = 0.1, .row_pitch = 0.1, .column_offset = 60};
  for (const FdkWeight& weight : testing::weights_of(geometry::make_views(scan)))
    for (const int row : {0, 1499, 2999})
      for (const int column : {0, 1999, 3999}) {
        const geometry::Vec3 r = weight.ray + static_cast<double>(column) * weight.column_step +
                                 static_cast<double>(row) * weight.row_step;
        const double expected = weight.scale * dot(r, weight.to_axis) / norm(r);
        // Rounding of three terms a component, in the dot product, the length and the quotient: 8 of 2^-24.
        EXPECT_NEAR(single(weight).at(column, row), expected, 8 * 0x1p-24 * weight.scale);
      }
}

/// The spectrum of the ramp over `length` samples at frequency k, with the factor 1 / length: the transform
/// of its odd samples, which a table of cosines keeps quick.
std::vector<double> spectrum(int length) {
  std::vector<double> cosine, result;
  for (int n = 0; n < length; ++n) cosine.push_back(std::cos(2 * std::numbers::pi * n / length));
  for (int k = 0; k <= length / 2; ++k) {
    double sum = 0.25;
    for (int n = 1; n < length / 2; n += 2)
      sum -= 2 * cosine[static_cast<std::size_t>(std::int64_t{k} * n % length)] /
             (std::numbers::pi * std::numbers::pi * n * n);
    result.push_back(sum / length);
  }
  return result;
}

/// What a filter for rows of a length reads beside the projections.
struct Tables {
  explicit Tables(int of_length) : length(of_length) {
    const std::vector<double> ramp = spectrum(length);
    for (int n = 0; n < length; ++n) {
      const int frequency = frequency_at(n, length);
      response.push_back(
          static_cast<float>(ramp[static_cast<std::size_t>(std::min(frequency, length - frequency))]));
    }
    for (int k = 0; k < length / 4; ++k) {
      const double angle = -2 * std::numbers::pi * k / length;
      turns.push_back({static_cast<float>(std::cos(angle)), static_cast<float>(std::sin(angle))});
    }
  }
  int length;
  std::vector<float> response;
  std::vector<Complex> turns;
};

using testing::HostTeam;
using testing::Order;

struct Rows {
  int columns;
  int rows;
  int views;
  bool with_column_weights = false;
};

class Filtered {
 public:
  Filtered(const Rows& size, const Tables& tables, Order order = Order::rising)
      : scan_(scan_of(size)),
        weights_(testing::weights_of(geometry::make_views(scan_))),
        values(testing::noise(static_cast<std::size_t>(size.columns) * size.rows * size.views)) {
    std::vector<float> column_weights;
    if (size.with_column_weights)
      column_weights = testing::noise(static_cast<std::size_t>(size.columns) * size.views, 0, 2);
    expected = testing::expected_filter(weights_, column_weights,
                                        {values.data(), size.columns, size.rows, size.views});
    std::vector<PixelWeight> singles;
    for (const FdkWeight& weight : weights_) singles.push_back(single(weight));
    std::vector<Complex> row(static_cast<std::size_t>(tables.length), Complex{nan, nan});
    const RowFilter filter{values.data(),
                           size.columns,
                           size.rows,
                           tables.length,
                           singles.data(),
                           size.with_column_weights ? column_weights.data() : nullptr,
                           tables.response.data(),
                           tables.turns.data()};
    for (int pair = 0; pair < filter.pairs_of_a_view() * size.views; ++pair)
      filter(pair, row.data(), HostTeam{order});
  }

 private:
  static geometry::CircularScan scan_of(const Rows& size) {
    geometry::CircularScan scan = testing::plain_scan(size.views);
    scan.detector.columns = size.columns;
    scan.detector.rows = size.rows;
    scan.detector.column_pitch = 200.0 / size.columns;
    scan.detector.column_offset = 4.3;
    return scan;
  }
  geometry::CircularScan scan_;
  std::vector<FdkWeight> weights_;

 public:
  std::vector<float> values;
  std::vector<double> expected;
};

/// Relative to the row's root mean square, a value is rounded by 2^-24 three times in its weight and up to
/// five times in each of the 2 log4(length) stages, independently: sqrt(3 + 5 * 14) < 9. The mean response
/// is half of what it is where it is largest, the filtered peak about as large as the row's mean, and the
/// largest of 16,384 normal errors lies 4 deviations off: 9 * 4 < 40, at the greatest length.
constexpr double tolerance = 40 * 0x1p-24;

class RowLengths : public ::testing::TestWithParam<int> {};

TEST_P(RowLengths, ConvolveWithTheRamp) {
  const int length = GetParam();
  const Tables tables(length);
  for (const int columns : {length / 2, length / 2 - 1, length / 4 + 1, std::max(1, length / 4 - 1)})
    for (const Rows& size :
         {Rows{columns, 1, 1}, Rows{columns, 2, 1, true}, Rows{columns, 3, length > 1024 ? 1 : 2}}) {
      const Filtered rows(size, tables);

      const auto difference = testing::compare(std::span(rows.values), std::span(rows.expected));
      EXPECT_LT(difference.worst, tolerance)
          << columns << " columns, " << size.rows << " rows, at " << difference.where;
    }
}

/// A stage whose threads touched each other's elements would show here.
TEST_P(RowLengths, DoNotDependOnTheOrderOfThreads) {
  const Tables tables(GetParam());
  const Rows size{GetParam() / 2 - 1, 3, 1};

  EXPECT_EQ(Filtered(size, tables, Order::falling).values, Filtered(size, tables).values);
}

INSTANTIATE_TEST_SUITE_P(PowersOfTwo, RowLengths,
                         ::testing::Values(16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384));

TEST(RowFilter, TakesColumnsBelowTheShortestTransform) {
  const Tables tables(16);
  for (const int columns : {1, 2, 3}) {
    const Filtered rows({columns, 3, 2, true}, tables);

    const auto difference = testing::compare(std::span(rows.values), std::span(rows.expected));
    EXPECT_LT(difference.worst, tolerance) << columns;
  }
}

/// The bits of a pair of rows depend on nothing else: a slab may bring other rows around them.
TEST(RowFilter, TreatsEveryPairAlike) {
  const Tables tables(128);
  const int columns = 50, rows = 6, views = 2;
  std::vector<float> all = testing::noise(static_cast<std::size_t>(columns * rows * views)), some;
  for (int view = 0; view < views; ++view)
    some.insert(some.end(), all.begin() + (view * rows + 2) * columns,
                all.begin() + (view * rows + 4) * columns);
  const PixelWeight flat{{0, 1, 0}, {0, 0, 0}, {0, 0, 0}, {0, 1, 0}, 1};
  const std::vector<PixelWeight> weights(views, flat);
  std::vector<Complex> row(128);
  const auto run = [&](std::vector<float>& values, int count) {
    const RowFilter filter{
        values.data(),      columns, count, 128, weights.data(), nullptr, tables.response.data(),
        tables.turns.data()};
    for (int pair = 0; pair < filter.pairs_of_a_view() * views; ++pair)
      filter(pair, row.data(), HostTeam{Order::rising});
  };

  run(all, rows);
  run(some, 2);

  for (int view = 0; view < views; ++view)
    EXPECT_TRUE(std::equal(some.begin() + view * 2 * columns, some.begin() + (view + 1) * 2 * columns,
                           all.begin() + (view * rows + 2) * columns))
        << view;
}

/// Shared memory has 16 banks of 8 bytes for half a warp: each must serve one thread at a time.
TEST(RowTransform, MeetsEveryBankOnce) {
  for (int quarter = 1; quarter <= 4096; quarter *= 2)
    for (int leg = 0; leg < 4; ++leg)
      for (int first = 0; first < 4096; first += 16) {
        std::set<int> banks;
        for (int step = first; step < first + 16; ++step) {
          const int k = step & (quarter - 1);
          banks.insert(place_of(4 * (step - k) + k + leg * quarter) % 16);
        }
        ASSERT_EQ(banks.size(), 16u) << "quarter " << quarter << ", leg " << leg << ", from step " << first;
      }
}

TEST(RowTransform, KeepsEveryElementInAPlaceOfItsOwn) {
  std::set<int> places;
  for (int n = 0; n < 16384; ++n) {
    places.insert(place_of(n));
    EXPECT_LT(place_of(n), n / 16 * 16 + 16);
  }
  EXPECT_EQ(places.size(), 16384u);
  EXPECT_EQ(*places.rbegin(), 16383);
}

}  // namespace
}  // namespace feldspar::kernels
