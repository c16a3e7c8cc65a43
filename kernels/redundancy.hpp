// Weights of scans that see some rays twice: a turn of less than 360 degrees.
#pragma once

#include <span>
#include <vector>

#include "geometry/scan.hpp"

namespace feldspar::kernels {

/// Parker's short-scan weights (Med. Phys. 9, 254, 1982), columns x views (views slowest), for the views of
/// a partial turn: opposite rays sum to 2, so the full-turn formula with its factor 1/2 stays. Throws
/// Error(bad_file) when the turn is shorter than 180 degrees plus the fan, saying how much is missing.
[[nodiscard]] std::vector<float> parker_weights(std::span<const geometry::View> views, int columns,
                                                std::span<const double> angles);

}  // namespace feldspar::kernels
