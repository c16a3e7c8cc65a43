// Volumes for registration: averaged until they are small, and smoothed so that both are blurred alike.
#pragma once

#include <functional>
#include <vector>

#include "base/memory.hpp"
#include "base/parallel.hpp"
#include "base/progress.hpp"
#include "geometry/volume_grid.hpp"

namespace feldspar::recon::registration {

/// A volume that is read piece by piece: voxels [x, x+nx) x [y, y+ny) x [z, z+nz).
struct StoredVolume {
  geometry::VolumeGrid grid;                                                       ///< where its voxels are
  std::function<Array3<float>(int x, int nx, int y, int ny, int z, int nz)> read;  ///< 1/mm
  double field_radius = INFINITY;  ///< mm about the z axis: voxels beyond were not computed
};

/// A volume averaged over voxels, in memory.
struct CoarseVolume {
  geometry::VolumeGrid grid;  ///< where its voxels are
  Array3<float> voxels;       ///< NaN where the volume was not computed
};

/// How many voxels to average along each side so that at most `most_voxels` are left.
[[nodiscard]] int averaging_for(const geometry::VolumeGrid& grid, std::size_t most_voxels);

/// Means of factor^3 voxels; a rest at the far ends is left out. Reads every voxel once, some slices at a
/// time, and throws Error(bad_file) for one within the field that is not finite, Error(usage) when fewer
/// than eight voxels are left along a side.
[[nodiscard]] CoarseVolume averaged(const StoredVolume& volume, int factor, ThreadPool& pool,
                                    Progress& progress);

/// The same of a volume in memory.
[[nodiscard]] CoarseVolume halved(const CoarseVolume& volume, ThreadPool& pool);

/// The part of `volume` around what is above a twentieth of the brightest of `coarse`, a copy of it, with a
/// tenth of its width to spare. Reads through `volume`, which must outlive it.
[[nodiscard]] StoredVolume part_with_object(const StoredVolume& volume, const CoarseVolume& coarse);

/// The largest value but for the brightest 0.5 %; NaN takes no part.
[[nodiscard]] float brightest(const CoarseVolume& volume);

/// Convolved with a Gaussian of `sigma` mm; what was not computed takes no part and stays so. A voxel that
/// less than `least_weight` of the Gaussian is left for, at the border and beside those, becomes one of them.
void smooth(CoarseVolume& volume, double sigma, ThreadPool& pool);

}  // namespace feldspar::recon::registration
