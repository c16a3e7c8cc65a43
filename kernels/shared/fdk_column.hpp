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
  return std::fabs(view.w.k) * length <= rounding &&
         std::fabs(view.u.k) * length <= rounding * static_cast<float>(columns);
}

/// The columns of voxels that are wanted: those near the axis. All, unless told.
struct Disc {
  float x0 = 0;  ///< of voxel i = 0, relative to the radius
  float dx = 0;  ///< between voxels
  float y0 = 0;
  float dy = 0;

  FELDSPAR_HOST_DEVICE bool holds(float i, float j) const {
    const float x = x0 + i * dx, y = y0 + j * dy;
    return x * x + y * y <= 1.0f;
  }
  /// True when no column of a rectangle is wanted.
  FELDSPAR_HOST_DEVICE bool misses(int first_i, int last_i, int first_j, int last_j) const {
    const float x = nearest(x0 + static_cast<float>(first_i) * dx, x0 + static_cast<float>(last_i) * dx),
                y = nearest(y0 + static_cast<float>(first_j) * dy, y0 + static_cast<float>(last_j) * dy);
    return x * x + y * y > 1.0f;
  }

 private:
  FELDSPAR_HOST_DEVICE static float nearest(float first, float last) {
    return first > 0.0f ? first : last < 0.0f ? last : 0.0f;
  }
};

/// `Stack` gives for a view's number a sampler: sampler(u, v), and sampler.along(u)(v) for many v at one u.
/// `upright` may be set when is_upright() holds for every view of the batch: one division a view and column
/// of voxels instead of one a voxel.
template <class Stack, bool upright>
struct FdkColumn {
  static constexpr int length = 8;  ///< voxels of a column
  static constexpr int group = 8;   ///< views added up before they meet the volume
  float* volume;                    ///< slices `first_slice` .. of the matrices' grid
  int nx;
  int ny;
  int first_slice;
  int slices;
  Stack stack;
  Disc disc = {};

  /// Adds all views to voxels (i, j) of the slices k0 .. k0 + length - 1 from the first, those that exist.
  /// The order of the sums depends on nothing but the groups, so neither does a voxel's value.
  FELDSPAR_HOST_DEVICE void operator()(const ViewBatch& batch, int i, int j, int k0) const {
    const float x = static_cast<float>(i), y = static_cast<float>(j);
    if (i >= nx || j >= ny || !disc.holds(x, y)) return;
    float total[length];
    for (int c = 0; c < length; ++c) total[c] = k0 + c < slices ? *voxel(i, j, k0 + c) : 0.0f;
    for (int first = 0; first < batch.count; first += group) {
      float sum[length] = {};
      for (int n = first; n < first + group && n < batch.count; ++n)
        add_view(batch.view[n], stack(n), x, y, first_slice + k0, sum);
      for (int c = 0; c < length; ++c) total[c] += sum[c];
    }
    for (int c = 0; c < length; ++c)
      if (k0 + c < slices) *voxel(i, j, k0 + c) = total[c];
  }

 private:
  FELDSPAR_HOST_DEVICE float* voxel(int i, int j, int k) const {
    return volume + (static_cast<std::ptrdiff_t>(k) * ny + j) * nx + i;
  }

  template <class Sampler>
  FELDSPAR_HOST_DEVICE static void add_view(const ViewMatrix& view, const Sampler& projection, float x,
                                            float y, int slice, float (&sum)[length]) {
    if constexpr (upright) {
      const Shadow<float> foot = view.shadow_of(x, y, 0.0f);
      if (!is_in_front(foot.magnification)) return;
      const auto line = projection.along(foot.u);
      const float weight = foot.magnification * foot.magnification, step = view.v.k * foot.magnification;
      for (int c = 0; c < length; ++c) sum[c] += weight * line(foot.v + step * static_cast<float>(slice + c));
    } else {
      for (int c = 0; c < length; ++c)
        sum[c] += fdk_term(view, projection, x, y, static_cast<float>(slice + c));
    }
  }
};

}  // namespace feldspar::kernels
