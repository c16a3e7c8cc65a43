// Pixels whose counts say nothing of the object: without beam, stuck, or erratic.
#pragma once

#include <cstdint>
#include <vector>

#include "recon/correct/corrections.hpp"
#include "recon/correct/pixel_statistics.hpp"

namespace feldspar::recon {

/// Pixels whose values are replaced.
struct BadPixels {
  std::vector<std::int64_t> pixels;  ///< row * columns + column, ascending
  CorrectionStep step;               ///< what was found
};

/// A pixel is without beam when the references say so; stuck when it never changes in a scan with noise,
/// alone, in clusters or in whole rows and columns, at any level but those that the object or the detector's
/// limits give to pixels beside it too; without noise when at least six of its eight neighbours change; and
/// erratic when it jumps about the median of its neighbourhood far more, from view to view, than pixels of
/// its row and of its column do. So many that it looks like the object are left alone.
[[nodiscard]] BadPixels find_bad_pixels(const LineIntegralReader& references, const PixelStatistics& seen);

}  // namespace feldspar::recon
