// Weights of scans that see some rays twice and others once: a turn of less than 360 degrees, or a detector
// that reaches further on one side of the axis.
#pragma once

#include <span>
#include <vector>

#include "geometry/scan.hpp"

namespace feldspar::kernels {

/// The angle, rad, that a partial turn lacks to 180 degrees plus the fan of so many columns; negative for
/// what it has beyond.
[[nodiscard]] double missing_turn(std::span<const geometry::View> views, int columns,
                                  std::span<const double> angles);

/// Parker's short-scan weights (Med. Phys. 9, 254, 1982), columns x views (views slowest), for the views of
/// a partial turn: opposite rays sum to 2, so the full-turn formula with its factor 1/2 stays. Throws
/// Error(bad_file) when the turn is shorter than 180 degrees plus the fan, saying how much is missing.
[[nodiscard]] std::vector<float> parker_weights(std::span<const geometry::View> views, int columns,
                                                std::span<const double> angles);

/// Wang's weights of a displaced detector (Med. Phys. 29, 1634, 2002), columns x views (views slowest), for
/// the views of a full turn: 1 + sin(pi/2 a/b) with a the angle of a column's ray from the axis (its distance
/// in a parallel beam) and b that of the nearer edge of the measured columns `first` .. `last`; 0 and 2
/// beyond. Opposite rays sum to 2.
[[nodiscard]] std::vector<float> displaced_weights(std::span<const geometry::View> views, int columns,
                                                   double first, double last);

}  // namespace feldspar::kernels
