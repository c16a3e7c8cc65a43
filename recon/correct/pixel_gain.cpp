#include "recon/correct/pixel_gain.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "recon/correct/robust.hpp"

namespace feldspar::recon {
namespace {

constexpr int reach = 25;  // pixels to each side that an error must differ from
constexpr int least_reach = 8;
constexpr float least_error = 2e-4f;  // line integral: smaller errors are not worth correcting
constexpr float least_share = 0.3f;   // of the map that both halves agree on
constexpr float most_levels = 6;      // standard deviations; beyond is something else than gain

/// The map less its median over `reach` pixels to both sides, along the rows or along the columns.
void subtract_median(const std::vector<float>& from, std::vector<float>& to, int columns, int rows,
                     bool along_rows, ThreadPool& pool) {
  pool.for_each(rows, [&](std::ptrdiff_t line, int) {
    const int row = static_cast<int>(line);
    std::vector<float> near;
    for (int column = 0; column < columns; ++column) {
      near.clear();
      const int middle = along_rows ? column : row, end = along_rows ? columns : rows;
      // As far to one side as to the other, but near the edge at least over a few pixels.
      const int half =
          std::max(std::min({reach, middle, end - 1 - middle}), std::min(least_reach, (end - 1) / 2));
      const int from_pixel = std::clamp(middle - half, 0, end - 1 - 2 * half);
      for (int n = from_pixel; n <= from_pixel + 2 * half; ++n)
        near.push_back(
            from[static_cast<std::size_t>(along_rows ? row : n) * columns + (along_rows ? n : column)]);
      const std::size_t at = static_cast<std::size_t>(row) * columns + column;
      to[at] = from[at] - median(near);
    }
  });
}

std::vector<float> high_passed(const Array3<float>& sums, int views, ThreadPool& pool) {
  const int columns = sums.view().nx, rows = sums.view().ny;
  std::vector<float> mean(sums.size()), other(sums.size());
  for (std::size_t n = 0; n < mean.size(); ++n) mean[n] = sums.data()[n] / static_cast<float>(views);
  subtract_median(mean, other, columns, rows, false, pool);
  subtract_median(other, mean, columns, rows, true, pool);
  return mean;
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
