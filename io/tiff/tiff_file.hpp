// Single TIFF images: what they hold, some of their rows, and writing them.
#pragma once

#include <cstdint>
#include <filesystem>

#include "base/view3.hpp"
#include "geometry/coverage.hpp"
#include "io/scan_source.hpp"

namespace feldspar::io {

/// What a TIFF's header says, checked against the file's size.
struct TiffInfo {
  int columns = 0;
  int rows = 0;
  CountType count_type = CountType::uint16;  ///< what read_tiff_rows delivers
  float highest = 0;                         ///< the largest count its pixels can hold; 0 for floating point
  friend bool operator==(const TiffInfo&, const TiffInfo&) = default;
};

/// Throws Error(io) when the file cannot be opened, Error(bad_file) when it is no TIFF, is truncated, or
/// declares an impossible size, Error(unsupported) naming the property (colour, tiles, compression, depth)
/// when it is a TIFF that no projection is stored as.
[[nodiscard]] TiffInfo read_tiff_info(const std::filesystem::path& path);

/// Rows `rows`, counted from the top of the stored image, of all columns, into `counts` of the info's
/// count_type, in stored order. Reads only the strips that hold them. Errors as read_tiff_info.
void read_tiff_rows(const std::filesystem::path& path, const TiffInfo& info, geometry::Range rows,
                    void* counts);

/// Writes one plane (top row first) as an uncompressed 16-bit greyscale TIFF. Throws Error(io).
void write_tiff(const std::filesystem::path& path, View3<const std::uint16_t> image);

}  // namespace feldspar::io
