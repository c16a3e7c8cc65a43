// What is measured of a scan's intensities: planted faults are found, a clean scan is left as it is, and the
// volume gets nearer to the one without faults.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>
#include <string>

#include "base/error.hpp"
#include "recon/correct/drift.hpp"
#include "recon/correct/find_corrections.hpp"
#include "recon/correct/pixel_gain.hpp"
#include "tests/recon/correct/scenes.hpp"
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
  const std::uint64_t place =
      (std::uint64_t(view) * 1000 + std::uint64_t(row)) * 1000 + std::uint64_t(column);
  return count + std::sqrt(std::max(count, 1.0f)) * static_cast<float>(testing::normal_at(1, place));
}

std::shared_ptr<const recon::Corrections> measure(const io::ScanSource& source, const std::string& which) {
  return std::make_shared<recon::Corrections>(
      recon::find_corrections(source, source.scan(), recon::prepare_fdk(source.scan()).view_indices,
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
  // Gains that are unlike on both sides of the axis stay, and from so few views their streaks do not cancel.
  EXPECT_LT(after, 0.8 * before) << corrections->steps.front().text;
}

TEST(Corrections, TakeNoDriftFromARoundObjectThatTouchesBothEdges) {
  // Beside it are two columns of air, none, and none by far: at rest from view to view, and never flat.
  for (const double radius : {6.2, 6.45, 6.6, 9.0}) {
    const testing::VirtualScan scan(testing::bench(128, 24, 60), {testing::ball({0, 0, 0}, radius, 0.02)});

    const auto corrections = measure(Spoiled(scan, noisy), "drift");

    EXPECT_TRUE(corrections->spec.view_offset.empty()) << radius << corrections->steps.front().text;
  }
}

TEST(Corrections, KeepTheLevelThatAModelOfScatterLeft) {
  const testing::VirtualScan clean = roll();
  const Spoiled dimmed(clean, [](float count, int view, int column, int row) {
    return noisy(count * static_cast<float>(0.95 * (1 + 0.02 * std::sin(0.05 * view))), view, column, row);
  });
  const std::vector<int> views = recon::prepare_fdk(clean.scan()).view_indices;

  const recon::Drift all = recon::measure_drift(dimmed, views),
                     kept = recon::measure_drift(dimmed, views, nullptr, {.kept = true});

  ASSERT_EQ(all.view_offset.size(), 120u);
  ASSERT_EQ(kept.view_offset.size(), 120u);
  double mean = 0;
  for (std::size_t n = 0; n < 120; ++n) mean += kept.view_offset[n] / 120;
  EXPECT_NEAR(mean, 0, 1e-5);
  for (std::size_t n = 0; n < 120; n += 7)  // the mean of the sine is 0.003
    EXPECT_NEAR(all.view_offset[n] - kept.view_offset[n], std::log(0.95), 0.005) << n;
}

/// Pixels of a detector of 96 x 32 that read one count in every view.
struct Stuck {
  const char* name;
  std::function<bool(int column, int row)> is_stuck;
};

TEST(Corrections, FindStuckPixelsInAnyCompanyAtAnyLevel) {
  const testing::VirtualScan clean = roll();
  const Stuck kinds[] = {{"a pixel", [](int c, int r) { return c == 40 && r == 12; }},
                         {"3 x 3", [](int c, int r) { return c / 3 == 13 && r / 3 == 4; }},
                         {"a column", [](int c, int) { return c == 40; }},
                         {"two columns", [](int c, int) { return c / 2 == 20; }},
                         {"four columns", [](int c, int) { return c / 4 == 10; }},
                         {"two rows", [](int, int r) { return r / 2 == 7; }},
                         {"at the corner", [](int c, int r) { return c < 2 && r < 3; }}};
  for (const Stuck& kind : kinds)
    for (const float level : {0.0f, 30000.0f, 60000.0f, 65535.0f}) {
      const Spoiled bad(clean, [&](float count, int view, int column, int row) {
        return kind.is_stuck(column, row) ? level : noisy(count, view, column, row);
      });
      std::vector<std::int64_t> expected;
      for (int n = 0; n < 96 * 32; ++n)
        if (kind.is_stuck(n % 96, n / 96)) expected.push_back(n);

      EXPECT_EQ(measure(bad, "bad-pixels")->spec.bad_pixels, expected) << kind.name << " at " << level;
    }
}

TEST(Corrections, TakeNoPixelsThatTheObjectOrTheDetectorHoldsStill) {
  const testing::VirtualScan dense(
      roll().scan(), {testing::disc({0, 0, 0}, 6, 4, 0.2), testing::disc({0.3, 0, 0}, 1, 2, 4)});
  const auto starved = [](float count, int view, int column, int row) {
    return std::max(0.0f, std::round(noisy(count, view, column, row) - 1000));
  };
  const auto full = [](float count, int view, int column, int row) {
    return std::min(58500.0f, noisy(count, view, column, row));
  };
  const testing::VirtualScan open = roll();
  // What has a few photons in some views jumps about, and that is another judgement.
  const std::string found = measure(Spoiled(dense, starved), "bad-pixels")->steps.front().text;
  EXPECT_TRUE(found.find(" 0 stuck") != std::string::npos || found.find("none") != std::string::npos)
      << found;
  EXPECT_TRUE(measure(Spoiled(open, full), "bad-pixels")->spec.bad_pixels.empty());
}

TEST(Corrections, LeaveObjectsThatChangeAlongTheAxisAlone) {
  const std::pair<geometry::CircularScan, std::vector<testing::Body>> scans[] = {
      {testing::bench(48, 24, 180), testing::beads(0.38)},
      {testing::bench(64, 48, 120), testing::many_beads(30, 2.8, 2, 1)},
      {testing::bench(64, 48, 120), {testing::ball({0.3, 0.1, 0}, 2, 0.05)}}};
  for (const auto& [bench, bodies] : scans)
    for (const bool with_noise : {false, true}) {
      const testing::VirtualScan scan(bench, bodies);
      const auto corrections = with_noise ? measure(Spoiled(scan, noisy), "auto") : measure(scan, "auto");

      EXPECT_TRUE(corrections->spec.empty());
      for (const auto& step : corrections->steps) EXPECT_FALSE(step.notable) << step.text;
    }
}

TEST(Corrections, TakeGainsOutOfAnObjectThatChangesAlongTheAxis) {
  const testing::VirtualScan clean(testing::bench(64, 48, 120), testing::beads(0.5));
  const Spoiled spoiled(clean, [](float count, int, int column, int row) {
    return count * static_cast<float>(
                       1 + 0.01 * testing::normal_at(3, static_cast<std::uint64_t>(row * 64 + column)));
  });

  const auto corrections = measure(spoiled, "rings");

  // Only what is alike on both sides of the axis makes rings. On so small a detector, full of edges, 0.54 of
  // it stays; the object hides the rest.
  ASSERT_EQ(corrections->spec.pixel_offset.size(), 64u * 48u);
  double before = 0, after = 0;
  for (int row = 4; row < 44; ++row)
    for (int column = 4; column < 32; ++column) {
      const auto gain = [row](int c) {
        return 0.005 * testing::normal_at(3, static_cast<std::uint64_t>(row * 64 + c));
      };
      const double ring = -gain(column) - gain(63 - column);  // of the line integral
      const auto offset = [&](int c) {
        return 0.5 * corrections->spec.pixel_offset[static_cast<std::size_t>(row * 64 + c)];
      };
      before += ring * ring, after += std::pow(ring + offset(column) + offset(63 - column), 2);
    }
  EXPECT_LT(std::sqrt(after), 0.6 * std::sqrt(before));
}

TEST(Corrections, LeaveGainsAloneThatNoFullTurnTells) {
  const auto gains = [](float count, int, int column, int row) {
    return count * static_cast<float>(
                       1 + 0.01 * testing::normal_at(3, static_cast<std::uint64_t>(row * 64 + column)));
  };
  geometry::CircularScan moving = testing::bench(64, 48, 120);
  for (int n = 0; n < 120; ++n) moving.shifts.push_back({0.1 * (n % 3), 0});
  for (const geometry::CircularScan& scan : {testing::bench(64, 48, 120, 3.8), moving}) {
    const testing::VirtualScan clean(scan, testing::beads(0.5));
    const auto corrections = measure(Spoiled(clean, gains), "rings");

    EXPECT_TRUE(corrections->spec.pixel_offset.empty());
    EXPECT_TRUE(corrections->steps.front().notable) << corrections->steps.front().text;
  }
}

TEST(PixelStatistics, AverageMoreViewsThanTheyJudge) {
  const testing::VirtualScan scan = roll(60);
  const std::vector<int> views = recon::prepare_fdk(scan.scan()).view_indices;
  ThreadPool pool(2);

  const recon::PixelStatistics few =
                                   recon::gather(scan, views, {.judged = 10, .averaged = 10}, pool, nullptr),
                               more =
                                   recon::gather(scan, views, {.judged = 10, .averaged = 30}, pool, nullptr);

  EXPECT_EQ(more.views, 30);
  EXPECT_TRUE(more.full_turn);
  EXPECT_TRUE(std::ranges::equal(few.unrest.view().values(), more.unrest.view().values()));
  EXPECT_TRUE(std::ranges::equal(few.highest.view().values(), more.highest.view().values()));
  recon::LineIntegralReader reader(scan, nullptr);
  std::vector<float> expected(2 * 96 * 32);  // every other view, in turn in one half and the other
  for (int n = 0; n < 30; ++n) {
    const auto image = reader.read(views[static_cast<std::size_t>(2 * n)], {{0, 96}, {0, 32}});
    for (std::size_t pixel = 0; pixel < 96 * 32; ++pixel)
      expected[static_cast<std::size_t>(n % 2) * 96 * 32 + pixel] += image.data[pixel] / 15;
  }
  for (std::size_t n = 0; n < expected.size(); ++n)  // sums of fifteen are rounded as often
    ASSERT_NEAR(more.means[n / (96 * 32)].data()[n % (96 * 32)], expected[n], 2e-6f) << n;
}

TEST(PixelStatistics, WeighViewsByTheirShareOfTheTurn) {
  geometry::CircularScan uneven = roll(60).scan();
  for (double& angle : uneven.angles) angle += 0.2 * std::sin(angle);
  const testing::VirtualScan even(roll(60).scan(), {{{4, 1, 0}, {5, 3, 40}, 0.3, 0.03, true}}),
      other(uneven, even.bodies());
  const std::vector<int> views = recon::prepare_fdk(even.scan()).view_indices;
  ThreadPool pool(2);

  const recon::PixelStatistics a = recon::gather(even, views, {}, pool, nullptr),
                               b = recon::gather(other, views, {}, pool, nullptr);

  // Sums of 30 steps of a turn: their means of a smooth object differ by the step's square.
  for (std::size_t n = 0; n < a.means[0].size(); ++n)
    ASSERT_NEAR(a.means[0].data()[n], b.means[0].data()[n], 0.02) << n;
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
