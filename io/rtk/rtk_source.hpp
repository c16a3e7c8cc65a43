// Scans as RTK keeps them: a geometry (.xml) and a stack of projections (.mha or .mhd) beside it.
#pragma once

#include "io/scan_format.hpp"

namespace feldspar::io::rtk {

extern const ScanFormat format;

}  // namespace feldspar::io::rtk
