#include "recon/correct/drift.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "recon/measure/air.hpp"
#include "recon/measure/robust.hpp"

namespace feldspar::recon {
namespace {

constexpr int bands = 12, band_rows = 4;  // of the detector, each with a cell at both edges
constexpr float air_range = 0.08f;        // most that a beam changes; where more changes, the object enters
constexpr float negligible = 2e-4f;       // a change of the beam by 0.02 % is left alone
constexpr float sigmas = 5;               // that edges must agree by
constexpr float least_share = 0.5f;       // of what air reads that must be the beam's, and not noise

/// The level of one cell in every view.
using Series = std::vector<float>;

/// The mean of the two in the middle, or of one: unlike the lower of the two it is not too low on average.
float unbiased_median(std::vector<float>& values) {
  std::ranges::sort(values);
  return 0.5f * (values[(values.size() - 1) / 2] + values[values.size() / 2]);
}

int half_margin_of(int columns) { return std::clamp(columns / 96, 2, 16); }

/// All cells, those of the left edge first.
std::vector<EdgeReadings> read_cells(const io::ScanSource& source, std::span<const int> views,
                                     MemoryBudget* budget) {
  const auto& detector = source.scan().detector;
  const int high = std::min(band_rows, detector.rows), count = std::min(bands, detector.rows / high);
  const auto half = static_cast<std::size_t>(half_margin_of(detector.columns));
  std::vector<EdgeReadings> cells(static_cast<std::size_t>(2 * count));
  LineIntegralReader reader(source, budget);
  std::vector<float> pixels, line(static_cast<std::size_t>(detector.columns));
  for (const int view : views)
    for (int band = 0; band < count; ++band) {
      const int first = count == 1 ? 0 : (detector.rows - high) * band / (count - 1);
      const auto rows = reader.read(view, {{0, detector.columns}, {first, first + high}});
      for (int column = 0; column < detector.columns; ++column) {
        pixels.clear();
        for (int row = 0; row < high; ++row) pixels.push_back(rows(column, row, 0));
        line[static_cast<std::size_t>(column)] = unbiased_median(pixels);
      }
      for (const int cell : {band, count + band})
        cells[static_cast<std::size_t>(cell)].add(line, half, cell == band);
    }
  return cells;
}

/// The level of a cell that sees nothing but air in every view, as far as it can tell by itself; empty
/// otherwise.
Series air_of(const EdgeReadings& cell, const KnownAir& air, int columns) {
  Series level(cell.outer.size());
  for (std::size_t n = 0; n < level.size(); ++n) level[n] = 0.5f * (cell.outer[n] + cell.inner[n]);
  Series sorted = level;
  const bool near = std::abs(median(sorted) - static_cast<float>(air.level)) < -std::log(covered_edge) &&
                    quantile(sorted, 0.99) - quantile(sorted, 0.01) < air_range;
  return near && sees_air(cell, half_margin_of(columns), columns) ? level : Series{};
}

/// Median over the cells, one a view.
Series common_level(std::span<const Series> cells) {
  Series level;
  std::vector<float> values;
  for (std::size_t n = 0; n < cells.front().size(); ++n) {
    values.clear();
    for (const Series& cell : cells) values.push_back(cell[n]);
    level.push_back(unbiased_median(values));
  }
  return level;
}

float mean_of(const Series& series) {
  return std::accumulate(series.begin(), series.end(), 0.0f) / static_cast<float>(series.size());
}

/// What two halves of the cells agree on.
struct Agreement {
  float mean = 0, change = 0;  ///< of the level over the views, and its variance about that, of both
  float mean_error = 0;        ///< half of what their means differ by
  float change_error = 0;      ///< standard error of the variance
  float noise = 0;             ///< variance of the mean of both that they do not agree on
};

Agreement agreement(const Series& a, const Series& b) {
  const auto count = static_cast<float>(a.size());
  const float mean_a = mean_of(a), mean_b = mean_of(b);
  float ab = 0, aa = 0, bb = 0;
  for (std::size_t n = 0; n < a.size(); ++n) {
    const float x = a[n] - mean_a, y = b[n] - mean_b;
    ab += x * y / count, aa += x * x / count, bb += y * y / count;
  }
  Agreement both{
      .mean = 0.5f * (mean_a + mean_b), .change = ab, .mean_error = 0.5f * std::abs(mean_a - mean_b)};
  // Of the product of what each has for itself with itself and with what is common.
  const float own_a = std::max(0.0f, aa - ab), own_b = std::max(0.0f, bb - ab), common = std::max(0.0f, ab);
  both.change_error = std::sqrt((own_a * own_b + common * (own_a + own_b)) / count);
  both.noise = 0.25f * (own_a + own_b);
  return both;
}

/// Those of the left edge and of the right one; every other cell when only one edge sees air.
std::array<Series, 2> two_halves(std::vector<Series>& cells, std::size_t left) {
  if (left == 0 || left == cells.size()) {
    left = cells.size() / 2;
    for (std::size_t n = 1; n < left; n += 2) std::swap(cells[n], cells[cells.size() - n]);
  }
  const std::span<const Series> all(cells);
  return {common_level(all.first(left)), common_level(all.subspan(left))};
}

}  // namespace

Drift measure_drift(const io::ScanSource& source, std::span<const int> view_indices, MemoryBudget* budget,
                    const KnownAir& air) {
  Drift drift;
  const std::vector<EdgeReadings> edges = read_cells(source, view_indices, budget);
  std::vector<Series> cells;
  std::size_t left = 0;
  for (std::size_t n = 0; n < edges.size(); ++n)
    if (Series level = air_of(edges[n], air, source.scan().detector.columns); !level.empty()) {
      left += n < edges.size() / 2;
      cells.push_back(std::move(level));
    }
  if (cells.size() < std::max<std::size_t>(2, edges.size() / 4)) {
    drift.step = {fmt::format(
        "drift: left alone, for only {} of {} places at the detector's edges see air in every view",
        cells.size(), edges.size())};
    return drift;
  }
  const auto [one, other] = two_halves(cells, left);
  const Agreement both = agreement(one, other);
  const bool changes = both.change > sigmas * both.change_error && both.change > negligible * negligible &&
                       both.change > least_share * (both.change + both.noise);
  const float mean_error =
      std::max(both.mean_error, std::sqrt(both.noise / static_cast<float>(view_indices.size())));
  const bool level = !air.kept && std::abs(both.mean) > std::max(negligible, sigmas * mean_error);
  if (!changes && !level) {
    drift.step = {
        fmt::format("drift: none; both edges agree on {:.3f} %, and differ by {:.3f} % for themselves",
                    100 * std::sqrt(std::max(0.0f, both.change)), 100 * std::sqrt(both.noise)),
        false};
    return drift;
  }
  const float share = changes ? both.change / (both.change + both.noise) : 0.0f,
              mean = level ? both.mean : 0.0f;
  for (std::size_t n = 0; n < one.size(); ++n)
    drift.view_offset.push_back(-mean - share * (0.5f * (one[n] + other[n]) - both.mean));
  const auto [least, most] = std::ranges::minmax(drift.view_offset);
  drift.step = {fmt::format(
      "drift: the open beam of every view is set by air at {} of {} places at the detector's edges: {:+.2f} "
      "% "
      "on average, {:+.2f} to {:+.2f} %{}",
      cells.size(), edges.size(), 100 * std::expm1(mean_of(drift.view_offset)), 100 * std::expm1(least),
      100 * std::expm1(most), air.kept ? "; its mean stays where the model of scatter puts it" : "")};
  return drift;
}

}  // namespace feldspar::recon
