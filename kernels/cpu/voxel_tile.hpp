// A tile of voxel columns on its way between the volume, x fastest, and the column kernel, z fastest.
#pragma once

#include <array>
#include <vector>

#include "geometry/coverage.hpp"
#include "geometry/volume_grid.hpp"
#include "kernels/cpu/simd.hpp"

namespace feldspar::kernels::cpu {

constexpr std::ptrdiff_t tile_floats = std::ptrdiff_t{tile_width} * tile_width * tile_stride;

/// Voxels of a volume within one block of slices, of any width and depth.
struct VoxelRegion {
  geometry::Range i, j, k;
  int block;  ///< first slice of the block, a multiple of block_slices
};

/// `tile` with the voxels of a region that is no wider than one.
[[nodiscard]] ColumnTile tile_of(const VoxelRegion& region, ColumnTile tile);

/// A region's parts that are one tile wide and deep, and its two halves: across, then deep, then high.
[[nodiscard]] std::vector<VoxelRegion> tiles_of(const VoxelRegion& region);
[[nodiscard]] std::array<VoxelRegion, 2> halves_of(const VoxelRegion& region);

/// Regions `width` voxels wide and deep, one block of slices high, that cover `slices` of a grid.
class Regions {
 public:
  Regions(const geometry::VolumeGrid& grid, geometry::Range slices, int width);
  [[nodiscard]] std::ptrdiff_t count() const;
  [[nodiscard]] VoxelRegion operator[](std::ptrdiff_t n) const;

 private:
  int nx_, ny_, width_;
  geometry::Range slices_;
};

/// True when no voxel of a region is within `radius` mm of the rotation axis.
[[nodiscard]] bool is_outside(const VoxelRegion& region, const geometry::VolumeGrid& grid, double radius);

}  // namespace feldspar::kernels::cpu
