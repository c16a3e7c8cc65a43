// The windings of a jelly roll in a slice: where they are, as far as they can be followed.
#pragma once

#include <vector>

#include "base/view3.hpp"

namespace feldspar::recon::measure {

/// Radii in mm at evenly spaced azimuths from 0 to a full turn, rising at each.
using Windings = std::vector<std::vector<double>>;

/// Where windings are, and how dense.
struct Roll {
  double x = 0, y = 0;                  ///< its axis in the slice, voxels from the centre of voxel (0, 0)
  double spacing = 0;                   ///< mm a voxel
  double inner = 0, outer = 0;          ///< radii in mm between which windings are looked for
  double pitch = 0;                     ///< mm from winding to winding
  static constexpr int azimuths = 720;  ///< at which radii are traced
};

/// Bright layers, one a pitch: maxima along the radius, after a Gaussian of a sixth of the pitch (which
/// leaves half of a winding's contrast and a tenth of what lies within it), that a chain over 20 degrees or
/// more links from azimuth to azimuth by steps of less than an eighth of the pitch. Throws Error(usage) when
/// the roll leaves the slice or has no width.
[[nodiscard]] Windings trace_windings(View3<const float> slice, const Roll& roll);

/// How right traced windings are.
struct TraceScore {
  double traced = 0;        ///< share of the true places that a traced one is within a quarter pitch of
  double invented = 0;      ///< share of the traced places that no true one is so near
  double radius_error = 0;  ///< mm, root mean square over the traced true places
};

/// Both of the same number of azimuths. Throws Error(usage) for others, and for a truth without windings.
[[nodiscard]] TraceScore score_windings(const Windings& traced, const Windings& truth, double pitch);

}  // namespace feldspar::recon::measure
