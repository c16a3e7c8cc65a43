// Bilinear interpolation with full single-precision weights in projections that are 0 beyond their pixels.
#pragma once

#include <cstddef>

#include "kernels/shared/parts.hpp"

namespace feldspar::kernels {

/// The line of one projection at a fixed, possibly fractional column.
struct LinearLine {
  const float* pixels;
  int columns;
  int first_row;
  int rows;
  int column;      ///< at or left of the line; -1 .. columns - 1 for lines that meet the projection
  float fraction;  ///< of the way to the next column

  /// `row` counts from the first of the pixels.
  FELDSPAR_HOST_DEVICE float at_row(int row) const {
    if (row < 0 || row >= rows) return 0.0f;
    const int pixel = row * columns + column;
    const float a = column >= 0 ? pixels[pixel] : 0.0f;
    const float b = column + 1 < columns ? pixels[pixel + 1] : 0.0f;
    return a + fraction * (b - a);
  }

  FELDSPAR_HOST_DEVICE float operator()(float v) const {
    const Parts<float> place = parts_of(v);
    // Before the cast: NaN and huge values too.
    if (!(place.whole >= static_cast<float>(first_row - 1) &&
          place.whole < static_cast<float>(first_row + rows)))
      return 0.0f;
    const int row = static_cast<int>(place.whole) - first_row;
    const float a = at_row(row), b = at_row(row + 1);
    return a + place.fraction * (b - a);
  }
};

/// The rows `first_row` .. of one projection, at most 2^31 - 1 pixels. Pixel centres are at integer indices
/// of the whole projection, so that a value does not depend on the rows at hand, as long as they hold it.
struct LinearSampler {
  const float* pixels;
  int columns;
  int first_row;
  int rows;

  FELDSPAR_HOST_DEVICE LinearLine along(float u) const {
    const Parts<float> place = parts_of(u);
    if (!(place.whole >= -1.0f && place.whole < static_cast<float>(columns)))
      return {pixels, columns, 0, 0, 0, 0.0f};
    return {pixels, columns, first_row, rows, static_cast<int>(place.whole), place.fraction};
  }
  FELDSPAR_HOST_DEVICE float operator()(float u, float v) const { return along(u)(v); }
};

/// The same rows of several projections, one behind the other.
struct LinearStack {
  const float* pixels;
  int columns;
  int first_row;
  int rows;

  FELDSPAR_HOST_DEVICE LinearSampler operator()(int view) const {
    return {pixels + static_cast<std::ptrdiff_t>(view) * rows * columns, columns, first_row, rows};
  }
};

}  // namespace feldspar::kernels
