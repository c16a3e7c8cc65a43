// 8-bit PNG through libpng, which reports errors by jumping out of its calls.
#include "io/png/png_file.hpp"

#include <fmt/format.h>
#include <png.h>

#include <new>

#include "base/error.hpp"
#include "io/partial_file.hpp"

namespace feldspar::io {
namespace {

/// Either kind of picture as libpng sees it.
struct Pixels {
  int width, height, channels;
  const std::vector<std::uint8_t>& values;
};

Pixels pixels_of(const GreyPicture& p) { return {p.width, p.height, 1, p.pixels}; }
Pixels pixels_of(const ColourPicture& p) { return {p.width, p.height, 3, p.pixels}; }

/// False when libpng failed. No object with a destructor may live where its long jump passes.
bool encode(png_structp png, png_infop info, const Pixels& picture) {
  if (setjmp(png_jmpbuf(png))) return false;  // NOLINT(cert-err52-cpp): libpng's only way
  png_set_IHDR(png, info, static_cast<png_uint_32>(picture.width), static_cast<png_uint_32>(picture.height),
               8, picture.channels == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(png, info);
  const std::size_t row = static_cast<std::size_t>(picture.width) * picture.channels;
  for (int y = 0; y < picture.height; ++y)
    png_write_row(png, picture.values.data() + static_cast<std::size_t>(y) * row);
  png_write_end(png, info);
  return true;
}

void ignore(png_structp, png_const_charp) {}
void jump(png_structp png, png_const_charp) { png_longjmp(png, 1); }
void flush(png_structp) {}

bool appended(std::string& bytes, png_bytep data, std::size_t count) {
  try {
    bytes.append(reinterpret_cast<const char*>(data), count);
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}
void append(png_structp png, png_bytep data, std::size_t count) {
  if (!appended(*static_cast<std::string*>(png_get_io_ptr(png)), data, count)) png_longjmp(png, 1);
}

std::string encoded(const Pixels& picture) {
  expects(picture.width > 0 && picture.height > 0 &&
              picture.values.size() ==
                  static_cast<std::size_t>(picture.width) * picture.height * picture.channels,
          "a picture's size is not that of its pixels");
  std::string bytes;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, jump, ignore);
  png_infop info = png ? png_create_info_struct(png) : nullptr;
  if (info) png_set_write_fn(png, &bytes, append, flush);
  const bool done = info && encode(png, info, picture);
  png_destroy_write_struct(&png, &info);
  if (!done)
    throw Error(ErrorKind::out_of_memory,
                fmt::format("a picture of {} x {} pixels cannot be encoded; make it smaller", picture.width,
                            picture.height));
  return bytes;
}

}  // namespace

std::string png_bytes(const GreyPicture& picture) { return encoded(pixels_of(picture)); }
std::string png_bytes(const ColourPicture& picture) { return encoded(pixels_of(picture)); }
void write_png(const std::filesystem::path& path, const GreyPicture& picture, bool overwrite) {
  write_file(path, png_bytes(picture), overwrite);
}

}  // namespace feldspar::io
