// The FDK back-projector as every backend offers it.
#pragma once

#include <cstddef>
#include <span>

#include "geometry/scan.hpp"
#include "geometry/volume_grid.hpp"
#include "kernels/backend.hpp"

namespace feldspar::kernels {

/// Adds filtered projections into a volume. Made by a Backend.
///
/// Every voxel gets, from every view, (U0/U)^2 times the projection interpolated bilinearly where the
/// voxel's shadow falls; U is the voxel's depth along the detector's normal and U0 the world origin's.
/// Pixels beyond the projection are 0. A slab of a volume is a grid with a moved origin, and a cropped
/// detector is a view with a moved pixel origin, so working in pieces needs no further argument, and the
/// value of a voxel does not depend on the slab it is computed in.
class BackProjector {
 public:
  virtual ~BackProjector() = default;

  /// Host memory this operator needs beyond its arguments for `views` projections of columns x rows and a
  /// slab on `grid`.
  [[nodiscard]] virtual std::size_t workspace_bytes(int columns, int rows, int views,
                                                    const geometry::VolumeGrid& grid) const = 0;

  /// Adds `projections` (columns x rows x views) into `volume`, which lies on `grid`.
  virtual void accumulate(std::span<const geometry::View> views, DeviceView3<const float> projections,
                          const geometry::VolumeGrid& grid, DeviceView3<float> volume) = 0;
};

}  // namespace feldspar::kernels
