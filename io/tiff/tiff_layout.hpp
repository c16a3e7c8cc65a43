// Where the pixels of a TIFF lie and how they are stored. Internal to io/tiff.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "io/tiff/tiff_file.hpp"
#include "io/tiff/tiff_handle.hpp"

namespace feldspar::io {

/// How one pixel is stored.
enum class PixelFormat { uint8, uint16, uint32, float32, float64 };
[[nodiscard]] constexpr std::size_t bytes_of(PixelFormat format) {
  switch (format) {
    case PixelFormat::uint8: return 1;
    case PixelFormat::uint16: return 2;
    case PixelFormat::uint32:
    case PixelFormat::float32: return 4;
    case PixelFormat::float64: return 8;
  }
  return 0;
}

struct TiffLayout {
  TiffInfo info;
  PixelFormat format = PixelFormat::uint16;
  bool plain = true;     ///< neither compressed nor with reversed bits: strips are pixels
  bool swapped = false;  ///< stored in the other byte order than this machine's
  int rows_per_strip = 0;
  std::vector<std::uint64_t> strips;  ///< offset of each in the file

  [[nodiscard]] std::size_t row_bytes() const {
    return static_cast<std::size_t>(info.columns) * bytes_of(format);
  }
};

/// Reads and checks everything but the pixels. Errors as read_tiff_info.
[[nodiscard]] TiffLayout read_layout(const TiffHandle& file, TiffPage page);

}  // namespace feldspar::io
