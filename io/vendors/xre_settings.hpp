// Scans of Tescan (XRE) instruments (data settings XRE.txt).
#pragma once

#include "io/scan_format.hpp"

namespace feldspar::io::vendors {

extern const ScanFormat xre_settings;

}  // namespace feldspar::io::vendors
