#include "kernels/redundancy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/error.hpp"
#include "base/units.hpp"

namespace feldspar::kernels {
namespace {

using geometry::Vec3;
using std::numbers::pi;

/// Angle in the plane of the turn from the line source-axis to the ray through a column, counter-clockwise.
double fan_angle(const geometry::View& view, double column) {
  const Vec3 ray = view.pixel_origin + column * view.column_step - view.source;
  const Vec3 axis{-view.source.x, -view.source.y, 0};
  return std::atan2(axis.x * ray.y - axis.y * ray.x, axis.x * ray.x + axis.y * ray.y);
}

/// How far a column's ray passes from the axis and on which side: the fan angle, or mm in a parallel beam.
double off_axis(const geometry::View& view, double column) {
  if (!view.is_parallel()) return fan_angle(view, column);
  const Vec3 at = view.pixel_origin + column * view.column_step, d = view.direction;
  return (d.x * at.y - d.y * at.x) / std::hypot(d.x, d.y);
}

double squared_sine(double x) { return std::sin(x) * std::sin(x); }

/// `beta` is the turn since the first view, `alpha` the fan angle, `delta` half of what the turn exceeds pi
/// by.
double parker(double beta, double alpha, double delta) {
  if (beta < 2 * (delta - alpha)) return 2 * squared_sine(pi * beta / (4 * (delta - alpha)));
  if (beta <= pi - 2 * alpha) return 2;
  if (beta < pi + 2 * delta) return 2 * squared_sine(pi * (pi + 2 * delta - beta) / (4 * (delta + alpha)));
  return 0;
}

}  // namespace

double missing_turn(std::span<const geometry::View> views, int columns, std::span<const double> angles) {
  const auto [least, most] = std::minmax_element(angles.begin(), angles.end());
  double half_fan = 0;
  for (const geometry::View& view : views)
    half_fan = std::max({half_fan, std::abs(fan_angle(view, 0)), std::abs(fan_angle(view, columns - 1))});
  return pi + 2 * half_fan - (*most - *least);
}

std::vector<float> parker_weights(std::span<const geometry::View> views, int columns,
                                  std::span<const double> angles) {
  const auto [least, most] = std::minmax_element(angles.begin(), angles.end());
  const double delta = 0.5 * (*most - *least - pi), missing = missing_turn(views, columns, angles);
  if (missing > 0)
    throw Error(
        ErrorKind::bad_file,
        fmt::format(
            "the views cover {:.2f} degrees, but a partial turn needs 180 degrees plus the fan of {:.2f}; "
            "{:.2f} degrees are missing",
            (*most - *least) / radians_per_degree, (missing + 2 * delta) / radians_per_degree,
            missing / radians_per_degree));
  std::vector<float> weights(views.size() * static_cast<std::size_t>(columns));
  for (std::size_t n = 0; n < views.size(); ++n)
    for (int column = 0; column < columns; ++column)
      // A growing angle moves the source clockwise, so fan angles count clockwise too: the ray opposite to
      // (beta, alpha) is (beta + pi + 2 alpha, -alpha).
      weights[n * static_cast<std::size_t>(columns) + static_cast<std::size_t>(column)] =
          static_cast<float>(parker(angles[n] - *least, -fan_angle(views[n], column), delta));
  return weights;
}

std::vector<float> displaced_weights(std::span<const geometry::View> views, int columns, double first,
                                     double last) {
  double one = 1e300, other = 1e300;  // the reach on either side that every view has
  for (const geometry::View& view : views) {
    one = std::min(one, std::abs(off_axis(view, first)));
    other = std::min(other, std::abs(off_axis(view, last)));
  }
  const double reach = std::min(one, other);
  const double longer = off_axis(views.front(), one < other ? last : first) < 0 ? -1 : 1;
  std::vector<float> weights;
  weights.reserve(views.size() * static_cast<std::size_t>(columns));
  for (const geometry::View& view : views)
    for (int column = 0; column < columns; ++column)
      weights.push_back(static_cast<float>(
          1 + std::sin(0.5 * pi * std::clamp(longer * off_axis(view, column) / reach, -1.0, 1.0))));
  return weights;
}

}  // namespace feldspar::kernels
