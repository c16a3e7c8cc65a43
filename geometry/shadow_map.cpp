// The formulas of docs/geometry.md, "From a scan to views".
#include "geometry/shadow_map.hpp"

namespace feldspar::geometry {

// A cone's ray from the source S through x meets the detector where t r = q + u U + v V, with r = x - S and
// q = pixel_origin - S. Dot products of both sides with V x q, with q x U and with U x V give
//   u = r.(V x q) / r.(U x V),   v = r.(q x U) / r.(U x V).
// A parallel beam's, along d, meets it where r + t d = u U + v V, with r = x - pixel_origin. Dot products
// with V x d and with d x U give
//   u = r.(V x d) / d.(U x V),   v = r.(d x U) / d.(U x V).
ShadowMap make_shadow_map(const View& view) {
  const bool parallel = view.is_parallel();
  const Vec3 base = parallel ? view.pixel_origin : view.source;
  const Vec3 along = parallel ? view.direction : view.pixel_origin - view.source;
  const Vec3 normal = cross(view.column_step, view.row_step);
  const double facing = dot(along, normal) < 0 ? -1 : 1;
  return {.base = base,
          .column = facing * cross(view.row_step, along),
          .row = facing * cross(along, view.column_step),
          .depth = parallel ? Vec3{} : facing * normal,
          .constant = parallel ? facing * dot(along, normal) : 0};
}

}  // namespace feldspar::geometry
