#include "geometry/rectification.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.hpp"
#include "geometry/shadow_map.hpp"

namespace feldspar::geometry {
namespace {

struct Box {
  double lowest_u = std::numeric_limits<double>::infinity(), highest_u = -lowest_u;
  double lowest_v = lowest_u, highest_v = -lowest_u;
  void hold(double u, double v) {
    lowest_u = std::min(lowest_u, u), highest_u = std::max(highest_u, u);
    lowest_v = std::min(lowest_v, v), highest_v = std::max(highest_v, v);
  }
};

/// The upright plane through the middle pixel of a real detector, with its pitches, columns `finer`: pixel
/// (0, 0) is that one, so that the pixels of a detector that leans little fall near virtual ones, where
/// interpolation blurs least.
View upright(const View& real, int columns, int rows, double finer) {
  const Vec3 middle = from_pixel(real, columns / 2, rows / 2).pixel_origin;
  const double level = std::hypot(real.column_step.x, real.column_step.y);
  const double column_pitch = norm(real.column_step) / finer, row_pitch = norm(real.row_step);
  const double up = real.row_step.z < 0 ? -row_pitch : row_pitch;
  return {.source = real.source,
          .pixel_origin = middle,
          .column_step = {column_pitch * real.column_step.x / level,
                          column_pitch * real.column_step.y / level, 0},
          .row_step = {0, 0, up},
          .direction = real.direction};
}

/// H with real (column, row, 1) ~ H * (virtual column, virtual row, 1): the shadow that the real detector
/// sees of the virtual pixel, scaled to 1 in the last element.
std::array<double, 9> homography(const View& real, const View& flat) {
  const ShadowMap map = make_shadow_map(real);
  const Vec3 rows[3] = {map.column, map.row, map.depth}, a = flat.pixel_origin - map.base;
  std::array<double, 9> h{};
  const double scale = dot(map.depth, a) + map.constant;
  for (std::size_t n = 0; n < 3; ++n) {
    h[3 * n] = dot(rows[n], flat.column_step) / scale;
    h[3 * n + 1] = dot(rows[n], flat.row_step) / scale;
    h[3 * n + 2] = dot(rows[n], a) / scale;
  }
  h[8] = 1;
  return h;
}

}  // namespace

bool is_aligned(std::span<const View> views, int columns, int rows, double tolerance) {
  return std::all_of(views.begin(), views.end(), [&](const View& view) {
    const double along_columns = std::abs(view.column_step.z) / norm(view.row_step) * columns;
    const double along_rows = std::hypot(view.row_step.x, view.row_step.y) / norm(view.column_step) * rows;
    return along_columns <= tolerance && along_rows <= tolerance;
  });
}

namespace {

/// Has the box hold the shadow of a real detector's corners on a virtual one.
void hold_corners(const View& real, int columns, int rows, const View& virtual_view, Box& box) {
  for (const double column : {-0.5, columns - 0.5})
    for (const double row : {-0.5, rows - 0.5}) {
      const DetectorPoint at = project(virtual_view, from_pixel(real, column, row).pixel_origin);
      expects(at.depth > 0, "the detector stands behind the source", ErrorKind::bad_file);
      box.hold(at.column, at.row);
    }
}

}  // namespace

Rectification make_rectification(std::span<const View> views, int columns, int rows, double finer) {
  Rectification result;
  result.finer = finer;
  result.views.reserve(views.size());
  Box box;
  for (const View& real : views) {
    result.views.push_back(upright(real, columns, rows, finer));
    hold_corners(real, columns, rows, result.views.back(), box);
  }
  // Whole pixels that cover every real one; the same for all views, so that a row range means one thing.
  const double first_column = std::floor(box.lowest_u + 0.5), first_row = std::floor(box.lowest_v + 0.5);
  result.columns = static_cast<int>(std::ceil(box.highest_u - 0.5) - first_column) + 1;
  result.rows = static_cast<int>(std::ceil(box.highest_v - 0.5) - first_row) + 1;
  for (std::size_t n = 0; n < views.size(); ++n) {
    result.views[n] = from_pixel(result.views[n], first_column, first_row);
    result.homographies.push_back(homography(views[n], result.views[n]));
  }
  return result;
}

Rectification widened(Rectification rectification, int left, int right) {
  rectification.columns += left + right;
  for (View& view : rectification.views) view = from_pixel(view, -left, 0);
  for (auto& h : rectification.homographies)
    for (std::size_t n = 0; n < 9; n += 3) h[n + 2] -= left * h[n];
  return rectification;
}

PixelWindow source_window(const Rectification& rectification, const PixelWindow& window, int columns,
                          int rows) {
  if (window.columns.empty() || window.rows.empty()) return {};
  Box box;
  for (const auto& h : rectification.homographies)
    for (const int column : {window.columns.first, window.columns.end - 1})
      for (const int row : {window.rows.first, window.rows.end - 1}) {
        const double w = h[6] * column + h[7] * row + h[8];
        box.hold((h[0] * column + h[1] * row + h[2]) / w, (h[3] * column + h[4] * row + h[5]) / w);
      }
  // Cubic interpolation touches one pixel before and two after the one below the point; one more for
  // rounding.
  const auto cut = [](double lowest, double highest, int count) {
    return Range{static_cast<int>(std::clamp(std::floor(lowest) - 2, 0.0, double(count))),
                 static_cast<int>(std::clamp(std::floor(highest) + 4, 0.0, double(count)))};
  };
  return {cut(box.lowest_u, box.highest_u, columns), cut(box.lowest_v, box.highest_v, rows)};
}

}  // namespace feldspar::geometry
