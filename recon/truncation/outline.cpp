#include "recon/truncation/outline.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/error.hpp"
#include "geometry/coverage.hpp"

namespace feldspar::recon {

using geometry::Vec3;

double chord(const Outline& outline, const geometry::View& view, double column, double row) {
  const Vec3 pixel = from_pixel(view, column, row).pixel_origin;
  const Vec3 along = view.is_parallel() ? view.direction : pixel - view.source;
  const double level = std::hypot(along.x, along.y);
  const double beside = ((outline.x - pixel.x) * along.y - (outline.y - pixel.y) * along.x) / level;
  const double square = outline.radius * outline.radius - beside * beside;
  return square > 0 ? 2 * std::sqrt(square) * norm(along) / level : 0;
}

ColumnSpan shadow_of(const Outline& outline, std::span<const geometry::View> views) {
  // Tangents to the circle touch a polygon around it first, by a part in a few thousand.
  constexpr int corners = 128;
  const double radius = outline.radius / std::cos(std::numbers::pi / corners);
  ColumnSpan span{1e300, -1e300};
  for (const geometry::View& view : views)
    for (int n = 0; n < corners; ++n) {
      const double angle = 2 * std::numbers::pi * n / corners;
      const geometry::DetectorPoint at = geometry::project(
          view, {outline.x + radius * std::cos(angle), outline.y + radius * std::sin(angle), 0});
      if (!(at.depth > 0))
        throw Error(ErrorKind::usage,
                    fmt::format("an object of {:g} mm at x {:g}, y {:g} mm would reach behind the source; "
                                "check the outline or where the context is",
                                2 * outline.radius, outline.x, outline.y));
      span.first = std::min(span.first, at.column), span.last = std::max(span.last, at.column);
    }
  return span;
}

}  // namespace feldspar::recon
