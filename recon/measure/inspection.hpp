// A look at a few projections before the work: is the beam where the file says, does the object fit.
#pragma once

#include <span>
#include <vector>

#include "base/findings.hpp"
#include "io/scan_source.hpp"
#include "recon/resources.hpp"

namespace feldspar::recon {

/// What a few projections say.
struct Inspection {
  double air_level = 0;  ///< median transmission in the brightest edge columns; 1 when white is right
  double lowest_transmission = 0;  ///< 0.1 % quantile over the views looked at
  double saturated_share = 0;      ///< of the pixels looked at
  double saturation_level = 0;     ///< counts that none exceeds, where the file does not say so; 0 for none
  double truncated_share = 0;      ///< of the rows with an object, where it covers an edge that must see air
  double edge_share = 0;  ///< of those rows: line integrals at the covered edges over the rows' means
  /// Of air at the edges of the detector where its beam has changed since the flats by more than that of a
  /// tube does: both edges are flat, and alike in all views. 0 where air is near the white level, or an
  /// object covers it.
  double air_line_integral = 0;
  Findings findings;  ///< what of this endangers the volume, and the way out
};

constexpr int inspected_views = 6;  ///< that are looked at, where there are so many

/// Edges of the detector beyond which an object is lost: of a displaced one, opposite views measure what lies
/// beyond the edge that is nearer to the axis.
enum class OuterEdges { both, left, right };

/// Reads up to `inspected_views` of the given views, spread evenly, and a row of all of them.
[[nodiscard]] Inspection inspect(const io::ScanSource& source, std::span<const int> view_indices,
                                 const Resources& resources, OuterEdges outer = OuterEdges::both);

/// Bytes that it takes at most.
[[nodiscard]] std::size_t inspection_bytes(const io::ScanSource& source);

}  // namespace feldspar::recon
