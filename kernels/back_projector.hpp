// The FDK back-projector as every backend offers it.
#pragma once

#include <cstddef>
#include <limits>
#include <span>

#include "geometry/coverage.hpp"
#include "geometry/scan.hpp"
#include "geometry/volume_grid.hpp"
#include "kernels/backend.hpp"
#include "kernels/view_merging.hpp"

namespace feldspar::kernels {

/// What a back-projector may leave out and put together.
struct BackProjectorSpec {
  /// Voxels whose centre is further than this from the rotation axis, in mm, may be left out.
  double radius = std::numeric_limits<double>::infinity();
  /// Neighbouring views to merge, on backends that can (Backend::merges_views).
  ViewMerging merging;
};

/// Adds filtered projections into a volume. Made by a Backend.
///
/// Every voxel gets, from every view, (U0/U)^2 times the projection interpolated bilinearly where the
/// voxel's shadow falls; U is the voxel's depth along the detector's normal and U0 the world origin's.
/// Pixels beyond the detector are 0. Pieces are named by index ranges of the whole grid and the whole
/// detector, never by moved origins: so a voxel is computed from the same numbers, to the last bit,
/// whichever slab it is in, provided that every call brings the same groups of views: the first view of
/// each call must be a multiple of merging.batch_unit().
class BackProjector {
 public:
  virtual ~BackProjector() = default;

  /// Memory that this operator needs beside its arguments, where buffers are, for `views` projections of
  /// columns x rows.
  [[nodiscard]] virtual std::size_t workspace_bytes(int columns, int rows, int views) const = 0;

  /// Adds `projections`, the detector rows `rows` of all columns of `views`, into `volume`, the z-slices
  /// `slices` of `grid`. The rows must hold the shadow of the slab as far as the detector does
  /// (geometry::shadow_window), and merging.extra_rows() more; rows outside the range count as 0.
  virtual void accumulate(std::span<const geometry::View> views, geometry::Range rows,
                          DeviceView3<const float> projections, const geometry::VolumeGrid& grid,
                          geometry::Range slices, DeviceView3<float> volume) = 0;
};

}  // namespace feldspar::kernels
