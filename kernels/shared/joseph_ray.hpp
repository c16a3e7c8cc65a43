// Joseph's method, ray by ray: the arithmetic that the CPU and CUDA forward projectors share. The reference
// backend does not use it.
#pragma once

#include <cmath>
#include <cstddef>

#include "kernels/shared/parts.hpp"

namespace feldspar::kernels {

/// One view over voxel indices of the whole grid. Pixel (c, r) is at pixel + c * column + r * row.
struct RayView {
  double source[3];  ///< of a cone beam; of a parallel one its direction
  double pixel[3];
  double column[3];
  double row[3];
  double spacing[3];  ///< mm
  bool parallel;
};

/// The voxels at hand: slices `first` .. `end` of a grid of nx x ny x any.
struct RayBox {
  int nx, ny;
  int first, end;
};

/// A ray as Joseph's method walks it: through planes p of voxel centres across the axis along which it
/// covers most voxels, at a0 + p a1 and b0 + p b1 of the other two axes.
struct JosephRay {
  int axis;        ///< 0, 1, 2 for x, y, z
  int first, end;  ///< planes that can contribute, indices of the whole grid
  float a0, a1, b0, b1;
  float length;  ///< mm from plane to plane
};

/// Narrows the planes first .. end to those where c0 + p c1 can be within (lowest, highest), and one more.
FELDSPAR_HOST_DEVICE inline void narrow(double c0, double c1, double lowest, double highest, double& first,
                                        double& end) {
  if (std::fabs(c1) < 1e-12) {
    if (!(c0 > lowest - 1 && c0 < highest + 1)) end = first;
    return;
  }
  const double enter = (lowest - c0) / c1, leave = (highest - c0) / c1;
  first = std::fmax(first, std::floor(std::fmin(enter, leave)) - 1);
  end = std::fmin(end, std::ceil(std::fmax(enter, leave)) + 2);
}

/// The ray that ends in pixel (column, row) of `view`, which may lie anywhere in the detector's plane.
FELDSPAR_HOST_DEVICE inline JosephRay joseph_ray(const RayView& view, const RayBox& box, int column,
                                                 int row) {
  double from[3], along[3], size[3];
  double length = 0;
  for (int n = 0; n < 3; ++n) {
    const double pixel = view.pixel[n] + column * view.column[n] + row * view.row[n];
    from[n] = view.parallel ? pixel : view.source[n];
    along[n] = view.parallel ? view.source[n] : pixel - view.source[n];
    size[n] = std::fabs(along[n]);
    length += along[n] * along[n] * view.spacing[n] * view.spacing[n];
  }
  constexpr double nearly = 1 - 1e-9;  // so that rounding does not decide between equals
  const int axis = size[0] >= nearly * size[1] && size[0] >= nearly * size[2] ? 0
                   : size[1] >= nearly * size[2]                              ? 1
                                                                              : 2;
  const int a = axis == 0 ? 1 : 0, b = axis == 2 ? 1 : 2;
  const double a1 = along[a] / along[axis], b1 = along[b] / along[axis];
  const double a0 = from[a] - from[axis] * a1, b0 = from[b] - from[axis] * b1;
  const int low[3] = {0, 0, box.first}, high[3] = {box.nx, box.ny, box.end};
  double first = low[axis], end = high[axis];
  narrow(a0, a1, low[a] - 1, high[a], first, end);
  narrow(b0, b1, low[b] - 1, high[b], first, end);
  if (!view.parallel) {  // only what is in front of the source
    if (along[axis] > 0)
      first = std::fmax(first, std::floor(from[axis]) + 1);
    else
      end = std::fmin(end, std::ceil(from[axis]));
  }
  JosephRay ray;
  ray.axis = axis;
  ray.first = first < end ? static_cast<int>(first) : 0;
  ray.end = first < end ? static_cast<int>(end) : 0;
  ray.a0 = static_cast<float>(a0), ray.a1 = static_cast<float>(a1);
  ray.b0 = static_cast<float>(b0), ray.b1 = static_cast<float>(b1);
  ray.length = static_cast<float>(std::sqrt(length) / size[axis]);
  return ray;
}

/// std::floor of what fits an int, without the call that it is on plain x86-64.
FELDSPAR_HOST_DEVICE inline int floor_of(float x) {
  const int n = static_cast<int>(x);
  return n - (x < static_cast<float>(n));
}

/// Calls visit(voxel, weight) for every voxel of the box that the ray meets, voxels counted from the box's
/// first, x fastest. The weights of a plane sum to 1 within the grid.
template <class Visit>
FELDSPAR_HOST_DEVICE void walk(const JosephRay& ray, const RayBox& box, const Visit& visit) {
  const std::ptrdiff_t strides[3] = {1, box.nx, static_cast<std::ptrdiff_t>(box.nx) * box.ny};
  const int low[3] = {0, 0, box.first}, high[3] = {box.nx, box.ny, box.end};
  const int a_axis = ray.axis == 0 ? 1 : 0, b_axis = ray.axis == 2 ? 1 : 2;
  const std::ptrdiff_t a_stride = strides[a_axis], b_stride = strides[b_axis];
  const int a_count = high[a_axis], b_low = low[b_axis], b_end = high[b_axis];
  for (int p = ray.first; p < ray.end; ++p) {
    const float a = ray.a0 + static_cast<float>(p) * ray.a1, b = ray.b0 + static_cast<float>(p) * ray.b1;
    const int i = pinned(floor_of(a)), j = pinned(floor_of(b));
    if (i < -1 || i >= a_count || j < b_low - 1 || j >= b_end) continue;
    const float s = a - static_cast<float>(i), t = b - static_cast<float>(j);
    const std::ptrdiff_t voxel = (p - low[ray.axis]) * strides[ray.axis] + i * a_stride +
                                 static_cast<std::ptrdiff_t>(j - b_low) * b_stride;
    const bool left = i >= 0, right = i + 1 < a_count;
    if (left && right && j >= b_low && j + 1 < b_end) {
      visit(voxel, (1 - s) * (1 - t));
      visit(voxel + a_stride, s * (1 - t));
      visit(voxel + b_stride, (1 - s) * t);
      visit(voxel + a_stride + b_stride, s * t);
      continue;
    }
    if (j >= b_low) {
      if (left) visit(voxel, (1 - s) * (1 - t));
      if (right) visit(voxel + a_stride, s * (1 - t));
    }
    if (j + 1 < b_end) {
      if (left) visit(voxel + b_stride, (1 - s) * t);
      if (right) visit(voxel + a_stride + b_stride, s * t);
    }
  }
}

/// The line integral of the voxels of `box` along a ray.
FELDSPAR_HOST_DEVICE inline float line_integral(const JosephRay& ray, const RayBox& box,
                                                const float* voxels) {
  float sum = 0;
  walk(ray, box, [&](std::ptrdiff_t voxel, float weight) { sum += weight * voxels[voxel]; });
  return sum * ray.length;
}

}  // namespace feldspar::kernels
