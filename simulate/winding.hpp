// The plan of a jelly roll: an Archimedean spiral of layers, optionally buckled inwards at its core, and
// where a straight path crosses from one layer to the next.
//
// With rho the radius a place had before it was buckled and theta its azimuth, the phase
//     s = (rho - inner_radius) / pitch - theta / 2 pi
// tells everything: the layers are bands of the fraction of s, and floor(s) + theta / 2 pi counts the turns
// wound since the start. Layer boundaries are level sets of s, so a path meets them at the roots of
// s(t) = const, found in brackets between the extremes of s along the path.
#pragma once

#include <vector>

#include "geometry/vec3.hpp"

namespace feldspar::simulate {

/// Windings pushed towards the axis around one azimuth: a place at radius r was wound at radius
/// r + depth h(theta) exp(-(r - (inner_radius - depth)) / decay), h = cos^16((theta - azimuth) / 2), 67
/// degrees wide at half its depth. The same at all heights.
struct Buckle {
  double depth = 0;    ///< mm, less than `decay` so that no layer folds over
  double decay = 0.5;  ///< mm
  double azimuth = 0;  ///< radians
};

struct Winding {
  double inner_radius = 0;        ///< mm, where the first layer begins at azimuth 0
  double outer_radius = 0;        ///< mm, of the last layer's end
  std::vector<double> thickness;  ///< mm, of one turn's layers from the inside; their sum is the pitch
  Buckle buckle;

  [[nodiscard]] double pitch() const;
  [[nodiscard]] double turns() const { return (outer_radius - inner_radius) / pitch() - 1; }
  /// No layer lies nearer the axis.
  [[nodiscard]] double core_radius() const { return inner_radius - buckle.depth; }
};

/// A straight path over the plan: the point at `t` mm is foot + t * direction, nearest the axis at t = 0.
struct PlanPath {
  double direction_x = 0;
  double direction_y = 0;
  double offset = 0;  ///< signed distance from the axis: positive when the path passes it counter-clockwise

  [[nodiscard]] double x(double t) const { return offset * direction_y + t * direction_x; }
  [[nodiscard]] double y(double t) const { return t * direction_y - offset * direction_x; }
};

/// Where a place lies in the roll.
struct WoundPlace {
  int layer = 0;     ///< index into Winding::thickness
  double turns = 0;  ///< from the start; outside [0, turns()] nothing is wound
};
[[nodiscard]] WoundPlace locate(const Winding& winding, double x, double y);

/// Adds to `cuts` the places in (begin, end) where the path crosses layer boundaries, to within 1e-9 mm.
/// Between begin and end the path must stay outside core_radius(). Where a buckled layer bends so sharply
/// that the path dips into it and out within 10 um, that dip (less than 0.05 um deep) can be missed.
void cut_by_layers(const Winding& winding, const PlanPath& path, double begin, double end,
                   std::vector<double>& cuts);

}  // namespace feldspar::simulate
