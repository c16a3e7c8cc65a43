// One projection of a scan on the host, for what is decided from a look at a few of them.
#pragma once

#include "base/memory.hpp"
#include "io/scan_source.hpp"

namespace feldspar::recon {

/// Transmissions (signal over open beam) of all pixels of one view, columns fastest; NaN becomes 1. Pixels
/// at or above the detector's limit are added to `saturated`.
[[nodiscard]] Array3<float> transmissions(const io::ScanSource& source, int view, std::size_t& saturated,
                                          MemoryBudget& budget);

/// Bytes that it takes at most.
[[nodiscard]] std::size_t transmissions_bytes(const io::ScanSource& source);

/// Pixels of the source's detector.
[[nodiscard]] std::size_t pixels_of(const io::ScanSource& source);

}  // namespace feldspar::recon
