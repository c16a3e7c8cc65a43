// A grey picture of three planes of a volume on one scale, with labels and a scale bar.
#pragma once

#include <string>
#include <vector>

#include "base/memory.hpp"
#include "io/png/png_file.hpp"

namespace feldspar::cli {

/// A plane of voxels: `values` has nx columns and ny rows, row 0 at the bottom of the picture.
struct Plane {
  std::string label;
  Array3<float> values;
  double width_mm = 0;
  double height_mm = 0;
};

/// What is shown as black and as white, 1/mm.
struct GreyWindow {
  double black = 0;
  double white = 0;
};

/// From the 0.5 % to the 99.8 % quantile of all planes, so that single voxels do not decide.
[[nodiscard]] GreyWindow automatic_window(const std::vector<Plane>& planes);

/// The planes side by side at one scale, the largest `plane_size` pixels long; larger planes are averaged
/// down. Below them a scale bar of a round length and the window.
[[nodiscard]] io::GreyPicture draw_planes(const std::vector<Plane>& planes, GreyWindow window, int plane_size);

}  // namespace feldspar::cli
