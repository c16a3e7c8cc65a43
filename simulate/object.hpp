// Something to put before the beam: where it attenuates how much, and its exact line integrals.
//
// An object is fixed to the world axes of geometry/scan.hpp: z is the rotation axis, lengths are mm,
// attenuation 1/mm. Integrals are computed from surfaces, never from voxels, so that a reconstruction is
// compared with the truth and not with another discretisation of it.
#pragma once

#include <span>

#include "base/parallel.hpp"
#include "base/view3.hpp"
#include "geometry/vec3.hpp"
#include "geometry/volume_grid.hpp"

namespace feldspar::simulate {

/// Rays from one point to points that stand one above the other: row r ends at (x, y, z + r * step) of
/// `lowest`.
struct ColumnOfRays {
  geometry::Vec3 source;
  geometry::Vec3 lowest;
  double step = 0;
};

class Object {
 public:
  virtual ~Object() = default;

  /// 1/mm. On a surface, the value of either side.
  [[nodiscard]] virtual double attenuation_at(geometry::Vec3 point) const = 0;

  /// Attenuation integrated along the straight path between two points; no unit.
  [[nodiscard]] virtual double line_integral(geometry::Vec3 from, geometry::Vec3 to) const = 0;

  /// line_integral() of every ray of a column, for objects that can share work between them.
  virtual void line_integrals(const ColumnOfRays& rays, std::span<double> integrals) const;
};

/// Fills `volume` with the mean attenuation of each voxel of `grid`: exact along z, the mean of
/// `samples` x `samples` evenly spaced vertical lines in x and y. In a voxel that a straight vertical
/// surface between attenuations a and b cuts, the error is at most |a - b| / samples.
void voxel_means(const Object& object, const geometry::VolumeGrid& grid, int samples, View3<float> volume,
                 ThreadPool& pool);

}  // namespace feldspar::simulate
