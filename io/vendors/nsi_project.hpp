// Scans of North Star Imaging efX (.nsipro).
#pragma once

#include "io/scan_format.hpp"

namespace feldspar::io::vendors {

extern const ScanFormat nsi_project;

}  // namespace feldspar::io::vendors
