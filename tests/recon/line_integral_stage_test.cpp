// Counts to corrected, upright line integrals: against the formula and the reference backend, however the
// work is cut, and with the memory that was said.
#include "recon/line_integrals/line_integral_stage.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "io/described_scan.hpp"
#include "recon/line_integrals/line_integrals.hpp"
#include "recon/line_integrals/upright_rows.hpp"
#include "tests/support/comparison.hpp"
#include "tests/support/failing_backend.hpp"
#include "tests/support/scans.hpp"

namespace feldspar {
namespace {

using geometry::Range;
using kernels::CorrectionSpec;
using recon::DetectorRows;
using recon::FdkSetup;
using recon::LineIntegralStage;

std::uint32_t mixed(std::uint32_t n) {
  n = (n ^ (n >> 16)) * 0x7feb352dU;
  n = (n ^ (n >> 15)) * 0x846ca68bU;
  return n ^ (n >> 16);
}

/// Random counts of any type behind random references, with pixels that are starved, dead and saturated.
class RandomCounts final : public io::DescribedScan {
 public:
  RandomCounts(geometry::CircularScan scan, io::CountType type) : type_(type) {
    scan_ = std::move(scan);
    const int pixels = scan_.detector.columns * scan_.detector.rows;
    for (int n = 0; n < pixels; ++n) {
      references_.dark.push_back(static_cast<float>(100 + mixed(n) % 50));
      references_.white.push_back(n % 97 == 3 ? 100.0f : static_cast<float>(50000 + mixed(n + 7) % 9000));
    }
    references_.saturation = 65535;
  }
  [[nodiscard]] io::CountType count_type() const override { return type_; }
  [[nodiscard]] std::vector<std::filesystem::path> files() const override { return {}; }
  [[nodiscard]] std::uint16_t count(int view, int column, int row) const {
    const std::uint32_t bits = mixed(static_cast<std::uint32_t>((view * 1000 + row) * 1000 + column));
    if (bits % 211 == 0) return 0;
    if (bits % 223 == 0) return 65535;
    return static_cast<std::uint16_t>(400 + bits % 50000);
  }
  void read(std::span<const int> views, const geometry::PixelWindow& window, void* counts) const override {
    std::size_t n = 0;
    for (const int view : views)
      for (int row = window.rows.first; row < window.rows.end; ++row)
        for (int column = window.columns.first; column < window.columns.end; ++column, ++n)
          if (type_ == io::CountType::uint16)
            static_cast<std::uint16_t*>(counts)[n] = count(view, column, row);
          else
            static_cast<float*>(counts)[n] = count(view, column, row);
  }

