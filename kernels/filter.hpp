// Weighting and ramp filtering of projections, as every backend offers it.
#pragma once

#include <span>

#include "geometry/scan.hpp"
#include "kernels/backend.hpp"
#include "kernels/fdk_weights.hpp"
#include "kernels/ramp.hpp"

namespace feldspar::kernels {

/// What a filter is made for.
struct FilterSpec {
  int columns = 0;   ///< of the projections that will be filtered
  RampOptions ramp;  ///< its window and cutoff
};

/// Made by a Backend for projections of one width. Row by row: multiplies by the FDK weight of every
/// pixel and by the row's column weights, then convolves with the ramp, zero-padded to `ramp_length`.
class Filter {
 public:
  virtual ~Filter() = default;

  /// Memory that this operator keeps beyond its arguments, where the backend works.
  [[nodiscard]] virtual std::size_t workspace_bytes() const = 0;

  /// Filters `projections` (columns x rows x views) in place; row 0 of this block is the detector's row
  /// `first_row`, which must be even, because rows are transformed in pairs. One weight a view;
  /// `column_weights` is empty or columns x views (views slowest), on the host.
  virtual void apply(std::span<const FdkWeight> weights, std::span<const float> column_weights, int first_row,
                     DeviceView3<float> projections) = 0;
};

}  // namespace feldspar::kernels
