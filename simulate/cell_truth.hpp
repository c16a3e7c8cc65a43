// What a measurement of a virtual cell should find: where its windings are, and which voxels a material
// fills.
#pragma once

#include <vector>

#include "base/parallel.hpp"
#include "base/view3.hpp"
#include "geometry/volume_grid.hpp"
#include "simulate/cell_18650.hpp"

namespace feldspar::simulate {

/// Radii in mm of the middles of the aluminium foil, which is the middle of a cathode, rising, at `azimuths`
/// evenly spaced azimuths from 0: to within 2 um.
[[nodiscard]] std::vector<std::vector<double>> cathode_radii(const Cell18650& cell, int azimuths);

/// The share of each voxel of `grid` that `material` fills, with the errors of voxel_means().
void material_shares(const CellDesign& design, Material material, const geometry::VolumeGrid& grid,
                     View3<float> shares, ThreadPool& pool);

}  // namespace feldspar::simulate
