// Values between voxels: cubic convolution (Keys 1981), and its gradient.
#pragma once

#include <cmath>
#include <limits>

#include "base/view3.hpp"
#include "geometry/vec3.hpp"
#include "kernels/shared/parts.hpp"

namespace feldspar::recon::registration {

/// NaN when the place, in voxels, is not between voxels 1 and n - 2 along each side, or touches a NaN.
struct Sample {
  double value = std::numeric_limits<double>::quiet_NaN();  ///< at the place
  geometry::Vec3 gradient;                                  ///< a voxel
};

/// Weights of four neighbours and their derivatives, for a place `t` in [0, 1) between the middle two.
struct CubicWeights {
  double w[4], d[4];  ///< weights and derivatives

  /// Of place `t`.
  explicit CubicWeights(double t) {
    const double t2 = t * t, t3 = t2 * t;
    w[0] = 0.5 * (-t3 + 2 * t2 - t), w[1] = 0.5 * (3 * t3 - 5 * t2 + 2);
    w[2] = 0.5 * (-3 * t3 + 4 * t2 + t), w[3] = 0.5 * (t3 - t2);
    d[0] = 0.5 * (-3 * t2 + 4 * t - 1), d[1] = 0.5 * (9 * t2 - 10 * t);
    d[2] = 0.5 * (-9 * t2 + 8 * t + 1), d[3] = 0.5 * (3 * t2 - 2 * t);
  }
};

/// The volume and its gradient at `at`, in voxels, by cubic convolution.
[[nodiscard]] inline Sample sample(View3<const float> volume, geometry::Vec3 at) {
  const kernels::Parts<double> across = kernels::parts_of(at.x), along = kernels::parts_of(at.y),
                               up = kernels::parts_of(at.z);
  const double x = across.whole, y = along.whole, z = up.whole;
  Sample result;
  if (!(x >= 1 && y >= 1 && z >= 1 && x < volume.nx - 2 && y < volume.ny - 2 && z < volume.nz - 2))
    return result;
  const CubicWeights u(across.fraction), v(along.fraction), w(up.fraction);
  const int i = static_cast<int>(x) - 1, j = static_cast<int>(y) - 1, k = static_cast<int>(z) - 1;
  result.value = 0;
  for (int c = 0; c < 4; ++c)
    for (int b = 0; b < 4; ++b) {
      const float* row = volume.row(j + b, k + c) + i;
      const double line = u.w[0] * row[0] + u.w[1] * row[1] + u.w[2] * row[2] + u.w[3] * row[3];
      const double slope = u.d[0] * row[0] + u.d[1] * row[1] + u.d[2] * row[2] + u.d[3] * row[3];
      result.value += v.w[b] * w.w[c] * line;
      result.gradient.x += v.w[b] * w.w[c] * slope;
      result.gradient.y += v.d[b] * w.w[c] * line;
      result.gradient.z += v.w[b] * w.d[c] * line;
    }
  return result;
}

}  // namespace feldspar::recon::registration
