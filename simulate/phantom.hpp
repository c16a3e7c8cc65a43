// Objects made of simple bodies, composed by addition.
//
// Where bodies overlap their attenuations add up, as in the Shepp-Logan phantom: a hole is a body of
// negative share, a core of another value is a body of the difference. Sums of exact chords are exact, and
// the order of the bodies does not matter.
#pragma once

#include <array>
#include <vector>

#include "simulate/object.hpp"

namespace feldspar::simulate {

/// Three orthonormal directions of the world that a body calls its x, y and z.
using Axes = std::array<geometry::Vec3, 3>;
constexpr Axes world_axes{{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};

/// World axes turned by `angle` (radians, right-handed) about the world's z.
[[nodiscard]] Axes turned_about_z(double angle);
/// Axes whose z points along `direction`; x and y are any that complete it.
[[nodiscard]] Axes along(geometry::Vec3 direction);

enum class Shape { ellipsoid, cylinder, box };

struct Body {
  Shape shape = Shape::ellipsoid;
  geometry::Vec3 centre{};
  geometry::Vec3 half_size{
      1, 1, 1};  ///< mm along the body's own axes: semi-axes, or half edges; a cylinder's z is its axis
  Axes axes = world_axes;
  double hole = 0;   ///< of a cylinder: inner over outer radius, in [0, 1); a tube when positive
  int material = 0;  ///< index into the phantom's attenuations
  double share = 1;  ///< of that material's attenuation this body adds; negative takes away
};

class Phantom : public Object {
 public:
  /// `attenuations` in 1/mm, one a material. Integrals are linear in them: with 1 for one material and 0 for
  /// the others an integral is that material's path length, which is what a polychromatic beam needs.
  /// Throws Error(usage) for a body without extent or of a material that is not there.
  Phantom(std::vector<Body> bodies, std::vector<double> attenuations);

  [[nodiscard]] double attenuation_at(geometry::Vec3 point) const override;
  [[nodiscard]] double line_integral(geometry::Vec3 from, geometry::Vec3 to) const override;
  [[nodiscard]] const std::vector<Body>& bodies() const { return bodies_; }

 private:
  std::vector<Body> bodies_;
  std::vector<double> attenuations_;
};

/// The modified three-dimensional Shepp-Logan head (ten ellipsoids; skull 1.0, brain 0.2), whose unit
/// length is `radius` mm and whose unit attenuation is `attenuation` 1/mm.
/// The table is that of Matlab's phantom3d: Kak and Slaney's ellipsoids with Toft's contrasts.
[[nodiscard]] Phantom shepp_logan(double radius, double attenuation);

/// A uniform upright cylinder around the axis.
[[nodiscard]] Phantom uniform_cylinder(double radius, double height, double attenuation);

/// Small spheres at places that no turn or mirror image maps onto each other, in a faint cylinder: tells a
/// wrong sense of rotation, a mirrored detector and an upside-down one apart. `radius` mm is the cylinder's.
[[nodiscard]] Phantom markers(double radius, double attenuation);

}  // namespace feldspar::simulate
