#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.hpp"
#include "kernels/reference/operators.hpp"

namespace feldspar::kernels::reference {
namespace {

using geometry::Vec3;
using Triple = std::array<double, 3>;

Triple as_array(Vec3 v) { return {v.x, v.y, v.z}; }

/// Calls visit(i, j, k, weight) for every voxel of the slices that the ray from `from` along `along` crosses
/// in front of `from` (anywhere, of a whole line), k counted from the first slice; weights in mm.
template <class Visit>
void for_each_voxel(Vec3 from, Vec3 along, bool whole_line, const geometry::VolumeGrid& grid,
                    geometry::Range slices, Visit visit) {
  const Triple spacing = as_array(grid.spacing), start = as_array(from - grid.origin), step = as_array(along);
  Triple at_start, per_unit;  // in voxels
  for (std::size_t n = 0; n < 3; ++n) at_start[n] = start[n] / spacing[n], per_unit[n] = step[n] / spacing[n];
  constexpr double nearly = 1 - 1e-9;  // the first of equals is taken, whatever the rounding
  std::size_t main = 2;
  for (const std::size_t n : {std::size_t{1}, std::size_t{0}})
    if (std::abs(per_unit[n]) >= nearly * std::abs(per_unit[main])) main = n;
  const std::size_t a = main == 0 ? 1 : 0, b = main == 2 ? 1 : 2;
  const std::array<int, 3> lowest{0, 0, slices.first}, end{grid.nx, grid.ny, slices.end};
  const double length = norm(along) / std::abs(per_unit[main]);
  for (int plane = lowest[main]; plane < end[main]; ++plane) {
    const double t = (plane - at_start[main]) / per_unit[main];
    if (!whole_line && !(t > 0)) continue;
    const double u = at_start[a] + t * per_unit[a], v = at_start[b] + t * per_unit[b];
    if (!(u > -1 && u < end[a] && v > lowest[b] - 1 && v < end[b])) continue;
    for (const int i : {static_cast<int>(std::floor(u)), static_cast<int>(std::floor(u)) + 1})
      for (const int j : {static_cast<int>(std::floor(v)), static_cast<int>(std::floor(v)) + 1}) {
        if (i < 0 || i >= end[a] || j < lowest[b] || j >= end[b]) continue;
        std::array<int, 3> voxel{};
        voxel[main] = plane, voxel[a] = i, voxel[b] = j;
        visit(voxel[0], voxel[1], voxel[2] - slices.first,
              length * (1 - std::abs(u - i)) * (1 - std::abs(v - j)));
      }
  }
}

class ReferenceForwardProjector final : public ForwardProjector {
 public:
  void accumulate(std::span<const geometry::View> views, const geometry::PixelWindow& window,
                  DeviceView3<float> projections, const geometry::VolumeGrid& grid, geometry::Range slices,
                  DeviceView3<const float> volume) override {
    const View3<const float> voxels{volume.data, volume.nx, volume.ny, volume.nz};
    const View3<float> pixels{projections.data, projections.nx, projections.ny, projections.nz};
    for_each_ray(views, window, [&](int n, int column, int row, Vec3 from, Vec3 along, bool whole_line) {
      double sum = 0;
      for_each_voxel(from, along, whole_line, grid, slices,
                     [&](int i, int j, int k, double weight) { sum += weight * voxels(i, j, k); });
      pixels(column, row, n) += static_cast<float>(sum);
    });
  }

  void accumulate_adjoint(std::span<const geometry::View> views, const geometry::PixelWindow& window,
                          DeviceView3<const float> projections, const geometry::VolumeGrid& grid,
                          geometry::Range slices, DeviceView3<float> volume) override {
    const View3<float> voxels{volume.data, volume.nx, volume.ny, volume.nz};
    const View3<const float> pixels{projections.data, projections.nx, projections.ny, projections.nz};
    std::vector<double> sums(voxels.size());
    for_each_ray(views, window, [&](int n, int column, int row, Vec3 from, Vec3 along, bool whole_line) {
      const double value = pixels(column, row, n);
      for_each_voxel(from, along, whole_line, grid, slices, [&](int i, int j, int k, double weight) {
        sums[static_cast<std::size_t>(&voxels(i, j, k) - voxels.data)] += weight * value;
      });
    });
    for (std::size_t n = 0; n < sums.size(); ++n) voxels.data[n] += static_cast<float>(sums[n]);
  }

 private:
  template <class Body>
  static void for_each_ray(std::span<const geometry::View> views, const geometry::PixelWindow& window,
                           Body body) {
    for (std::size_t n = 0; n < views.size(); ++n)
      for (int row = 0; row < window.rows.count(); ++row)
        for (int column = 0; column < window.columns.count(); ++column) {
          const geometry::View& view = views[n];
          const Vec3 pixel =
              from_pixel(view, window.columns.first + column, window.rows.first + row).pixel_origin;
          const bool parallel = view.is_parallel();
          body(static_cast<int>(n), column, row, parallel ? pixel : view.source,
               parallel ? view.direction : pixel - view.source, parallel);
        }
  }
};

}  // namespace

std::unique_ptr<ForwardProjector> make_forward_projector() {
  return std::make_unique<ReferenceForwardProjector>();
}

}  // namespace feldspar::kernels::reference
