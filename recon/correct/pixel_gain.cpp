#include "recon/correct/pixel_gain.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "recon/measure/robust.hpp"

namespace feldspar::recon {
namespace {

constexpr int reach_along_rows = 25;  // pixels to each side that an error must differ from
constexpr int least_reach = 8;        // at the edges
constexpr float least_error = 2e-4f;  // line integral: smaller errors are not worth correcting
constexpr float least_share = 0.3f;   // of the map that both halves agree on
constexpr float most_levels = 6;      // standard deviations; beyond is something else than gain

/// A median of M pixels leaves 1.25 / sqrt(M) of errors that are independent from pixel to pixel, so many are
/// better; but rows that the rays reach under other angles see other windings.
int reach_along_columns(int rows) { return std::clamp(rows / 10, 25, 100); }

/// Medians of a window that moves along a line of values.
class RunningMedian {
 public:
  explicit RunningMedian(std::span<const float> line) : line_(line) {}

  /// Of the values in [first, end); neither end may move back from call to call.
  [[nodiscard]] float of(std::size_t first, std::size_t end) {
    for (; end_ < end; ++end_) sorted_.insert(std::ranges::upper_bound(sorted_, line_[end_]), line_[end_]);
    for (; first_ < first; ++first_) sorted_.erase(std::ranges::lower_bound(sorted_, line_[first_]));
    return sorted_[sorted_.size() / 2];
  }

 private:
  std::span<const float> line_;
  std::size_t first_ = 0, end_ = 0;
  std::vector<float> sorted_;
};

/// The line less its median over `reach` pixels to both sides: as far to one side as to the other, but near
/// the edge at least over a few pixels.
void subtract_median(std::span<const float> line, int reach, std::span<float> result) {
  const int end = static_cast<int>(line.size());
  RunningMedian median(line);
  for (int middle = 0; middle < end; ++middle) {
    const int half =
        std::max(std::min({reach, middle, end - 1 - middle}), std::min(least_reach, (end - 1) / 2));
    const int first = std::clamp(middle - half, 0, end - 1 - 2 * half);
    result[static_cast<std::size_t>(middle)] =
        line[static_cast<std::size_t>(middle)] -
        median.of(static_cast<std::size_t>(first), static_cast<std::size_t>(first + 2 * half + 1));
  }
}

/// The mean of the views less its medians along the columns, then along the rows.
std::vector<float> high_passed(const Array3<float>& sums, int views, ThreadPool& pool) {
  const auto columns = static_cast<std::size_t>(sums.view().nx),
             rows = static_cast<std::size_t>(sums.view().ny);
  std::vector<float> map(sums.size());
  for (std::size_t n = 0; n < map.size(); ++n) map[n] = sums.data()[n] / static_cast<float>(views);
  pool.for_each(sums.view().nx, [&](std::ptrdiff_t column, int) {
    std::vector<float> line(rows), passed(rows);
    for (std::size_t row = 0; row < rows; ++row)
      line[row] = map[row * columns + static_cast<std::size_t>(column)];
    subtract_median(line, reach_along_columns(sums.view().ny), passed);
    for (std::size_t row = 0; row < rows; ++row)
      map[row * columns + static_cast<std::size_t>(column)] = passed[row];
  });
  pool.for_each(sums.view().ny, [&](std::ptrdiff_t row, int) {
    const auto line = std::span(map).subspan(static_cast<std::size_t>(row) * columns, columns);
    const std::vector<float> before(line.begin(), line.end());
    subtract_median(before, reach_along_rows, line);
  });
  return map;
}

}  // namespace

PixelGain measure_pixel_gain(const PixelStatistics& seen, std::span<const std::int64_t> bad,
                             ThreadPool& pool) {
  PixelGain gain;
  if (seen.views < 16) {
    gain.step = {fmt::format("rings: left alone, for {} views are too few to measure", seen.views)};
    return gain;
  }
  std::vector<float> map = high_passed(seen.sums[0], (seen.views + 1) / 2, pool);
  {
    const std::vector<float> other = high_passed(seen.sums[1], seen.views / 2, pool);
    std::vector<float> halves(map.size());
    for (std::size_t n = 0; n < map.size(); ++n) {
      halves[n] = 0.5f * (map[n] - other[n]);
      map[n] = 0.5f * (map[n] + other[n]);
    }
    const float noise = robust_deviation(std::move(halves)), all = robust_deviation(map);
    const float share = all > 0 ? std::max(0.0f, 1 - noise * noise / (all * all)) : 0;
    if (all * std::sqrt(share) < least_error || share < least_share) {
      gain.step = {
          fmt::format(
              "rings: none; pixels differ by {:.3f} % in the mean of {} views, of which {:.3f} % is noise",
              100 * all, seen.views, 100 * noise),
          false};
      return gain;
    }
    std::int64_t beyond = 0;
    for (float& value : map) {
      const bool other_kind = std::abs(value) > most_levels * all;
      beyond += other_kind;
      value = other_kind ? 0.0f : -share * value;
    }
    gain.step = {
        fmt::format("rings: the gain of every pixel is set by the mean of {} views: {:.3f} % (standard "
                    "deviation), {:.0f} % of it; {} pixels differ too much and are left alone",
                    seen.views, 100 * all, 100 * share, beyond)};
  }
  for (const std::int64_t pixel : bad) map[static_cast<std::size_t>(pixel)] = 0;
  gain.pixel_offset = std::move(map);
  return gain;
}

}  // namespace feldspar::recon
