// Questions to the finished volume: is every voxel a number, does it cast what was measured, does it hold the
// mass that was measured. docs/trust.md derives the limits.
#pragma once

#include <cstdint>
#include <vector>

#include "recon/verify/mid_plane.hpp"
#include "recon/verify/verdict.hpp"

namespace feldspar::recon {

/// What one pass over all voxels counted.
struct Census {
  std::int64_t not_finite = 0;       ///< voxels
  int first_not_finite = -1;         ///< slice of the first of them
  int flat_slices = 0;               ///< slices of equal values throughout
  int first_flat = -1;               ///< slice; -1 for none
  std::vector<int> changed = {};     ///< slices whose hash is not what it was when they were written
  std::vector<int> unreadable = {};  ///< slices, where that is no error
};
/// `survey`: slices that cannot be read are noted, instead of ending it with their error.
[[nodiscard]] Census take_census(const FinishedVolume& volume, MemoryBudget& budget, bool survey = false);
/// Is every slice what was written.
[[nodiscard]] Check check_layers(const Census& census, const FinishedVolume& volume);
/// Is every voxel finite.
[[nodiscard]] Check check_numbers(const Census& census, int slices);

/// Each view's rays as measured against those that the volume casts; `lengths` within its grid say which rays
/// miss it.
[[nodiscard]] Check check_views(const Sinogram& measured, const Sinogram& cast, const Sinogram& lengths,
                                double noise);

/// How far each view lies from where its angle puts it among its neighbours: what it differs from the
/// volume's rays by, as a share of how these change with the angle.
[[nodiscard]] Check check_order(const Sinogram& measured, const Sinogram& cast, const Sinogram& lengths,
                                double noise);

/// All measured rays together against all that the volume casts.
[[nodiscard]] Check check_fit(const Sinogram& measured, const Sinogram& cast, const Sinogram& lengths,
                              double noise);

/// The sum of the line integrals through the plane of the source against the sum of its voxels.
[[nodiscard]] Check check_mass(const Sinogram& measured, const Sinogram& lengths, const FdkSetup& setup,
                               const FinishedVolume& volume);

}  // namespace feldspar::recon
