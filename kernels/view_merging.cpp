#include "kernels/view_merging.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "base/error.hpp"
#include "geometry/coverage.hpp"

namespace feldspar::kernels {
namespace {

constexpr std::array tiles{64, 48, 32, 16};

/// What the rule needs to know of a scan and a volume.
struct Sampling {
  double resolution = 0;        ///< mm: the voxel, or the image of a pixel at the axis, whichever is larger
  double pixels_per_voxel = 0;  ///< the most there are, at the voxel nearest to a source
  double reach = 0;             ///< mm from the axis to the furthest voxel
};

Sampling sampling_of(std::span<const geometry::View> views, const geometry::VolumeGrid& grid, double radius) {
  Sampling s;
  for (const int i : {0, grid.nx - 1})
    for (const int j : {0, grid.ny - 1}) {
      const geometry::Vec3 corner = grid.centre_of(i, j, 0);
      s.reach = std::max(s.reach, std::hypot(corner.x, corner.y));
    }
  s.reach = std::min(s.reach, radius);
  const double voxel = std::max({grid.spacing.x, grid.spacing.y, grid.spacing.z});
  double pixel = 0;
  for (const geometry::View& view : views) {
    double magnification = 1, enlargement = 1;  // at the axis, and from there to the nearest voxel
    if (!view.is_parallel()) {
      const double distance = std::hypot(view.source.x, view.source.y);
      enlargement = distance / std::max(distance - s.reach, 1e-3 * distance);
      const geometry::Vec3 normal = geometry::normalised(geometry::cross(view.row_step, view.column_step));
      magnification = std::abs(geometry::dot(view.pixel_origin - view.source, normal)) /
                      geometry::project(view, {0, 0, 0}).depth;
    }
    const double across = geometry::norm(view.column_step) / magnification,
                 up = geometry::norm(view.row_step) / magnification;
    pixel = std::max(pixel, across);
    s.pixels_per_voxel = std::max(s.pixels_per_voxel, voxel / std::min(across, up) * enlargement);
  }
  s.resolution = std::max(pixel, voxel);
  return s;
}

double angle_between(const geometry::View& a, const geometry::View& b) {
  const auto level = [](const geometry::View& view) {
    const geometry::Vec3 v = view.is_parallel() ? view.direction : view.source;
    return geometry::Vec3{v.x, v.y, 0};
  };
  return std::atan2(geometry::norm(geometry::cross(level(a), level(b))), geometry::dot(level(a), level(b)));
}

/// Half the widest angle between any two views of a group of `count` that follow each other.
double half_spread(std::span<const geometry::View> views, int count) {
  double widest = 0;
  for (std::size_t first = 0; first < views.size(); first += static_cast<std::size_t>(count)) {
    const std::size_t end = std::min(views.size(), first + static_cast<std::size_t>(count));
    for (std::size_t n = first + 1; n < end; ++n)
      widest = std::max(widest, angle_between(views[first], views[n]));
  }
  return 0.5 * widest;
}

double displacement_of(double half_spread, int tile, const geometry::VolumeGrid& grid, const Sampling& s) {
  return half_spread * tile / std::numbers::sqrt2 * std::max(grid.spacing.x, grid.spacing.y) / s.resolution;
}

bool is_accurate(double half_spread, double displacement, const Sampling& s) {
  return displacement <= ViewMerging::most_displacement &&
         displacement * half_spread * s.reach / s.resolution <= ViewMerging::most_smear;
}

/// Time relative to back-projecting every view (measured): what is left of them, and the resampling of a
/// tile's shadow (two samples a column, a little margin), whose pixels cost more than a voxel's update.
double cost_of(int count, int tile, const Sampling& s) {
  const double columns = 2 * (std::numbers::sqrt2 * tile * s.pixels_per_voxel + 4);
  return 1.35 / count + 1.5 * s.pixels_per_voxel * columns / (tile * tile);
}

/// Views that are too sparse, or voxels that are too coarse, are not merged at all.
bool is_dense(std::span<const geometry::View> views, const Sampling& s) {
  constexpr double sparse = 2.25;  // resolution elements between neighbouring views at the volume's edge
  return !(s.pixels_per_voxel > ViewMerging::most_pixels_per_voxel ||
           2 * half_spread(views, 2) * s.reach > sparse * s.resolution);
}

}  // namespace

ViewMerging choose_merging(std::span<const geometry::View> views, const geometry::VolumeGrid& grid,
                           double radius) {
  constexpr double worthwhile = 0.75;
  const Sampling s = sampling_of(views, grid, radius);
  ViewMerging best;
  if (!is_dense(views, s)) return best;
  double best_cost = worthwhile;
  for (int count = 2; count <= ViewMerging::most_views; ++count) {
    const double spread = half_spread(views, count);
    for (const int tile : tiles) {
      const double displacement = displacement_of(spread, tile, grid, s);
      if (!is_accurate(spread, displacement, s) || cost_of(count, tile, s) >= best_cost) continue;
      best = {count, tile, displacement};
      best_cost = cost_of(count, tile, s);
    }
  }
  return best;
}

ViewMerging merging_of(int count, std::span<const geometry::View> views, const geometry::VolumeGrid& grid,
                       double radius) {
  if (count < 1 || count > ViewMerging::most_views)
    throw Error(ErrorKind::usage, fmt::format("{} views cannot be merged; possible are 1 (none) to {}", count,
                                              ViewMerging::most_views));
  const Sampling s = sampling_of(views, grid, radius);
  if (count == 1) return {};
  if (s.pixels_per_voxel > ViewMerging::most_pixels_per_voxel)
    throw Error(ErrorKind::usage,
                fmt::format("views cannot be merged where a voxel is {:.1f} pixels wide (at most {}); "
                            "reconstruct smaller voxels",
                            s.pixels_per_voxel, ViewMerging::most_pixels_per_voxel));
  const double spread = half_spread(views, count);
  for (const int tile : tiles) {
    const double displacement = displacement_of(spread, tile, grid, s);
    if (is_accurate(spread, displacement, s) || tile == tiles.back()) return {count, tile, displacement};
  }
  return {};
}

}  // namespace feldspar::kernels
