// MetaImages (.mha, .mhd): what their header says of a stack of projections, and where its pixels are.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "io/rtk/circular_geometry.hpp"
#include "io/scan_source.hpp"

namespace feldspar::io::rtk {

struct MetaImage {
  PixelGrid grid;
  int views = 0;
  bool floats = true;               ///< MET_FLOAT; else MET_USHORT
  bool swapped = false;             ///< in the other byte order than this machine's
  std::filesystem::path pixels;     ///< the file that holds them
  std::uint64_t offset = 0;         ///< of the first in it
  std::vector<SourceField> fields;  ///< of the header
};

/// Reads the header and checks that the pixels are there. Throws Error(io), Error(bad_file) or
/// Error(unsupported) naming file and key: only uncompressed MET_USHORT and MET_FLOAT in one file, not
/// turned.
[[nodiscard]] MetaImage read_meta_image(const std::filesystem::path& file);

}  // namespace feldspar::io::rtk
