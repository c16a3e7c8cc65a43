#include "geometry/coverage.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

namespace feldspar::geometry {
namespace {

constexpr double turn = 2 * std::numbers::pi;

/// The indices that linear interpolation between `lowest` and `highest` touches, cut to [0, count).
Range touched(double lowest, double highest, int count) {
  constexpr double rounding = 1e-3;  // single precision places a shadow this well on any detector
  const double first = std::floor(lowest - rounding), end = std::floor(highest + rounding) + 2;
  const auto cut = [&](double index) {
    return static_cast<int>(std::clamp(index, 0.0, static_cast<double>(count)));
  };
  return {cut(first), cut(end)};
}

}  // namespace

DetectorPoint project(const View& view, Vec3 p) {
  const Vec3 normal = normalised(cross(view.row_step, view.column_step));
  const bool parallel = view.is_parallel();
  const Vec3 ray = parallel ? view.direction : p - view.source;
  const Vec3 start = parallel ? p : view.source, q = view.pixel_origin - start;
  const double depth = dot(ray, normal), to_detector = dot(q, normal);
  const Vec3 hit = (to_detector / depth) * ray - q;
  // Solves hit = column * column_step + row * row_step; the two need not be perpendicular.
  const double uu = dot(view.column_step, view.column_step), vv = dot(view.row_step, view.row_step);
  const double uv = dot(view.column_step, view.row_step);
  const double hu = dot(hit, view.column_step), hv = dot(hit, view.row_step);
  const double determinant = uu * vv - uv * uv;
  return {(hu * vv - hv * uv) / determinant, (hv * uu - hu * uv) / determinant,
          parallel          ? 1
          : to_detector < 0 ? -depth
                            : depth};
}

PixelWindow shadow_window(std::span<const View> views, const VolumeGrid& grid, int columns, int rows) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  double lowest_u = infinity, highest_u = -infinity, lowest_v = infinity, highest_v = -infinity;
  for (const View& view : views)
    for (int corner = 0; corner < 8; ++corner) {
      const Vec3 p = grid.centre_of(corner & 1 ? grid.nx - 1 : 0, corner & 2 ? grid.ny - 1 : 0,
                                    corner & 4 ? grid.nz - 1 : 0);
      const DetectorPoint at = project(view, p);
      // A corner beside or behind the source has no shadow; what is in front of it may fall anywhere.
      if (!(at.depth > 1e-6 * norm(view.source))) return {{0, columns}, {0, rows}};
      lowest_u = std::min(lowest_u, at.column), highest_u = std::max(highest_u, at.column);
      lowest_v = std::min(lowest_v, at.row), highest_v = std::max(highest_v, at.row);
    }
  if (views.empty()) return {};
  return {touched(lowest_u, highest_u, columns), touched(lowest_v, highest_v, rows)};
}

FieldOfView field_of_view(const CircularScan& scan) {
  const Detector& d = scan.detector;
  const double half = 0.5 * d.columns * d.column_pitch;
  // Distance of the axis from the rays to the detector's two edges, in the plane of the turn.
  const auto reach = [&](double edge) {
    if (scan.beam == Beam::parallel) return std::abs(edge - scan.axis.offset);
    const double angle = std::atan(edge / scan.source_detector_distance);
    return std::abs(scan.source_object_distance * std::sin(angle) - scan.axis.offset * std::cos(angle));
  };
  const double left = reach(d.column_offset - half), right = reach(d.column_offset + half);
  return {std::min(left, right), std::max(left, right)};
}

bool is_displaced(const CircularScan& scan) {
  const Detector& d = scan.detector;
  const double width = d.columns * d.column_pitch;
  if (!(std::abs(scan.axis.offset * scan.magnification() - d.column_offset) > 0.1 * width)) return false;
  return scan.beam == Beam::cone || angular_coverage(scan.angles).complete;
}

AngularCoverage angular_coverage(std::span<const double> angles, double period) {
  AngularCoverage coverage;
  const std::size_t count = angles.size();
  coverage.steps.assign(count, turn);
  coverage.span = coverage.largest_gap = coverage.period = period;
  if (count < 2) return coverage;

  const auto modulo = [period](double angle) {
    const double rest = std::fmod(angle, period);
    return rest < 0 ? rest + period : rest;
  };
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](auto a, auto b) { return modulo(angles[a]) < modulo(angles[b]); });
  std::vector<double> gap(count);  // from the n-th in order to the next
  for (std::size_t n = 0; n < count; ++n) {
    const double next = n + 1 < count ? modulo(angles[order[n + 1]]) : modulo(angles[order[0]]) + period;
    gap[n] = next - modulo(angles[order[n]]);
  }
  coverage.largest_gap = *std::max_element(gap.begin(), gap.end());

  const auto [least, most] = std::minmax_element(angles.begin(), angles.end());
  const double mean_step = (*most - *least) / static_cast<double>(count - 1);
  const double reach = *most - *least, beyond = std::abs(std::remainder(reach, period));
  const bool returns = reach > 0.5 * period && beyond < 0.5 * mean_step;  // the last view is the first again
  coverage.span = returns ? reach : reach + mean_step;
  // What lies between the last and the first angle decides: a short scan leaves open all that a half turn and
  // a fan do not need, while views that are missing in between leave their gap inside the turn.
  const double short_scan_gap = period / 18;
  const double open_end = period - (*most - *least);
  coverage.complete = open_end <= std::max(short_scan_gap, 1.5 * mean_step);
  if (!coverage.complete) {  // the views at the ends of the turn stand for what lies between them only
    const auto last = std::find(order.begin(), order.end(), static_cast<std::size_t>(most - angles.begin()));
    gap[static_cast<std::size_t>(last - order.begin())] = mean_step;
  }
  for (std::size_t n = 0; n < count; ++n)
    coverage.steps[order[n]] = 0.5 * turn / period * (gap[n] + gap[(n + count - 1) % count]);
  return coverage;
}

}  // namespace feldspar::geometry
