#include "geometry/volume_grid.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.hpp"
#include "geometry/coverage.hpp"

namespace feldspar::geometry {

VolumeGrid centred_grid(int nx, int ny, int nz, double spacing, Vec3 centre) {
  const Vec3 half{0.5 * (nx - 1) * spacing, 0.5 * (ny - 1) * spacing, 0.5 * (nz - 1) * spacing};
  return {nx, ny, nz, {spacing, spacing, spacing}, centre - half};
}

VolumeGrid slab_of(const VolumeGrid& grid, int first, int slices) {
  VolumeGrid slab = grid;
  slab.nz = slices;
  slab.origin = grid.centre_of(0, 0, first);
  return slab;
}

VolumeGrid default_grid(const CircularScan& scan, double spacing) {
  const Detector& d = scan.detector;
  const double m = scan.magnification();
  if (!(spacing > 0)) spacing = d.column_pitch / m;
  const auto count = [&](double length) {
    return std::max(1, static_cast<int>(std::lround(length / m / spacing)));
  };
  const double width =
      is_displaced(scan) ? 2 * m * field_of_view(scan).outer_radius : d.columns * d.column_pitch;
  const int across = count(width);
  return centred_grid(across, across, count(d.rows * d.row_pitch), spacing, {0, 0, d.row_offset / m});
}

void validate(const VolumeGrid& grid) {
  const auto require = [](bool holds, const char* what, double value) {
    if (!holds)
      throw Error(ErrorKind::usage, fmt::format("the volume's {} is {}, which cannot be", what, value));
  };
  require(grid.nx >= 1, "number of voxels along x", grid.nx);
  require(grid.ny >= 1, "number of voxels along y", grid.ny);
  require(grid.nz >= 1, "number of voxels along z", grid.nz);
  for (const double s : {grid.spacing.x, grid.spacing.y, grid.spacing.z})
    require(std::isfinite(s) && s > 0, "voxel size in mm", s);
  for (const double o : {grid.origin.x, grid.origin.y, grid.origin.z})
    require(std::isfinite(o), "origin in mm", o);
  const double voxels = static_cast<double>(grid.nx) * grid.ny * grid.nz;
  require(voxels < 1e15, "number of voxels", voxels);
}

}  // namespace feldspar::geometry
