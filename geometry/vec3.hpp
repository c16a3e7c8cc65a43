// Points and directions in space, in millimetres.
#pragma once

#include <cmath>

namespace feldspar::geometry {

/// A point or direction.
struct Vec3 {
  double x = 0;  ///< mm
  double y = 0;  ///< mm
  double z = 0;  ///< mm
  friend constexpr bool operator==(const Vec3&, const Vec3&) = default;
};

[[nodiscard]] constexpr Vec3 operator+(Vec3 a, Vec3 b) { return {a.x + b.x, a.y + b.y, a.z + b.z}; }  ///< sum
/// Difference.
[[nodiscard]] constexpr Vec3 operator-(Vec3 a, Vec3 b) { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
/// Multiple.
[[nodiscard]] constexpr Vec3 operator*(double s, Vec3 a) { return {s * a.x, s * a.y, s * a.z}; }
/// Scalar product.
[[nodiscard]] constexpr double dot(Vec3 a, Vec3 b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
/// Vector product, right-handed.
[[nodiscard]] constexpr Vec3 cross(Vec3 a, Vec3 b) {
  return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}
[[nodiscard]] inline double norm(Vec3 a) { return std::sqrt(dot(a, a)); }  ///< length
/// Unit vector; of zero not finite.
[[nodiscard]] inline Vec3 normalised(Vec3 a) { return (1.0 / norm(a)) * a; }

}  // namespace feldspar::geometry
