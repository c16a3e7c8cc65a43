// Drift of the open beam from view to view, measured where both edges of the detector see air.
#pragma once

#include <span>
#include <vector>

#include "recon/correct/corrections.hpp"
#include "recon/line_integrals/line_integrals.hpp"

namespace feldspar::recon {

/// How the brightness of the beam changed from view to view.
struct Drift {
  std::vector<float> view_offset;  ///< to add to the line integrals, one a view; empty for none
  CorrectionStep step;             ///< what was found
};

/// Reads a few rows of every view. Nothing is done when too little of the edges is air in all views, when
/// what changes there is not common to all of it, and when it does not rise above the noise. `air` is the
/// line integral near which air is to be expected, 0 where the flats are those of the scan.
[[nodiscard]] Drift measure_drift(const io::ScanSource& source, std::span<const int> view_indices,
                                  MemoryBudget* budget = nullptr, double air = 0);

}  // namespace feldspar::recon
