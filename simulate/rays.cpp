// Rotation matrices of the panel and of the turntable, and what they make of pixels.
#include "simulate/rays.hpp"

#include <algorithm>
#include <cmath>

namespace feldspar::simulate {

using geometry::Vec3;

Vec3 Matrix3::times(Vec3 v) const {
  return {m[0][0] * v.x + m[0][1] * v.y + m[0][2] * v.z, m[1][0] * v.x + m[1][1] * v.y + m[1][2] * v.z,
          m[2][0] * v.x + m[2][1] * v.y + m[2][2] * v.z};
}

Vec3 Matrix3::transposed_times(Vec3 v) const {
  return {m[0][0] * v.x + m[1][0] * v.y + m[2][0] * v.z, m[0][1] * v.x + m[1][1] * v.y + m[2][1] * v.z,
          m[0][2] * v.x + m[1][2] * v.y + m[2][2] * v.z};
}

Matrix3 Matrix3::times(const Matrix3& other) const {
  Matrix3 product{};
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j)
      for (int k = 0; k < 3; ++k) product.m[i][j] += m[i][k] * other.m[k][j];
  return product;
}

Matrix3 rotation_x(double angle) {
  const double c = std::cos(angle), s = std::sin(angle);
  return {{{1, 0, 0}, {0, c, -s}, {0, s, c}}};
}

Matrix3 rotation_y(double angle) {
  const double c = std::cos(angle), s = std::sin(angle);
  return {{{c, 0, s}, {0, 1, 0}, {-s, 0, c}}};
}

Matrix3 rotation_z(double angle) {
  const double c = std::cos(angle), s = std::sin(angle);
  return {{{c, -s, 0}, {s, c, 0}, {0, 0, 1}}};
}

namespace {

/// Leans the turntable: its z onto the axis of the given roll and tilt while its x stays perpendicular to the
/// beam. Roll and tilt name the direction (sin r, sin t cos r, cos t cos r), which is that of a lean forward
/// by asin(sin t cos r), followed by a turn about the beam by atan(tan r / cos t).
Matrix3 lean(const geometry::RotationAxis& axis) {
  const double forward = std::asin(std::sin(axis.tilt) * std::cos(axis.roll));
  const double sideways = std::atan2(std::sin(axis.roll), std::cos(axis.tilt) * std::cos(axis.roll));
  return rotation_y(sideways).times(rotation_x(-forward));
}

}  // namespace

Rays::Rays(const geometry::CircularScan& scan, int view, double extra_angle)
    : detector_(scan.detector),
      panel_(rotation_z(detector_.slant).times(rotation_x(detector_.tilt)).times(rotation_y(detector_.roll))),
      object_(
          lean(scan.axis).times(rotation_z(scan.angles.at(static_cast<std::size_t>(view)) + extra_angle))),
      source_{0, -scan.source_object_distance, 0},
      panel_centre_{detector_.column_offset, scan.source_detector_distance - scan.source_object_distance,
                    detector_.row_offset},
      axis_point_{scan.axis.offset, 0, 0} {
  if (!scan.shifts.empty()) shift_ = scan.shifts.at(static_cast<std::size_t>(view));
}

Vec3 Rays::to_world(Vec3 laboratory) const { return object_.transposed_times(laboratory - axis_point_); }

Vec3 Rays::source() const { return to_world(source_); }

Vec3 Rays::pixel(double column, double row) const {
  // Content moved to higher columns is what pixels at lower places saw.
  const double u = (column + 0.5 - 0.5 * detector_.columns) * detector_.column_pitch - shift_.column;
  const double v = (row + 0.5 - 0.5 * detector_.rows) * detector_.row_pitch - shift_.row;
  return to_world(panel_centre_ + panel_.times(Vec3{u, 0, v}));
}

bool Rays::upright() const {
  const Vec3 step = pixel(0, detector_.rows) - pixel(0, 0);
  return std::abs(step.x) + std::abs(step.y) < 1e-12 * std::abs(step.z);
}

}  // namespace feldspar::simulate
