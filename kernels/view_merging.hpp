// Merging of neighbouring views before back-projection: one level of the hierarchy of Basu and Bresler
// (2000).
//
// For a tile of voxel columns, neighbouring views see nearly the same. Each is resampled (cubic in u and v)
// onto the mean view of its group through the upright plane that faces the view in the middle of the tile,
// and their sum, sampled twice as finely in u, is back-projected in their place. Voxels in that plane get
// what they would get anyway, whatever the cone angle; a voxel that lies a distance d before or behind it
// gets its views displaced sideways by up to d times half the angle t between the first and the last of them.
// Displacements to both sides cancel to first order for what lies near; an edge at a distance D passes by D t
// in the meantime, and what is left of it grows with d t D t.
#pragma once

#include <span>

#include "geometry/scan.hpp"
#include "geometry/volume_grid.hpp"

namespace feldspar::kernels {

/// How many views are merged, over how large tiles.
struct ViewMerging {
  int views = 1;            ///< merged into one; 1 for none
  int tile = 16;            ///< voxels along each side of the tiles, a multiple of 16
  double displacement = 0;  ///< sideways, of the worst voxel, in units of its own size or the pixel's image

  static constexpr int most_views = 16;              ///< that may be merged into one
  static constexpr int widest_tile = 64;             ///< voxels along each side
  static constexpr double most_displacement = 0.33;  ///< in its units, where merging is chosen
  static constexpr double most_smear = 1.2;  ///< of displacement times the way of the furthest edge, as above
  static constexpr double most_pixels_per_voxel = 2;  ///< what the memory of a tile's shadow is made for

  /// Projections come in multiples of this many: eight sums of merged views are added up at a time.
  [[nodiscard]] constexpr int batch_unit() const { return 8 * views; }
  /// Detector rows on either side of a shadow that resampling reads besides.
  [[nodiscard]] constexpr int extra_rows() const { return views > 1 ? 4 : 0; }
};

/// The fastest merging of the views of an aligned detector that keeps both limits for every voxel within
/// `radius` mm of the axis; none where views are so few that the turn is sampled sparsely. The limits are
/// measured: up to there merged views come nearer to the truth than the views themselves (docs/accuracy.md).
[[nodiscard]] ViewMerging choose_merging(std::span<const geometry::View> views,
                                         const geometry::VolumeGrid& grid, double radius);

/// Merges `count` (1 to 16) views, with the largest tile that respects the limits and the smallest
/// otherwise. Throws Error(usage) for another number.
[[nodiscard]] ViewMerging merging_of(int count, std::span<const geometry::View> views,
                                     const geometry::VolumeGrid& grid, double radius);

}  // namespace feldspar::kernels
