// Zingers: bright spots of single views, from particles that hit the detector itself.
#pragma once

#include <span>
#include <vector>

#include "base/parallel.hpp"
#include "base/progress.hpp"
#include "recon/correct/corrections.hpp"
#include "recon/line_integrals/line_integrals.hpp"

namespace feldspar::recon {

/// Single values that a particle spoiled.
struct Zingers {
  std::vector<kernels::CorrectionPatch> patches;  ///< the median of the neighbours in space and time
  CorrectionStep step;                            ///< what was found
};

/// Reads every view once. A pixel is hit when its line integral lies far below the median of the 3 x 3
/// pixels around it in its view and the two views beside it, by many times their own scatter, and below what
/// the pixel itself has in those views. `bad` pixels, ascending, are never hit.
[[nodiscard]] Zingers find_zingers(const io::ScanSource& source, std::span<const int> view_indices,
                                   std::span<const std::int64_t> bad, ThreadPool& pool, MemoryBudget* budget);

}  // namespace feldspar::recon
