// Correction of line integrals, value by value: see kernels/correction.hpp.
#pragma once

#include <cstddef>

#include "kernels/shared/host_device.hpp"

namespace feldspar::kernels {

/// A good pixel that a bad one is replaced from; the weights of one bad pixel sum to 1.
struct RepairSource {
  std::ptrdiff_t pixel;  ///< row * columns + column
  float weight;
};

/// A bad pixel and its part of the list of sources.
struct Repair {
  std::ptrdiff_t pixel;
  std::ptrdiff_t first_source;
  std::ptrdiff_t end_source;
  int lowest_row;  ///< of pixel and sources
  int highest_row;
};

/// Rows first_row .. of some views, in which bad pixels are replaced from good ones; only bad ones change.
struct RepairBlock {
  float* measured;
  const Repair* repairs;
  const RepairSource* sources;
  const float* pixel_offset;  ///< of the whole detector, or null
  int columns;
  int first_row;
  int rows;

  /// Does nothing to a pixel whose sources are not all among the rows.
  FELDSPAR_HOST_DEVICE void operator()(std::ptrdiff_t index, std::ptrdiff_t view) const {
    const Repair repair = repairs[index];
    if (repair.lowest_row < first_row || repair.highest_row >= first_row + rows) return;
    const std::ptrdiff_t start = (view * rows - first_row) * columns;
    float sum = 0.0f;
    for (std::ptrdiff_t n = repair.first_source; n < repair.end_source; ++n) {
      const RepairSource source = sources[n];
      const float offset = pixel_offset ? pixel_offset[source.pixel] : 0.0f;
      sum += source.weight * (measured[start + source.pixel] + offset);
    }
    measured[start + repair.pixel] = sum;
  }
};

/// Values of single pixels of single views.
struct Patch {
  std::ptrdiff_t pixel;
  int view;
  float value;
};

struct PatchBlock {
  float* measured;
  const Patch* patches;
  int first_view;
  int columns;
  int first_row;
  int rows;

  FELDSPAR_HOST_DEVICE void operator()(std::ptrdiff_t index) const {
    const Patch patch = patches[index];
    const std::ptrdiff_t row = patch.pixel / columns - first_row;
    if (row < 0 || row >= rows) return;
    const std::ptrdiff_t line = static_cast<std::ptrdiff_t>(patch.view - first_view) * rows + row;
    measured[line * columns + patch.pixel % columns] = patch.value;
  }
};

/// What is done to every value, from rows of `measured` to those of `corrected`.
struct CorrectBlock {
  const float* measured;
  float* corrected;
  int columns;
  int rows;                   ///< of the measured block
  int first_kept;             ///< row of the measured block that `corrected` begins with
  int kept;                   ///< rows of the corrected block
  const float* pixel_offset;  ///< of the first kept row and what follows, or null; 0 at repaired pixels
  const float* view_offset;   ///< of the first view and what follows, or null
  const float* polynomial;
  int terms;  ///< 0 for no polynomial

  /// `line` is view * kept + row.
  FELDSPAR_HOST_DEVICE void operator()(int column, std::ptrdiff_t line) const {
    const std::ptrdiff_t view = line / kept, row = line % kept;
    float value = measured[(view * rows + first_kept + row) * columns + column];
    if (view_offset) value += view_offset[view];
    if (pixel_offset) value += pixel_offset[row * columns + column];
    if (terms > 0) {
      float sum = polynomial[terms - 1];
      for (int n = terms - 2; n >= 0; --n) sum = sum * value + polynomial[n];
      value = sum;
    }
    corrected[line * columns + column] = value;
  }
};

}  // namespace feldspar::kernels
