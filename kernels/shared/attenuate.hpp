// From one count to one line integral, with every guard of kernels/attenuation.hpp.
#pragma once

#include <cfloat>
#include <cmath>
#include <cstddef>

#include "kernels/shared/host_device.hpp"

namespace feldspar::kernels {

/// What a pixel's count met. Saturation is counted of every pixel; of the others only the first that holds of
/// not finite, dead, floor.
enum PixelOutcome : unsigned {
  met_nothing = 0,
  met_floor = 1,
  met_saturation = 2,
  met_dead = 4,
  met_not_finite = 8
};

/// A reference level: an image of the whole detector, or one value where there is none.
struct Level {
  const float* image;
  float value;
  FELDSPAR_HOST_DEVICE float at(std::ptrdiff_t pixel) const { return image ? image[pixel] : value; }
};

/// The line integral is ln((white - dark) / signal) with signal = count - dark, at least one count.
FELDSPAR_HOST_DEVICE inline unsigned attenuate(float count, float white, float dark, float saturation,
                                               float& line_integral) {
  const unsigned outcome = saturation > 0.0f && count >= saturation ? met_saturation : met_nothing;
  line_integral = 0.0f;
  if (!(std::fabs(count) <= FLT_MAX)) return outcome | met_not_finite;
  const float beam = white - dark, signal = count - dark;
  if (!(beam > 1.0f && beam <= FLT_MAX)) return outcome | met_dead;
  const bool lit = signal >= 1.0f;
  line_integral = std::log(beam / (lit ? signal : 1.0f));
  return lit ? outcome : outcome | met_floor;
}

/// A block of counts, rows of all views one behind the other, cut from the detector at (first_column,
/// first_row).
template <class Count>
struct AttenuateBlock {
  const Count* counts;
  float* line_integrals;
  int columns;
  int rows;
  Level white;
  Level dark;
  float saturation;
  int first_column;
  int first_row;
  int detector_columns;

  /// `line` is view * rows + row. Indices past the last column do nothing.
  FELDSPAR_HOST_DEVICE unsigned operator()(int column, std::ptrdiff_t line) const {
    if (column >= columns) return met_nothing;
    const std::ptrdiff_t row = first_row + line % rows;
    const std::ptrdiff_t pixel = row * detector_columns + first_column + column;
    const std::ptrdiff_t at = line * columns + column;
    return attenuate(static_cast<float>(counts[at]), white.at(pixel), dark.at(pixel), saturation,
                     line_integrals[at]);
  }
};

}  // namespace feldspar::kernels
