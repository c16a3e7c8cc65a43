// Scatter taken out of counts: exact where the model is, never negative, and the same for every part of a
// view.
#include "recon/correct/scatter.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numbers>

#include "io/described_scan.hpp"
#include "recon/correct/scatter_estimate.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/resources.hpp"
#include "tests/support/virtual_scan.hpp"

namespace feldspar::recon {
namespace {

using Kind = ScatterModel::Kind;

geometry::CircularScan cone_scan(int columns, int rows) {
  geometry::CircularScan scan;
  scan.source_object_distance = 200;
  scan.source_detector_distance = 1000;
  scan.detector = {.columns = columns, .rows = rows, .column_pitch = 1, .row_pitch = 1};
  scan.angles = {0, 0.5, 1.0};
  return scan;
}

/// Counts from a function of column, row and view.
class MadeScan final : public io::DescribedScan {
 public:
  using Counts = std::function<double(int column, int row, int view)>;
  MadeScan(geometry::CircularScan scan, Counts counts, io::CountType type, float dark = 0)
      : counts_(std::move(counts)), type_(type) {
    scan_ = std::move(scan);
    references_ = {{60000 + dark}, {}, 65535};
    if (dark > 0) references_.dark = {dark};
  }
  [[nodiscard]] io::CountType count_type() const override { return type_; }
  [[nodiscard]] std::vector<std::filesystem::path> files() const override { return {}; }
  void read(std::span<const int> views, const geometry::PixelWindow& window, void* out) const override {
    std::size_t n = 0;
    for (const int view : views)
      for (int row = window.rows.first; row < window.rows.end; ++row)
        for (int column = window.columns.first; column < window.columns.end; ++column, ++n) {
          const double count = counts_(column, row, view);
          if (type_ == io::CountType::uint16)
            static_cast<std::uint16_t*>(out)[n] = static_cast<std::uint16_t>(std::lround(count));
          else
            static_cast<float*>(out)[n] = static_cast<float>(count);
        }
  }

 private:
  Counts counts_;
  io::CountType type_;
};

std::unique_ptr<io::ScanSource> corrected(MadeScan scan, const ScatterModel& model) {
  Progress progress;
  return without_scatter(std::make_unique<MadeScan>(std::move(scan)), model, testing::all_resources(),
                         progress);
}

std::vector<float> read_all(const io::ScanSource& source, std::vector<int> views) {
  const auto& d = source.scan().detector;
  std::vector<float> counts(views.size() * static_cast<std::size_t>(d.columns) *
                            static_cast<std::size_t>(d.rows));
  source.read(views, {{0, d.columns}, {0, d.rows}}, counts.data());
  return counts;
}

TEST(scatter_correction, constant_glare_is_taken_off_exactly) {
  for (const auto type : {io::CountType::uint16, io::CountType::float32}) {
    const MadeScan scan(
        cone_scan(30, 20), [](int, int, int view) { return 100 + 6000.0 * (view + 1) + 1200; }, type, 100);
    const auto clean = corrected(scan, {.kind = Kind::constant, .share = 0.02});
    EXPECT_EQ(clean->count_type(), io::CountType::float32);
    const std::vector<float> counts = read_all(*clean, {2, 0});
    for (std::size_t n = 0; n < 600; ++n) {  // counts in single precision
      ASSERT_NEAR(counts[n], 100 + 18000, 0.01);
      ASSERT_NEAR(counts[600 + n], 100 + 6000, 0.01);
    }
  }
}

TEST(scatter_correction, no_count_becomes_negative) {
  const MadeScan scan(
      cone_scan(30, 20), [](int column, int, int) { return column < 15 ? 60000 : 300; },
      io::CountType::uint16);
  const auto clean = corrected(scan, {.kind = Kind::constant, .share = 0.1});
  for (const float count : read_all(*clean, {0})) EXPECT_GE(count, 29.9F);  // a tenth of what was measured
}

TEST(scatter_correction, any_window_reads_the_same_bits) {
  const MadeScan scan(
      cone_scan(200, 150),
      [](int column, int row, int view) { return 9000 + 200 * (column % 7) + 30 * row + 999 * view; },
      io::CountType::uint16);
  const auto clean = corrected(scan, {.kind = Kind::kernel, .share = 0.2});
  const std::vector<float> all = read_all(*clean, {0, 1, 2});
  const geometry::PixelWindow window{{13, 77}, {41, 60}};
  std::vector<float> part(64 * 19);
  const int view = 1;
  clean->read(std::span(&view, 1), window, part.data());
  for (int row = 41; row < 60; ++row)
    for (int column = 13; column < 77; ++column)
      ASSERT_EQ(part[static_cast<std::size_t>((row - 41) * 64 + column - 13)],
                all[static_cast<std::size_t>((150 + row) * 200 + column)]);
}

TEST(scatter_correction, kernel_finds_the_primary_it_came_from) {
  // A wide slab of transmission T scatters share * T ln(1/T) where all of it arrives: spreads of 4 and 6
  // blocks in the middle of 64 x 64.
  const BlockGrid grid = BlockGrid::of(64, 64);
  const ScatterModel model{.kind = Kind::kernel, .share = 0.3};
  const double primary = 0.2, scatter = 0.3 * primary * std::log(1 / primary);
  const std::vector<float> measured(grid.count(), static_cast<float>(primary + scatter));
  const std::vector<float> shares =
      primary_shares(measured, grid, model, {.narrow_x = 4, .narrow_y = 4, .wide_x = 6, .wide_y = 6});
  // The error shrinks by 0.3 (ln(1/0.2) - 1) = 0.18 each time; the edges 5 spreads off do not matter.
  EXPECT_NEAR(shares[32 * 64 + 32] * (primary + scatter), primary, 1e-5);
}

TEST(scatter_correction, options_are_read_or_refused) {
  EXPECT_EQ(parse_scatter("off").kind, Kind::none);
  EXPECT_EQ(parse_scatter("constant:0.02").share, 0.02);
  EXPECT_EQ(parse_scatter("kernel:0.1").kind, Kind::kernel);
  for (const char* wrong : {"", "on", "kernel", "kernel:", "kernel:1.5", "constant:-0.1", "constant:2%"})
    feldspar::testing::expect_error(ErrorKind::usage, {"is not off", "constant:0.02"},
                                    [&] { (void)parse_scatter(wrong); });
}

TEST(scatter_correction, kernel_needs_the_distance_of_the_detector) {
  geometry::CircularScan scan = cone_scan(8, 8);
  scan.beam = geometry::Beam::parallel;
  scan.source_object_distance = scan.source_detector_distance = 0;
  feldspar::testing::expect_error(ErrorKind::unsupported, {"scatter constant"}, [&] {
    (void)corrected(MadeScan(
                        scan, [](int, int, int) { return 1; }, io::CountType::uint16),
                    {.kind = Kind::kernel, .share = 0.1});
  });
}

}  // namespace
}  // namespace feldspar::recon
