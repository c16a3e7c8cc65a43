// What a scan can see, and which part of the detector a piece of the volume needs.
#pragma once

#include <numbers>
#include <span>
#include <vector>

#include "geometry/scan.hpp"
#include "geometry/volume_grid.hpp"

namespace feldspar::geometry {

/// A half-open range of indices.
struct Range {
  int first = 0;  ///< the first index
  int end = 0;    ///< one behind the last
  /// Indices in it; not positive when it is empty.
  [[nodiscard]] constexpr int count() const { return end - first; }
  [[nodiscard]] constexpr bool empty() const { return end <= first; }  ///< no index is in it
  friend constexpr bool operator==(const Range&, const Range&) = default;
};

/// A rectangle of detector pixels.
struct PixelWindow {
  Range columns;  ///< of the detector
  Range rows;     ///< of the detector
};

/// The pixels that bilinear interpolation of the shadows of `grid` in any of `views` can touch, cut to a
/// detector of `columns` x `rows`. Empty when the shadow misses the detector.
[[nodiscard]] PixelWindow shadow_window(std::span<const View> views, const VolumeGrid& grid, int columns,
                                        int rows);

/// Pixel indices (column, row), not rounded, where the ray through world point `p` meets the detector.
/// `depth` receives the distance from the source along the detector's normal, not positive behind it; of a
/// parallel beam, whose source is as far from everything, 1.
struct DetectorPoint {
  double column = 0;  ///< pixels
  double row = 0;     ///< pixels
  double depth = 0;   ///< mm, or 1 of a parallel beam
};
/// The shadow of `p`.
[[nodiscard]] DetectorPoint project(const View& view, Vec3 p);

/// Radius in mm of the cylinder around the axis that every view of a full turn sees, and of the one that
/// some view sees. Equal when the axis projects to the detector's middle.
struct FieldOfView {
  double inner_radius = 0;  ///< mm
  double outer_radius = 0;  ///< mm
};
/// Of a valid scan.
[[nodiscard]] FieldOfView field_of_view(const CircularScan& scan);

/// True when the axis projects off the detector's middle by more than a tenth of its width: a full turn then
/// sees a field as wide as twice the longer side (field_of_view's outer radius). Not so half a turn of a
/// parallel beam, which does without the longer side's excess.
[[nodiscard]] bool is_displaced(const CircularScan& scan);

/// How the views are spread over the turn.
struct AngularCoverage {
  double span = 0;            ///< rad from the first to the last view plus one mean step, as it turned
  double largest_gap = 0;     ///< rad between neighbouring directions
  bool complete = false;      ///< the views reach around the period but for a gap that no short scan has
  double period = 0;          ///< rad after which the directions repeat
  std::vector<double> steps;  ///< one a view: its share, half the gap to each neighbour; a complete
                              ///< coverage's sum to 2 pi
};
/// From the angles of the views in their order of time (any sense, start, spacing, repeats and overlap).
/// `period` is a full turn, or the half turn after which a parallel beam meets the same lines again: then
/// every direction modulo pi counts once, whether it was seen once, twice or in part twice.
[[nodiscard]] AngularCoverage angular_coverage(std::span<const double> angles,
                                               double period = 2 * std::numbers::pi);

}  // namespace feldspar::geometry
