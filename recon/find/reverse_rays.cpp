#include "recon/find/reverse_rays.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

namespace feldspar::recon {
namespace {

using geometry::Vec3;

constexpr double turn = 2 * std::numbers::pi;
constexpr double widest_gap = 2.5;       ///< typical steps between views that may still be interpolated
constexpr double furthest_beyond = 1.2;  ///< typical steps that a half turn may be continued by
constexpr double same_angle = 0.02;      ///< of a step: nearer than this no second view is needed

double within_turn(double angle) {
  angle = std::fmod(angle, turn);
  return angle < 0 ? angle + turn : angle;
}

}  // namespace

ViewsOfTurn::ViewsOfTurn(const std::vector<double>& angles, bool continued)
    : continued_(continued), order_(angles.size()) {
  std::iota(order_.begin(), order_.end(), 0);
  const auto angle_of = [&](int n) { return within_turn(angles[static_cast<std::size_t>(n)]); };
  std::sort(order_.begin(), order_.end(), [&](int a, int b) { return angle_of(a) < angle_of(b); });
  for (const int n : order_) sorted_.push_back(angle_of(n));
  std::vector<double> gaps;
  for (std::size_t n = 1; n < sorted_.size(); ++n)
    if (sorted_[n] - sorted_[n - 1] > 1e-7) gaps.push_back(sorted_[n] - sorted_[n - 1]);
  std::nth_element(gaps.begin(), gaps.begin() + static_cast<std::ptrdiff_t>(gaps.size() / 2), gaps.end());
  step_ = gaps.empty() ? 0 : gaps[gaps.size() / 2];
  const std::size_t sectors = 2 * sorted_.size();
  for (std::size_t n = 0, next = 0; n < sectors; ++n) {
    while (next < sorted_.size() &&
           sorted_[next] < turn * static_cast<double>(n) / static_cast<double>(sectors))
      ++next;
    start_.push_back(static_cast<int>(next));
  }
}

ViewPair ViewsOfTurn::at(double angle) const {
  angle = within_turn(angle);
  const std::size_t count = sorted_.size();
  const auto sector = std::min(start_.size() - 1,
                               static_cast<std::size_t>(angle / turn * static_cast<double>(start_.size())));
  auto high = static_cast<std::size_t>(start_[sector]);
  while (high < count && sorted_[high] <= angle) ++high;
  const std::size_t low = (high + count - 1) % count;
  const double before = angle - sorted_[low] + (high == 0 ? turn : 0);
  const double after = sorted_[high % count] - angle + (high == count ? turn : 0);
  if (before < same_angle * step_) return {order_[low], order_[low], 0};
  if (after < same_angle * step_) return {order_[high % count], order_[high % count], 0};
  if (before + after > widest_gap * step_) return beyond(low, high % count, before, after);
  return {order_[low], order_[high % count], before / (before + after)};
}

ViewPair ViewsOfTurn::beyond(std::size_t low, std::size_t high, double before, double after) const {
  const std::size_t count = sorted_.size();
  if (!continued_ || count < 3) return {};
  const std::size_t end = before < after ? low : high,
                    next = (end + (before < after ? count - 1 : 1)) % count;
  const double distance = std::min(before, after),
               step =
                   within_turn(before < after ? sorted_[end] - sorted_[next] : sorted_[next] - sorted_[end]);
  if (distance > furthest_beyond * step_ || step > widest_gap * step_) return {};
  return {order_[end], order_[next], -distance / step};
}

ReverseRays::ReverseRays(const geometry::CircularScan& scan)
    : parallel_(scan.beam == geometry::Beam::parallel),
      rows_a_mm_(scan.source_object_distance > 0 ? scan.magnification() / scan.detector.row_pitch
                                                 : 1 / scan.detector.row_pitch) {
  geometry::CircularScan still = scan;  // without axis and turn the world is the laboratory
  still.axis = {}, still.shifts = {};
  still.angles.assign(1, 0.0);
  const geometry::View view = geometry::make_views(still).front();
  source_ = view.source, beam_ = view.direction;
  first_pixel_ = view.pixel_origin, column_step_ = view.column_step, row_step_ = view.row_step;
  const Vec3 depth = parallel_ ? beam_ : first_pixel_ - source_;
  const double volume = dot(cross(column_step_, row_step_), depth);
  to_column_ = (1 / volume) * cross(row_step_, depth);
  to_row_ = (1 / volume) * cross(depth, column_step_);
  to_depth_ = (1 / volume) * cross(column_step_, row_step_);
}

AxisPlane ReverseRays::about(const geometry::RotationAxis& axis) const {
  AxisPlane plane;
  plane.foot = {axis.offset, 0, 0};
  plane.up = {std::sin(axis.roll), std::sin(axis.tilt) * std::cos(axis.roll),
              std::cos(axis.tilt) * std::cos(axis.roll)};
  const Vec3 along = parallel_ ? beam_ : plane.foot - source_;
  const Vec3 level = along - dot(along, plane.up) * plane.up;
  plane.ahead = (1 / norm(level)) * level;
  plane.across = cross(plane.ahead, plane.up);
  return plane;
}

ReverseRay ReverseRays::reverse(const AxisPlane& plane, double column, double row) const {
  const Vec3 pixel = first_pixel_ + column * column_step_ + row * row_step_;
  const Vec3 from = pixel - (parallel_ ? plane.foot : source_);
  const double off = dot(from, plane.across);
  const Vec3 mirrored = from - 2 * off * plane.across;
  ReverseRay reverse{.turned = std::numbers::pi};
  if (parallel_) {
    const Vec3 at = plane.foot + mirrored - first_pixel_;
    reverse.column = dot(to_column_, at), reverse.row = dot(to_row_, at);
    return reverse;
  }
  const double depth = dot(to_depth_, mirrored), ahead = dot(from, plane.ahead);
  // The detector's point is first_pixel_ + column * column_step_ + row * row_step_, depth 1 from the source.
  reverse.column = dot(to_column_, mirrored) / depth, reverse.row = dot(to_row_, mirrored) / depth;
  reverse.direction = std::atan2(off, ahead);
  reverse.turned += 2 * reverse.direction;
  reverse.slope = dot(from, plane.up) / std::hypot(off, ahead) * rows_a_mm_;
  return reverse;
}

}  // namespace feldspar::recon
