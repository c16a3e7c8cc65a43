// Averages run over slabs of whole coarse slices; the Gaussian is separable, and where voxels are missing it
// is divided by the weight of those that are there.
#include "recon/registration/coarse.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/error.hpp"

namespace feldspar::recon::registration {
namespace {

constexpr float missing = std::numeric_limits<float>::quiet_NaN();
constexpr int fewest = 8;  // voxels a side: an interpolation needs four

geometry::VolumeGrid averaged_grid(const geometry::VolumeGrid& fine, int factor) {
  const double half = 0.5 * (factor - 1);
  return {fine.nx / factor, fine.ny / factor, fine.nz / factor, factor * fine.spacing,
          fine.centre_of(half, half, half)};
}

/// Coarse slice `k` from its fine slices; a voxel that any missing one belongs to is missing.
void average_slice(View3<const float> fine, int factor, View3<float> coarse, int k) {
  const auto count = static_cast<float>(factor * factor * factor);
  for (int j = 0; j < coarse.ny; ++j)
    for (int i = 0; i < coarse.nx; ++i) {
      float sum = 0;
      for (int c = 0; c < factor; ++c)
        for (int b = 0; b < factor; ++b) {
          const float* row = fine.row(j * factor + b, c) + std::ptrdiff_t{i} * factor;
          for (int a = 0; a < factor; ++a) sum += row[a];
        }
      coarse(i, j, k) = sum / count;
    }
}

/// Voxels whose corners lie beyond the field become NaN. Throws when another one is.
void mark_field(const CoarseVolume& coarse, double radius, int k) {
  const geometry::VolumeGrid& grid = coarse.grid;
  for (int j = 0; j < grid.ny; ++j)
    for (int i = 0; i < grid.nx; ++i) {
      const geometry::Vec3 p = grid.centre_of(i, j, k);
      float& value = coarse.voxels(i, j, k);
      if (std::hypot(std::abs(p.x) + 0.5 * grid.spacing.x, std::abs(p.y) + 0.5 * grid.spacing.y) > radius)
        value = missing;
      else if (!std::isfinite(value))
        throw Error(ErrorKind::bad_file,
                    fmt::format("a voxel near x = {:.3f}, y = {:.3f}, z = {:.3f} mm is no finite number; "
                                "`feldspar verify` says more of the volume",
                                p.x, p.y, p.z));
    }
}

std::vector<float> gaussian(double sigma) {
  std::vector<float> half;
  for (int n = 0; n <= static_cast<int>(std::ceil(3 * sigma)); ++n)
    half.push_back(static_cast<float>(std::exp(-0.5 * n * n / (sigma * sigma))));
  return half;
}

/// One line of values `step` apart; NaN takes no part. At the ends the volume is as if it ended there.
void smooth_line(float* line, int count, std::ptrdiff_t step, const std::vector<float>& half,
                 std::vector<float>& copy) {
  copy.resize(static_cast<std::size_t>(count));
  for (int n = 0; n < count; ++n) copy[static_cast<std::size_t>(n)] = line[n * step];
  const int reach = static_cast<int>(half.size()) - 1;
  for (int n = 0; n < count; ++n) {
    if (std::isnan(copy[static_cast<std::size_t>(n)])) continue;
    float sum = 0, weight = 0;
    for (int m = std::max(0, n - reach); m <= std::min(count - 1, n + reach); ++m) {
      const float value = copy[static_cast<std::size_t>(m)],
                  w = half[static_cast<std::size_t>(std::abs(m - n))];
      if (std::isnan(value)) continue;
      sum += w * value;
      weight += w;
    }
    line[n * step] = sum / weight;
  }
}

}  // namespace

int averaging_for(const geometry::VolumeGrid& grid, std::size_t most_voxels) {
  const double times = static_cast<double>(grid.voxels()) / static_cast<double>(most_voxels);
  return std::max(1, static_cast<int>(std::ceil(std::cbrt(times))));
}

CoarseVolume averaged(const StoredVolume& volume, int factor, ThreadPool& pool, Progress& progress) {
  const geometry::VolumeGrid& fine = volume.grid;
  CoarseVolume coarse{averaged_grid(fine, factor), {}};
  const geometry::VolumeGrid& grid = coarse.grid;
  if (std::min({grid.nx, grid.ny, grid.nz}) < fewest)
    throw Error(ErrorKind::usage,
                fmt::format("a volume of {} x {} x {} voxels is too small to be compared: averaged by {} it "
                            "has less than {} along a side",
                            fine.nx, fine.ny, fine.nz, factor, fewest));
  coarse.voxels = Array3<float>(grid.nx, grid.ny, grid.nz, "a coarse volume");
  constexpr std::size_t at_once = std::size_t{128} << 20;
  const std::size_t slice_bytes = static_cast<std::size_t>(fine.nx) * fine.ny * factor * sizeof(float);
  const int step = static_cast<int>(std::clamp<std::size_t>(at_once / slice_bytes, 1, 64));
  for (int first = 0; first < grid.nz; first += step) {
    const int count = std::min(step, grid.nz - first);
    const Array3<float> slab = volume.read(0, fine.nx, 0, fine.ny, first * factor, count * factor);
    pool.for_each(count, [&](std::ptrdiff_t n, int) {
      const int k = static_cast<int>(n);
      average_slice(slab.view().planes(k * factor, factor), factor, coarse.voxels.view(), first + k);
      mark_field(coarse, volume.field_radius, first + k);
    });
    progress.advance(static_cast<double>(count) * factor, "reading");
  }
  return coarse;
}

CoarseVolume halved(const CoarseVolume& volume, ThreadPool& pool) {
  CoarseVolume coarse{averaged_grid(volume.grid, 2), {}};
  coarse.voxels = Array3<float>(coarse.grid.nx, coarse.grid.ny, coarse.grid.nz, "a coarse volume");
  pool.for_each(coarse.grid.nz, [&](std::ptrdiff_t n, int) {
    const int k = static_cast<int>(n);
    average_slice(volume.voxels.view().planes(2 * k, 2), 2, coarse.voxels.view(), k);
  });
  return coarse;
}

float brightest(const CoarseVolume& volume) {
  std::vector<float> values;
  for (const float value : volume.voxels.view().values())
    if (!std::isnan(value)) values.push_back(value);
  if (values.empty()) return 0;
  const auto nth = values.begin() + std::lround(0.995 * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), nth, values.end());
  return *nth;
}

