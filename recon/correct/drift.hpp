// Drift of the open beam from view to view, measured where both edges of the detector see air.
#pragma once

#include <span>
#include <vector>

#include "recon/correct/find_corrections.hpp"
#include "recon/line_integrals/line_integrals.hpp"

namespace feldspar::recon {

/// How the brightness of the beam changed from view to view.
struct Drift {
  std::vector<float> view_offset;  ///< to add to the line integrals, one a view; empty for none
  CorrectionStep step;             ///< what was found
};

/// Reads a few rows of every view. Nothing is done when too little of the edges is air in all views, and when
/// what one edge says of a view is not what the other says of it: then it is noise, or the object passes.
[[nodiscard]] Drift measure_drift(const io::ScanSource& source, std::span<const int> view_indices,
                                  MemoryBudget* budget = nullptr, const KnownAir& air = {});

}  // namespace feldspar::recon
