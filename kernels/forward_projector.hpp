// Line integrals through a volume and their exact adjoint, as every backend offers them.
#pragma once

#include <span>

#include "geometry/coverage.hpp"
#include "geometry/scan.hpp"
#include "geometry/volume_grid.hpp"
#include "kernels/backend.hpp"

namespace feldspar::kernels {

/// Projects a volume onto views, by Joseph's method (IEEE Trans. Med. Imaging 1, 192, 1982): a ray is sampled
/// where it crosses the planes of voxel centres that it meets most steeply, bilinearly within each plane,
/// and every sample counts the ray's length from plane to plane. Voxels beyond the grid are 0. Rays of a cone
/// beam begin at the source; nothing ends them. Made by a Backend; no weights are applied: of a volume in
/// 1/mm the result has no unit.
///
/// `window` names pixels by the detector's indices and may reach beyond it on every side: a view is a
/// plane, not a panel. `slices` are those of `grid` that `volume` holds. Both directions are linear and add
/// to their target: the projections of a volume are the sum of those of its slabs.
class ForwardProjector {
 public:
  virtual ~ForwardProjector() = default;

  /// Adds the line integrals of `volume` to `projections`, the pixels of `window` in each of `views`.
  virtual void accumulate(std::span<const geometry::View> views, const geometry::PixelWindow& window,
                          DeviceView3<float> projections, const geometry::VolumeGrid& grid,
                          geometry::Range slices, DeviceView3<const float> volume) = 0;

  /// The transposed operation: adds to every voxel the values of the pixels whose rays it contributes to,
  /// with the weights of accumulate(). On host backends a voxel's bits do not depend on the slices it is
  /// computed with; elsewhere the order of the sum may change from call to call.
  virtual void accumulate_adjoint(std::span<const geometry::View> views, const geometry::PixelWindow& window,
                                  DeviceView3<const float> projections, const geometry::VolumeGrid& grid,
                                  geometry::Range slices, DeviceView3<float> volume) = 0;
};

}  // namespace feldspar::kernels
