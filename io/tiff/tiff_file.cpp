// Pixels of plain strips are read straight into place; libtiff decodes the others row by row, tiles one by
// one.
#include "io/tiff/tiff_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <system_error>
#include <type_traits>
#include <vector>

#include "base/error.hpp"
#include "io/tiff/open_tiffs.hpp"
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

/// Puts stored pixels where they are wanted as counts, one piece behind the other.
class Delivery {
 public:
  Delivery(const TiffLayout& layout, void* counts)
      : format_(layout.format),
        count_bytes_(bytes_of(layout.info.count_type)),
        to_(static_cast<std::byte*>(counts)) {}

  void add(const std::byte* pixels, std::size_t bytes) {
    if (!to_) return;
    const std::size_t count = bytes / bytes_of(format_);
    deliver(pixels, count);
    to_ += count * count_bytes_;
  }

 private:
  void deliver(const std::byte* pixels, std::size_t count) const {
    switch (format_) {
      case PixelFormat::uint8: return convert<std::uint8_t, std::uint16_t>(pixels, count, to_);
      case PixelFormat::uint32: return convert<std::uint32_t, float>(pixels, count, to_);
      case PixelFormat::int8: return convert<std::int8_t, float>(pixels, count, to_);
      case PixelFormat::int16: return convert<std::int16_t, float>(pixels, count, to_);
      case PixelFormat::int32: return convert<std::int32_t, float>(pixels, count, to_);
      case PixelFormat::float64: return convert<double, float>(pixels, count, to_);
      case PixelFormat::uint16:
      case PixelFormat::float32: std::memcpy(to_, pixels, count * bytes_of(format_));
    }
  }

  PixelFormat format_;
  std::size_t count_bytes_;
  std::byte* to_;
};

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

/// The same where pixels have to be converted: a few rows at a time.
void read_plain(const TiffHandle& file, const TiffLayout& layout, geometry::Range rows, Delivery delivery) {
  constexpr std::size_t most = 1 << 20;  // bytes
  const int step = static_cast<int>(std::max<std::size_t>(1, most / layout.row_bytes()));
  std::vector<std::byte> pixels(static_cast<std::size_t>(std::min(step, rows.count())) * layout.row_bytes());
  for (int first = rows.first; first < rows.end; first += step) {
    const geometry::Range some{first, std::min(rows.end, first + step)};
    read_plain(file, layout, some, pixels.data());
    delivery.add(pixels.data(), static_cast<std::size_t>(some.count()) * layout.row_bytes());
  }
}

/// Rows of strips that libtiff has to decode, in this machine's byte order. Row by row, for one strip may be
/// the whole image; those before the first wanted one have to be decoded as well.
void read_strips(const TiffHandle& file, const TiffLayout& layout, geometry::Range rows, Delivery delivery) {
  std::vector<std::byte> pixels(layout.row_bytes());
  for_blocks(layout, rows, [&](int strip, geometry::Range part) {
    for (int row = 0; row < part.end; ++row) {
      if (TIFFReadScanline(file.tiff(), pixels.data(),
                           static_cast<std::uint32_t>(strip * layout.block_rows + row)) != 1)
        file.fail(fmt::format("strip {} of {} cannot be decoded", strip + 1, layout.blocks.size()));
      if (row >= part.first) delivery.add(pixels.data(), pixels.size());
    }
  });
}

/// Rows of tiles.
void read_tile(const TiffHandle& file, const TiffLayout& layout, int index, std::vector<std::byte>& tile) {
  const auto bytes = static_cast<tmsize_t>(tile.size());
  if (TIFFReadEncodedTile(file.tiff(), static_cast<std::uint32_t>(index), tile.data(), bytes) != bytes)
    file.fail(fmt::format("tile {} of {} cannot be decoded", index + 1, layout.blocks.size()));
}

void read_tiles(const TiffHandle& file, const TiffLayout& layout, geometry::Range rows, Delivery delivery) {
  const std::size_t row_bytes = layout.row_bytes(), block_row_bytes = layout.block_row_bytes();
  const int across = layout.blocks_across();
  std::vector<std::byte> tile(static_cast<std::size_t>(layout.block_rows) * block_row_bytes);
  std::vector<std::byte> band(static_cast<std::size_t>(layout.block_rows) * row_bytes);
  for_blocks(layout, rows, [&](int down, geometry::Range part) {
    for (int n = 0; n < across; ++n) {
      read_tile(file, layout, down * across + n, tile);
      const std::size_t left = static_cast<std::size_t>(n) * block_row_bytes;
      const std::size_t wanted = std::min(block_row_bytes, row_bytes - left);
      for (int row = part.first; row < part.end; ++row)
        std::memcpy(band.data() + static_cast<std::size_t>(row) * row_bytes + left,
                    tile.data() + static_cast<std::size_t>(row) * block_row_bytes, wanted);
    }
    delivery.add(band.data() + static_cast<std::size_t>(part.first) * row_bytes,
                 static_cast<std::size_t>(part.count()) * row_bytes);
  });
}

/// Rows of the image, or none but their decoding where `counts` are null.
void read_rows(OpenTiff& tiff, geometry::Range rows, void* counts) {
  const TiffLayout& layout = tiff.layout;
  const Delivery delivery(layout, counts);
  if (layout.plain && is_delivered_as_stored(layout.format))
    return read_plain(tiff.file, layout, rows, static_cast<std::byte*>(counts));
  if (layout.plain) return read_plain(tiff.file, layout, rows, delivery);
  if (!tiff.file.tiff()) tiff.file.show(tiff.page.directory);
  if (layout.tiled) return read_tiles(tiff.file, layout, rows, delivery);
  read_strips(tiff.file, layout, rows, delivery);
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
  std::unique_ptr<OpenTiff> tiff = OpenTiffs::all().take(path, page);
  const TiffInfo info = tiff->layout.info;
  OpenTiffs::all().keep(std::move(tiff));
  return info;
}

void read_tiff_rows(const std::filesystem::path& path, const TiffInfo& info, geometry::Range rows,
                    void* counts, TiffPage page) {
  if (rows.first < 0 || rows.end > info.rows)
    throw Error(ErrorKind::internal, "read_tiff_rows: rows outside the image");
  if (rows.empty()) return;
  std::unique_ptr<OpenTiff> tiff = OpenTiffs::all().take(path, page);
  const TiffInfo& now = tiff->layout.info;
  if (now != info)
    throw Error(ErrorKind::bad_file,
                fmt::format("{}: has become another image of {} x {} pixels since it was opened",
                            path.string(), now.columns, now.rows));
  read_rows(*tiff, rows, counts);
  OpenTiffs::all().keep(std::move(tiff));
}

void check_tiff_pixels(const std::filesystem::path& path, TiffPage page) {
  std::unique_ptr<OpenTiff> tiff = OpenTiffs::all().take(path, page);
  if (!tiff->layout.plain) read_rows(*tiff, {0, tiff->layout.info.rows}, nullptr);
  OpenTiffs::all().keep(std::move(tiff));
}

void write_tiff(const std::filesystem::path& path, View3<const std::uint16_t> image) {
  write_image(path, image);
}

void write_tiff(const std::filesystem::path& path, View3<const float> image) { write_image(path, image); }

}  // namespace feldspar::io
