// Merged views of a region of voxels: what the column kernel back-projects in place of the views themselves.
#pragma once

#include <algorithm>
#include <span>

#include "kernels/cpu/column_stack.hpp"
#include "kernels/cpu/voxel_tile.hpp"
#include "kernels/view_merging.hpp"

namespace feldspar::kernels::cpu {

/// Floats from the line of one merged view to the next (ColumnTile::line_stride).
constexpr std::ptrdiff_t merged_line_floats =
    MergeTask::most_rows + 2 * border_rows(ViewMerging::most_pixels_per_voxel) + 16;

/// Floats of scratch that merge() needs.
[[nodiscard]] std::size_t merged_floats();

/// The merged views of a region. They live in the scratch given.
struct MergedViews {
  ColumnView views[view_group];
  int count = 0;
  ColumnTile tile{};  ///< what tiles of the region have in common
};

/// Views to be merged, `each` at a time: up to view_group groups.
struct ViewGroups {
  std::span<const ColumnView> views;
  int each;
  const ColumnLayout& layout;  ///< of their columns

  [[nodiscard]] int count() const { return (static_cast<int>(views.size()) + each - 1) / each; }
  [[nodiscard]] std::span<const ColumnView> operator[](int group) const {
    const auto first = static_cast<std::size_t>(group) * static_cast<std::size_t>(each);
    return views.subspan(first, std::min(views.size() - first, static_cast<std::size_t>(each)));
  }
};

/// Merges groups for `region` in `scratch`, which held zeros before its first use. False when the region's
/// shadow is too large for the scratch: then halve the region.
[[nodiscard]] bool merge(const SimdKernels& simd, const ViewGroups& groups, const VoxelRegion& region,
                         float* scratch, MergedViews& merged);

}  // namespace feldspar::kernels::cpu
