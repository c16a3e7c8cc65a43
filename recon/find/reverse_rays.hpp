// Where the same ray is measured the other way round, about an axis that is supposed.
#pragma once

#include <vector>

#include "geometry/scan.hpp"

namespace feldspar::recon {

/// Between which views an angle lies.
struct ViewPair {
  int first = -1, second = -1;  ///< views on both sides; -1 where none is near
  double share = 0;             ///< of the second; negative beyond the first
};

/// The views around the turn, to be asked for any angle.
class ViewsOfTurn {
 public:
  /// A half turn of a parallel beam that ends a step before its first view's reverse is continued in a
  /// straight line.
  ViewsOfTurn(const std::vector<double>& angles, bool continued);

  /// The views next to `angle`, rad.
  [[nodiscard]] ViewPair at(double angle) const;
  /// The views by their angle within the turn.
  [[nodiscard]] const std::vector<int>& in_order() const { return order_; }

 private:
  [[nodiscard]] ViewPair beyond(std::size_t low, std::size_t high, double before, double after) const;

  bool continued_;
  std::vector<double> sorted_;  ///< angles within a turn
  std::vector<int> order_;      ///< their views
  std::vector<int> start_;      ///< of each small sector, the first sorted angle in or after it
  double step_ = 0;             ///< typical, between neighbouring views
};

/// The plane of the axis and the source, or of the axis and the beam: reverse rays are mirrored in it, since
/// a ray and its reverse cross the height over the axis alike and at the same slope.
struct AxisPlane {
  geometry::Vec3 foot;    ///< a point of the axis
  geometry::Vec3 across;  ///< unit vector off the plane, to the right
  geometry::Vec3 ahead;   ///< unit vector from the source to the axis
  geometry::Vec3 up;      ///< unit vector along the axis
};

/// The reverse of a ray.
struct ReverseRay {
  double column = 0, row = 0;  ///< where its view measures it, of a view that is not shifted
  double turned = 0;           ///< rad from the ray's own view to that one
  double direction = 0;        ///< rad of the ray from the plane of the axis; 0 of a parallel beam
  double slope = 0;            ///< rows that it climbs a mm, at the axis; 0 of a parallel beam
};

/// A source and a detector, without axis and turn.
class ReverseRays {
 public:
  /// Of the detector of `scan`.
  explicit ReverseRays(const geometry::CircularScan& scan);

  /// The plane of an axis.
  [[nodiscard]] AxisPlane about(const geometry::RotationAxis& axis) const;
  /// The reverse of the ray to a pixel.
  [[nodiscard]] ReverseRay reverse(const AxisPlane& plane, double column, double row) const;

 private:
  bool parallel_;
  double rows_a_mm_;  ///< at the axis
  geometry::Vec3 source_, beam_, first_pixel_, column_step_, row_step_;
  geometry::Vec3 to_column_, to_row_, to_depth_;  ///< rows of the inverse of (column step, row step, depth)
};

}  // namespace feldspar::recon
