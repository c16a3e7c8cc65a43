#include "kernels/view_matrix.hpp"

namespace feldspar::kernels {

using geometry::Vec3;

// With r = x - source and q = pixel_origin - source, the ray t r = q + u U + v V meets the detector at
//   u = r.(V x q) / r.(U x V),   v = r.(q x U) / r.(U x V)
// (take the dot product of both sides with V x q, with q x U and with U x V). Dividing all three rows by
// the value of r.(U x V) at the world origin makes the last row 1 there.
ExactViewMatrix make_exact_view_matrix(const geometry::View& view, const geometry::VolumeGrid& grid) {
  const Vec3 q = view.pixel_origin - view.source;
  const Vec3 normal = cross(view.column_step, view.row_step);
  const double at_origin = -dot(view.source, normal);
  const Vec3 rows[3] = {cross(view.row_step, q), cross(q, view.column_step), normal};

  ExactViewMatrix matrix{};
  for (int row = 0; row < 3; ++row) {
    const Vec3 a = (1.0 / at_origin) * rows[row];
    matrix.m[4 * row + 0] = a.x * grid.spacing.x;
    matrix.m[4 * row + 1] = a.y * grid.spacing.y;
    matrix.m[4 * row + 2] = a.z * grid.spacing.z;
    matrix.m[4 * row + 3] = dot(a, grid.origin - view.source);
  }
  return matrix;
}

ViewMatrix make_view_matrix(const geometry::View& view, const geometry::VolumeGrid& grid) {
  const ExactViewMatrix exact = make_exact_view_matrix(view, grid);
  ViewMatrix matrix{};
  for (int n = 0; n < 12; ++n) matrix.m[n] = static_cast<float>(exact.m[n]);
  return matrix;
}

}  // namespace feldspar::kernels