 private:
  io::CountType type_;
};

/// Some of every correction.
CorrectionSpec some_of_all(const FdkSetup& setup, unsigned seed) {
  std::mt19937 random(seed);
  const auto below = [&](int end) { return std::uniform_int_distribution(0, end - 1)(random); };
  const int pixels = setup.source_columns * setup.source_rows, views = static_cast<int>(setup.views.size());
  CorrectionSpec spec{.columns = setup.source_columns, .rows = setup.source_rows};
  for (int n = 0; n < views; ++n) spec.view_offset.push_back(1e-3f * static_cast<float>(below(100)));
  for (int n = 0; n < pixels; ++n) spec.pixel_offset.push_back(1e-3f * static_cast<float>(below(100)));
  for (int n = below(5); n < pixels; n += 1 + below(40)) spec.bad_pixels.push_back(n);
  for (int n = 0; n < views; ++n) spec.patches.push_back({n, below(pixels), 1.5f});
  spec.polynomial = {0.01f, 0.8f, 0.1f};
  return spec;
}

struct Cut {
  int rows = 1 << 20, views = 1 << 20;  ///< at a time
};

/// Line integrals of all rows and views, columns x rows x views, made in pieces; with what it took.
struct Made {
  std::vector<float> values;
  kernels::AttenuationTally tally;
};

Made make(const io::ScanSource& source, kernels::Backend& backend, const FdkSetup& setup,
          const CorrectionSpec* corrections, Cut cut) {
  const int views = static_cast<int>(setup.views.size()), halo = recon::halo_of(corrections);
  cut.rows = std::min(cut.rows, setup.rows), cut.views = std::min(cut.views, views);
  std::vector<DetectorRows> pieces;
  recon::LineIntegralRoom most{.views = cut.views};
  for (int row = 0; row < setup.rows; row += cut.rows) {
    pieces.push_back(rows_of(setup, {row, std::min(setup.rows, row + cut.rows)}, halo));
    most.source_pixels = std::max(most.source_pixels, pieces.back().source_pixels());
    most.rows = std::max(most.rows, pieces.back().rows.count());
  }
  recon::LineIntegralTimes times;
  LineIntegralStage stage(source, backend, setup, corrections, most, times);
  const std::size_t width = static_cast<std::size_t>(setup.columns), plane = width * setup.rows;
  std::vector<float> all(plane * views, NAN), values(width * most.rows * cut.views);
  std::vector<float> raw(most.source_pixels * cut.views);
  int slot = 0;
  for (const DetectorRows& piece : pieces)
    for (int first = 0; first < views; first += cut.views, slot = 1 - slot) {
      const Range batch{first, std::min(views, first + cut.views)};
      source.read(recon::part_of(setup.view_indices, batch), piece.source_window, raw.data());
      stage.bring(slot, raw.data(), piece.source_pixels() * batch.count() * bytes_of(source.count_type()));
      const auto stack = stage.apply(piece, batch, {slot, raw.data()});
      EXPECT_EQ(stack.nx, setup.columns);
      EXPECT_EQ(stack.ny, piece.rows.count());
      EXPECT_EQ(stack.nz, batch.count());
      backend.download(stack.data, values.data(), stack.size() * sizeof(float));
      backend.wait();
      for (int view = 0; view < stack.nz; ++view)
        std::copy_n(values.data() + width * stack.ny * view, width * stack.ny,
                    all.data() + plane * (batch.first + view) + width * piece.rows.first);
    }
  return {all, stage.tally()};
}

Made make(const std::string& device, const io::ScanSource& source, const FdkSetup& setup,
          const CorrectionSpec* corrections, Cut cut = {}) {
  const auto backend = kernels::open_backend(device, {.threads = 2, .budget = nullptr});
  return make(source, *backend, setup, corrections, cut);
}

/// The named scans, random ones, and detectors of one row and of few columns.
std::vector<testing::Case> kinds() {
  std::vector<testing::Case> all = testing::named_cases();
  for (testing::Case& more : testing::random_cases(6, 11)) all.push_back(std::move(more));
  all.push_back({"one_row", testing::plain_scan(5), {}});
  all.back().scan.detector.rows = 1;
  all.push_back({"few_columns", testing::plain_scan(5), {}});
  all.back().scan.detector.columns = 3;
  all.push_back({"displaced", testing::plain_scan(12), {}});
  all.back().scan.axis.offset = 4;
  all.back().scan.detector.roll = 0.02;
  for (auto& [name, scan, grid] : all) {  // a turn of each, which random views may not be
    std::vector<geometry::ViewShift> shifts;
    scan.angles = testing::plain_scan(12).angles;
    for (std::size_t n = 0; n < scan.angles.size() && !scan.shifts.empty(); ++n)
      shifts.push_back(scan.shifts[n % scan.shifts.size()]);
    scan.shifts = shifts;
  }
  return all;
}

void for_every_kind(
    const std::function<void(const io::ScanSource&, const FdkSetup&, const CorrectionSpec*)>& check) {
  unsigned seed = 0;
  for (const testing::Case& kind : kinds())
    for (const bool corrected : {false, true}) {
      const RandomCounts source(kind.scan, seed % 2 ? io::CountType::uint16 : io::CountType::float32);
      const FdkSetup setup = recon::prepare_fdk(kind.scan);
      const CorrectionSpec spec = some_of_all(setup, ++seed);
      SCOPED_TRACE(kind.name + (corrected ? ", corrected" : ""));
      check(source, setup, corrected ? &spec : nullptr);
    }
}

TEST(LineIntegralStage, TakesTheLogarithmOfAnUprightDetector) {
  const RandomCounts source(testing::plain_scan(3), io::CountType::uint16);
  const FdkSetup setup = recon::prepare_fdk(source.scan());
  ASSERT_FALSE(setup.rectification);

  const Made made = make("reference", source, setup, nullptr);

  std::size_t n = 0;
  for (int view = 0; view < 3; ++view)
    for (int row = 0; row < setup.rows; ++row)
      for (int column = 0; column < setup.columns; ++column, ++n) {
        const std::size_t pixel = static_cast<std::size_t>(row) * setup.columns + column;
        const double white = source.references().white[pixel], dark = source.references().dark[pixel];
        const double beam = white - dark, signal = std::max(1.0, source.count(view, column, row) - dark);
        const double expected = beam > 1 ? -std::log(signal / beam) : 0;
        ASSERT_NEAR(made.values[n], expected, 1e-6 * std::max(1.0, std::abs(expected))) << n;  // of a float
      }
  EXPECT_EQ(made.tally.pixels, static_cast<std::int64_t>(n));
  EXPECT_GT(made.tally.floored, 0);
  EXPECT_GT(made.tally.saturated, 0);
  EXPECT_GT(made.tally.dead, 0);
}

TEST(LineIntegralStage, AgreesWithTheReferenceOnScansOfAllKinds) {
  for_every_kind([](const io::ScanSource& source, const FdkSetup& setup, const CorrectionSpec* corrections) {
    const Made fast = make("cpu", source, setup, corrections),
               slow = make("reference", source, setup, corrections);

    // Places are rounded to 1e-5 of a pixel, between neighbours that differ by as much as there is.
    EXPECT_LT(testing::compare(std::span(fast.values), std::span(slow.values)).worst, 5e-5);
    EXPECT_EQ(fast.tally.pixels, slow.tally.pixels);
    EXPECT_EQ(fast.tally.floored, slow.tally.floored);
    EXPECT_EQ(fast.tally.saturated, slow.tally.saturated);
    EXPECT_EQ(fast.tally.dead, slow.tally.dead);
  });
}

TEST(LineIntegralStage, MakesTheSameBitsHoweverItIsCut) {
  for (const char* device : {"cpu", "reference"})
    for_every_kind([&](const io::ScanSource& source, const FdkSetup& setup,
                       const CorrectionSpec* corrections) {
      const Made whole = make(device, source, setup, corrections);
      for (const Cut cut : {Cut{1, 1}, Cut{2, 3}, Cut{6, 1 << 20}, Cut{7, 2}, Cut{1 << 20, 4}})
        EXPECT_TRUE(std::ranges::equal(whole.values, make(device, source, setup, corrections, cut).values))
            << device << ": " << cut.rows << " rows, " << cut.views << " views at a time";
    });
}

TEST(LineIntegralStage, MakesTheSameBitsInMemoryOfADevice) {
  for_every_kind([](const io::ScanSource& source, const FdkSetup& setup, const CorrectionSpec* corrections) {
    testing::FailingBackend device(std::size_t{1} << 30);

    EXPECT_TRUE(std::ranges::equal(make("cpu", source, setup, corrections).values,
                                   make(source, device, setup, corrections, {5, 3}).values));
  });
}

TEST(LineIntegralStage, TakesTheMemoryThatItSays) {
  for_every_kind([](const io::ScanSource& source, const FdkSetup& setup, const CorrectionSpec* corrections) {
    const DetectorRows piece = rows_of(setup, {0, std::min(8, setup.rows)}, recon::halo_of(corrections));
    const recon::LineIntegralRoom room{piece.source_pixels(), piece.rows.count(), 3};
    const auto tables = LineIntegralStage::tables_bytes(source, corrections);
    recon::LineIntegralTimes times;
    for (const char* name : {"cpu", "reference"}) {
      MemoryBudget budget(std::size_t{1} << 30);
      const auto backend = kernels::open_backend(name, {.threads = 1, .budget = &budget});
      const auto said = LineIntegralStage::bytes(source, *backend, setup, corrections, room);
      const LineIntegralStage stage(source, *backend, setup, corrections, room, times);

      EXPECT_EQ(budget.used() + tables.host, said.host) << name;
      EXPECT_EQ(said.device, 0u) << name;
    }
    testing::FailingBackend device(std::size_t{1} << 30);
    const auto said = LineIntegralStage::bytes(source, device, setup, corrections, room);
    const LineIntegralStage stage(source, device, setup, corrections, room, times);

    EXPECT_EQ(device.peak() + tables.device, said.device);
    EXPECT_EQ(said.host, tables.host);
  });
}

TEST(LineIntegralReader, TakesTheLogarithmAsAStageDoes) {
  for (const io::CountType type : {io::CountType::uint16, io::CountType::float32}) {
    const RandomCounts source(testing::plain_scan(3), type);
    const FdkSetup setup = recon::prepare_fdk(source.scan());
    const Made made = make("cpu", source, setup, nullptr);
    recon::LineIntegralReader reader(source, nullptr);

    const auto second = reader.read(1, {{0, setup.columns}, {0, setup.rows}});

    for (std::size_t n = 0; n < second.size(); ++n)  // a logarithm up to 11 is rounded to half of 2^-20
      ASSERT_NEAR(second.data[n], made.values[second.size() + n], 1e-6) << n;
  }
}

TEST(UprightRows, AreThoseOfAStageOfTheReference) {
  for_every_kind([](const io::ScanSource& source, const FdkSetup& setup, const CorrectionSpec* corrections) {
    const Made made = make("reference", source, setup, corrections);
    MemoryBudget budget(std::size_t{1} << 30);
    recon::UprightRows reader(source, setup, corrections, budget);
    const int views = static_cast<int>(setup.views.size());

    for (const Range rows : {Range{0, std::min(3, setup.rows)}, Range{setup.rows / 2, setup.rows / 2 + 1}}) {
      const auto read = reader.read({views - 1, views}, rows);
      const std::size_t from = (static_cast<std::size_t>(views - 1) * setup.rows + read.first) *
                               static_cast<std::size_t>(setup.columns);
      EXPECT_EQ(read.first, rows.first / 2 * 2);
      EXPECT_TRUE(std::ranges::equal(std::span(made.values).subspan(from, read.values.size()),
                                     std::span(read.values.data, read.values.size())));
    }
    EXPECT_LE(budget.used(), recon::UprightRows::bytes(source, setup, corrections, 1, 4));
  });
}

}  // namespace
}  // namespace feldspar
