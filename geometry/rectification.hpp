// Views of a virtual detector that stands parallel to the rotation axis.
//
// FDK filters along detector rows that must be perpendicular to the axis, and the fast back-projectors
// want columns parallel to it. A rolled, tilted or slanted detector, or a leaning axis, is brought there
// once by resampling each projection onto a virtual detector with the same source: the rays stay what
// they are, so line integrals are interpolated, never rescaled.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "geometry/coverage.hpp"
#include "geometry/scan.hpp"

namespace feldspar::geometry {

/// True when every view's rows are perpendicular to z and its columns parallel to z, to within
/// `tolerance` pixels over a detector of columns x rows.
[[nodiscard]] bool is_aligned(std::span<const View> views, int columns, int rows, double tolerance = 1e-3);

/// A virtual, aligned detector and the way from its pixels to the real ones.
struct Rectification {
  double finer = 1;         ///< virtual columns in a real one
  int columns = 0;          ///< of the virtual detector
  int rows = 0;             ///< of the virtual detector
  std::vector<View> views;  ///< of the virtual detector

  /// Row-major 3x3, one a view: real (column, row, 1) ~ H * (virtual column, virtual row, 1).
  std::vector<std::array<double, 9>> homographies;
};

/// Virtual columns in a real one that keep what a resampled row says: at real pitch, cubic interpolation
/// half-way between pixels damps the finest frequencies by half.
constexpr double finer_columns = 1.5;

/// The virtual detector that covers the whole real detector of columns x rows, with its pitch of rows, and
/// `finer` columns for each of its own.
[[nodiscard]] Rectification make_rectification(std::span<const View> views, int columns, int rows,
                                               double finer = finer_columns);

/// The same virtual detector with more columns on either side, which see nothing of the real one.
[[nodiscard]] Rectification widened(Rectification rectification, int left, int right);

/// The real pixels that cubic interpolation of the virtual `window` can touch, in any view.
[[nodiscard]] PixelWindow source_window(const Rectification& rectification, const PixelWindow& window,
                                        int columns, int rows);

}  // namespace feldspar::geometry
