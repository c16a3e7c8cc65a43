#include "kernels/view_matrix.hpp"

#include "geometry/shadow_map.hpp"

namespace feldspar::kernels {

using geometry::Vec3;

// The shadow map over voxel indices, divided by its depth at the world origin, which makes the last row 1
// there.
ExactViewMatrix make_exact_view_matrix(const geometry::View& view, const geometry::VolumeGrid& grid) {
  const geometry::ShadowMap map = geometry::make_shadow_map(view);
  const double at_origin = map.constant - dot(map.depth, map.base);
  const Vec3 rows[3] = {map.column, map.row, map.depth};

  ExactViewMatrix matrix{};
  for (int row = 0; row < 3; ++row) {
    const Vec3 a = (1.0 / at_origin) * rows[row];
    matrix.m[4 * row + 0] = a.x * grid.spacing.x;
    matrix.m[4 * row + 1] = a.y * grid.spacing.y;
    matrix.m[4 * row + 2] = a.z * grid.spacing.z;
    matrix.m[4 * row + 3] = dot(a, grid.origin - map.base);
  }
  matrix.m[11] += map.constant / at_origin;
  return matrix;
}

ViewMatrix make_view_matrix(const geometry::View& view, const geometry::VolumeGrid& grid) {
  const ExactViewMatrix exact = make_exact_view_matrix(view, grid);
  ViewMatrix matrix{};
  for (int n = 0; n < 12; ++n) matrix.m[n] = static_cast<float>(exact.m[n]);
  return matrix;
}

}  // namespace feldspar::kernels
