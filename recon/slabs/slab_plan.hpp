// How a reconstruction is cut into slabs of z-slices that fit the memory.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

#include "geometry/coverage.hpp"
#include "geometry/volume_grid.hpp"
#include "kernels/view_merging.hpp"
#include "recon/line_integrals/line_integral_stage.hpp"

namespace feldspar::recon {

/// A part of the volume and the pixels it is made from: an independent job from raw rows to voxels.
struct Slab : DetectorRows {
  geometry::Range slices;  ///< of the volume
};

/// What the pieces of work cost in memory.
struct MemoryCosts {
  std::size_t count_bytes = 2;  ///< of a raw pixel
  std::size_t fixed = 0;        ///< of the process, the reader, the writer and the filter
  int devices = 1;              ///< that share the slabs, each with buffers of its own
  std::optional<std::size_t>
      device_limit{};              ///< of each device's own memory; none: they compute in the host's
  std::size_t device_fixed = 0;    ///< of each device's own: references and tables
  int halo_rows = 0;               ///< of the real detector, that corrections ask for beyond those needed
  std::size_t held_row_bytes = 0;  ///< of a source row of a slab, held in all views in host memory
  kernels::ViewMerging merging;    ///< sets what batches are multiples of, and rows beyond the shadow
  /// Of the back-projector for projections of columns x rows and a number of views.
  std::function<std::size_t(int columns, int rows, int views)> back_projector;
  /// Of what continues truncated rows, for projections of that many rows.
  std::function<std::size_t(int rows)> extension;
};

/// How a volume is cut into slabs, and what that takes.
struct SlabPlan {
  static constexpr int slice_step = 16;    ///< slabs begin at multiples of what a chunk of the output is high
  static constexpr int slice_block = 128;  ///< that the column kernel computes together, wherever slabs begin
  std::vector<Slab> slabs;                 ///< lowest first
  int views_per_batch = 0;        ///< a multiple of ViewMerging::batch_unit(), which a voxel's bits depend on
  std::size_t memory = 0;         ///< bytes of host memory at the peak
  std::size_t device_memory = 0;  ///< bytes of each device's own at the peak; 0 where there is none
  std::size_t bytes_to_read = 0;  ///< of raw pixels, those that slabs share counted for each

  /// What the line integrals of any of its batches need.
  [[nodiscard]] LineIntegralRoom room() const;
};

/// The plan with the fewest slabs (then the largest batches) within `budget` bytes of host memory and the
/// devices' own; at least one slab a device, where there are enough slices. Devices with memory of their own
/// are to have four to eight slabs, and two each, no lower than a block of the kernel, so that computing,
/// bringing to the host and writing overlap. Only `slices` where they are given, beginning at a multiple of
/// slice_step. A pure function. Throws Error(out_of_memory) saying what the smallest possible plan needs.
[[nodiscard]] SlabPlan plan_slabs(const UprightDetector& detector, const geometry::VolumeGrid& grid,
                                  std::size_t budget, const MemoryCosts& costs, geometry::Range slices = {});

/// Bytes of host memory that the smallest possible plan needs: the least budget that plan_slabs accepts.
[[nodiscard]] std::size_t least_memory(const UprightDetector& detector, const geometry::VolumeGrid& grid,
                                       const MemoryCosts& costs, geometry::Range slices = {});

/// The slab of the given slices, with the rows and pixels it needs: its shadow, `extra_rows` beside it, and
/// `halo_rows` of the real detector beyond those.
[[nodiscard]] Slab make_slab(const UprightDetector& detector, const geometry::VolumeGrid& grid,
                             geometry::Range slices, int extra_rows = 0, int halo_rows = 0);

}  // namespace feldspar::recon
