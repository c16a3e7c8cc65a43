// The grid is done in slabs so thin that the box of the volume around each of them is small.
#include "recon/registration/resample.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "recon/registration/tricubic.hpp"

namespace feldspar::recon::registration {
namespace {

using geometry::Vec3;

/// Voxels [first, end) along each side.
struct Box {
  int x0, x1, y0, y1, z0, z1;
  [[nodiscard]] bool empty() const { return x1 <= x0 || y1 <= y0 || z1 <= z0; }
  [[nodiscard]] double voxels() const { return static_cast<double>(x1 - x0) * (y1 - y0) * (z1 - z0); }
};

Vec3 voxel_of(const geometry::VolumeGrid& grid, Vec3 p) {
  const Vec3 at = p - grid.origin;
  return {at.x / grid.spacing.x, at.y / grid.spacing.y, at.z / grid.spacing.z};
}

/// What interpolation at the points of `part` can touch.
Box box_around(const geometry::VolumeGrid& part, const geometry::Similarity& to_volume,
               const geometry::VolumeGrid& volume) {
  Vec3 low{1e300, 1e300, 1e300}, high{-1e300, -1e300, -1e300};
  for (const int i : {0, part.nx - 1})
    for (const int j : {0, part.ny - 1})
      for (const int k : {0, part.nz - 1}) {
        const Vec3 p = voxel_of(volume, to_volume(part.centre_of(i, j, k)));
        low = {std::min(low.x, p.x), std::min(low.y, p.y), std::min(low.z, p.z)};
        high = {std::max(high.x, p.x), std::max(high.y, p.y), std::max(high.z, p.z)};
      }
  const auto first = [](double v, int n) {
    return static_cast<int>(std::clamp(std::floor(v) - 1, 0.0, n * 1.0));
  };
  const auto end = [](double v, int n) {
    return static_cast<int>(std::clamp(std::floor(v) + 3, 0.0, n * 1.0));
  };
  return {first(low.x, volume.nx), end(high.x, volume.nx),  first(low.y, volume.ny),
          end(high.y, volume.ny),  first(low.z, volume.nz), end(high.z, volume.nz)};
}

}  // namespace

Array3<float> resampled(const StoredVolume& volume, const geometry::Similarity& to_volume,
                        const geometry::VolumeGrid& grid, ThreadPool& pool) {
  constexpr double most_voxels = 32e6;  // of the volume at a time, if one slice allows it
  Array3<float> result(grid.nx, grid.ny, grid.nz, "a resampled volume");
  result.fill(std::numeric_limits<float>::quiet_NaN());
  for (int first = 0, count = 0; first < grid.nz; first += count) {
    count = std::min(32, grid.nz - first);
    Box box = box_around(slab_of(grid, first, count), to_volume, volume.grid);
    while (count > 1 && box.voxels() > most_voxels) {
      count /= 2;
      box = box_around(slab_of(grid, first, count), to_volume, volume.grid);
    }
    if (box.empty()) continue;
    const Array3<float> piece =
        volume.read(box.x0, box.x1 - box.x0, box.y0, box.y1 - box.y0, box.z0, box.z1 - box.z0);
    const Vec3 corner{static_cast<double>(box.x0), static_cast<double>(box.y0), static_cast<double>(box.z0)};
    pool.for_each(static_cast<std::ptrdiff_t>(count) * grid.ny, [&](std::ptrdiff_t n, int) {
      const int k = first + static_cast<int>(n / grid.ny), j = static_cast<int>(n % grid.ny);
      for (int i = 0; i < grid.nx; ++i) {
        const Vec3 at = voxel_of(volume.grid, to_volume(grid.centre_of(i, j, k))) - corner;
        result(i, j, k) = static_cast<float>(sample(piece.view(), at).value);
      }
    });
  }
  return result;
}

}  // namespace feldspar::recon::registration
