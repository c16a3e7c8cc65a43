// What the operators' definitions say, computed in double precision from the scan's vectors and from nothing
// that the kernels use. Slow and small on purpose.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <random>
#include <span>
#include <tuple>
#include <vector>

#include "base/view3.hpp"
#include "geometry/coverage.hpp"
#include "geometry/scan.hpp"
#include "geometry/volume_grid.hpp"
#include "kernels/attenuation.hpp"
#include "kernels/fdk_weights.hpp"

namespace feldspar::testing {

struct ScanCase {
  const char* name;
  geometry::CircularScan scan;
  geometry::VolumeGrid grid;
};

inline geometry::CircularScan plain_scan(int views, double sweep = 2 * std::numbers::pi) {
  geometry::CircularScan scan;
  scan.source_object_distance = 200;
  scan.source_detector_distance = 500;
  scan.detector.columns = 37;
  scan.detector.rows = 29;
  scan.detector.column_pitch = scan.detector.row_pitch = 1.0;
  for (int n = 0; n < views; ++n) scan.angles.push_back(0.1 + sweep * n / views);
  return scan;
}

inline geometry::VolumeGrid cubic_grid(int nx, int ny, int nz, double spacing) {
  const auto first = [&](int n) { return -0.5 * (n - 1) * spacing; };
  return {nx, ny, nz, {spacing, spacing, spacing}, {first(nx), first(ny), first(nz)}};
}

/// Every kind of geometry that a scanner produces, and sizes that no launch divides.
inline std::vector<ScanCase> scan_cases() {
  const geometry::VolumeGrid cube = cubic_grid(17, 19, 13, 0.6);
  std::vector<ScanCase> all{{"centred", plain_scan(11), cube}};
  all.push_back({"offset_detector", plain_scan(11), cube});
  all.back().scan.detector.column_offset = 4.3;
  all.back().scan.detector.row_offset = -2.1;
  all.push_back({"rolled_and_tilted", plain_scan(11), cube});
  all.back().scan.detector.roll = 0.03;
  all.back().scan.detector.tilt = -0.02;
  all.push_back({"short_scan", plain_scan(7, 3.6), cube});
  all.push_back({"flat_voxels_off_centre", plain_scan(5), {17, 19, 13, {0.5, 0.7, 1.1}, {-1.0, -6.0, -9.0}}});
  all.push_back({"single_view", plain_scan(1), cube});
  all.push_back({"more_views_than_a_batch", plain_scan(70), cubic_grid(5, 4, 9, 1.0)});
  all.push_back({"larger_than_the_field_of_view", plain_scan(5), cubic_grid(33, 33, 33, 1.5)});
  all.push_back({"source_inside_the_volume", plain_scan(3), cubic_grid(11, 41, 9, 11.0)});
  all.push_back({"on_pixel_centres", plain_scan(24), cubic_grid(17, 19, 13, 0.4)});
  for (int n = 0; n < 24; ++n)
    all.back().scan.angles[static_cast<std::size_t>(n)] = n * std::numbers::pi / 12;
  return all;
}

/// Those that only a back-projector has to serve: parallel beams whose shadows fall on pixel centres.
inline std::vector<ScanCase> back_projection_cases() {
  std::vector<ScanCase> all = scan_cases();
  const geometry::CircularScan scan = all.back().scan;
  for (const auto& [name, columns, pitch] : {std::tuple{"parallel_on_pixel_centres_odd", 37, 0.0065},
                                             {"parallel_on_pixel_centres_even", 36, 0.15}}) {
    all.push_back({name, scan, cubic_grid(columns - 18, columns - 18, 13, pitch)});
    geometry::CircularScan& parallel = all.back().scan;
    parallel.beam = geometry::Beam::parallel;
    parallel.source_object_distance = parallel.source_detector_distance = 0;
    parallel.detector.columns = columns;
    parallel.detector.column_pitch = parallel.detector.row_pitch = pitch;
  }
  return all;
}

/// The least forgiving data: every pixel differs from its neighbours.
inline std::vector<float> noise(std::size_t size, float low = 0.5f, float high = 1.0f) {
  std::mt19937 random(20);
  std::uniform_real_distribution<float> value(low, high);
  std::vector<float> values(size);
  for (float& x : values) x = value(random);
  return values;
}

/// Bilinear interpolation as a sum over all pixels near (u, v), each with its hat function.
inline double interpolated(View3<const float> stack, int view, double u, double v) {
  double sum = 0;
  for (int row = 0; row < stack.ny; ++row)
    for (int column = 0; column < stack.nx; ++column) {
      const double weight = std::max(0.0, 1 - std::abs(u - column)) * std::max(0.0, 1 - std::abs(v - row));
      if (weight > 0) sum += weight * stack(column, row, view);
    }
  return sum;
}

/// BackProjector's definition: the ray through a voxel is cut with the detector's plane.
inline std::vector<double> expected_back_projection(std::span<const geometry::View> views,
                                                    View3<const float> projections,
                                                    const geometry::VolumeGrid& grid) {
  std::vector<double> volume(grid.voxels(), 0.0);
  for (std::size_t n = 0; n < views.size(); ++n) {
    const geometry::View& view = views[n];
    const geometry::Vec3 normal = normalised(cross(view.column_step, view.row_step));
    const bool parallel = view.is_parallel();
    const double side = dot(view.pixel_origin - view.source, normal) > 0 ? 1.0 : -1.0;
    const double distance = side * dot(view.pixel_origin - view.source, normal);
    const double axis_depth = -side * dot(view.source, normal);
    for (std::size_t at = 0; at < volume.size(); ++at) {
      const auto nx = static_cast<std::size_t>(grid.nx), ny = static_cast<std::size_t>(grid.ny);
      const geometry::Vec3 voxel = grid.centre_of(
          static_cast<double>(at % nx), static_cast<double>(at / nx % ny), static_cast<double>(at / nx / ny));
      const geometry::Vec3 ray = voxel - view.source;
      const double depth = parallel ? 1 : side * dot(ray, normal);
      if (depth <= 0) continue;
      const geometry::Vec3 hit =
          parallel
              ? voxel - view.pixel_origin -
                    (dot(voxel - view.pixel_origin, normal) / dot(view.direction, normal)) * view.direction
              : (distance / depth) * ray + view.source - view.pixel_origin;
      // Steps need not be perpendicular: solve the 2x2 normal equations.
      const double uu = dot(view.column_step, view.column_step), vv = dot(view.row_step, view.row_step);
      const double uv = dot(view.column_step, view.row_step), determinant = uu * vv - uv * uv;
      const double hu = dot(hit, view.column_step), hv = dot(hit, view.row_step);
      const double u = (hu * vv - hv * uv) / determinant, v = (hv * uu - hu * uv) / determinant;
      const double weight = parallel ? 1 : std::pow(axis_depth / depth, 2);
      volume[at] += weight * interpolated(projections, static_cast<int>(n), u, v);
    }
  }
  return volume;
}

/// Entries of the matrix are rounded at 2^-24, which moves a shadow by that part of the largest index, and
/// four such roundings meet in one value. Where the volume reaches the source, the relative depth 1/m loses a
/// further factor m, and m^2 weighs the value.
inline double column_tolerance(const ScanCase& c) {
  const bool near_source =
      c.scan.beam == geometry::Beam::cone && c.grid.ny * c.grid.spacing.y > 2 * c.scan.source_object_distance;
  return 4 * 0x1p-24 *
         std::max({c.scan.detector.columns, c.scan.detector.rows, c.grid.nx, c.grid.ny, c.grid.nz}) *
         (near_source ? 40 : 1);
}

/// Filter's definition as a convolution in space with the unwindowed ramp, no transform anywhere.
inline std::vector<double> expected_filter(std::span<const kernels::FdkWeight> weights,
                                           std::span<const float> column_weights,
                                           View3<const float> projections) {
  const int columns = projections.nx;
  std::vector<double> filtered(projections.size()), weighted(static_cast<std::size_t>(columns));
  auto target = filtered.begin();
  for (int view = 0; view < projections.nz; ++view)
    for (int row = 0; row < projections.ny; ++row) {
      const kernels::FdkWeight& w = weights[static_cast<std::size_t>(view)];
      for (int at = 0; at < columns; ++at) {
        const geometry::Vec3 r =
            w.ray + static_cast<double>(at) * w.column_step + static_cast<double>(row) * w.row_step;
        double& value = weighted[static_cast<std::size_t>(at)];
        value = projections(at, row, view) * w.scale * dot(r, w.to_axis) / norm(r);
        if (!column_weights.empty())
          value *= column_weights[static_cast<std::size_t>(view) * static_cast<std::size_t>(columns) +
                                  static_cast<std::size_t>(at)];
      }
      for (int to = 0; to < columns; ++to) {
        double sum = 0.25 * weighted[static_cast<std::size_t>(to)];
        for (int from = (to + 1) % 2; from < columns; from += 2)
          sum -= weighted[static_cast<std::size_t>(from)] / std::pow(std::numbers::pi * (to - from), 2);
        *target++ = sum;
      }
    }
  return filtered;
}

/// Weights of a scan's views, from the formula in kernels/fdk_weights.hpp.
inline std::vector<kernels::FdkWeight> weights_of(std::span<const geometry::View> views) {
  std::vector<kernels::FdkWeight> weights;
  for (const geometry::View& view : views)
    weights.push_back({view.pixel_origin - view.source, view.column_step, view.row_step,
                       normalised(geometry::Vec3{-view.source.x, -view.source.y, 0}), 0.37});
  return weights;
}

/// Keys' kernel as he writes it, a function of the distance.
inline double keys(double x) {
  const double s = std::abs(x);
  if (s < 1) return 1.5 * s * s * s - 2.5 * s * s + 1;
  if (s < 2) return -0.5 * s * s * s + 2.5 * s * s - 4 * s + 2;
  return 0;
}

/// Rectifier's definition at one virtual pixel, from the whole real detector's image.
inline double expected_rectified(View3<const float> image, int view, const std::array<double, 9>& h,
                                 int column, int row) {
  const double w = h[6] * column + h[7] * row + h[8];
  const double u = (h[0] * column + h[1] * row + h[2]) / w, v = (h[3] * column + h[4] * row + h[5]) / w;
  if (u < -0.5 || u > image.nx - 0.5 || v < -0.5 || v > image.ny - 0.5) return 0;
  double sum = 0;
  for (int y = -3; y < image.ny + 3; ++y)
    for (int x = -3; x < image.nx + 3; ++x)
      sum += keys(u - x) * keys(v - y) *
             image(std::clamp(x, 0, image.nx - 1), std::clamp(y, 0, image.ny - 1), view);
  return sum;
}

/// Attenuation's definition for one good pixel.
inline double expected_line_integral(double count, double white, double dark) {
  return -std::log(std::max(count - dark, 1.0) / (white - dark));
}

}  // namespace feldspar::testing
