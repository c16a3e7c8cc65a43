// Scans stored as Data Exchange: HDF5 files of a synchrotron's parallel beam, projections, whites and darks.
#pragma once

#include "io/scan_format.hpp"

namespace feldspar::io {

/// exchange/data, data_white, data_dark and theta; the dimensions in the order that @axes states.
extern const ScanFormat exchange_format;

}  // namespace feldspar::io
