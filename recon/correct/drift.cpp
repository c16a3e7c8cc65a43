#include "recon/correct/drift.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "recon/measure/robust.hpp"

namespace feldspar::recon {
namespace {

constexpr int bands = 12, band_rows = 4;  // of the detector, each with a cell at both edges
constexpr float air_level = 0.15f;   // a cell further from air's level sees none, or the white level is wrong
constexpr float air_range = 0.08f;   // most that a beam changes; where more changes, the object enters
constexpr float noise_levels = 3;    // that a drift must stand out by
constexpr float negligible = 2e-4f;  // a change of the beam by 0.02 % is left alone

/// The level of one cell in every view.
using Series = std::vector<float>;

int margin_of(int columns) { return std::clamp(columns / 64, 2, 32); }

/// All cells, those of the left edge first.
/// Of all rows of `count` columns from `first` on.
float median_of(View3<const float> rows, int first, int count) {
  std::vector<float> pixels;
  for (int row = 0; row < rows.ny; ++row)
    pixels.insert(pixels.end(), rows.row(row, 0) + first, rows.row(row, 0) + first + count);
  return median(pixels);
}

std::vector<Series> read_cells(const io::ScanSource& source, std::span<const int> views,
                               MemoryBudget* budget) {
  const auto& detector = source.scan().detector;
  const int margin = margin_of(detector.columns), high = std::min(band_rows, detector.rows);
  const int count = std::min(bands, detector.rows / high);
  std::vector<Series> cells(static_cast<std::size_t>(2 * count), Series(views.size()));
  LineIntegralReader reader(source, budget);
  for (std::size_t n = 0; n < views.size(); ++n)
    for (int band = 0; band < count; ++band) {
      const int first = count == 1 ? 0 : (detector.rows - high) * band / (count - 1);
      const auto rows = reader.read(views[n], {{0, detector.columns}, {first, first + high}});
      for (const int side : {0, 1}) {
        const int from = side == 0 ? 0 : detector.columns - margin;
        cells[static_cast<std::size_t>(side * count + band)][n] = median_of(rows, from, margin);
      }
    }
  return cells;
}

/// Whether a cell sees nothing but air in every view, as far as it can tell by itself.
bool is_air(const Series& cell, double air) {
  Series sorted = cell;
  return std::abs(median(sorted) - static_cast<float>(air)) < air_level &&
         quantile(sorted, 0.99) - quantile(sorted, 0.01) < air_range;
}

struct CommonChange {
  Series level;          ///< median over the cells, one a view
  float noise = 0;       ///< standard deviation of that median, from how cells differ
  float difference = 0;  ///< standard deviation of a cell from the common change
};

CommonChange common_change(const std::vector<Series>& cells) {
  CommonChange common;
  std::vector<float> residuals, values;
  for (std::size_t n = 0; n < cells.front().size(); ++n) {
    values.clear();
    for (const Series& cell : cells) values.push_back(cell[n]);
    common.level.push_back(median(values));
  }
  for (const Series& cell : cells) {
    Series own(cell.size());
    for (std::size_t n = 0; n < cell.size(); ++n) own[n] = cell[n] - common.level[n];
    Series sorted = own;
    const float middle = median(sorted);
    for (const float value : own) residuals.push_back(value - middle);
  }
  common.difference = robust_deviation(std::move(residuals));
  common.noise = common.difference * std::sqrt(1.57f / static_cast<float>(cells.size()));  // of a median
  return common;
}

}  // namespace

Drift measure_drift(const io::ScanSource& source, std::span<const int> view_indices, MemoryBudget* budget,
                    double air) {
  Drift drift;
  std::vector<Series> cells = read_cells(source, view_indices, budget);
  const std::size_t all = cells.size();
  std::erase_if(cells, [air](const Series& cell) { return !is_air(cell, air); });
  if (cells.size() < std::max<std::size_t>(2, all / 4)) {
    drift.step = {fmt::format(
        "drift: left alone, for only {} of {} places at the detector's edges see air in every view",
        cells.size(), all)};
    return drift;
  }
  const CommonChange common = common_change(cells);
  const auto [least, most] = std::ranges::minmax(common.level);
  const float mean = std::accumulate(common.level.begin(), common.level.end(), 0.0f) /
                     static_cast<float>(common.level.size());
  const float change = robust_deviation(common.level);
  const float largest = std::max(std::abs(least), std::abs(most));
  if (largest < std::max(negligible, (noise_levels + 1) * common.noise)) {
    drift.step = {fmt::format("drift: none; air keeps its level to {:.3f} %", 100 * largest), false};
    return drift;
  }
  if (common.difference > std::max(0.003f, 2 * std::max(change, std::abs(mean)))) {
    drift.step = {fmt::format(
        "drift: left alone, for the detector's edges change by {:.2f} % each for itself: the object may pass",
        100 * common.difference)};
    return drift;
  }
  drift.view_offset.resize(common.level.size());
  std::ranges::transform(common.level, drift.view_offset.begin(), [](float level) { return -level; });
  drift.step = {fmt::format(
      "drift: the open beam of every view is set by air at {} of {} places at the detector's edges: {:+.2f} "
      "% "
      "on average, {:+.2f} to {:+.2f} %",
      cells.size(), all, 100 * std::expm1(-mean), 100 * std::expm1(-most), 100 * std::expm1(-least))};
  return drift;
}

}  // namespace feldspar::recon
