#include <cmath>

#include "kernels/reference/operators.hpp"

namespace feldspar::kernels::reference {
namespace {

using geometry::Vec3;

/// Bilinear interpolation of the detector, whose rows from `first_row` are given; what is missing is 0.
double interpolate(View3<const float> projection, int first_row, double u, double v) {
  const int u0 = static_cast<int>(std::floor(u)), v0 = static_cast<int>(std::floor(v)) - first_row;
  const auto pixel = [&](int column, int row) -> double {
    const bool inside = column >= 0 && column < projection.nx && row >= 0 && row < projection.ny;
    return inside ? projection(column, row, 0) : 0.0;
  };
  const double a = u - std::floor(u), b = v - std::floor(v);
  return (1 - b) * ((1 - a) * pixel(u0, v0) + a * pixel(u0 + 1, v0)) +
         b * ((1 - a) * pixel(u0, v0 + 1) + a * pixel(u0 + 1, v0 + 1));
}

double fdk_term(const geometry::View& view, View3<const float> projection, int first_row, Vec3 voxel) {
  const geometry::DetectorPoint at = geometry::project(view, voxel);
  const geometry::DetectorPoint origin = geometry::project(view, {0, 0, 0});
  if (!(at.depth > 0)) return 0;
  // Far outside, an index need not fit an int; nothing is there anyway.
  if (!(at.column > -1 && at.column < projection.nx && at.row > -1 && at.row < 1e9)) return 0;
  const double magnification = origin.depth / at.depth;
  return magnification * magnification * interpolate(projection, first_row, at.column, at.row);
}

class ReferenceBackProjector final : public BackProjector {
 public:
  [[nodiscard]] std::size_t workspace_bytes(int, int, int) const override { return 0; }

  void accumulate(std::span<const geometry::View> views, geometry::Range rows,
                  DeviceView3<const float> projections, const geometry::VolumeGrid& grid,
                  geometry::Range slices, DeviceView3<float> volume) override {
    const View3<const float> stack{projections.data, projections.nx, projections.ny, projections.nz};
    const View3<float> slab{volume.data, volume.nx, volume.ny, volume.nz};
    for (int k = 0; k < slices.count(); ++k)
      for (int j = 0; j < grid.ny; ++j)
        for (int i = 0; i < grid.nx; ++i) {
          double sum = 0;
          for (std::size_t n = 0; n < views.size(); ++n)
            sum += fdk_term(views[n], stack.planes(static_cast<int>(n), 1), rows.first,
                            grid.centre_of(i, j, slices.first + k));
          slab(i, j, k) += static_cast<float>(sum);
        }
  }
};

}  // namespace

std::unique_ptr<BackProjector> make_back_projector() { return std::make_unique<ReferenceBackProjector>(); }

}  // namespace feldspar::kernels::reference
