// Corrections of measured line integrals: bad pixels and single events replaced, offsets of pixels and
// views, and a polynomial.
#pragma once

#include <cstdint>
#include <vector>

#include "geometry/coverage.hpp"
#include "kernels/backend.hpp"

namespace feldspar::kernels {

/// A value of one view that is replaced, as measured: before offsets and polynomial.
struct CorrectionPatch {
  int view = 0;            ///< index among the views that take part
  std::int64_t pixel = 0;  ///< row * columns + column
  float value = 0;         ///< line integral
};

/// With p(n, x) the measured line integral of pixel x in view n, the corrected one is, in this order,
///   1. the patch's value, where there is one;
///   2. at a bad pixel, the mean of p + pixel_offset over the good pixels of the smallest square around it
///      of which at least half are good (of the largest, when any are), weighted by 1 / distance^2;
///   3. q = p + view_offset(n) + pixel_offset(x), without the pixel's own offset at a bad one;
///   4. polynomial[0] + polynomial[1] q + polynomial[2] q^2 + ...
/// A bad pixel without a good one in the largest square keeps what was measured.
struct CorrectionSpec {
  static constexpr int reach = 8;  ///< pixels from a bad pixel to the edge of the largest square

  int columns = 0;                            ///< of the whole detector
  int rows = 0;                               ///< of the whole detector
  std::vector<float> view_offset = {};        ///< empty for none, or one a view that takes part
  std::vector<float> pixel_offset = {};       ///< empty for none, or columns x rows
  std::vector<std::int64_t> bad_pixels = {};  ///< row * columns + column, ascending
  std::vector<CorrectionPatch> patches = {};  ///< ascending in view, then pixel
  std::vector<float> polynomial = {};         ///< empty for none

  /// True when nothing is corrected.
  [[nodiscard]] bool empty() const {
    return view_offset.empty() && pixel_offset.empty() && bad_pixels.empty() && patches.empty() &&
           polynomial.empty();
  }
};

/// Throws Error(usage) unless sizes match, lists ascend on the detector and all values are finite.
void validate(const CorrectionSpec& spec);

/// Made by a Backend.
class Correction {
 public:
  virtual ~Correction() = default;

  /// Corrects the views from `first_view`: `measured`, whole rows of the detector, into `corrected`, those of
  /// them in `kept`. `measured` changes; both may be the same memory when the rows are the same. Bits
  /// do not depend on `rows` as long as they hold halo() rows beyond `kept` or end with the detector.
  virtual void apply(int first_view, geometry::Range rows, DeviceView3<float> measured, geometry::Range kept,
                     DeviceView3<float> corrected) = 0;
};

/// Rows beyond those kept that bad pixels are replaced from.
[[nodiscard]] int halo(const CorrectionSpec& spec);

/// Bytes of the device's memory that the operator keeps.
[[nodiscard]] std::size_t bytes_of(const CorrectionSpec& spec);

}  // namespace feldspar::kernels
