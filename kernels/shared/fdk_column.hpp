// The FDK back-projection of one thread: a short column of voxels over a batch of views. Plain code, so that
// a host loop over the launch's indices runs the same body.
#pragma once

#include <cmath>
#include <cstddef>

#include "kernels/shared/view_matrix.hpp"

namespace feldspar::kernels {

/// Views small enough in number to travel as a kernel argument (4 KB): no device globals to share by
/// accident.
struct ViewBatch {
  static constexpr int capacity = 64;
  ViewMatrix view[capacity];
  int count;
};

/// True when the shadow of a column of `nz` voxels stays in one detector column and at one depth, to within
/// the rounding of single precision. Always so after rectification.
inline bool is_upright(const ViewMatrix& view, int nz, int columns) {
  const float rounding = 5.9604645e-8f;  // 2^-24
  const float length = static_cast<float>(nz);
  return std::fabs(view.m[10]) * length <= rounding &&
         std::fabs(view.m[2]) * length <= rounding * static_cast<float>(columns);
}

/// `Stack` gives for a view's number a sampler: sampler(u, v), and sampler.along(u)(v) for many v at one u.
/// `upright` may be set when is_upright() holds for every view of the batch: one division a view and column
/// of voxels instead of one a voxel.
template <class Stack, bool upright>
struct FdkColumn {
  static constexpr int length = 8;
  float* volume;
  int nx;
  int ny;
  int nz;
  Stack stack;

  /// Adds all views to voxels (i, j, k0 .. k0 + length - 1), those of them that exist.
  FELDSPAR_HOST_DEVICE void operator()(const ViewBatch& batch, int i, int j, int k0) const {
    if (i >= nx || j >= ny) return;
    const float x = static_cast<float>(i), y = static_cast<float>(j);
    float sum[length] = {};
    for (int n = 0; n < batch.count; ++n) add_view(batch.view[n], stack(n), x, y, k0, sum);
    for (int c = 0; c < length; ++c)
      if (k0 + c < nz) volume[(static_cast<std::ptrdiff_t>(k0 + c) * ny + j) * nx + i] += sum[c];
  }

 private:
  template <class Sampler>
  FELDSPAR_HOST_DEVICE static void add_view(const ViewMatrix& view, const Sampler& projection, float x,
                                            float y, int k0, float (&sum)[length]) {
    if constexpr (upright) {
      const Shadow<float> foot = view.shadow_of(x, y, 0.0f);
      if (!is_in_front(foot.magnification)) return;
      const auto line = projection.along(foot.u);
      const float weight = foot.magnification * foot.magnification, step = view.m[6] * foot.magnification;
      for (int c = 0; c < length; ++c) sum[c] += weight * line(foot.v + step * static_cast<float>(k0 + c));
    } else {
      for (int c = 0; c < length; ++c) sum[c] += fdk_term(view, projection, x, y, static_cast<float>(k0 + c));
    }
  }
};

}  // namespace feldspar::kernels
