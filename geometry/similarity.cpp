// Rotations are kept as matrices; vectors are for people and for small steps.
#include "geometry/similarity.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace feldspar::geometry {

Rotation operator*(const Rotation& a, const Rotation& b) {
  const Rotation columns = transposed(b);
  Rotation product;
  for (std::size_t i = 0; i < 3; ++i)
    product[i] = {dot(a[i], columns[0]), dot(a[i], columns[1]), dot(a[i], columns[2])};
  return product;
}

Rotation rotation_about(Vec3 v) {
  const double angle = norm(v);
  if (angle == 0) return no_rotation;
  const Vec3 axis = (1 / angle) * v;
  const double sin = std::sin(angle), cos = std::cos(angle);
  Rotation columns;
  for (std::size_t n = 0; n < 3; ++n) {
    const Vec3 e = no_rotation[n];
    columns[n] = cos * e + sin * cross(axis, e) + ((1 - cos) * dot(axis, e)) * axis;
  }
  return transposed(columns);
}

// Through the quaternion of the largest component, which keeps every digit at all angles (Shepperd 1978).
Vec3 vector_of(const Rotation& r) {
  const double trace = r[0].x + r[1].y + r[2].z;
  const std::array<double, 4> squares{1 + trace, 1 - trace + 2 * r[0].x, 1 - trace + 2 * r[1].y,
                                      1 - trace + 2 * r[2].z};
  const auto largest = std::max_element(squares.begin(), squares.end()) - squares.begin();
  const double x = r[2].y - r[1].z, y = r[0].z - r[2].x, z = r[1].x - r[0].y;
  const double xy = r[0].y + r[1].x, yz = r[1].z + r[2].y, zx = r[2].x + r[0].z;
  std::array<double, 4> q{squares[0], x, y, z};
  if (largest == 1) q = {x, squares[1], xy, zx};
  if (largest == 2) q = {y, xy, squares[2], yz};
  if (largest == 3) q = {z, zx, yz, squares[3]};
  const Vec3 axis = (q[0] < 0 ? -1.0 : 1.0) * Vec3{q[1], q[2], q[3]};
  const double length = norm(axis);
  return length == 0 ? Vec3{} : (2 * std::atan2(length, std::abs(q[0])) / length) * axis;
}

Similarity inverse(const Similarity& s) {
  Similarity back{1 / s.scale, transposed(s.rotation), {}};
  back.shift = -back.scale * (back.rotation * s.shift);
  return back;
}

Similarity chained(const Similarity& first, const Similarity& then) {
  return {then.scale * first.scale, then.rotation * first.rotation, then(first.shift)};
}

UprightParts upright_parts(const Rotation& r) {
  const Vec3 up{r[0].z, r[1].z, r[2].z};  // where z goes
  const Vec3 level = cross({0, 0, 1}, up);
  const double sine = norm(level);
  UprightParts parts;
  if (sine > 0) parts.lean = rotation_about((std::atan2(sine, up.z) / sine) * level);
  if (sine == 0 && up.z < 0) parts.lean = rotation_about({std::numbers::pi, 0, 0});
  const Rotation upright = transposed(parts.lean) * r;
  parts.turn = std::atan2(upright[1].x, upright[0].x);
  return parts;
}

}  // namespace feldspar::geometry
