// A Nikon X-Tek scan: an .xtekct file with its projections as TIFFs.
#pragma once

#include "io/scan_format.hpp"

namespace feldspar::io::nikon {

/// The .xtekct is the scan; of several copies in one folder, as CT Pro leaves for each reconstruction, the
/// first is opened when they describe the same scan, else Error(usage) names them and what differs.
extern const ScanFormat format;

}  // namespace feldspar::io::nikon
