// Merging of neighbouring views before back-projection: one level of the hierarchy of Basu and Bresler
// (2000).
//
// For a tile of voxel columns, neighbouring views see nearly the same. Each is resampled (cubic in u and v)
// onto the mean view of its group through the upright plane that faces the view in the middle of the tile,
// and their sum, sampled twice as finely in u, is back-projected in their place. Voxels in that plane get
// what they would get anyway, whatever the cone angle; a voxel that lies a distance d before or behind it
// gets its views displaced sideways by up to d times half the angle between the first and the last of them.
#pragma once

#include <span>

#include "geometry/scan.hpp"
#include "geometry/volume_grid.hpp"

namespace feldspar::kernels {

struct ViewMerging {
  int views = 1;            ///< merged into one; a power of two; 1 for none
  int tile = 16;            ///< voxels along each side of the tiles, a multiple of 16
  double displacement = 0;  ///< sideways, of the worst voxel, in units of its own size or the pixel's image

  static constexpr int most_views = 16;
  static constexpr int widest_tile = 64;
  static constexpr double most_displacement = 0.32;
  static constexpr double most_pixels_per_voxel = 2;  ///< what the memory of a tile's shadow is made for

  /// Projections come in multiples of this many: eight sums of merged views are added up at a time.
  [[nodiscard]] constexpr int batch_unit() const { return 8 * views; }
  /// Detector rows on either side of a shadow that resampling reads besides.
  [[nodiscard]] constexpr int extra_rows() const { return views > 1 ? 4 : 0; }
};

/// The fastest merging of the views of an aligned detector that displaces no voxel within `radius` mm of the
/// axis by more than most_displacement; none where views are so few that the turn is sampled sparsely.
[[nodiscard]] ViewMerging choose_merging(std::span<const geometry::View> views,
                                         const geometry::VolumeGrid& grid, double radius);

/// Merges `count` (1, 2, 4, 8 or 16) views, with the largest tile that respects the limit and the smallest
/// otherwise. Throws Error(usage) for another number.
[[nodiscard]] ViewMerging merging_of(int count, std::span<const geometry::View> views,
                                     const geometry::VolumeGrid& grid, double radius);

}  // namespace feldspar::kernels
