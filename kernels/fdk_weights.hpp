// The weight that FDK gives each pixel before filtering, with every constant of the formula in it.
//
// With U the depth of a voxel along the detector's normal, U0 that of the axis, D the depth of the
// detector, R the distance from source to axis and h the ramp kernel for a column pitch du,
//   f(x) = sum over views of (U0/U)^2 * sum over columns of h'[i(x) - i] * w * p,
//   w    = step/2 * D/(U0^2 du) * R cos(gamma),      h' = du^2 h  (no unit),
// where cos(gamma) is the cosine between the pixel's ray and the line from the source straight to the
// axis. It holds for any detector whose rows are perpendicular to the axis, offset or slanted, and for an
// axis off the central ray. With the detector facing the axis it is Feldkamp, Davis and Kress (1984).
// In a parallel beam, the limit of a source far away, nothing depends on the pixel or the voxel:
//   w    = step/2 / (du cos(slant)) * cos(gamma),
// with gamma the angle between the rays and the plane of the turn. It is filtered back-projection.
#pragma once

#include <vector>

#include "geometry/scan.hpp"

namespace feldspar::kernels {

/// w(column, row) = scale * dot(r, to_axis) / |r| with r = ray + column * column_step + row * row_step.
struct FdkWeight {
  geometry::Vec3 ray;          ///< source to pixel (0, 0); of a parallel beam the direction, with steps of 0
  geometry::Vec3 column_step;  ///< mm, from a pixel to its neighbour in the next column
  geometry::Vec3 row_step;     ///< mm, from a pixel to its neighbour in the next row
  geometry::Vec3 to_axis;  ///< unit vector from the source straight to the z axis; level along parallel rays
  double scale = 0;        ///< all factors but the cosine
};

/// `angular_step` is the view's share of the turn in rad (geometry::AngularCoverage::steps).
[[nodiscard]] FdkWeight make_fdk_weight(const geometry::View& view, double angular_step);

/// w(column, row), as above.
[[nodiscard]] double weight_at(const FdkWeight& weight, double column, double row);

}  // namespace feldspar::kernels
