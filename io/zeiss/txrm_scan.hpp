// From the streams' names and units to the world's: geometry, and what cannot be reconstructed.
#pragma once

#include <string>
#include <vector>

#include "base/findings.hpp"
#include "geometry/scan.hpp"
#include "io/zeiss/txrm_header.hpp"

namespace feldspar::io::zeiss {

/// Why this file is no scan that can be reconstructed, with the way out; empty when it is one.
[[nodiscard]] std::string why_no_scan(const TxrmHeader& header);

/// The geometry; what was assumed is added to `findings`. docs/geometry.md has the signs. Throws
/// Error(bad_file) naming the stream that is absent or impossible.
[[nodiscard]] geometry::CircularScan to_scan(const TxrmHeader& header, bool reverse_rotation,
                                             Findings& findings);

/// Cone, unless XrayGeometry says otherwise.
[[nodiscard]] geometry::Beam beam_of(const TxrmHeader& header);

}  // namespace feldspar::io::zeiss
