#include "kernels/cuda/merged_projector.hpp"

#include <algorithm>

#include "kernels/cuda/launch.hpp"

namespace feldspar::kernels::cuda {
namespace {

/// Enough for some tens of tiles of 2000 slices, whose blocks of voxels fill the largest device.
constexpr std::size_t preferred_bytes = std::size_t{768} << 20;

/// What one tile needs: pairs, then columns, then rows of each slot.
std::size_t tile_bytes(const MergeSizes& sizes) {
  const auto size = [](auto n) { return static_cast<std::size_t>(n); };
  return size(sizes.pairs) * sizeof(FloatPair) +
         size(sizes.slots) *
             (size(sizes.columns) * sizeof(MergeColumn) + size(sizes.sources) * sizeof(MergeRows));
}

}  // namespace

std::size_t MergedProjector::workspace_bytes(int rows) const {
  return std::max(preferred_bytes, tile_bytes(largest_merge_sizes(merging_, rows)));
}

void MergedProjector::add(std::span<const ExactViewMatrix> views, const MergeScene& scene,
                          const LinearStack& stack, const BlockTarget& slab) {
  const auto unit = static_cast<std::size_t>(merging_.batch_unit());
  const std::size_t pixels = static_cast<std::size_t>(stack.columns) * static_cast<std::size_t>(stack.rows);
  for (std::size_t first = 0; first < views.size(); first += unit) {
    const MergePlan plan =
        plan_merging(views.subspan(first, std::min(unit, views.size() - first)), merging_, scene);
    LinearStack part = stack;
    part.pixels += first * pixels;
    if (!plan.tiles.empty()) add_unit(plan, scene, part, slab);
  }
}

void MergedProjector::add_unit(const MergePlan& plan, const MergeScene& scene, const LinearStack& stack,
                               const BlockTarget& slab) {
  constexpr std::size_t most_tiles = 65535;  // in one direction of a launch
  const MergeSizes& sizes = plan.sizes;
  const std::size_t needed = std::max(workspace_bytes(stack.rows), tile_bytes(sizes));
  if (workspace_.bytes() < needed) {
    queue_->wait();  // a kernel may still read the old one
    workspace_ = {};
    workspace_ = DeviceMemory(*queue_, needed, "merged views");
  }
  const std::size_t at_once = std::min(most_tiles, workspace_.bytes() / tile_bytes(sizes));
  auto* const pairs = workspace_.as<FloatPair>();
  auto* const columns =
      reinterpret_cast<MergeColumn*>(pairs + at_once * static_cast<std::size_t>(sizes.pairs));
  const std::size_t slots = at_once * static_cast<std::size_t>(sizes.slots);
  auto* const rows = reinterpret_cast<MergeRows*>(columns + slots * static_cast<std::size_t>(sizes.columns));
  for (std::size_t first = 0; first < plan.tiles.size(); first += at_once) {
    const std::size_t some = std::min(at_once, plan.tiles.size() - first);
    const auto* tiles = static_cast<const MergeTile*>(
        tiles_.upload(*queue_, plan.tiles.data() + first, some * sizeof(MergeTile), "tiles of merged views"));
    const auto* sources = static_cast<const MergeSource*>(sources_.upload(
        *queue_, plan.sources.data() + first * static_cast<std::size_t>(sizes.slots),
        some * static_cast<std::size_t>(sizes.slots) * sizeof(MergeSource), "sources of merged views"));
    int longest = 0;
    for (std::size_t n = first; n < first + some; ++n)
      longest = std::max(longest, plan.tiles[n].shape.stride());
    launch({.placing = {tiles, sources, columns, rows, sizes, scene.detector_columns},
            .merging = {tiles, sources, columns, rows, sizes, stack, pairs, merged_rows_at_once(sizes)},
            .tiles = static_cast<int>(some),
            .tile_width = merging_.tile,
            .longest_stride = longest,
            .target = slab},
           queue_->stream());
  }
}

}  // namespace feldspar::kernels::cuda
