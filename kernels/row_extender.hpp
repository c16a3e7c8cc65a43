// Rows of truncated projections, continued beyond the detector before they are filtered.
#pragma once

#include "geometry/coverage.hpp"
#include "kernels/backend.hpp"

namespace feldspar::kernels {

/// How rows go on where nothing was measured. With m(c) the model at column c and d the distance in columns
/// from the nearest measured one, the value there is
///   k m(c) + (p - k m) cos^2(pi/2 d / reach)
/// where p and m are the means of the row and of the model over the `edge` outermost measured columns of that
/// side, and the second term ends at `reach`. k is 1 for a model of attenuation; one that only knows the
/// object's shape is scaled to the edge, k = p / max(m, least_level).
struct RowExtension {
  geometry::Range measured;    ///< the columns of the projections that hold data
  int left = 0;                ///< columns to add before column 0
  int right = 0;               ///< and after the last
  int edge = 1;                ///< columns at either end that p and m are means of
  double reach = 1;            ///< columns, at least 1
  bool scale_to_edge = false;  ///< the model is a shape without a level
  double least_level = 0;      ///< above 0 when scaled to the edge
};

/// A coarse image of what is expected, interpolated bilinearly: sample (i, j) is at column
/// first_column + i * step and row (j + first_row) * step of the projections' detector.
struct ModelSampling {
  int first_column = 0;  ///< of the projections' detector, where sample 0 is
  int first_row = 0;     ///< in steps, so that rows of samples are at the same places in every block
  int step = 1;          ///< pixels from sample to sample
};

/// Made by a Backend.
class RowExtender {
 public:
  virtual ~RowExtender() = default;

  /// Fills `wide`, left + columns + right columns, from `projections` whose first row is the detector's
  /// `first_row`, and `model`, whose samples must enclose them.
  virtual void extend(const RowExtension& how, int first_row, DeviceView3<const float> projections,
                      const ModelSampling& sampling, DeviceView3<const float> model,
                      DeviceView3<float> wide) = 0;

  /// Takes the columns of `projections` back out of `wide`.
  virtual void crop(const RowExtension& how, DeviceView3<const float> wide,
                    DeviceView3<float> projections) = 0;
};

}  // namespace feldspar::kernels
