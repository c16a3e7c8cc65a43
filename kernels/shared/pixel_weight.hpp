// The FDK weight of a pixel in single precision: kernels/fdk_weights.hpp for the inner loops.
#pragma once

#include <cmath>

#include "kernels/shared/host_device.hpp"

namespace feldspar::kernels {

/// w(column, row) = scale * dot(r, to_axis) / |r|, with r = ray + column * column_step + row * row_step.
/// Every term is rounded at 2^-24 of the ray's length, and so is the weight to a few times that.
struct PixelWeight {
  float ray[3];
  float column_step[3];
  float row_step[3];
  float to_axis[3];
  float scale;

  FELDSPAR_HOST_DEVICE float at(int column, int row) const {
    float along = 0.0f, square = 0.0f;
    for (int n = 0; n < 3; ++n) {
      const float r =
          ray[n] + static_cast<float>(column) * column_step[n] + static_cast<float>(row) * row_step[n];
      along += r * to_axis[n];
      square += r * r;
    }
    return scale * along / std::sqrt(square);
  }
};

}  // namespace feldspar::kernels
