// Turning, moving and scaling: how one volume's points lie in another.
#pragma once

#include <array>

#include "geometry/vec3.hpp"

namespace feldspar::geometry {

/// Rows of a proper rotation.
using Rotation = std::array<Vec3, 3>;

/// The identity.
inline constexpr Rotation no_rotation{{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};

/// The vector turned.
[[nodiscard]] constexpr Vec3 operator*(const Rotation& r, Vec3 v) {
  return {dot(r[0], v), dot(r[1], v), dot(r[2], v)};
}
/// The inverse of a rotation.
[[nodiscard]] constexpr Rotation transposed(const Rotation& r) {
  return {{{r[0].x, r[1].x, r[2].x}, {r[0].y, r[1].y, r[2].y}, {r[0].z, r[1].z, r[2].z}}};
}
/// First `b`, then `a`.
[[nodiscard]] Rotation operator*(const Rotation& a, const Rotation& b);

/// The rotation by |v| radians about the axis v, counter-clockwise seen against it (Rodrigues).
[[nodiscard]] Rotation rotation_about(Vec3 v);

/// Its inverse: the vector no longer than pi.
[[nodiscard]] Vec3 vector_of(const Rotation& r);

/// p -> scale * rotation * p + shift, in mm.
struct Similarity {
  double scale = 1;                 ///< positive
  Rotation rotation = no_rotation;  ///< applied first
  Vec3 shift;                       ///< mm, applied last

  /// Where p goes.
  [[nodiscard]] constexpr Vec3 operator()(Vec3 p) const { return scale * (rotation * p) + shift; }
};

/// The way back.
[[nodiscard]] Similarity inverse(const Similarity& s);

/// First `first`, then `then`.
[[nodiscard]] Similarity chained(const Similarity& first, const Similarity& then);

/// A rotation as one about z alone, and one about a level axis after it.
struct UprightParts {
  double turn = 0;              ///< about z, radians
  Rotation lean = no_rotation;  ///< about a level axis, after the turn
};
/// The parts of a rotation; their product is `r`.
[[nodiscard]] UprightParts upright_parts(const Rotation& r);

}  // namespace feldspar::geometry
