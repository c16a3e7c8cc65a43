// What is measured of a scan's intensities: planted faults are found, a clean scan is left as it is, and the
// volume gets nearer to the one without faults.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>
#include <string>

#include "base/error.hpp"
#include "recon/correct/find_corrections.hpp"
#include "recon/correct/pixel_gain.hpp"
#include "tests/recon/reconstruct.hpp"
#include "tests/support/comparison.hpp"
#include "tests/support/resources.hpp"

namespace feldspar {
namespace {

/// A centred roll of concentric windings, as like rings as an object can be, and something off the axis.
testing::VirtualScan roll(int views = 120) {
  geometry::CircularScan scan{.source_object_distance = 200,
                              .source_detector_distance = 500,
                              .detector = {.columns = 96, .rows = 32, .column_pitch = 1.0, .row_pitch = 1.0},
                              .axis = {},
                              .angles = {},
                              .shifts = {}};
  for (int n = 0; n < views; ++n) scan.angles.push_back(2 * std::numbers::pi * n / views);
  std::vector<testing::Body> bodies;
  for (int n = 0; n < 5; ++n) {
    const double radius = 12.0 - 2.4 * n;
    bodies.push_back({{0, 0, 0}, {radius, radius, 40}, 0, 0.03, true});
    bodies.push_back({{0, 0, 0}, {radius - 1.2, radius - 1.2, 40}, 0, -0.03, true});
  }
  bodies.push_back({{5, 3, 1}, {1.5, 1.0, 1.2}, 0.3, 0.05, false});
  return {scan, bodies};
}

/// The counts of another scan, spoiled view by view.
class Spoiled final : public io::WrappedSource {
 public:
  using Spoil = std::function<float(float count, int view, int column, int row)>;
  Spoiled(const io::ScanSource& clean, Spoil spoil) : WrappedSource(clean), spoil_(std::move(spoil)) {}

  void read(std::span<const int> views, const geometry::PixelWindow& window, void* counts) const override {
    inner().read(views, window, counts);
    auto* value = static_cast<float*>(counts);
    for (const int view : views)
      for (int row = window.rows.first; row < window.rows.end; ++row)
        for (int column = window.columns.first; column < window.columns.end; ++column, ++value)
          *value = spoil_(*value, view, column, row);
  }

