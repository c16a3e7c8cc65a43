// Stripe removal in sinograms: what it takes out, what it must keep, and the source that applies it.
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <numeric>
#include <vector>

#include "recon/correct/stripe_free_source.hpp"
#include "tests/support/scans.hpp"
#include "tests/support/virtual_scan.hpp"

namespace feldspar::recon {
namespace {

constexpr int columns = 128, views = 90;

/// A disc off the axis, smooth along columns and views.
std::vector<float> sinogram() {
  std::vector<float> values(columns * views);
  for (int view = 0; view < views; ++view)
    for (int column = 0; column < columns; ++column) {
      const double centre = 64 + 20 * std::sin(2 * std::numbers::pi * view / views);
      const double x = (column - centre) / 30;
      values[static_cast<std::size_t>(view * columns + column)] =
          x * x < 1 ? static_cast<float>(2 * std::pow(1 - x * x, 1.5)) : 0.0f;
    }
  return values;
}

double difference(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (std::size_t n = 0; n < a.size(); ++n)
    sum += std::pow(static_cast<double>(a[n]) - static_cast<double>(b[n]), 2);
  return std::sqrt(sum / static_cast<double>(a.size()));
}

std::vector<float> freed(std::vector<float> values, StripeMethod method) {
  remove_stripes({values.data(), columns, views, 1}, method);
  return values;
}

TEST(SinogramRings, TakeAStripeOut) {
  const std::vector<float> clean = sinogram();
  std::vector<float> striped = clean;
  for (int view = 0; view < views; ++view)
    for (const int column : {40, 71, 90}) striped[static_cast<std::size_t>(view * columns + column)] += 0.1f;
  for (const auto method : {StripeMethod::sorting, StripeMethod::all, StripeMethod::wavelet}) {
    const std::vector<float> of_clean = freed(clean, method), result = freed(striped, method);
    for (const int column : {40, 71, 90}) {
      double left = 0;  // of 0.1 that all views of the column share: the ring
      for (int view = 0; view < views; ++view) {
        const auto at = static_cast<std::size_t>(view * columns + column);
        left += static_cast<double>(result[at] - of_clean[at]) / views;
      }
      EXPECT_LT(std::abs(left), 0.05) << static_cast<int>(method) << " " << column;
    }
  }
}

TEST(SinogramRings, BridgeADeadColumn) {
  std::vector<float> clean = testing::noise(columns * views);
  for (float& value : clean) value = 1 + 0.1f * value;
  std::vector<float> dead = clean;
  for (int view = 0; view < views; ++view)
    dead[static_cast<std::size_t>(view * columns + 60)] = view % 2 ? 5.0f : 0.0f;

  const auto result = freed(dead, StripeMethod::all);

  // What is left is sorting, which noise of this size moves by itself.
  EXPECT_LT(difference(result, clean), 0.1 * difference(dead, clean));
}

TEST(SinogramRings, KeepNoiselessAndConstantSinogramsFinite) {
  for (const auto method : {StripeMethod::sorting, StripeMethod::all, StripeMethod::wavelet}) {
    for (const float value : freed(std::vector<float>(columns * views), method)) ASSERT_EQ(value, 0.0f);
    for (const float value : freed(std::vector<float>(columns * views, 1.5f), method))
      ASSERT_TRUE(std::isfinite(value));
  }
}

TEST(StripeFreeSource, GivesARowTheSameBitsWhateverIsReadWithIt) {
  const geometry::CircularScan scan = testing::plain_scan(24);
  const auto make = [&] {
    return StripeFreeSource(
        std::make_unique<testing::VirtualScan>(scan,
                                               std::vector<testing::Body>{{{2, 1, 0}, {4, 3, 5}, 0, 0.05}}),
        {0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22},
        {.method = StripeMethod::sorting, .spec = {.columns = 37, .rows = 29, .bad_pixels = {15 * 37 + 20}}});
  };
  const std::vector<int> wanted{4, 20};
  std::vector<float> all(37 * 29 * 2), few(37 * 3 * 2);

  make().read(wanted, {{0, 37}, {0, 29}}, all.data());
  make().read(wanted, {{0, 37}, {14, 17}}, few.data());

  for (int n = 0; n < 2; ++n)
    for (int k = 0; k < 37 * 3; ++k)
      ASSERT_EQ(few[static_cast<std::size_t>(n * 37 * 3 + k)],
                all[static_cast<std::size_t>((n * 29 + 14) * 37 + k)]);
}

/// What sorting would cost of `bodies`.
StripeCost cost(std::vector<testing::Body> bodies) {
  geometry::CircularScan scan = testing::plain_scan(90);
  scan.detector.columns = 161, scan.detector.column_pitch = 0.25;  // 8 mm to both sides of the axis
  const testing::VirtualScan source(scan, std::move(bodies));
  std::vector<int> all(90);
  std::iota(all.begin(), all.end(), 0);
  MemoryBudget budget(std::size_t{1} << 30);
  return cost_of_stripes(source, all, StripeMethod::sorting, budget);
}

// Tubes about the axis stand still in every sinogram, as stripes do; off the axis they do not.
TEST(SinogramRings, SayWhatTheyTakeOfTheObject) {
  const auto tubes = [](double x) {
    std::vector<testing::Body> bodies;
    for (int n = 0; n < 6; ++n) {
      const double radius = 1.5 + 0.8 * n;
      bodies.push_back({{x, 0, 0}, {radius, radius, 200}, 0, n % 2 ? 0.2 : -0.15, true});
    }
    return bodies;
  };
  const StripeCost centred = cost(tubes(0)), aside = cost(tubes(2));
  EXPECT_GT(centred.taken, 4 * aside.taken);
  EXPECT_GT(centred.shared, 0.9);
  EXPECT_EQ(centred.views, 90);
}

}  // namespace
}  // namespace feldspar::recon
