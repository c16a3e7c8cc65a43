// Volumes with a value that names its voxel, and files of them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <vector>

#include "io/hdf5/volume_file.hpp"

namespace feldspar::testing {

inline geometry::VolumeGrid grid_of(int nx, int ny, int nz) {
  return {.nx = nx, .ny = ny, .nz = nz, .spacing = {0.011, 0.013, 0.017}, .origin = {-1.1, 2.3, -0.7}};
}

/// A different value for each voxel of volumes below 2^24 voxels, from 0 to below 1/mm.
inline float value_at(const geometry::VolumeGrid& grid, int x, int y, int z) {
  const auto index = (static_cast<std::int64_t>(z) * grid.ny + y) * grid.nx + x;
  return static_cast<float>(index % (1 << 24)) * 0x1p-24f;
}

inline Array3<float> slab_at(const geometry::VolumeGrid& grid, int first, int slices) {
  Array3<float> slab(grid.nx, grid.ny, slices);
  for (int z = 0; z < slices; ++z)
    for (int y = 0; y < grid.ny; ++y)
      for (int x = 0; x < grid.nx; ++x) slab(x, y, z) = value_at(grid, x, y, first + z);
  return slab;
}

struct Slab {
  int first;
  int slices;
};

inline std::vector<Slab> slabs_of(int slices, int height) {
  std::vector<Slab> slabs;
  for (int first = 0; first < slices; first += height)
    slabs.push_back({first, std::min(height, slices - first)});
  return slabs;
}

inline void write_volume(const std::filesystem::path& path, const geometry::VolumeGrid& grid,
                         const io::VolumeFileOptions& options, const std::vector<Slab>& slabs,
                         const io::VolumeRecord& record = {}) {
  io::VolumeWriter writer(path, grid, options);
  for (const Slab& slab : slabs) writer.write(slab.first, slab_at(grid, slab.first, slab.slices).view());
  writer.finish(record);
}

}  // namespace feldspar::testing
