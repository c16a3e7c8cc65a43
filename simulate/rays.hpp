// Where source and pixels of an instrument are, seen from the object: the simulator's own derivation.
//
// It reads geometry::CircularScan as a list of parameters and never calls geometry::make_views. There the
// instrument is turned around the object with vectors; here pixels are placed in the laboratory by rotation
// matrices, and the object's pose is undone. A mistake in either shows as a disagreement.
#pragma once

#include "geometry/scan.hpp"
#include "geometry/vec3.hpp"

namespace feldspar::simulate {

/// Row by row.
struct Matrix3 {
  double m[3][3];
  [[nodiscard]] geometry::Vec3 times(geometry::Vec3 v) const;
  [[nodiscard]] geometry::Vec3 transposed_times(geometry::Vec3 v) const;
  [[nodiscard]] Matrix3 times(const Matrix3& other) const;
};
/// Right-handed rotations about the laboratory's axes, radians.
[[nodiscard]] Matrix3 rotation_x(double angle);
[[nodiscard]] Matrix3 rotation_y(double angle);
[[nodiscard]] Matrix3 rotation_z(double angle);

/// One pose of the object before source and detector.
class Rays {
 public:
  /// View `view` of the scan with its object turned on by `extra_angle`.
  Rays(const geometry::CircularScan& scan, int view, double extra_angle = 0);

  /// In world coordinates, mm. Columns and rows may be fractions of pixels.
  [[nodiscard]] geometry::Vec3 source() const;
  [[nodiscard]] geometry::Vec3 pixel(double column, double row) const;

  /// Rows of a column stand one above the other along the world's z.
  [[nodiscard]] bool upright() const;

 private:
  [[nodiscard]] geometry::Vec3 to_world(geometry::Vec3 laboratory) const;

  const geometry::Detector detector_;
  Matrix3 panel_;   ///< panel axes to laboratory axes
  Matrix3 object_;  ///< world axes to laboratory axes
  geometry::Vec3 source_, panel_centre_, axis_point_;
  geometry::ViewShift shift_;
};

}  // namespace feldspar::simulate
