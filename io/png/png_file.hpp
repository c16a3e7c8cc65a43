// Pictures.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace feldspar::io {

/// A grey picture, row 0 on top.
struct GreyPicture {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> pixels;
};

/// A picture whose pixels are red, green and blue, row 0 on top.
struct ColourPicture {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> pixels;
};

/// Throws Error(io) naming the file, as when it exists and `overwrite` is false.
void write_png(const std::filesystem::path& path, const GreyPicture& picture, bool overwrite = false);

/// The bytes of such a file.
[[nodiscard]] std::string png_bytes(const GreyPicture& picture);
[[nodiscard]] std::string png_bytes(const ColourPicture& picture);

}  // namespace feldspar::io
