#include "io/png/png_file.hpp"

#include <fmt/format.h>
#include <png.h>

#include "base/error.hpp"

namespace feldspar::io {

void write_png(const std::filesystem::path& path, const GreyPicture& picture) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(picture.width);
  image.height = static_cast<png_uint_32>(picture.height);
  image.format = PNG_FORMAT_GRAY;
  if (!png_image_write_to_file(&image, path.c_str(), 0, picture.pixels.data(), 0, nullptr))
    throw Error(ErrorKind::io, fmt::format("{}: cannot be written: {}", path.string(), image.message));
}

}  // namespace feldspar::io
