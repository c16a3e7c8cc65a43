// Scans of Bruker SkyScan instruments (.log).
#pragma once

#include "io/scan_format.hpp"

namespace feldspar::io::vendors {

extern const ScanFormat skyscan_log;

}  // namespace feldspar::io::vendors
