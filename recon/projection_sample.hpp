// One projection of a scan on the host, for what is decided from a look at a few of them.
#pragma once

#include <vector>

#include "io/scan_source.hpp"

namespace feldspar::recon {

/// Transmissions (signal over open beam) of all pixels of one view, columns fastest; NaN becomes 1. Pixels
/// at or above the detector's limit are added to `saturated`.
[[nodiscard]] std::vector<float> transmissions(const io::ScanSource& source, int view,
                                               std::size_t& saturated);

}  // namespace feldspar::recon
