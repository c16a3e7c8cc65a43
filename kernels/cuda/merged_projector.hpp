// Back-projection of merged neighbouring views, some tiles of voxels at a time.
#pragma once

#include "kernels/cuda/operators.hpp"
#include "kernels/merge_plan.hpp"

namespace feldspar::kernels::cuda {

class MergedProjector {
 public:
  MergedProjector(SharedQueue queue, const ViewMerging& merging)
      : queue_(std::move(queue)), merging_(merging) {}

  /// Of device memory, for projections of so many rows.
  [[nodiscard]] std::size_t workspace_bytes(int rows) const;

  /// Queues the addition of `views` (can_merge() holds) to a slab. `stack` has their projections.
  void add(std::span<const ExactViewMatrix> views, const MergeScene& scene, const LinearStack& stack,
           const BlockTarget& slab);

 private:
  void add_unit(const MergePlan& plan, const MergeScene& scene, const LinearStack& stack,
                const BlockTarget& slab);

  SharedQueue queue_;
  ViewMerging merging_;
  StagedTable tiles_;
  StagedTable sources_;
  DeviceMemory workspace_;
};

}  // namespace feldspar::kernels::cuda
