// Fixed errors of single pixels' gain, which back-projection turns into rings.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "recon/correct/corrections.hpp"
#include "recon/correct/pixel_statistics.hpp"

namespace feldspar::recon {

/// What every pixel reads too much or too little.
struct PixelGain {
  std::vector<float> pixel_offset;  ///< to add to the line integrals, columns x rows; empty for none
  CorrectionStep step;              ///< what was found
};

/// What differs in the mean of the views both from the rows above and below and from the columns beside: a
/// pixel's own error, but neither windings or walls along the axis nor layers across it. What the two halves
/// of the views do not agree on is noise, and the rest is scaled down by its share; when that is most of
/// it, nothing is done. `bad` pixels, ascending, get none.
[[nodiscard]] PixelGain measure_pixel_gain(const PixelStatistics& seen, std::span<const std::int64_t> bad,
                                           ThreadPool& pool);

}  // namespace feldspar::recon
