// Whether the edges of the detector see air: one judgement for all who ask.
#pragma once

#include <span>
#include <vector>

namespace feldspar::recon {

/// An edge that transmits less than this share of the beam that is expected has the object over it.
inline constexpr double covered_edge = 0.9;

/// What the outermost columns of an edge read, in line integrals: one value a view, or a row of a view.
struct EdgeReadings {
  std::vector<float> outer, inner;  ///< of as many columns beside each other, the outer ones at the edge
  std::vector<float> rise;          ///< from the outer ones to what rays through the object's middle read

  /// Adds what a row reads: the means of `half` columns and the next `half`; false counts from the right.
  void add(std::span<const float> row, std::size_t half, bool left);
};

/// True where they see air, whatever the beam's level, and not an object that reaches over the edge.
/// Towards the middle an object gets thicker: within strips of w half widths of the detector by 2 w (1 - w)
/// of the rise when it is a parabola's, a circle's by more. Air is flat to less than half of that in most of
/// the views, but for noise.
[[nodiscard]] bool sees_air(const EdgeReadings& edge, double half_columns, double columns);

}  // namespace feldspar::recon
