// Pictures.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace feldspar::io {

/// A grey picture, row 0 on top.
struct GreyPicture {
  int width = 0;                     ///< pixels
  int height = 0;                    ///< pixels
  std::vector<std::uint8_t> pixels;  ///< width x height, 0 black, 255 white
};

/// A picture whose pixels are red, green and blue, row 0 on top.
struct ColourPicture {
  int width = 0;                     ///< pixels
  int height = 0;                    ///< pixels
  std::vector<std::uint8_t> pixels;  ///< 3 x width x height, 0 to 255 each
};

/// Throws Error(io) naming the file, as when it exists and `overwrite` is false.
void write_png(const std::filesystem::path& path, const GreyPicture& picture, bool overwrite = false);

/// The bytes of such a file.
[[nodiscard]] std::string png_bytes(const GreyPicture& picture);
/// The same in colour.
[[nodiscard]] std::string png_bytes(const ColourPicture& picture);

}  // namespace feldspar::io
