// The tags of a TIFF, refused by name unless they describe one grey image of real pixels that fits its file.
#include "io/tiff/tiff_layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/units.hpp"

namespace feldspar::io {
namespace {

constexpr std::string_view remedy = "save the projections as 16-bit greyscale TIFFs, one image a file";

[[noreturn]] void refuse(const TiffHandle& file, const std::string& property) {
  throw Error(ErrorKind::unsupported,
              fmt::format("{}: {}, which is not supported; {}", file.path().string(), property, remedy));
}

[[noreturn]] void reject(const TiffHandle& file, const std::string& what) {
  throw Error(ErrorKind::bad_file, fmt::format("{}: {}", file.path().string(), what));
}

/// The value of a tag, its default where TIFF has one, else `otherwise`.
template <class T>
T tag(const TiffHandle& file, std::uint32_t name, T otherwise) {
  T value = otherwise;
  return TIFFGetFieldDefaulted(file.tiff(), name, &value) == 1 ? value : otherwise;
}

std::string compression_name(std::uint16_t scheme) {
  const TIFFCodec* const codec = TIFFFindCODEC(scheme);
  return codec ? codec->name : fmt::format("scheme {}", scheme);
}

/// Projections are measurements: only compressions that give back the same numbers are read.
bool is_lossless(std::uint16_t scheme) {
  constexpr std::uint16_t lossless[] = {COMPRESSION_NONE,          COMPRESSION_LZW,     COMPRESSION_PACKBITS,
                                        COMPRESSION_ADOBE_DEFLATE, COMPRESSION_DEFLATE, COMPRESSION_LZMA,
                                        COMPRESSION_ZSTD};
  return std::find(std::begin(lossless), std::end(lossless), scheme) != std::end(lossless);
}

PixelFormat read_format(const TiffHandle& file, UnstatedPixels unstated) {
  const auto bits = tag<std::uint16_t>(file, TIFFTAG_BITSPERSAMPLE, 1);
  const auto kind = tag<std::uint16_t>(file, TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_UINT);
  std::uint16_t stated = 0;
  const bool says_kind =
      TIFFGetField(file.tiff(), TIFFTAG_SAMPLEFORMAT, &stated) == 1 && stated != SAMPLEFORMAT_VOID;
  if (bits == 32 && !says_kind && unstated == UnstatedPixels::refused)
    throw Error(
        ErrorKind::bad_file,
        fmt::format("{}: its pixels have 32 bits, and whether they are integers or floating-point numbers "
                    "is not stated (SampleFormat); state images.pixels = \"uint32\" or \"float32\" in a "
                    "scan.toml, or save them as 16-bit greyscale TIFFs",
                    file.path().string()));
  if (bits == 32 && !says_kind)
    return unstated == UnstatedPixels::float32 ? PixelFormat::float32 : PixelFormat::uint32;
  if (kind == SAMPLEFORMAT_UINT || kind == SAMPLEFORMAT_VOID) {
    if (bits == 8) return PixelFormat::uint8;
    if (bits == 16) return PixelFormat::uint16;
    if (bits == 32) return PixelFormat::uint32;
    refuse(file, fmt::format("its pixels have {} bits", bits));
  }
  if (kind == SAMPLEFORMAT_IEEEFP) {
    if (bits == 32) return PixelFormat::float32;
    if (bits == 64) return PixelFormat::float64;
    refuse(file, fmt::format("its pixels are floating-point numbers of {} bits", bits));
  }
  if (kind == SAMPLEFORMAT_INT) {
    if (bits == 8) return PixelFormat::int8;
    if (bits == 16) return PixelFormat::int16;
    if (bits == 32) return PixelFormat::int32;
    refuse(file, fmt::format("its pixels are signed integers of {} bits", bits));
  }
  refuse(file, fmt::format("its pixels are of sample format {}", kind));
}

void check_kind(const TiffHandle& file, TiffPage page) {
  const auto samples = tag<std::uint16_t>(file, TIFFTAG_SAMPLESPERPIXEL, 1);
  const auto photometric = tag<std::uint16_t>(file, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
  const auto compression = tag<std::uint16_t>(file, TIFFTAG_COMPRESSION, COMPRESSION_NONE);
  const auto orientation = tag<std::uint16_t>(file, TIFFTAG_ORIENTATION, ORIENTATION_TOPLEFT);
  if (photometric == PHOTOMETRIC_PALETTE) refuse(file, "it is a palette image");
  if (samples != 1) refuse(file, fmt::format("it has {} samples a pixel (colour)", samples));
  if (photometric == PHOTOMETRIC_MINISWHITE)
    refuse(file, "its values are inverted (PhotometricInterpretation MinIsWhite)");
  if (photometric != PHOTOMETRIC_MINISBLACK)
    refuse(file, fmt::format("it has PhotometricInterpretation {}", photometric));
  if (!is_lossless(compression) || TIFFIsCODECConfigured(compression) == 0)
    refuse(file, fmt::format("it is compressed with {}", compression_name(compression)));
  if (orientation != ORIENTATION_TOPLEFT) refuse(file, fmt::format("it has Orientation {}", orientation));
  if (page.directory == 0 && (TIFFLastDirectory(file.tiff()) == 0 || imagej_planes(file) > 1))
    refuse(file, "it holds several images");
  if (page.plane > 0 && compression != COMPRESSION_NONE)
    refuse(file, "it is an ImageJ stack of several planes and compressed");
}

void check_size(const TiffHandle& file, std::uint32_t columns, std::uint32_t rows, PixelFormat format) {
  constexpr std::uint32_t most = 1 << 20;  // far beyond any detector, and rows x columns x 8 fits 64 bits
  if (columns < 1 || rows < 1 || columns > most || rows > most)
    reject(file, fmt::format("declares an impossible size of {} x {} pixels", columns, rows));
  // No lossless scheme shrinks measured counts this far; a larger image would only fill the memory.
  constexpr std::uint64_t strongest_compression = 4096;
  const std::uint64_t bytes = std::uint64_t{columns} * rows * bytes_of(format);
  if (bytes / strongest_compression > file.size())
    reject(file, fmt::format("declares an impossible size: {} x {} pixels in a file of {} bytes", columns,
                             rows, file.size()));
}

/// The size of strips or tiles, checked so that a tile can be held in memory.
void read_block_size(const TiffHandle& file, TiffLayout& layout) {
  const auto columns = static_cast<std::uint32_t>(layout.info.columns);
  const auto rows = static_cast<std::uint32_t>(layout.info.rows);
  std::uint32_t block_columns = columns;
  std::uint32_t block_rows = std::min(tag<std::uint32_t>(file, TIFFTAG_ROWSPERSTRIP, rows), rows);
  if (layout.tiled) {
    block_columns = tag<std::uint32_t>(file, TIFFTAG_TILEWIDTH, 0);
    block_rows = tag<std::uint32_t>(file, TIFFTAG_TILELENGTH, 0);
    check_size(file, block_columns, block_rows, layout.format);
    // A tile is decoded as a whole, where strips are decoded row by row.
    constexpr std::uint64_t most = std::uint64_t{64} << 20;
    const std::uint64_t bytes = std::uint64_t{block_columns} * block_rows * bytes_of(layout.format);
    if (bytes > most)
      refuse(file, fmt::format("its tiles of {} x {} pixels take {} each to decode, more than {}",
                               block_columns, block_rows, format_bytes(bytes), format_bytes(most)));
  }
  if (block_rows < 1) reject(file, "declares strips of 0 rows");
  layout.block_columns = static_cast<int>(block_columns);
  layout.block_rows = static_cast<int>(block_rows);
}

void read_blocks(const TiffHandle& file, bool compressed, TiffLayout& layout) {
  const auto rows = static_cast<std::uint32_t>(layout.info.rows);
  const auto height = static_cast<std::uint32_t>(layout.block_rows);
  const auto across = static_cast<std::uint32_t>(layout.blocks_across());
  const std::uint32_t down = (rows + height - 1) / height, needed = down * across;
  const std::uint64_t *offsets = nullptr, *counts = nullptr;
  const auto offset_tag = layout.tiled ? TIFFTAG_TILEOFFSETS : TIFFTAG_STRIPOFFSETS;
  const auto count_tag = layout.tiled ? TIFFTAG_TILEBYTECOUNTS : TIFFTAG_STRIPBYTECOUNTS;
  const std::uint32_t found = layout.tiled ? TIFFNumberOfTiles(file.tiff()) : TIFFNumberOfStrips(file.tiff());
  if (found != needed || TIFFGetField(file.tiff(), offset_tag, &offsets) != 1 ||
      TIFFGetField(file.tiff(), count_tag, &counts) != 1 || !offsets || !counts)
    file.fail(fmt::format("its table of {}s cannot be read", layout.block_name()));
  layout.blocks.assign(offsets, offsets + needed);

  for (std::uint32_t n = 0; n < needed; ++n) {
    const std::uint64_t block_rows = layout.tiled ? height : std::min(height, rows - n * height);
    const std::uint64_t bytes = compressed ? counts[n] : block_rows * layout.block_row_bytes();
    if (offsets[n] == 0 || counts[n] < bytes || counts[n] == 0)
      reject(file, fmt::format("is truncated or damaged: {} {} of {} holds {} bytes, {} were expected",
                               layout.block_name(), n + 1, needed, offsets[n] == 0 ? 0 : counts[n],
                               block_rows * layout.block_row_bytes()));
    if (offsets[n] > file.size() || bytes > file.size() - offsets[n])
      reject(file, fmt::format("is truncated: its pixels reach byte {}, but the file ends at byte {}",
                               offsets[n] + bytes, file.size()));
  }
}

/// Planes without tags of their own lie behind the first without gaps.
void move_to_plane(const TiffHandle& file, std::uint32_t plane, TiffLayout& layout) {
  if (const std::uint64_t held = planes_held(file, layout); held <= plane)
    reject(file, fmt::format("is truncated: its description states at least {} images, but it holds {}",
                             plane + 1, held));
  for (std::uint64_t& offset : layout.blocks)
    offset += plane * static_cast<std::uint64_t>(layout.info.rows) * layout.row_bytes();
}

float highest_of(PixelFormat format) {
  switch (format) {
    case PixelFormat::uint8: return std::numeric_limits<std::uint8_t>::max();
    case PixelFormat::uint16: return std::numeric_limits<std::uint16_t>::max();
    case PixelFormat::uint32: return static_cast<float>(std::numeric_limits<std::uint32_t>::max());
    case PixelFormat::int8: return std::numeric_limits<std::int8_t>::max();
    case PixelFormat::int16: return std::numeric_limits<std::int16_t>::max();
    case PixelFormat::int32: return static_cast<float>(std::numeric_limits<std::int32_t>::max());
    case PixelFormat::float32:
    case PixelFormat::float64: return 0;
  }
  return 0;
}

}  // namespace

std::uint32_t imagej_planes(const TiffHandle& file) {
  const char* description = nullptr;
  if (TIFFGetField(file.tiff(), TIFFTAG_IMAGEDESCRIPTION, &description) != 1 || !description) return 1;
  if (std::strncmp(description, "ImageJ=", 7) != 0) return 1;
  const char* const planes = std::strstr(description, "images=");
  return planes ? static_cast<std::uint32_t>(std::max(1, std::atoi(planes + 7))) : 1;
}

std::uint64_t planes_held(const TiffHandle& file, const TiffLayout& layout) {
  bool behind_one_another = layout.plain;
  for (std::size_t n = 0; n < layout.blocks.size(); ++n)
    behind_one_another =
        behind_one_another &&
        layout.blocks[n] ==
            layout.blocks[0] + n * static_cast<std::uint64_t>(layout.block_rows) * layout.row_bytes();
  if (!behind_one_another) refuse(file, "it is an ImageJ stack whose planes do not lie behind one another");
  const std::uint64_t bytes = static_cast<std::uint64_t>(layout.info.rows) * layout.row_bytes();
  return (file.size() - layout.blocks[0]) / bytes;
}

TiffLayout read_layout(const TiffHandle& file, TiffPage page) {
  check_kind(file, page);
  TiffLayout layout;
  layout.format = read_format(file, page.unstated);
  const auto columns = tag<std::uint32_t>(file, TIFFTAG_IMAGEWIDTH, 0);
  const auto rows = tag<std::uint32_t>(file, TIFFTAG_IMAGELENGTH, 0);
  check_size(file, columns, rows, layout.format);
  const bool integer = layout.format == PixelFormat::uint8 || layout.format == PixelFormat::uint16;
  layout.info = {.columns = static_cast<int>(columns),
                 .rows = static_cast<int>(rows),
                 .count_type = integer ? CountType::uint16 : CountType::float32,
                 .highest = highest_of(layout.format),
                 .is_signed = layout.format == PixelFormat::int8 || layout.format == PixelFormat::int16 ||
                              layout.format == PixelFormat::int32};
  const bool compressed = tag<std::uint16_t>(file, TIFFTAG_COMPRESSION, COMPRESSION_NONE) != COMPRESSION_NONE;
  layout.tiled = TIFFIsTiled(file.tiff()) != 0;
  layout.plain = !compressed && !layout.tiled &&
                 tag<std::uint16_t>(file, TIFFTAG_FILLORDER, FILLORDER_MSB2LSB) == FILLORDER_MSB2LSB;
  layout.swapped = TIFFIsByteSwapped(file.tiff()) != 0;
  read_block_size(file, layout);
  read_blocks(file, compressed, layout);
  if (page.plane > 0) move_to_plane(file, page.plane, layout);
  return layout;
}

}  // namespace feldspar::io
