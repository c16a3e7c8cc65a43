// Bilinear interpolation with full single-precision weights in projections that are 0 beyond their pixels.
#pragma once

#include <cmath>
#include <cstddef>

#include "kernels/shared/host_device.hpp"

namespace feldspar::kernels {

/// The line of one projection at a fixed, possibly fractional column.
struct LinearLine {
  const float* pixels;
  int columns;
  int rows;
  int column;      ///< at or left of the line; -1 .. columns - 1 for lines that meet the projection
  float fraction;  ///< of the way to the next column

  FELDSPAR_HOST_DEVICE float at_row(int row) const {
    if (row < 0 || row >= rows) return 0.0f;
    const int pixel = row * columns + column;
    const float a = column >= 0 ? pixels[pixel] : 0.0f;
    const float b = column + 1 < columns ? pixels[pixel + 1] : 0.0f;
    return a + fraction * (b - a);
  }

  FELDSPAR_HOST_DEVICE float operator()(float v) const {
    if (!(v > -1.0f && v < static_cast<float>(rows)))
      return 0.0f;  // before the cast: NaN and huge values too
    const float lower = std::floor(v);
    const int row = static_cast<int>(lower);
    const float a = at_row(row), b = at_row(row + 1);
    return a + (v - lower) * (b - a);
  }
};

/// One projection of at most 2^31 - 1 pixels; pixel centres are at integer indices.
struct LinearSampler {
  const float* pixels;
  int columns;
  int rows;

  FELDSPAR_HOST_DEVICE LinearLine along(float u) const {
    if (!(u > -1.0f && u < static_cast<float>(columns))) return {pixels, columns, 0, 0, 0.0f};  // no rows
    const float lower = std::floor(u);
    return {pixels, columns, rows, static_cast<int>(lower), u - lower};
  }
  FELDSPAR_HOST_DEVICE float operator()(float u, float v) const { return along(u)(v); }
};

/// Projections one behind the other.
struct LinearStack {
  const float* pixels;
  int columns;
  int rows;

  FELDSPAR_HOST_DEVICE LinearSampler operator()(int view) const {
    return {pixels + static_cast<std::ptrdiff_t>(view) * rows * columns, columns, rows};
  }
};

}  // namespace feldspar::kernels
