// Pixels of plain strips are read straight into place; libtiff decodes the others strip by strip.
#include "io/tiff/tiff_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <system_error>
#include <type_traits>
#include <vector>

#include "base/error.hpp"
#include "io/tiff/tiff_handle.hpp"
#include "io/tiff/tiff_layout.hpp"

namespace feldspar::io {
namespace {

template <class Bits, class Swap>
void swap_each(std::byte* values, std::size_t count, const Swap& swap) {
  for (std::size_t n = 0; n < count; ++n) {
    Bits bits;
    std::memcpy(&bits, values + n * sizeof(Bits), sizeof(Bits));
    bits = swap(bits);
    std::memcpy(values + n * sizeof(Bits), &bits, sizeof(Bits));
  }
}

void to_native(PixelFormat format, std::byte* values, std::size_t count) {
  switch (bytes_of(format)) {
    case 2:
      return swap_each<std::uint16_t>(values, count, [](std::uint16_t b) { return __builtin_bswap16(b); });
    case 4:
      return swap_each<std::uint32_t>(values, count, [](std::uint32_t b) { return __builtin_bswap32(b); });
    case 8:
      return swap_each<std::uint64_t>(values, count, [](std::uint64_t b) { return __builtin_bswap64(b); });
    default: return;
  }
}

template <class From, class To>
void convert(const std::byte* from, std::size_t count, void* to) {
  for (std::size_t n = 0; n < count; ++n) {
    From value;
    std::memcpy(&value, from + n * sizeof(From), sizeof(From));
    static_cast<To*>(to)[n] = static_cast<To>(value);
  }
}

/// True when a stored pixel is a count as it is delivered.
bool is_delivered_as_stored(PixelFormat format) {
  return format == PixelFormat::uint16 || format == PixelFormat::float32;
}

void deliver(PixelFormat format, const std::byte* pixels, std::size_t count, void* counts) {
  switch (format) {
    case PixelFormat::uint8: return convert<std::uint8_t, std::uint16_t>(pixels, count, counts);
    case PixelFormat::uint32: return convert<std::uint32_t, float>(pixels, count, counts);
    case PixelFormat::int8: return convert<std::int8_t, float>(pixels, count, counts);
    case PixelFormat::int16: return convert<std::int16_t, float>(pixels, count, counts);
    case PixelFormat::int32: return convert<std::int32_t, float>(pixels, count, counts);
    case PixelFormat::float64: return convert<double, float>(pixels, count, counts);
    case PixelFormat::uint16:
    case PixelFormat::float32: std::memcpy(counts, pixels, count * bytes_of(format));
  }
}

/// Calls visit(n, rows within them) for every n-th row of blocks (strips or tiles) that holds some of `rows`.
template <class Visit>
void for_blocks(const TiffLayout& layout, geometry::Range rows, const Visit& visit) {
  const int height = layout.block_rows;
  for (int n = rows.first / height; n * height < rows.end; ++n) {
    const int first = std::max(rows.first - n * height, 0);
    const int end = std::min(rows.end - n * height, height);
    visit(n, geometry::Range{first, end});
  }
}

/// Rows of strips that are plain pixels: strips that follow one another in the file are one read.
void read_plain(const TiffHandle& file, const TiffLayout& layout, geometry::Range rows, std::byte* pixels) {
  std::uint64_t offset = 0;
  std::size_t bytes = 0;
  const auto read_pending = [&] {
    file.read(offset, bytes, pixels);
    pixels += bytes;
  };
  for_blocks(layout, rows, [&](int strip, geometry::Range part) {
    const std::uint64_t begin =
        layout.blocks[strip] + static_cast<std::size_t>(part.first) * layout.row_bytes();
    if (bytes > 0 && begin != offset + bytes) read_pending(), bytes = 0;
    if (bytes == 0) offset = begin;
    bytes += static_cast<std::size_t>(part.count()) * layout.row_bytes();
  });
  read_pending();
  if (layout.swapped)
    to_native(layout.format, pixels - rows.count() * layout.row_bytes(),
              static_cast<std::size_t>(rows.count()) * static_cast<std::size_t>(layout.info.columns));
}

/// Rows of strips or tiles that libtiff has to decode, in this machine's byte order.
void read_decoded(const TiffHandle& file, const TiffLayout& layout, geometry::Range rows, std::byte* pixels) {
  const std::size_t row_bytes = layout.row_bytes(), block_row_bytes = layout.block_row_bytes();
  const int across = layout.blocks_across();
  std::vector<std::byte> block(static_cast<std::size_t>(layout.block_rows) * block_row_bytes);
  const auto decode = layout.tiled ? TIFFReadEncodedTile : TIFFReadEncodedStrip;
  for_blocks(layout, rows, [&](int down, geometry::Range part) {
    const int stored = layout.tiled
                           ? layout.block_rows
                           : std::min(layout.block_rows, layout.info.rows - down * layout.block_rows);
    const auto bytes = static_cast<tmsize_t>(static_cast<std::size_t>(stored) * block_row_bytes);
    for (int n = 0; n < across; ++n) {
      const int index = down * across + n;
      if (decode(file.tiff(), static_cast<std::uint32_t>(index), block.data(), bytes) != bytes)
        file.fail(fmt::format("{} {} of {} cannot be decoded", layout.block_name(), index + 1,
                              layout.blocks.size()));
      const std::size_t left = static_cast<std::size_t>(n) * block_row_bytes;
      const std::size_t wanted = std::min(block_row_bytes, row_bytes - left);
      for (int row = part.first; row < part.end; ++row)
        std::memcpy(pixels + static_cast<std::size_t>(row - part.first) * row_bytes + left,
                    block.data() + static_cast<std::size_t>(row) * block_row_bytes, wanted);
    }
    pixels += static_cast<std::size_t>(part.count()) * row_bytes;
  });
}

template <class Value>
void write_image(const std::filesystem::path& path, View3<const Value> image) {
  expects(image.nz == 1 && image.nx > 0 && image.ny > 0, "write_tiff: not one image");
  constexpr std::size_t most_of_classic_tiff = 0xff000000;  // its offsets have 32 bits
  TiffHandle file(
      path, image.bytes() > most_of_classic_tiff ? TiffHandle::Mode::write_big : TiffHandle::Mode::write);
  try {
    TIFF* const tiff = file.tiff();
    TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, static_cast<std::uint32_t>(image.nx));
    TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, static_cast<std::uint32_t>(image.ny));
    TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, static_cast<std::uint32_t>(image.ny));
    TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, static_cast<int>(8 * sizeof(Value)));
    TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, 1);
    TIFFSetField(tiff, TIFFTAG_SAMPLEFORMAT,
                 std::is_floating_point_v<Value> ? SAMPLEFORMAT_IEEEFP : SAMPLEFORMAT_UINT);
    TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
    TIFFSetField(tiff, TIFFTAG_COMPRESSION, COMPRESSION_NONE);
    const auto bytes = static_cast<tmsize_t>(image.bytes());
    void* const pixels = const_cast<Value*>(image.data);  // libtiff only reads them
    if (TIFFWriteEncodedStrip(tiff, 0, pixels, bytes) != bytes) file.fail("cannot be written");
    file.finish();
  } catch (const Error& error) {
    std::error_code ignored;
    std::filesystem::remove(path, ignored);
    throw Error(ErrorKind::io, error.what());
  }
}

}  // namespace

