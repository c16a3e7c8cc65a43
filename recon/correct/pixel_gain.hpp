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

/// Over a full turn the mean of the views is symmetric about the axis, whatever the object; gains are not.
/// How much the symmetry is broken tells how large they are, and only if it is broken beyond the noise is
/// anything done: then as much is taken from the mean as gains of that size explain. Only the symmetric
/// part of the gains makes rings, and only that is corrected. `scan` says where the axis is; `seen` is used
/// up; `bad` pixels, ascending, get none.
[[nodiscard]] PixelGain measure_pixel_gain(PixelStatistics& seen, const geometry::CircularScan& scan,
                                           std::span<const std::int64_t> bad, ThreadPool& pool);

/// Bytes that it takes at most with `threads`, besides the statistics.
[[nodiscard]] std::size_t pixel_gain_bytes(const geometry::Detector& detector, int threads);

}  // namespace feldspar::recon
