// Builds the matrix that takes voxel indices to detector pixels.
#pragma once

#include "geometry/scan.hpp"
#include "geometry/volume_grid.hpp"
#include "kernels/shared/view_matrix.hpp"

namespace feldspar::kernels {

/// The same matrix in double precision: what slab-sized offsets are computed with before anything is rounded.
using ExactViewMatrix = ViewMatrixOf<double>;

/// From the voxel indices of `grid` to the pixels of `view`.
[[nodiscard]] ExactViewMatrix make_exact_view_matrix(const geometry::View& view,
                                                     const geometry::VolumeGrid& grid);
/// The same, rounded.
[[nodiscard]] ViewMatrix make_view_matrix(const geometry::View& view, const geometry::VolumeGrid& grid);

}  // namespace feldspar::kernels
