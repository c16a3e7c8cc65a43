// A Zeiss Xradia scan: one .txrm file.
#pragma once

#include <filesystem>
#include <memory>

#include "io/open_scan.hpp"

namespace feldspar::io::zeiss {

/// Opens a compound file that an Xradia microscope wrote. Every image's place is checked. Single images,
/// focus series, mosaics and reconstructions are refused with Error(unsupported), unless only their headers
/// are wanted. Other errors as open_scan.
[[nodiscard]] std::unique_ptr<ScanSource> open_txrm(const std::filesystem::path& path,
                                                    const OpenOptions& options);

}  // namespace feldspar::io::zeiss