 private:
  Spoil spoil_;
};

/// Photon noise that any reading of a pixel repeats.
float noisy(float count, int view, int column, int row) {
  std::uint64_t bits = (std::uint64_t(view) * 1000 + std::uint64_t(row)) * 1000 + std::uint64_t(column);
  float sum = -6;  // of twelve uniform numbers: nearly normal, deviation 1
  for (int n = 0; n < 12; ++n) {
    bits += 0x9e3779b97f4a7c15;  // splitmix64
    std::uint64_t mixed = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    sum += static_cast<float>((mixed ^ (mixed >> 31)) >> 40) * 0x1p-24f;
    bits = mixed;
  }
  return count + std::sqrt(std::max(count, 1.0f)) * sum;
}

std::shared_ptr<const recon::Corrections> measure(const io::ScanSource& source, const std::string& which) {
  return std::make_shared<recon::Corrections>(
      recon::find_corrections(source, recon::prepare_fdk(source.scan()).view_indices,
                              recon::parse_corrections(which), testing::all_resources()));
}

testing::VolumeInMemory reconstruct(const io::ScanSource& source,
                                    std::shared_ptr<const recon::Corrections> corrections,
                                    std::size_t memory = testing::plenty) {
  const geometry::VolumeGrid grid = geometry::centred_grid(72, 72, 33, 0.4);
  const recon::FdkSetup setup = recon::prepare_fdk(source.scan());
  const auto backend = kernels::open_backend("cpu", {.threads = 2});
  const recon::FdkOptions options{
      .grid = grid, .ramp = {}, .projector = {}, .corrections = std::move(corrections), .memory = memory};
  const recon::SlabPlan plan = plan_slabs(setup, grid, memory, costs_on(*backend, source, setup, options));
  testing::VolumeInMemory volume(grid.nx, grid.ny, grid.nz);
  Progress progress;
  (void)reconstruct_fdk({source, setup, options}, plan, volume, *backend, progress);
  return volume;
}

double error(const testing::VolumeInMemory& volume, const testing::VolumeInMemory& clean) {
  return testing::compare(std::span(volume.values), std::span(clean.values)).relative;
}

TEST(Corrections, LeaveACleanScanAlone) {
  const testing::VirtualScan clean = roll();
  const auto of_clean = measure(clean, "all");
  EXPECT_TRUE(of_clean->spec.empty());
  for (const auto& step : of_clean->steps) EXPECT_FALSE(step.notable) << step.text;

  const auto of_noisy = measure(Spoiled(clean, noisy), "all");
  EXPECT_TRUE(of_noisy->spec.empty());
  for (const auto& step : of_noisy->steps) EXPECT_FALSE(step.notable) << step.text;
}

TEST(Corrections, FindTheDriftOfTheBeam) {
  const testing::VirtualScan clean = roll();
  const auto beam = [](int view) { return 1 + 0.02 * std::sin(0.05 * view) - 1e-4 * view; };
  const Spoiled drifting(clean, [&](float count, int view, int column, int row) {
    return noisy(static_cast<float>(count * beam(view)), view, column, row);
  });

  const auto corrections = measure(drifting, "drift");

  ASSERT_EQ(corrections->spec.view_offset.size(), 120u);
  // Two pixels of four rows at 16 places: noise of 0.4 % over the root of 128, and of medians a quarter more.
  for (int n = 0; n < 120; ++n)
    EXPECT_NEAR(corrections->spec.view_offset[static_cast<std::size_t>(n)], std::log(beam(n)), 5 * 0.0005)
        << n;
}

TEST(Corrections, TakeNoDriftFromAnObjectThatPassesTheEdge) {
  geometry::CircularScan scan = roll().scan();
  const testing::VirtualScan wide(scan, {{{14, 0, 0}, {7, 7, 40}, 0, 0.02, true}});

  const auto corrections = measure(wide, "drift");

  EXPECT_TRUE(corrections->spec.view_offset.empty());
  EXPECT_TRUE(corrections->steps.front().notable);
}

TEST(Corrections, FindBadPixels) {
  const testing::VirtualScan clean = roll();
  const auto pixel = [](int column, int row) { return std::int64_t{row} * 96 + column; };
  const Spoiled bad(clean, [](float count, int view, int column, int row) {
    if (column == 40 && row == 12) return 0.0f;
    if (column == 50 && row == 20) return 65535.0f;
    if (column == 33 && row == 27) return count * (view % 3 == 0 ? 1.0f : 0.5f);
    return noisy(count, view, column, row);
  });

  const auto corrections = measure(bad, "bad-pixels");

  EXPECT_EQ(corrections->spec.bad_pixels, (std::vector{pixel(40, 12), pixel(50, 20), pixel(33, 27)}));
}

TEST(Corrections, FindZingersToTheEndsOfTheScan) {
  const testing::VirtualScan clean = roll(60);
  const std::vector<kernels::CorrectionPatch> planted{
      {0, 20 * 96 + 45, 0}, {17, 0, 0}, {17, 3 * 96 + 50, 0}, {59, 31 * 96 + 95, 0}};
  const Spoiled hit(clean, [&](float count, int view, int column, int row) {
    for (const auto& zinger : planted)
      if (zinger.view == view && zinger.pixel == row * 96 + column) count *= 1.5f;
    return noisy(count, view, column, row);
  });

  const auto corrections = measure(hit, "zingers");

  ASSERT_EQ(corrections->spec.patches.size(), planted.size());
  for (std::size_t n = 0; n < planted.size(); ++n) {
    const auto& patch = corrections->spec.patches[n];
    EXPECT_EQ(patch.view, planted[n].view);
    EXPECT_EQ(patch.pixel, planted[n].pixel);
    const double expected = clean.line_integral(patch.view, static_cast<double>(patch.pixel % 96),
                                                static_cast<double>(patch.pixel / 96));
    EXPECT_NEAR(patch.value, expected, 0.02);  // noise and the object's slope over a pixel
  }
}

TEST(Corrections, TakeRingsOutAndKeepWindings) {
  const testing::VirtualScan clean = roll();
  std::vector<float> gains(96 * 32);
  std::mt19937 random(5);
  for (float& gain : gains) gain = std::exp(std::normal_distribution<float>(0, 0.01f)(random));
  const Spoiled spoiled(clean, [&](float count, int, int column, int row) {
    return count * gains[static_cast<std::size_t>(row * 96 + column)];
  });

  const auto corrections = measure(spoiled, "rings");

  const auto truth = reconstruct(clean, nullptr);
  const double before = error(reconstruct(spoiled, nullptr), truth),
               after = error(reconstruct(spoiled, corrections), truth);
  // The first and last rows and columns have fewer neighbours to differ from than the median needs.
  EXPECT_LT(after, 0.5 * before);
}

TEST(PixelGain, LeavesAFifthOfIndependentErrors) {
  constexpr int columns = 160, rows = 500, edge = 50;
  recon::PixelStatistics seen(columns, rows, nullptr);
  seen.views = 32;
  std::mt19937 random(3);
  std::vector<double> errors;
  for (int row = 0; row < rows; ++row)
    for (int column = 0; column < columns; ++column) {
      errors.push_back(std::normal_distribution<double>(0, 0.005)(random));
      const double object = std::sin(0.1 * column) + 2e-6 * row;  // over a window well below the errors
      for (Array3<float>& sum : seen.sums)
        sum(column, row, 0) = static_cast<float>(16 * (object + errors.back()));
    }
  ThreadPool pool(2);

  const recon::PixelGain gain = recon::measure_pixel_gain(seen, {}, pool);

  ASSERT_EQ(gain.pixel_offset.size(), errors.size());
  double left = 0;
  for (int row = edge; row < rows - edge; ++row)
    for (int column = 25; column < columns - 25; ++column) {
      const auto n = static_cast<std::size_t>(row * columns + column);
      left += std::pow(errors[n] + gain.pixel_offset[n], 2);
    }
  left = std::sqrt(left / ((rows - 2 * edge) * (columns - 50)));
  // Medians of 101 and 51 normal errors deviate by 1.25 / sqrt of their number: 0.124 and 0.175 of one. Those
  // of 110 columns by 4 windows and of 400 rows by 2 scatter by 1 / sqrt(2 x 440), or 3.4 %; three of that.
  EXPECT_NEAR(left, 0.005 * std::hypot(0.124, 0.175), 0.1 * 0.005 * 0.214);
}

TEST(PixelStatistics, SumMoreViewsThanTheyJudge) {
  const testing::VirtualScan scan = roll(60);
  const std::vector<int> views = recon::prepare_fdk(scan.scan()).view_indices;
  ThreadPool pool(2);

  const recon::PixelStatistics few = recon::gather(scan, views, {.judged = 10, .summed = 10}, pool, nullptr),
                               more = recon::gather(scan, views, {.judged = 10, .summed = 30}, pool, nullptr);

  EXPECT_EQ(more.views, 30);
  EXPECT_TRUE(std::ranges::equal(few.unrest.view().values(), more.unrest.view().values()));
  EXPECT_TRUE(std::ranges::equal(few.highest.view().values(), more.highest.view().values()));
  recon::LineIntegralReader reader(scan, nullptr);
  std::vector<float> expected(2 * 96 * 32);  // every other view, in turn in one half and the other
  for (int n = 0; n < 30; ++n) {
    const auto image = reader.read(views[static_cast<std::size_t>(2 * n)], {{0, 96}, {0, 32}});
    for (std::size_t pixel = 0; pixel < 96 * 32; ++pixel)
      expected[static_cast<std::size_t>(n % 2) * 96 * 32 + pixel] += image.data[pixel];
  }
  for (std::size_t n = 0; n < expected.size(); ++n)
    ASSERT_EQ(more.sums[n / (96 * 32)].data()[n % (96 * 32)], expected[n]) << n;
}

TEST(Corrections, HaveTheSameBitsWhateverTheSlabs) {
  const testing::VirtualScan clean = roll(60);
  const Spoiled spoiled(clean, [](float count, int view, int column, int row) {
    if ((column * 7 + row * 13) % 211 == 0) return 0.0f;
    if (view == 31 && column == 40) return 2 * count;
    return noisy(static_cast<float>(count * (1 + 1e-3 * view)), view, column, row);
  });
  auto corrections = std::make_shared<recon::Corrections>(*measure(spoiled, "all"));
  ASSERT_FALSE(corrections->spec.bad_pixels.empty());
  ASSERT_FALSE(corrections->spec.patches.empty());
  ASSERT_FALSE(corrections->spec.view_offset.empty());
  corrections->spec.polynomial = {0, 0.9f, 0.1f};

  const auto whole = reconstruct(spoiled, corrections);
  const auto in_slabs = reconstruct(spoiled, corrections, std::size_t{99} << 20);

  EXPECT_TRUE(std::ranges::equal(whole.values, in_slabs.values));
}

TEST(Corrections, AreChosenByName) {
  const auto chosen = [](const char* text) {
    const recon::CorrectionChoice c = recon::parse_corrections(text);
    return std::vector<bool>{c.zingers, c.bad_pixels, c.rings, c.drift};
  };
  EXPECT_EQ(chosen("off"), (std::vector{false, false, false, false}));
  EXPECT_EQ(chosen("auto,zingers"), (std::vector{true, true, true, true}));
  EXPECT_EQ(chosen("drift"), (std::vector{false, false, false, true}));
  EXPECT_EQ(chosen("no-rings"), (std::vector{false, true, false, true}));
  for (const char* wrong : {"", "ring", "drift,", "no-", "drift,auto"})
    EXPECT_THROW((void)recon::parse_corrections(wrong), Error) << wrong;
}

}  // namespace
}  // namespace feldspar
