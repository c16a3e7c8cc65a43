#include <algorithm>

#include "kernels/cpu/operators.hpp"
#include "kernels/shared/parts.hpp"

namespace feldspar::kernels::cpu {
namespace {

/// The projection at (u, v), bilinearly; v counts from the first row held. 0 beyond.
float interpolate(View3<const float> projection, int view, double u, double v) {
  if (!(u > -1 && u < projection.nx && v > -1 && v < projection.ny)) return 0;
  const Parts<double> across = parts_of(u), up = parts_of(v);
  const int column = static_cast<int>(across.whole), row = static_cast<int>(up.whole);
  const float a = static_cast<float>(across.fraction), b = static_cast<float>(up.fraction);
  const auto pixel = [&](int c, int r) {
    return c >= 0 && c < projection.nx && r >= 0 && r < projection.ny ? projection(c, r, view) : 0.0f;
  };
  return (1 - b) * ((1 - a) * pixel(column, row) + a * pixel(column + 1, row)) +
         b * ((1 - a) * pixel(column, row + 1) + a * pixel(column + 1, row + 1));
}

}  // namespace

void accumulate_general(Machine& machine, std::span<const ExactViewMatrix> views, geometry::Range rows,
                        View3<const float> projections, geometry::Range slices, View3<float> volume) {
  const std::size_t count = views.size();
  machine.pool.for_each(
      static_cast<std::ptrdiff_t>(slices.count()) * volume.ny, [&](std::ptrdiff_t job, int) {
        const int slice = static_cast<int>(job / volume.ny), j = static_cast<int>(job % volume.ny);
        const double k = slices.first + slice;
        float* voxels = volume.row(j, slice);
        for (std::size_t first = 0; first < count; first += view_group)
          for (int i = 0; i < volume.nx; ++i) {
            float sum = 0;
            for (std::size_t n = first; n < std::min(count, first + view_group); ++n) {
              const Shadow<double> shadow = views[n].shadow_of(i, j, k);
              const double scale = shadow.magnification;
              if (!(scale > 0)) continue;
              sum += static_cast<float>(scale * scale) *
                     interpolate(projections, static_cast<int>(n), shadow.u, shadow.v - rows.first);
            }
            voxels[i] += sum;
          }
      });
}

}  // namespace feldspar::kernels::cpu
