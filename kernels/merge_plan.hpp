// What to merge for which tiles of voxel columns, worked out on the host for the kernels that do it
// (kernels/shared/merged_views.hpp).
#pragma once

#include <span>
#include <vector>

#include "geometry/coverage.hpp"
#include "geometry/volume_grid.hpp"
#include "kernels/shared/merged_views.hpp"
#include "kernels/view_matrix.hpp"
#include "kernels/view_merging.hpp"

namespace feldspar::kernels {

/// A slab and the detector rows that projections of it hold.
struct MergeScene {
  const geometry::VolumeGrid& grid;  ///< of the whole volume
  geometry::Range slices;            ///< of the grid: the slab
  geometry::Range rows;              ///< of the detector
  int detector_columns;              ///< of the whole detector
  double radius;                     ///< mm; tiles beyond are left out
};

/// Tiles, and a tile's slots one behind the other: those of group g begin at g * views_of_a_group().
struct MergePlan {
  std::vector<MergeTile> tiles;      ///< of the slab, those beyond the radius left out
  std::vector<MergeSource> sources;  ///< the slots of all tiles
  MergeSizes sizes{};                ///< what buffers are needed
};

/// False where a view's columns are not upright or a voxel is closer to the source than merging can serve.
[[nodiscard]] bool can_merge(std::span<const ExactViewMatrix> views, const MergeScene& scene);

/// The plan for up to merging.batch_unit() views, all tiles of the grid.
[[nodiscard]] MergePlan plan_merging(std::span<const ExactViewMatrix> views, const ViewMerging& merging,
                                     const MergeScene& scene);

/// The largest MergeSizes that a plan can have for projections with so many rows.
[[nodiscard]] MergeSizes largest_merge_sizes(const ViewMerging& merging, int rows);

}  // namespace feldspar::kernels
