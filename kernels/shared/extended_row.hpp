// The continuation of truncated rows (kernels/row_extender.hpp): the arithmetic that CPU and CUDA share.
#pragma once

#include <cmath>
#include <cstddef>

#include "kernels/shared/host_device.hpp"

namespace feldspar::kernels {

/// A block of rows, continued. Columns are the detector's: negative ones lie before it.
struct ExtendedRows {
  const float* projections;
  int columns;
  int rows;
  int first_row;
  const float* model;
  int model_columns;
  int model_rows;
  int model_first_column;
  int model_first_row;
  int step;
  int measured_first, measured_end;
  int left, right;
  int edge;
  float reach;
  bool scale_to_edge;
  float least_level;

  /// What one side of a row has at its edge.
  struct Side {
    float scale;
    float mismatch;
  };

  FELDSPAR_HOST_DEVICE int width() const { return left + columns + right; }

  /// `line` counts rows through all views.
  FELDSPAR_HOST_DEVICE float model_at(int column, std::ptrdiff_t line) const {
    const int view = static_cast<int>(line / rows), row = first_row + static_cast<int>(line % rows);
    const int from_left = column - model_first_column, i = from_left / step;
    const int below = row / step, j = below - model_first_row;
    const float s = static_cast<float>(from_left - i * step) / static_cast<float>(step);
    const float t = static_cast<float>(row - below * step) / static_cast<float>(step);
    const float* lower = model + (static_cast<std::ptrdiff_t>(view) * model_rows + j) * model_columns + i;
    const float* upper = lower + model_columns;
    return (1 - t) * ((1 - s) * lower[0] + s * lower[1]) + t * ((1 - s) * upper[0] + s * upper[1]);
  }

  FELDSPAR_HOST_DEVICE Side side_of(bool at_right, std::ptrdiff_t line) const {
    const float* row = projections + line * columns;
    const int first = at_right ? measured_end - edge : measured_first;
    float level = 0, expected = 0;
    for (int n = first; n < first + edge; ++n) level += row[n], expected += model_at(n, line);
    level /= static_cast<float>(edge), expected /= static_cast<float>(edge);
    const float scale = !scale_to_edge           ? 1.0f
                        : expected > least_level ? level / expected
                                                 : level / least_level;
    return {scale, level - scale * expected};
  }

  FELDSPAR_HOST_DEVICE float missing(const Side& side, int column, std::ptrdiff_t line) const {
    const int distance = column < measured_first ? measured_first - column : column - measured_end + 1;
    const float value = side.scale * model_at(column, line);
    const float part = static_cast<float>(distance) / reach;
    if (!(part < 1)) return value;
    const float taper = std::cos(1.57079633f * part);
    return value + side.mismatch * taper * taper;
  }

  FELDSPAR_HOST_DEVICE bool is_measured(int column) const {
    return column >= measured_first && column < measured_end;
  }
};

}  // namespace feldspar::kernels
