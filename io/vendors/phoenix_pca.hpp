// Scans of GE phoenix datos|x (.pca).
#pragma once

#include "io/scan_format.hpp"

namespace feldspar::io::vendors {

extern const ScanFormat phoenix_pca;

}  // namespace feldspar::io::vendors
