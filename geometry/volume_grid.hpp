// Where the voxels of a volume are.
#pragma once

#include <cstddef>

#include "geometry/scan.hpp"
#include "geometry/vec3.hpp"

namespace feldspar::geometry {

/// Voxels along the world axes. Voxel (i, j, k) is centred at origin + (i, j, k) * spacing.
struct VolumeGrid {
  int nx = 0;    ///< voxels along x
  int ny = 0;    ///< voxels along y
  int nz = 0;    ///< voxels along z: slices
  Vec3 spacing;  ///< mm
  Vec3 origin;   ///< centre of voxel (0, 0, 0), mm

  /// The world point of voxel indices, mm; they need not be whole.
  [[nodiscard]] constexpr Vec3 centre_of(double i, double j, double k) const {
    return {origin.x + i * spacing.x, origin.y + j * spacing.y, origin.z + k * spacing.z};
  }
  /// Their number.
  [[nodiscard]] constexpr std::size_t voxels() const {
    return static_cast<std::size_t>(nx) * static_cast<std::size_t>(ny) * static_cast<std::size_t>(nz);
  }
  friend constexpr bool operator==(const VolumeGrid&, const VolumeGrid&) = default;
};

/// A grid of cubic voxels of `spacing` mm around `centre`.
[[nodiscard]] VolumeGrid centred_grid(int nx, int ny, int nz, double spacing, Vec3 centre = {});

/// `slices` z-slices of `grid` from slice `first`: a grid with a moved origin.
[[nodiscard]] VolumeGrid slab_of(const VolumeGrid& grid, int first, int slices);

/// The grid that the detector covers at the axis: cubic voxels of column pitch / magnification (or of
/// `spacing` mm when positive), as many across as the detector has columns, and as high as its image of
/// the axis; of a displaced detector (is_displaced) as many across as its outer field of view. The cylinder
/// that every view sees (field_of_view) is a little narrower.
[[nodiscard]] VolumeGrid default_grid(const CircularScan& scan, double spacing = 0);

/// Throws Error(usage) unless counts and spacing are positive and finite.
void validate(const VolumeGrid& grid);

}  // namespace feldspar::geometry
