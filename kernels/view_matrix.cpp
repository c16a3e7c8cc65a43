#include "kernels/view_matrix.hpp"

#include "geometry/shadow_map.hpp"

namespace feldspar::kernels {

using geometry::Vec3;

// The shadow map over voxel indices, divided by its depth at the world origin, which makes the last row 1
// there.
ExactViewMatrix make_exact_view_matrix(const geometry::View& view, const geometry::VolumeGrid& grid) {
  const geometry::ShadowMap map = geometry::make_shadow_map(view);
  const double at_origin = map.constant - dot(map.depth, map.base);
  const auto row_of = [&](const Vec3& row) -> MatrixRow<double> {
    const Vec3 a = (1.0 / at_origin) * row;
    return {a.x * grid.spacing.x, a.y * grid.spacing.y, a.z * grid.spacing.z, dot(a, grid.origin - map.base)};
  };
  ExactViewMatrix matrix{row_of(map.column), row_of(map.row), row_of(map.depth)};
  matrix.w.constant += map.constant / at_origin;
  return matrix;
}

ViewMatrix make_view_matrix(const geometry::View& view, const geometry::VolumeGrid& grid) {
  const ExactViewMatrix exact = make_exact_view_matrix(view, grid);
  const auto rounded = [](const MatrixRow<double>& row) -> MatrixRow<float> {
    return {static_cast<float>(row.i), static_cast<float>(row.j), static_cast<float>(row.k),
            static_cast<float>(row.constant)};
  };
  return {rounded(exact.u), rounded(exact.v), rounded(exact.w)};
}

}  // namespace feldspar::kernels
