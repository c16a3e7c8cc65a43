// Scans stored as NeXus NXtomo: HDF5 files of frames, their kinds and angles, of cone and parallel beams.
#pragma once

#include "io/scan_format.hpp"

namespace feldspar::io {

/// NXtomo has no field for a cone: a file is taken for one when it states both the source's and the
/// detector's distance from the sample. Flats and darks (image_key 1 and 2) are averaged.
extern const ScanFormat nxtomo_format;

}  // namespace feldspar::io
