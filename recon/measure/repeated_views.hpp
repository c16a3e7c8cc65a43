// Views that are another one bit by bit, or one count in every pixel: measured frames have noise and never
// are.
#pragma once

#include <span>

#include "base/findings.hpp"
#include "io/scan_source.hpp"

namespace feldspar::recon {

/// Names the views that repeat their neighbour, that repeat another one (where they are few: a simulated
/// object may look alike from several sides), and that are constant. Reads the middle row of every view, and
/// whole views only where these are alike.
[[nodiscard]] Findings find_repeated_views(const io::ScanSource& source, std::span<const int> view_indices);

}  // namespace feldspar::recon
