// Questions to the measured rays alone: do opposite views agree, does
// air transmit everything. docs/trust.md derives the limits.
#pragma once

#include "recon/verify/mid_plane.hpp"
#include "recon/verify/verdict.hpp"

namespace feldspar::recon {

/// How far the same rays, measured from both ends, are from agreeing.
struct OppositeRays {
  double pairs = 0;        ///< rays that have an opposite
  double misfit = 0;       ///< rms of their differences
  double scale = 0;        ///< share by which the detector is nearer or further than the geometry says
  double scale_error = 0;  ///< one standard deviation
};

/// In the plane of the source alone are opposite rays the same line: `sinogram` should be near it.
[[nodiscard]] OppositeRays compare_opposite_rays(const Sinogram& sinogram, int threads);

/// Where the axis is by the path of the object's centre of mass, which is a circle around it (the second of
/// the consistency conditions of Helgason and Ludwig): a parallel beam sees it as A cos + B sin + shift.
struct CentreOfMass {
  double shift = 0;               ///< columns that the axis' shadow is beside where the geometry puts it
  double shift_error = INFINITY;  ///< one standard deviation; infinite where nothing can be said
};

/// Of a parallel beam over about half a turn or more that sees the whole object.
[[nodiscard]] CentreOfMass follow_centre_of_mass(const Sinogram& sinogram);

/// Is the axis of a parallel beam where the geometry says, by the centre of mass.
[[nodiscard]] Check check_axis_by_mass(const Sinogram& sinogram);
/// Do the distances agree with the fan of the rays. `resampled`: onto an upright detector, whose pixels are
/// blurred more or less by where they fall.
[[nodiscard]] Check check_distances(const Sinogram& sinogram, const OppositeRays& rays, bool resampled);

/// The level of the outermost columns, where they see air.
[[nodiscard]] Check check_air(const Sinogram& sinogram, double noise);

}  // namespace feldspar::recon
