#include "kernels/ray_view.hpp"

namespace feldspar::kernels {

using geometry::Vec3;

RayView make_ray_view(const geometry::View& view, const geometry::VolumeGrid& grid) {
  const auto put = [&](double(&to)[3], Vec3 v) {
    to[0] = v.x / grid.spacing.x, to[1] = v.y / grid.spacing.y, to[2] = v.z / grid.spacing.z;
  };
  RayView rays{};
  rays.parallel = view.is_parallel();
  put(rays.source, rays.parallel ? view.direction : view.source - grid.origin);
  put(rays.pixel, view.pixel_origin - grid.origin);
  put(rays.column, view.column_step);
  put(rays.row, view.row_step);
  rays.spacing[0] = grid.spacing.x, rays.spacing[1] = grid.spacing.y, rays.spacing[2] = grid.spacing.z;
  return rays;
}

}  // namespace feldspar::kernels
