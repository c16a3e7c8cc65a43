// Scans kept as TIFF images with a description in TOML.
#pragma once

#include "io/scan_format.hpp"
#include "io/stack/stack_description.hpp"

namespace feldspar::io::stack {

extern const ScanFormat format;

/// The scan that the file `path` of any format describes, its projections TIFFs. With options.headers_only a
/// scan without its projections is a finding, and has the detector and the count of `stack`. Errors as
/// open_scan.
[[nodiscard]] std::unique_ptr<ScanSource> open_described(const std::filesystem::path& path,
                                                         StackDescription stack, const OpenOptions& options);

}  // namespace feldspar::io::stack
