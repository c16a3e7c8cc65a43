#include "recon/correct/pixel_gain.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "recon/correct/gain_shrinkage.hpp"
#include "recon/correct/mirror_symmetry.hpp"

namespace feldspar::recon {
namespace {

constexpr int least_views = 32;   // whose mean is a turn's
constexpr int least_pixels = 16;  // along a side: two blocks

PixelGain left_alone(const char* why) { return {{}, {fmt::format("rings: left alone, for {}", why)}}; }

/// Mean and noise, in the place of the means of both halves.
MeanOfTurn combine(PixelStatistics& seen) {
  float *const first = seen.means[0].data(), *const second = seen.means[1].data();
  for (std::size_t n = 0; n < seen.means[0].size(); ++n) {
    const float a = first[n], b = second[n];
    first[n] = 0.5f * (a + b), second[n] = 0.5f * (a - b);
  }
  return {seen.means[0].view(), seen.means[1].view()};
}

/// Gives bad pixels the mean of good ones beside them.
void fill(View3<float> map, std::span<const std::int64_t> bad) {
  constexpr int reach = 8;
  std::vector<float> values;
  const auto is_bad = [&](int c, int r) {
    return std::ranges::binary_search(bad, std::int64_t{r} * map.nx + c);
  };
  for (const std::int64_t pixel : bad) {
    const int column = static_cast<int>(pixel % map.nx), row = static_cast<int>(pixel / map.nx);
    float sum = 0, count = 0;
    for (int size = 1; size <= reach && count == 0; ++size)
      for (int r = std::max(0, row - size); r <= std::min(map.ny - 1, row + size); ++r)
        for (int c = std::max(0, column - size); c <= std::min(map.nx - 1, column + size); ++c)
          if (!is_bad(c, r)) sum += map(c, r, 0), count += 1;
    values.push_back(count > 0 ? sum / count : 0.0f);
  }
  for (std::size_t n = 0; n < bad.size(); ++n) map.data[bad[n]] = values[n];
}

/// The mean of a map and its mirror image.
Array3<float> symmetric(const Mirror& mirror, View3<const float> map, ThreadPool& pool) {
  Array3<float> result(map.nx, map.ny, 1);
  pool.for_each(map.ny, [&](std::ptrdiff_t row, int) {
    const int first = static_cast<int>(row);
    const View3<float> line{result.view().row(first, 0), map.nx, 1, 1};
    reflect(mirror, map, {first, first + 1}, line);
    for (int c = 0; c < map.nx; ++c) line.data[c] = 0.5f * (line.data[c] + map(c, first, 0));
  });
  return result;
}

}  // namespace

PixelGain measure_pixel_gain(PixelStatistics& seen, const geometry::CircularScan& scan,
                             std::span<const std::int64_t> bad, ThreadPool& pool) {
  if (!scan.shifts.empty()) return left_alone("the detector moved from view to view");
  if (!seen.full_turn)
    return left_alone("only the views of a full, evenly taken turn tell pixels from the object");
  if (seen.views < least_views) return left_alone("so few views do not average to a turn");
  const View3<float> map = seen.means[0].view();
  if (std::min(map.nx, map.ny) < least_pixels) return left_alone("the detector has too few rows or columns");
  const MeanOfTurn turn = combine(seen);
  fill(turn.mean, bad), fill(turn.noise, bad);
  Mirror mirror(scan);
  const Asymmetry found = measure_asymmetry(turn, mirror, pool);
  const double size = 100 * std::sqrt(found.variance), noise = 100 * std::sqrt(found.noise);
  if (!(found.variance > 0))
    return {{},
            {fmt::format("rings: none; the mean of {} views is symmetric about the axis to its noise of "
                         "{:.3f} %",
                         seen.views, noise),
             false}};
  const Array3<float> values = symmetric(mirror, turn.mean, pool),
                      noise_map = symmetric(mirror, turn.noise, pool), gain(map.nx, map.ny, 1);
  shrink_to_gain({values.view(), noise_map.view(), found.variance / 2}, gain.view(), pool);
  float largest = 0, highest = 0;
  PixelGain result;
  result.pixel_offset.resize(gain.size());
  for (std::size_t n = 0; n < gain.size(); ++n) {
    result.pixel_offset[n] = -gain.data()[n];
    highest = std::max(highest, turn.mean.data[n]);
  }
  for (const std::int64_t pixel : bad) result.pixel_offset[static_cast<std::size_t>(pixel)] = 0;
  for (const float offset : result.pixel_offset) largest = std::max(largest, std::abs(offset));
  result.step = {
      fmt::format("rings: the gain of pixels differs by {:.3f} % (standard deviation), for so much is the "
                  "mean of {} views "
                  "unlike its mirror image, with noise of {:.3f} %; what makes rings of it is taken away, at "
                  "most {:.2f} % "
                  "of the highest attenuation in the mean",
                  size, seen.views, noise, 100 * largest / std::max(highest, 1e-6f))};
  return result;
}

std::size_t pixel_gain_bytes(const geometry::Detector& detector, int threads) {
  constexpr std::size_t maps = 5;  // symmetric mean and noise, gain and its weight, and the offsets
  return maps * sizeof(float) * static_cast<std::size_t>(detector.columns) *
             static_cast<std::size_t>(detector.rows) +
         shrinkage_bytes(detector.columns, detector.rows, threads);
}

}  // namespace feldspar::recon
