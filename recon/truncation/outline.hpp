// The outline of an object: an upright cylinder.
#pragma once

#include <span>

#include "geometry/scan.hpp"

namespace feldspar::recon {

/// A cylinder along z; mm in the scan's world.
struct Outline {
  double radius = 0;    ///< mm
  double x = 0, y = 0;  ///< mm, where its axis is
};

/// Its chord along the ray through pixel (column, row), which may lie beyond the detector; mm.
[[nodiscard]] double chord(const Outline& outline, const geometry::View& view, double column, double row);

/// The columns between which its shadow falls in all views of an upright detector.
struct ColumnSpan {
  double first = 0, last = 0;  ///< column indices, not rounded; they may lie beyond the detector
};

/// Throws Error(usage) when a view's source stands within the cylinder or beside it.
[[nodiscard]] ColumnSpan shadow_of(const Outline& outline, std::span<const geometry::View> views);

}  // namespace feldspar::recon
