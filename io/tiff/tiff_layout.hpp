// Where the pixels of a TIFF lie and how they are stored. Internal to io/tiff.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "io/tiff/tiff_file.hpp"
#include "io/tiff/tiff_handle.hpp"

namespace feldspar::io {

/// How one pixel is stored.
enum class PixelFormat { uint8, uint16, uint32, int8, int16, int32, float32, float64 };
[[nodiscard]] constexpr std::size_t bytes_of(PixelFormat format) {
  switch (format) {
    case PixelFormat::uint8:
    case PixelFormat::int8: return 1;
    case PixelFormat::uint16:
    case PixelFormat::int16: return 2;
    case PixelFormat::uint32:
    case PixelFormat::int32:
    case PixelFormat::float32: return 4;
    case PixelFormat::float64: return 8;
  }
  return 0;
}

struct TiffLayout {
  TiffInfo info;
  PixelFormat format = PixelFormat::uint16;
  bool plain = true;     ///< strips that are neither compressed nor have reversed bits: they are pixels
  bool swapped = false;  ///< stored in the other byte order than this machine's
  bool tiled = false;
  int block_columns = 0;              ///< of a tile; a strip has all columns
  int block_rows = 0;                 ///< of a tile or strip; the last strip may have fewer
  std::vector<std::uint64_t> blocks;  ///< offset of each in the file, tiles row by row

  [[nodiscard]] std::size_t row_bytes() const {
    return static_cast<std::size_t>(info.columns) * bytes_of(format);
  }
  [[nodiscard]] std::size_t block_row_bytes() const {
    return static_cast<std::size_t>(block_columns) * bytes_of(format);
  }
  [[nodiscard]] int blocks_across() const { return (info.columns + block_columns - 1) / block_columns; }
  [[nodiscard]] const char* block_name() const { return tiled ? "tile" : "strip"; }
};

/// ImageJ writes a stack as one image with the other planes behind it, and says in the description how many
/// there are; 1 for files of other programs.
[[nodiscard]] std::uint32_t imagej_planes(const TiffHandle& file);

/// How many planes as large as `layout`'s the file has room for from its first pixel on. Throws
/// Error(unsupported) when they cannot lie behind one another.
[[nodiscard]] std::uint64_t planes_held(const TiffHandle& file, const TiffLayout& layout);

/// Reads and checks everything but the pixels of the image at which `file` was opened. Errors as
/// read_tiff_info.
[[nodiscard]] TiffLayout read_layout(const TiffHandle& file, TiffPage page);

}  // namespace feldspar::io
