// Puts a view's rays into voxel indices.
#pragma once

#include "geometry/scan.hpp"
#include "geometry/volume_grid.hpp"
#include "kernels/shared/joseph_ray.hpp"

namespace feldspar::kernels {

/// The rays of `view` where voxel (i, j, k) of `grid` is at (i, j, k).
[[nodiscard]] RayView make_ray_view(const geometry::View& view, const geometry::VolumeGrid& grid);

}  // namespace feldspar::kernels
