// Resampling by cubic convolution: Keys, IEEE Trans. ASSP 29, 1153 (1981), with a = -1/2.
#pragma once

#include <cstddef>

#include "kernels/shared/parts.hpp"

namespace feldspar::kernels {

/// The weights of the pixels at -1, 0, 1 and 2 for a point at `t` in [0, 1). Their sum is 1.
struct CubicWeights {
  float w[4];
  FELDSPAR_HOST_DEVICE explicit CubicWeights(float t)
      : w{((-0.5f * t + 1.0f) * t - 0.5f) * t, (1.5f * t - 2.5f) * t * t + 1.0f,
          ((-1.5f * t + 2.0f) * t + 0.5f) * t, (0.5f * t - 0.5f) * t * t} {}
};

/// The part of a detector's image that starts at (first_column, first_row). The taps of every point read
/// must lie in it or beyond the detector, whose edge is repeated by up to half a pixel and 0 further out.
struct CubicSampler {
  const float* pixels;
  int columns;
  int rows;
  int first_column;
  int first_row;
  int detector_columns;
  int detector_rows;

  FELDSPAR_HOST_DEVICE static int clamped(int n, int count) { return n < 0 ? 0 : n < count ? n : count - 1; }

  /// `u` and `v` count from the detector's first pixel; in double, for a float of 4000 has 2^-13 steps.
  FELDSPAR_HOST_DEVICE float operator()(double u, double v) const {
    if (!(u >= -0.5 && u <= detector_columns - 0.5 && v >= -0.5 && v <= detector_rows - 0.5)) return 0.0f;
    const Parts<double> column = parts_of(u), row = parts_of(v);
    const CubicWeights across(static_cast<float>(column.fraction)), up(static_cast<float>(row.fraction));
    const int c0 = static_cast<int>(column.whole) - first_column - 1,
              r0 = static_cast<int>(row.whole) - first_row - 1;
    float sum = 0.0f;
    for (int b = 0; b < 4; ++b) {
      const float* line = pixels + static_cast<std::ptrdiff_t>(clamped(r0 + b, rows)) * columns;
      float along = 0.0f;
      for (int a = 0; a < 4; ++a) along += across.w[a] * line[clamped(c0 + a, columns)];
      sum += up.w[b] * along;
    }
    return sum;
  }
};

/// Row-major: real (column, row, 1) ~ h * (virtual column, virtual row, 1).
struct Homography {
  double h[9];
};

/// Fills the part of the virtual detector that starts at (first_column, first_row), rows of all views one
/// behind the other.
struct RectifyBlock {
  CubicSampler first_view;  ///< the others follow it in memory
  const Homography* homographies;
  float* target;
  int columns;
  int rows;
  int first_column;
  int first_row;

  FELDSPAR_HOST_DEVICE void operator()(int column, std::ptrdiff_t line) const {
    if (column >= columns) return;
    const std::ptrdiff_t view = line / rows;
    const double x = first_column + column, y = first_row + static_cast<double>(line - view * rows);
    const double* h = homographies[view].h;
    const double scale = 1.0 / (h[6] * x + h[7] * y + h[8]);
    CubicSampler sampler = first_view;
    sampler.pixels += view * sampler.rows * sampler.columns;
    target[line * columns + column] =
        sampler((h[0] * x + h[1] * y + h[2]) * scale, (h[3] * x + h[4] * y + h[5]) * scale);
  }
};

}  // namespace feldspar::kernels
