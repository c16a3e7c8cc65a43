// Where points fall on a view's detector, as one linear map in homogeneous coordinates: what view matrices
// and homographies are made of.
#pragma once

#include "geometry/scan.hpp"

namespace feldspar::geometry {

/// Of a world point x, with r = x - base:
///   column = dot(column, r) / w,   row = dot(row, r) / w,   w = dot(depth, r) + constant.
/// w is positive on the detector's side of a cone's source, and one and the same for all points of a parallel
/// beam.
struct ShadowMap {
  Vec3 base;                ///< mm: the source of a cone, pixel (0, 0) of a parallel beam
  Vec3 column, row, depth;  ///< what r is multiplied with
  double constant = 0;      ///< of w
};

/// The map of a view.
[[nodiscard]] ShadowMap make_shadow_map(const View& view);

}  // namespace feldspar::geometry
