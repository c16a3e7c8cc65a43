#include "kernels/cpu/voxel_tile.hpp"

#include <algorithm>
#include <cmath>

namespace feldspar::kernels::cpu {

ColumnTile tile_of(const VoxelRegion& region, ColumnTile tile) {
  tile.first_i = region.i.first, tile.count_i = region.i.count();
  tile.first_j = region.j.first, tile.count_j = region.j.count();
  tile.block = region.block;
  tile.first_k = region.k.first, tile.end_k = region.k.end;
  return tile;
}

std::vector<VoxelRegion> tiles_of(const VoxelRegion& region) {
  std::vector<VoxelRegion> tiles;
  for (int j = region.j.first; j < region.j.end; j += tile_width)
    for (int i = region.i.first; i < region.i.end; i += tile_width)
      tiles.push_back({{i, std::min(i + tile_width, region.i.end)},
                       {j, std::min(j + tile_width, region.j.end)},
                       region.k,
                       region.block});
  return tiles;
}

std::array<VoxelRegion, 2> halves_of(const VoxelRegion& region) {
  std::array<VoxelRegion, 2> halves{region, region};
  const auto cut = [](geometry::Range& lower, geometry::Range& upper) {
    lower.end = upper.first = lower.first + (lower.count() / 2 + tile_width - 1) / tile_width * tile_width;
  };
  if (region.i.count() > tile_width)
    cut(halves[0].i, halves[1].i);
  else if (region.j.count() > tile_width)
    cut(halves[0].j, halves[1].j);
  else
    cut(halves[0].k, halves[1].k);
  return halves;
}

Regions::Regions(const geometry::VolumeGrid& grid, geometry::Range slices, int width)
    : nx_(grid.nx), ny_(grid.ny), width_(width), slices_(slices) {}

std::ptrdiff_t Regions::count() const {
  const std::ptrdiff_t across = (nx_ + width_ - 1) / width_, deep = (ny_ + width_ - 1) / width_;
  return across * deep * ((slices_.end - 1) / block_slices - slices_.first / block_slices + 1);
}

VoxelRegion Regions::operator[](std::ptrdiff_t n) const {
  const std::ptrdiff_t across = (nx_ + width_ - 1) / width_, deep = (ny_ + width_ - 1) / width_;
  const int i = static_cast<int>(n % across) * width_, j = static_cast<int>(n / across % deep) * width_,
            block = (slices_.first / block_slices + static_cast<int>(n / across / deep)) * block_slices;
  return {{i, std::min(i + width_, nx_)},
          {j, std::min(j + width_, ny_)},
          {std::max(block, slices_.first), std::min(block + block_slices, slices_.end)},
          block};
}

bool is_outside(const VoxelRegion& region, const geometry::VolumeGrid& grid, double radius) {
  const auto nearest = [](double first, double last) { return std::max({first, -last, 0.0}); };
  const geometry::Vec3 first = grid.centre_of(region.i.first, region.j.first, 0),
                       last = grid.centre_of(region.i.end - 1, region.j.end - 1, 0);
  return std::hypot(nearest(first.x, last.x), nearest(first.y, last.y)) > radius;
}

}  // namespace feldspar::kernels::cpu
