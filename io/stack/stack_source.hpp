// Scans kept as TIFF images with a description in TOML.
#pragma once

#include "io/scan_format.hpp"

namespace feldspar::io::stack {

extern const ScanFormat format;

}  // namespace feldspar::io::stack
