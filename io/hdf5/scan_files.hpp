// Writes scans as NeXus NXtomo and as Data Exchange files.
#pragma once

#include <filesystem>
#include <memory>

#include "io/scan_sink.hpp"

namespace feldspar::io {

/// One flat and one dark frame stand before the projections, as the type of the projections holds them; they
/// and the geometry stand exactly in the group feldspar_geometry, which readers of other programs pass over.
/// Throws Error(io) when the file exists unless `overwrite`, or cannot be made.
[[nodiscard]] std::unique_ptr<ScanSink> create_nxtomo(const std::filesystem::path& path,
                                                      const ScanContent& content, bool overwrite = false);

/// The same as Data Exchange, which has no words for a cone beam: other programs take it for a parallel one.
[[nodiscard]] std::unique_ptr<ScanSink> create_exchange(const std::filesystem::path& path,
                                                        const ScanContent& content, bool overwrite = false);

}  // namespace feldspar::io
