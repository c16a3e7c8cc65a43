// A volume brought onto the voxels of another.
#pragma once

#include "base/parallel.hpp"
#include "geometry/similarity.hpp"
#include "recon/registration/coarse.hpp"

namespace feldspar::recon::registration {

/// `volume` at the points of `grid`, whose points `to_volume` takes to the volume's, by cubic convolution;
/// NaN within two voxels of its border and beyond. Reads only what the grid meets, a few slices at a time,
/// and holds at most a few of those beside the result.
[[nodiscard]] Array3<float> resampled(const StoredVolume& volume, const geometry::Similarity& to_volume,
                                      const geometry::VolumeGrid& grid, ThreadPool& pool);

}  // namespace feldspar::recon::registration
