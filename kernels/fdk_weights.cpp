#include "kernels/fdk_weights.hpp"

#include <cmath>

namespace feldspar::kernels {

using geometry::Vec3;

namespace {

FdkWeight parallel_weight(const geometry::View& view, double angular_step) {
  const Vec3 normal = normalised(cross(view.row_step, view.column_step));
  const Vec3 level = normalised(Vec3{view.direction.x, view.direction.y, 0});
  return {.ray = view.direction,
          .column_step = {},
          .row_step = {},
          .to_axis = level,
          .scale = 0.5 * angular_step / (norm(view.column_step) * std::abs(dot(level, normal)))};
}

}  // namespace

FdkWeight make_fdk_weight(const geometry::View& view, double angular_step) {
  if (view.is_parallel()) return parallel_weight(view, angular_step);
  const Vec3 ray = view.pixel_origin - view.source;
  Vec3 normal = normalised(cross(view.row_step, view.column_step));
  if (dot(ray, normal) < 0) normal = -1.0 * normal;
  const double to_axis = std::hypot(view.source.x, view.source.y);
  const double detector_depth = dot(ray, normal), origin_depth = -dot(view.source, normal);
  return {.ray = ray,
          .column_step = view.column_step,
          .row_step = view.row_step,
          .to_axis = {-view.source.x / to_axis, -view.source.y / to_axis, 0},
          .scale = 0.5 * angular_step * detector_depth /
                   (origin_depth * origin_depth * norm(view.column_step)) * to_axis};
}

double weight_at(const FdkWeight& weight, double column, double row) {
  const Vec3 r = weight.ray + column * weight.column_step + row * weight.row_step;
  return weight.scale * dot(r, weight.to_axis) / norm(r);
}

}  // namespace feldspar::kernels