StoredVolume part_with_object(const StoredVolume& volume, const CoarseVolume& coarse) {
  const float level = 0.05f * brightest(coarse);
  const int counts[] = {coarse.grid.nx, coarse.grid.ny, coarse.grid.nz};
  int low[] = {counts[0], counts[1], counts[2]}, high[] = {-1, -1, -1};
  for (int k = 0; k < counts[2]; ++k)
    for (int j = 0; j < counts[1]; ++j)
      for (int i = 0; i < counts[0]; ++i)
        if (coarse.voxels(i, j, k) > level)
          for (const auto& [axis, at] : {std::pair{0, i}, std::pair{1, j}, std::pair{2, k}})
            low[axis] = std::min(low[axis], at), high[axis] = std::max(high[axis], at);
  if (high[0] < 0) return volume;
  const int whole[] = {volume.grid.nx, volume.grid.ny, volume.grid.nz};
  int first[3], count[3];
  for (const int axis : {0, 1, 2}) {
    const int room = 1 + (high[axis] - low[axis] + 1) / 10;
    const double factor = static_cast<double>(whole[axis]) / counts[axis];  // a rest may be left out
    first[axis] = std::max(0, static_cast<int>((low[axis] - room) * factor));
    count[axis] =
        std::min(whole[axis], static_cast<int>(std::ceil((high[axis] + 1 + room) * factor))) - first[axis];
  }
  const int x0 = first[0], y0 = first[1], z0 = first[2];
  geometry::VolumeGrid grid{count[0], count[1], count[2], volume.grid.spacing,
                            volume.grid.centre_of(x0, y0, z0)};
  return {grid,
          [&volume, x0, y0, z0](int x, int nx, int y, int ny, int z, int nz) {
            return volume.read(x0 + x, nx, y0 + y, ny, z0 + z, nz);
          },
          volume.field_radius};
}

void smooth(CoarseVolume& volume, double sigma, ThreadPool& pool) {
  const View3<float> v = volume.voxels.view();
  const std::vector<float> half = gaussian(sigma / volume.grid.spacing.x);
  std::vector<std::vector<float>> copies(static_cast<std::size_t>(pool.size()));
  pool.for_each(v.nz, [&](std::ptrdiff_t n, int worker) {
    const int k = static_cast<int>(n);
    std::vector<float>& copy = copies[static_cast<std::size_t>(worker)];
    for (int j = 0; j < v.ny; ++j) smooth_line(v.row(j, k), v.nx, 1, half, copy);
    for (int i = 0; i < v.nx; ++i) smooth_line(v.row(0, k) + i, v.ny, v.nx, half, copy);
  });
  pool.for_each(v.ny, [&](std::ptrdiff_t n, int worker) {
    const int j = static_cast<int>(n);
    std::vector<float>& copy = copies[static_cast<std::size_t>(worker)];
    for (int i = 0; i < v.nx; ++i)
      smooth_line(v.row(j, 0) + i, v.nz, static_cast<std::ptrdiff_t>(v.nx) * v.ny, half, copy);
  });
}

}  // namespace feldspar::recon::registration
