// From detector counts to line integrals of attenuation: p = -ln((I - dark) / (white - dark)).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "geometry/coverage.hpp"
#include "kernels/backend.hpp"

namespace feldspar::kernels {

/// What counts mean: -ln((count - dark) / (white - dark)) is the line integral.
struct AttenuationSpec {
  int columns = 0;           ///< of the whole detector
  int rows = 0;              ///< of the whole detector
  std::vector<float> white;  ///< open-beam counts: one value, or columns x rows
  std::vector<float> dark;   ///< counts without beam: empty for 0, one value, or columns x rows
  float saturation = 0;      ///< counts at or above this are counted as saturated; 0 for never
};

/// Throws Error(bad_file) unless images have the detector's size and white exceeds dark somewhere.
void validate(const AttenuationSpec& spec);

/// What the logarithm met, summed over all calls. Pixels read twice by neighbouring slabs count twice.
struct AttenuationTally {
  std::int64_t pixels = 0;      ///< all that were converted
  std::int64_t floored = 0;     ///< less than one count above dark: taken as one count above it
  std::int64_t saturated = 0;   ///< at or above AttenuationSpec::saturation
  std::int64_t dead = 0;        ///< white is no more than one count above dark: line integral 0
  std::int64_t not_finite = 0;  ///< NaN or infinite counts: line integral 0

  /// Adds another tally, as of another device.
  AttenuationTally& operator+=(const AttenuationTally& other) {
    pixels += other.pixels;
    floored += other.floored;
    saturated += other.saturated;
    dead += other.dead;
    not_finite += other.not_finite;
    return *this;
  }
};

/// Made by a Backend. Counts above white give negative line integrals, which are kept: clipping them
/// would bias air. A signal below one count above dark is floored at one count.
class Attenuation {
 public:
  virtual ~Attenuation() = default;

  /// `counts` and `line_integrals` are `window` x views; the window places them on the white and dark images.
  virtual void apply(DeviceView3<const std::uint16_t> counts, const geometry::PixelWindow& window,
                     DeviceView3<float> line_integrals) = 0;
  /// The same of counts that are no integers.
  virtual void apply(DeviceView3<const float> counts, const geometry::PixelWindow& window,
                     DeviceView3<float> line_integrals) = 0;

  /// After Backend::wait().
  [[nodiscard]] virtual AttenuationTally tally() const = 0;
};

}  // namespace feldspar::kernels
