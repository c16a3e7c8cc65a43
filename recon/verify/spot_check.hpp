// About a hundred voxels of a finished volume, made once more from the raw file in double precision.
#pragma once

#include <vector>

#include "recon/verify/mid_plane.hpp"
#include "recon/verify/verdict.hpp"

namespace feldspar::recon {

/// A voxel that was made again.
struct Spot {
  int x = 0, y = 0, z = 0;  ///< indices
  double stored = 0;        ///< 1/mm, in the volume
  double around = 0;        ///< range of the stored values of its neighbours and itself
  double recomputed = 0;    ///< from the raw file
};

/// Voxels at random in every part of the volume's height, within the radius that is computed; the same ones
/// for the same seed. Empty where rows are continued beyond the detector.
[[nodiscard]] std::vector<Spot> recompute_spots(const FdkJob& job, const FinishedVolume& volume,
                                                unsigned seed, const Resources& resources);

/// Bytes that each thread of it takes.
[[nodiscard]] std::size_t spots_bytes(const FdkJob& job);

/// `merging` displaces voxels: then they may differ by what their neighbours do. `rms` of all voxels: what
/// rounds with them.
[[nodiscard]] Check check_spots(const std::vector<Spot>& spots, const kernels::ViewMerging& merging,
                                double quantum, double rms);

}  // namespace feldspar::recon
