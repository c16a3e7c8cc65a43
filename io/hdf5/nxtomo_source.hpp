// Cone-beam scans stored as NeXus NXtomo: one HDF5 file of frames, their kinds and angles.
#pragma once

#include <filesystem>
#include <memory>

#include "io/open_scan.hpp"
#include "io/scan_source.hpp"

namespace feldspar::io {

/// True when the file is HDF5, whatever is in it.
[[nodiscard]] bool looks_like_hdf5(const std::filesystem::path& path);

/// NXtomo has no field for a cone: a file is taken for one when it states both the source's and the
/// detector's distance from the sample. Flats and darks (image_key 1 and 2) are averaged. Throws Error(io) or
/// Error(bad_file) naming file and field, Error(unsupported) for parallel beams and for other HDF5 files.
[[nodiscard]] std::unique_ptr<ScanSource> open_nxtomo(const std::filesystem::path& path,
                                                      const OpenOptions& options);

}  // namespace feldspar::io
