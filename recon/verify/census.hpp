// What a look at every voxel of a finished volume tells.
#pragma once

#include <cstdint>
#include <vector>

#include "recon/verify/mid_plane.hpp"
#include "recon/verify/verdict.hpp"

namespace feldspar::recon {

/// Of a slice's voxels, in 1/mm and its square.
struct SliceMoments {
  double square = 0;    ///< mean of squares
  double variance = 0;  ///< about their mean
  double reach = 0;     ///< mean of square times mm from the axis, squared
};

/// What one pass over all voxels counted.
struct Census {
  std::int64_t not_finite = 0;             ///< voxels
  int first_not_finite = -1;               ///< slice of the first of them
  int flat_slices = 0;                     ///< slices of equal values throughout
  int first_flat = -1;                     ///< slice; -1 for none
  std::vector<int> changed = {};           ///< slices whose hash is not what it was when they were written
  std::vector<int> unreadable = {};        ///< slices, where that is no error
  std::vector<SliceMoments> moments = {};  ///< of every slice

  /// Adds the slices that follow.
  void add(const Census& above);
  /// Of all voxels, 1/mm.
  [[nodiscard]] double rms() const;
  /// mm about the axis within which the object is: that of a disc of as much spread, and a quarter more.
  [[nodiscard]] double radius() const;
};
/// `survey`: slices that cannot be read are noted, instead of ending it with their error.
[[nodiscard]] Census take_census(const FinishedVolume& volume, MemoryBudget& budget, int threads,
                                 bool survey = false);
/// Bytes of take_census() with one thread.
[[nodiscard]] std::size_t census_bytes(const geometry::VolumeGrid& grid);
/// Is every slice what was written.
[[nodiscard]] Check check_layers(const Census& census, const FinishedVolume& volume);
/// Is every voxel finite.
[[nodiscard]] Check check_numbers(const Census& census, int slices);

}  // namespace feldspar::recon
