// A Zeiss Xradia scan: one .txrm file.
#pragma once

#include "io/scan_format.hpp"

namespace feldspar::io::zeiss {

extern const ScanFormat format;

}  // namespace feldspar::io::zeiss
