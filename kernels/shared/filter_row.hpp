// The steps of the row filter around its Fourier transforms: weigh and pad, multiply the spectrum, cut back.
// A transform works in place on `slots` rows of `stride` = length + 2 floats (length / 2 + 1 complex bins).
#pragma once

#include <cstddef>

#include "kernels/shared/pixel_weight.hpp"

namespace feldspar::kernels {

/// Rows `first_line` .. of a block of projections, all views one behind the other, and the padded rows of one
/// transform. Slots past the last line are filled with zeros, so that every transform has the same size.
struct FilterBatch {
  float* projections;
  float* padded;
  int columns;
  int rows;
  std::ptrdiff_t first_line;
  std::ptrdiff_t lines;  ///< of the whole block: rows x views
  int length;

  FELDSPAR_HOST_DEVICE float* slot(int n) const {
    return padded + static_cast<std::ptrdiff_t>(n) * (length + 2);
  }
};

/// Fills slot by slot with weighted pixels and zeros.
struct WeighAndPad {
  FilterBatch batch;
  const PixelWeight* weights;   ///< one a view
  const float* column_weights;  ///< columns x views, or null

  FELDSPAR_HOST_DEVICE void operator()(int sample, int n) const {
    if (sample >= batch.length) return;
    const std::ptrdiff_t line = batch.first_line + n;
    float value = 0.0f;
    if (sample < batch.columns && line < batch.lines) {
      const std::ptrdiff_t view = line / batch.rows;
      const int row = static_cast<int>(line - view * batch.rows);
      value = batch.projections[line * batch.columns + sample] * weights[view].at(sample, row);
      if (column_weights) value *= column_weights[view * batch.columns + sample];
    }
    batch.slot(n)[sample] = value;
  }
};

/// Multiplies bins by the ramp's real response, which has the transforms' factor 1 / length in it.
struct ApplyResponse {
  FilterBatch batch;
  const float* response;

  FELDSPAR_HOST_DEVICE void operator()(int bin, int n) const {
    if (bin > batch.length / 2) return;
    float* value = batch.slot(n) + 2 * static_cast<std::ptrdiff_t>(bin);
    value[0] *= response[bin];
    value[1] *= response[bin];
  }
};

/// Puts the filtered rows back in place of the projections.
struct Crop {
  FilterBatch batch;

  FELDSPAR_HOST_DEVICE void operator()(int column, int n) const {
    const std::ptrdiff_t line = batch.first_line + n;
    if (column >= batch.columns || line >= batch.lines) return;
    batch.projections[line * batch.columns + column] = batch.slot(n)[column];
  }
};

}  // namespace feldspar::kernels
