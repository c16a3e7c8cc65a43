// Cuts through a volume as one picture for people: side by side at one scale, labelled, with a scale bar.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "geometry/vec3.hpp"
#include "io/hdf5/volume_file.hpp"
#include "io/png/png_file.hpp"

namespace feldspar::cli {

/// A rectangle of values in 1/mm, row 0 at the bottom, columns fastest.
struct Plane {
  std::string label;
  int width = 0;
  int height = 0;
  double column_step = 0;  ///< mm
  double row_step = 0;     ///< mm
  std::vector<float> values;
};

/// Attenuation in 1/mm that is drawn black and white.
struct GreyWindow {
  double black = 0;
  double white = 0;
};

/// The voxel of `grid` whose centre is nearest to `point`. Throws Error(usage) for a point outside.
struct Voxel {
  int x = 0;
  int y = 0;
  int z = 0;
};
[[nodiscard]] Voxel voxel_at(const geometry::VolumeGrid& grid, geometry::Vec3 point);

/// The planes xy, xz and yz through a voxel, in that order. Reads nothing else of the volume.
[[nodiscard]] std::vector<Plane> orthogonal_planes(const io::VolumeReader& volume, Voxel voxel);

/// From the 0.5 to the 99.5 percentile of the finite values.
[[nodiscard]] GreyWindow window_of(std::span<const Plane> planes);

/// At most `max_size` pixels wide and high as far as the labels allow. Pixels are averages over their area;
/// values that are not finite are left out of it.
[[nodiscard]] io::GreyPicture draw_planes(std::span<const Plane> planes, GreyWindow window, int max_size);

/// The longest of 1, 2, 5, 10, 20 ... (and down) that is not above `longest`.
[[nodiscard]] double round_length(double longest);

}  // namespace feldspar::cli
