// A Nikon X-Tek scan: an .xtekct file with its projections as TIFFs.
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "io/open_scan.hpp"

namespace feldspar::io::nikon {

/// Opens the scan of an .xtekct file. The header and size of every projection are checked. Errors as
/// open_scan.
[[nodiscard]] std::unique_ptr<ScanSource> open_nikon(const std::filesystem::path& xtekct,
                                                     const OpenOptions& options);

/// Opens the scan of a folder with these .xtekct files: CT Pro leaves a copy for each reconstruction. When
/// they describe the same scan the first is opened; else throws Error(usage) naming them and what differs.
[[nodiscard]] std::unique_ptr<ScanSource> open_nikon(const std::vector<std::filesystem::path>& xtekcts,
                                                     const OpenOptions& options);

}  // namespace feldspar::io::nikon
