// The same slice about several rotation axes, side by side, over the curve of its sharpness.
#pragma once

#include "io/png/png_file.hpp"
#include "recon/find/slice_sharpness.hpp"

namespace feldspar::cli {

/// Seven trials a column apart around `chosen` (mm), each cut to where it has most detail. `pixel` is a
/// column's width in mm.
[[nodiscard]] io::GreyPicture draw_center_strip(const recon::SliceTrials& slice, double chosen, double pixel);

}  // namespace feldspar::cli
