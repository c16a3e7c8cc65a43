// From voxel index to detector pixel: the arithmetic that the CPU and CUDA back-projectors share. The
// reference backend does not use it: it works from the scan's vectors, so that the two can disagree.
#pragma once

#include "kernels/shared/host_device.hpp"

namespace feldspar::kernels {

/// Where a voxel's shadow falls, in pixels from the centre of the first pixel.
template <class Real>
struct Shadow {
  Real u;
  Real v;
  Real magnification;  ///< relative to the world origin, where it is 1
};

/// Row-major 3x4 matrix taking (i, j, k, 1) to homogeneous (u, v, 1) with unit weight at the world origin.
struct ViewMatrix {
  float m[12];

  template <class Real>
  FELDSPAR_HOST_DEVICE Shadow<Real> shadow_of(Real i, Real j, Real k) const {
    const Real scale = Real(1.0f) / (m[8] * i + m[9] * j + m[10] * k + m[11]);
    return {(m[0] * i + m[1] * j + m[2] * k + m[3]) * scale, (m[4] * i + m[5] * j + m[6] * k + m[7]) * scale,
            scale};
  }
};

/// False for voxels at or behind the source, and so near to its plane that the square overflows.
template <class Real>
FELDSPAR_HOST_DEVICE bool is_in_front(Real magnification) {
  return magnification > Real(0.0f) && magnification < Real(1e15f);
}

/// What one filtered view adds to one voxel in FDK: the projection at its shadow, weighted by the relative
/// magnification squared. `projection(u, v)` interpolates. Voxels at or behind the source get nothing.
template <class Real, class Sampler>
FELDSPAR_HOST_DEVICE Real fdk_term(const ViewMatrix& view, const Sampler& projection, Real i, Real j,
                                   Real k) {
  const Shadow<Real> shadow = view.shadow_of(i, j, k);
  if (!is_in_front(shadow.magnification)) return Real(0.0f);
  return shadow.magnification * shadow.magnification * projection(shadow.u, shadow.v);
}

}  // namespace feldspar::kernels
