// 8-bit grey PNG through libpng, which reports errors by jumping out of its calls.
#include "io/png/png_file.hpp"

#include <fmt/format.h>
#include <png.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "base/error.hpp"

namespace feldspar::io {
namespace {

struct Close {
  void operator()(std::FILE* file) const noexcept { (void)std::fclose(file); }
};

/// False when libpng failed. No object with a destructor may live where its long jump passes.
bool encode(png_structp png, png_infop info, std::FILE* file, const GreyPicture& picture) {
  if (setjmp(png_jmpbuf(png))) return false;  // NOLINT(cert-err52-cpp): libpng's only way
  png_init_io(png, file);
  png_set_IHDR(png, info, static_cast<png_uint_32>(picture.width), static_cast<png_uint_32>(picture.height),
               8, PNG_COLOR_TYPE_GRAY, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
               PNG_FILTER_TYPE_DEFAULT);
  png_write_info(png, info);
  for (int y = 0; y < picture.height; ++y)
    png_write_row(png, picture.pixels.data() + static_cast<std::size_t>(y) * picture.width);
  png_write_end(png, info);
  return true;
}

void ignore(png_structp, png_const_charp) {}
void jump(png_structp png, png_const_charp) { png_longjmp(png, 1); }

bool write(std::FILE* file, const GreyPicture& picture) {
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, jump, ignore);
  png_infop info = png ? png_create_info_struct(png) : nullptr;
  const bool done = info && encode(png, info, file, picture) && std::fflush(file) == 0;
  png_destroy_write_struct(&png, &info);
  return done;
}

}  // namespace

void write_png(const std::filesystem::path& path, const GreyPicture& picture) {
  expects(picture.width > 0 && picture.height > 0 &&
              picture.pixels.size() == static_cast<std::size_t>(picture.width) * picture.height,
          "a picture's size is not that of its pixels");
  errno = 0;
  std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), "wb"));
  if (!file)
    throw Error(ErrorKind::io, fmt::format("{}: cannot be made: {}", path.string(), std::strerror(errno)));
  if (write(file.get(), picture)) return;
  const int error = errno;
  file.reset();
  std::error_code ignored;
  if (std::filesystem::is_regular_file(path, ignored)) std::filesystem::remove(path, ignored);
  throw Error(ErrorKind::io, fmt::format("{}: cannot be written: {}", path.string(),
                                         error ? std::strerror(error) : "libpng refused the picture"));
}

}  // namespace feldspar::io
