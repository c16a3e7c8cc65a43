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

/// A homogeneous coordinate over voxel indices: how it changes with each of them, and its value at voxel 0.
template <class Real>
struct MatrixRow {
  Real i, j, k, constant;

  FELDSPAR_HOST_DEVICE Real at(Real x, Real y, Real z) const { return i * x + j * y + k * z + constant; }
  /// Where it does not change with k.
  FELDSPAR_HOST_DEVICE Real at(Real x, Real y) const { return i * x + j * y + constant; }
};

/// 3x4 matrix taking (i, j, k, 1) to homogeneous (u, v, 1), whose weight w is 1 at the world origin.
template <class Real>
struct ViewMatrixOf {
  MatrixRow<Real> u, v, w;

  FELDSPAR_HOST_DEVICE Shadow<Real> shadow_of(Real i, Real j, Real k) const {
    const Real scale = Real(1.0f) / w.at(i, j, k);
    return {u.at(i, j, k) * scale, v.at(i, j, k) * scale, scale};
  }
};
using ViewMatrix = ViewMatrixOf<float>;

/// False for voxels at or behind the source, and so near to its plane that the square overflows.
template <class Real>
FELDSPAR_HOST_DEVICE bool is_in_front(Real magnification) {
  return magnification > Real(0.0f) && magnification < Real(1e15f);
}

/// What one filtered view adds to one voxel in FDK: the projection at its shadow, weighted by the relative
/// magnification squared. `projection(u, v)` interpolates. Voxels at or behind the source get nothing.
template <class Real, class Sampler>
FELDSPAR_HOST_DEVICE Real fdk_term(const ViewMatrixOf<Real>& view, const Sampler& projection, Real i, Real j,
                                   Real k) {
  const Shadow<Real> shadow = view.shadow_of(i, j, k);
  if (!is_in_front(shadow.magnification)) return Real(0.0f);
  return shadow.magnification * shadow.magnification * projection(shadow.u, shadow.v);
}

}  // namespace feldspar::kernels
