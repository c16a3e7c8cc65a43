// The foil by small steps along the radius; shares as means of a cell in which only one material attenuates.
#include "simulate/cell_truth.hpp"

#include <cmath>
#include <numbers>

namespace feldspar::simulate {

std::vector<std::vector<double>> cathode_radii(const Cell18650& cell, int azimuths) {
  constexpr double step = 0.002;
  std::vector<std::vector<double>> radii(static_cast<std::size_t>(azimuths));
  for (int k = 0; k < azimuths; ++k) {
    const double azimuth = 2 * std::numbers::pi * k / azimuths;
    const double cos = std::cos(azimuth), sin = std::sin(azimuth);
    double entered = -1;
    for (double r = cell.winding().core_radius(); r < cell.winding().outer_radius + step; r += step) {
      const bool foil = cell.layer_at(r * cos, r * sin) == Layer::aluminium;
      if (foil && entered < 0) entered = r;
      if (foil || entered < 0) continue;
      radii[static_cast<std::size_t>(k)].push_back(0.5 * (entered + r - step));
      entered = -1;
    }
  }
  return radii;
}

void material_shares(const CellDesign& design, Material material, const geometry::VolumeGrid& grid,
                     View3<float> shares, ThreadPool& pool) {
  AttenuationTable only{};
  only[static_cast<std::size_t>(material)] = 1;
  voxel_means(Cell18650(design, only), grid, 4, shares, pool);
}

}  // namespace feldspar::simulate