TiffInfo read_tiff_info(const std::filesystem::path& path, TiffPage page) {
  return read_layout(TiffHandle(path, TiffHandle::Mode::read, page.directory), page).info;
}

void read_tiff_rows(const std::filesystem::path& path, const TiffInfo& info, geometry::Range rows,
                    void* counts, TiffPage page) {
  if (rows.first < 0 || rows.end > info.rows)
    throw Error(ErrorKind::internal, "read_tiff_rows: rows outside the image");
  if (rows.empty()) return;
  const TiffHandle file(path, TiffHandle::Mode::read, page.directory);
  const TiffLayout layout = read_layout(file, page);
  if (layout.info != info)
    throw Error(ErrorKind::bad_file,
                fmt::format("{}: has become another image of {} x {} pixels since it was opened",
                            path.string(), layout.info.columns, layout.info.rows));

  const auto read = layout.plain ? read_plain : read_decoded;
  if (is_delivered_as_stored(layout.format)) return read(file, layout, rows, static_cast<std::byte*>(counts));
  const std::size_t count = static_cast<std::size_t>(rows.count()) * static_cast<std::size_t>(info.columns);
  std::vector<std::byte> pixels(count * bytes_of(layout.format));
  read(file, layout, rows, pixels.data());
  deliver(layout.format, pixels.data(), count, counts);
}

void check_tiff_pixels(const std::filesystem::path& path, TiffPage page) {
  const TiffHandle file(path, TiffHandle::Mode::read, page.directory);
  const TiffLayout layout = read_layout(file, page);
  if (layout.plain) return;
  std::vector<std::byte> pixels(static_cast<std::size_t>(layout.block_rows) * layout.row_bytes());
  for (int row = 0; row < layout.info.rows; row += layout.block_rows)
    read_decoded(file, layout, {row, std::min(row + layout.block_rows, layout.info.rows)}, pixels.data());
}

void write_tiff(const std::filesystem::path& path, View3<const std::uint16_t> image) {
  write_image(path, image);
}

void write_tiff(const std::filesystem::path& path, View3<const float> image) { write_image(path, image); }

}  // namespace feldspar::io
