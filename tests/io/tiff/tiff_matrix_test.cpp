// Every combination of pixel type, byte order, file size limit, layout and compression that TIFFs of
// projections come in, written by libtiff with the least and greatest values of the type, and read exactly.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <tiffio.h>

#include <algorithm>
#include <bit>
#include <fstream>
#include <limits>
#include <random>
#include <type_traits>
#include <vector>

#include "io/tiff/tiff_file.hpp"
#include "tests/io/tiff/tiff_bytes.hpp"
#include "tests/support/failure.hpp"
#include "tests/support/temp_folder.hpp"

namespace feldspar::io {
namespace {

using testing::expect_failure;
using testing::failure_of;
using testing::TempFolder;

constexpr int columns = 37, rows = 41;  // neither fills its last strip or tile

struct Layout {
  int tile_columns = 0;  ///< 0 for strips
  int block_rows = rows;
};

struct Way {
  bool big_endian = false;
  bool big_tiff = false;
  Layout layout;
  std::uint16_t compression = COMPRESSION_NONE;
  std::uint16_t predictor = PREDICTOR_NONE;
};

std::string text_of(const Way& way) {
  return fmt::format("{} {} {}x{} compression {} predictor {}", way.big_endian ? "MM" : "II",
                     way.big_tiff ? "BigTIFF" : "classic", way.layout.tile_columns, way.layout.block_rows,
                     way.compression, way.predictor);
}

/// Anything that the type holds, with its ends.
template <class Pixel>
std::vector<Pixel> pixels(unsigned seed) {
  std::mt19937_64 random(seed);
  std::vector<Pixel> image(static_cast<std::size_t>(columns) * rows);
  for (Pixel& pixel : image) {
    if constexpr (std::is_integral_v<Pixel>)
      pixel = static_cast<Pixel>(random());
    else
      pixel = static_cast<Pixel>(std::uniform_real_distribution<double>(-1e4, 1e5)(random));
  }
  image[0] = std::numeric_limits<Pixel>::lowest();
  image[1] = std::numeric_limits<Pixel>::max();
  if constexpr (sizeof(Pixel) == 8) image[0] = -0.1, image[1] = 1e30;  // within what float32 can hold
  return image;
}

template <class Pixel>
void write_blocks(TIFF* tiff, const Way& way, const std::vector<Pixel>& image) {
  const int width = way.layout.tile_columns ? way.layout.tile_columns : columns;
  const int height = way.layout.block_rows;
  std::uint32_t index = 0;
  for (int top = 0; top < rows; top += height)
    for (int left = 0; left < columns; left += width, ++index) {
      const int stored = way.layout.tile_columns ? height : std::min(height, rows - top);
      std::vector<Pixel> block(static_cast<std::size_t>(width) * stored);
      for (int row = 0; row < std::min(stored, rows - top); ++row)
        std::copy_n(image.begin() + (top + row) * columns + left, std::min(width, columns - left),
                    block.begin() + row * width);
      const auto bytes = static_cast<tmsize_t>(block.size() * sizeof(Pixel));
      const auto write = way.layout.tile_columns ? TIFFWriteEncodedTile : TIFFWriteEncodedStrip;
      ASSERT_EQ(write(tiff, index, block.data(), bytes), bytes);
    }
}

template <class Pixel>
void write_pages(const std::filesystem::path& path, const Way& way, int pages) {
  const std::string mode = std::string("w") + (way.big_endian ? "b" : "l") + (way.big_tiff ? "8" : "");
  TIFF* const tiff = TIFFOpen(path.c_str(), mode.c_str());
  ASSERT_TRUE(tiff);
  for (int page = 0; page < pages; ++page) {
    TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, columns);
    TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, rows);
    TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, static_cast<int>(8 * sizeof(Pixel)));
    TIFFSetField(tiff, TIFFTAG_SAMPLEFORMAT,
                 std::is_floating_point_v<Pixel> ? SAMPLEFORMAT_IEEEFP
                 : std::is_signed_v<Pixel>       ? SAMPLEFORMAT_INT
                                                 : SAMPLEFORMAT_UINT);
    TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, 1);
    TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
    TIFFSetField(tiff, TIFFTAG_COMPRESSION, way.compression);
    if (way.predictor != PREDICTOR_NONE) TIFFSetField(tiff, TIFFTAG_PREDICTOR, way.predictor);
    if (way.layout.tile_columns) {
      TIFFSetField(tiff, TIFFTAG_TILEWIDTH, way.layout.tile_columns);
      TIFFSetField(tiff, TIFFTAG_TILELENGTH, way.layout.block_rows);
    } else {
      TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, way.layout.block_rows);
    }
    write_blocks(tiff, way, pixels<Pixel>(static_cast<unsigned>(page)));
    if (pages > 1) {
      ASSERT_EQ(TIFFWriteDirectory(tiff), 1);
    }
  }
  TIFFClose(tiff);
}

template <class Count, class Pixel>
void expect_page(const std::filesystem::path& path, TiffPage page, const std::vector<Pixel>& image) {
  const TiffInfo info = read_tiff_info(path, page);
  ASSERT_EQ(info.columns, columns);
  ASSERT_EQ(info.rows, rows);
  ASSERT_EQ(info.count_type, (std::is_same_v<Count, std::uint16_t> ? CountType::uint16 : CountType::float32));
  ASSERT_EQ(info.is_signed, (std::is_integral_v<Pixel> && std::is_signed_v<Pixel>));
  for (const geometry::Range part :
       {geometry::Range{0, rows}, geometry::Range{15, 18}, geometry::Range{40, 41}}) {
    std::vector<Count> counts(static_cast<std::size_t>(part.count()) * columns, Count{3});
    read_tiff_rows(path, info, part, counts.data(), page);
    std::vector<Count> expected;
    for (int n = part.first * columns; n < part.end * columns; ++n)
      expected.push_back(static_cast<Count>(image[static_cast<std::size_t>(n)]));
    ASSERT_EQ(counts, expected) << "rows " << part.first << " to " << part.end;
  }
}

constexpr std::uint16_t compressions[] = {COMPRESSION_NONE,     COMPRESSION_LZW,  COMPRESSION_ADOBE_DEFLATE,
                                          COMPRESSION_PACKBITS, COMPRESSION_LZMA, COMPRESSION_ZSTD};

std::vector<Way> ways(bool floating) {
  std::vector<Way> all;
  for (const bool big_endian : {false, true})
    for (const bool big_tiff : {false, true})
      for (const Layout layout :
           {Layout{0, 1}, Layout{0, 6}, Layout{0, rows}, Layout{16, 16}, Layout{48, 32}})
        for (const std::uint16_t compression : compressions) {
          if (!TIFFIsCODECConfigured(compression)) continue;
          const Way plain{big_endian, big_tiff, layout, compression, PREDICTOR_NONE};
          all.push_back(plain);
          if (compression == COMPRESSION_NONE || compression == COMPRESSION_PACKBITS) continue;
          all.push_back(plain);
          all.back().predictor = floating ? PREDICTOR_FLOATINGPOINT : PREDICTOR_HORIZONTAL;
          // libtiff writes this one with swapped bytes; other programs' files are below.
          if (floating && big_endian) all.pop_back();
        }
  return all;
}

template <class Pixel>
class TiffMatrix : public ::testing::Test {};

using Pixels = ::testing::Types<std::uint8_t, std::uint16_t, std::uint32_t, std::int8_t, std::int16_t,
                                std::int32_t, float, double>;
TYPED_TEST_SUITE(TiffMatrix, Pixels);

TYPED_TEST(TiffMatrix, IsReadExactlyHoweverItIsStored) {
  using Pixel = TypeParam;
  using Count =
      std::conditional_t<std::is_same_v<Pixel, std::uint8_t> || std::is_same_v<Pixel, std::uint16_t>,
                         std::uint16_t, float>;
  const TempFolder folder;
  const std::vector<Pixel> image = pixels<Pixel>(0);
  for (const Way& way : ways(std::is_floating_point_v<Pixel>)) {
    SCOPED_TRACE(text_of(way));
    write_pages<Pixel>(folder / "a.tif", way, 1);

    expect_page<Count>(folder / "a.tif", the_only_image, image);
  }
}

TYPED_TEST(TiffMatrix, HasAsManyPagesAsWereWritten) {
  using Pixel = TypeParam;
  using Count =
      std::conditional_t<std::is_same_v<Pixel, std::uint8_t> || std::is_same_v<Pixel, std::uint16_t>,
                         std::uint16_t, float>;
  const TempFolder folder;
  for (const bool big_endian : {false, true})
    for (const bool big_tiff : {false, true})
      for (const Layout layout : {Layout{0, 6}, Layout{16, 16}}) {
        const Way way{big_endian, big_tiff, layout, COMPRESSION_LZW, PREDICTOR_NONE};
        SCOPED_TRACE(text_of(way));
        write_pages<Pixel>(folder / "a.tif", way, 3);

        const std::vector<TiffPage> pages = tiff_pages(folder / "a.tif").pages;

        ASSERT_EQ(pages.size(), 3U);
        for (unsigned n = 0; n < 3; ++n) expect_page<Count>(folder / "a.tif", pages[n], pixels<Pixel>(n));
      }
}

/// The floating-point predictor by the book: bytes of a row by significance, each less the one before it; and
/// deflate that packs nothing.
std::string predicted(const std::vector<float>& image) {
  std::string bytes;
  for (int row = 0; row < rows; ++row) {
    std::string line;
    for (int significance = 3; significance >= 0; --significance)
      for (int column = 0; column < columns; ++column)
        line += static_cast<char>(
            std::bit_cast<std::uint32_t>(image[static_cast<std::size_t>(row * columns + column)]) >>
            (8 * significance));
    for (std::size_t n = line.size() - 1; n > 0; --n) line[n] = static_cast<char>(line[n] - line[n - 1]);
    bytes += line;
  }
  std::uint32_t a = 1, b = 0;
  for (const char byte : bytes) a = (a + static_cast<unsigned char>(byte)) % 65521, b = (b + a) % 65521;
  const auto size = static_cast<std::uint16_t>(bytes.size());
  return std::string("\x78\x01\x01") + testing::TiffBytes::encoded(size, 2, false) +
         testing::TiffBytes::encoded(static_cast<std::uint16_t>(~size), 2, false) + bytes +
         testing::TiffBytes::encoded(b << 16 | a, 4, true);
}

TEST(TiffFile, ReadsTheFloatingPointPredictorInBothByteOrders) {
  const TempFolder folder;
  const std::vector<float> image = pixels<float>(0);
  for (const bool big_endian : {false, true}) {
    testing::TiffSpec spec{
        .columns = columns, .rows = rows, .rows_per_strip = rows, .big_endian = big_endian};
    spec.strips = {predicted(image)};
    spec.tags = {{258, 32}, {259, 8}, {317, 3}, {339, 3}};
    testing::write_bytes(folder / "a.tif", testing::TiffBytes(spec).bytes());

    expect_page<float>(folder / "a.tif", the_only_image, image);
  }
}

/// As ImageJ writes: one directory, big-endian, one strip, and the planes behind one another.
void write_imagej(const std::filesystem::path& path, int planes, int stated, bool big_endian) {
  testing::TiffSpec spec{.columns = columns, .rows = rows, .rows_per_strip = rows, .big_endian = big_endian};
  spec.description = fmt::format("ImageJ=1.53t\nimages={}\nslices={}\nloop=false\n", stated, stated);
  std::string strip;
  for (unsigned plane = 0; plane < static_cast<unsigned>(planes); ++plane)
    for (const std::uint16_t pixel : pixels<std::uint16_t>(plane))
      strip += testing::TiffBytes::encoded(pixel, 2, big_endian);
  spec.strips = {strip};
  spec.tags[279] = 2 * columns * rows;
  testing::write_bytes(path, testing::TiffBytes(spec).bytes());
}

TEST(TiffFile, ReadsThePlanesOfAnImageJStack) {
  const TempFolder folder;
  for (const bool big_endian : {false, true}) {
    write_imagej(folder / "a.tif", 4, 4, big_endian);

    const std::vector<TiffPage> pages = tiff_pages(folder / "a.tif").pages;

    ASSERT_EQ(pages.size(), 4U);
    for (unsigned n = 0; n < 4; ++n)
      expect_page<std::uint16_t>(folder / "a.tif", pages[n], pixels<std::uint16_t>(n));
  }
}

TEST(TiffFile, NoticesAnImageJStackWithFewerPlanesThanItStates) {
  const TempFolder folder;
  write_imagej(folder / "a.tif", 4, 9, true);

  const TiffPages found = tiff_pages(folder / "a.tif");

  EXPECT_EQ(found.pages.size(), 4U);
  EXPECT_EQ(found.stated, 9U);
  for (const char* part : {"a.tif", "truncated", "9 images", "holds 4"})
    EXPECT_NE(found.damage.find(part), std::string::npos) << found.damage;
}

TEST(TiffFile, RefusesTilesThatNoMemoryShouldBeSpentOn) {
  const TempFolder folder;
  testing::TiffSpec spec{.columns = 8192, .rows = 8192, .rows_per_strip = 8192};
  spec.strips = {std::string(100'000, 'x')};
  spec.tags = {{259, 8}, {322, 8192}, {323, 8192}, {324, 8}, {325, 100'000}};
  testing::write_bytes(folder / "a.tif", testing::TiffBytes(spec).bytes());

  const auto failure = failure_of([&] { (void)read_tiff_info(folder / "a.tif"); });

  expect_failure(failure, ErrorKind::unsupported, {"a.tif", "8192 x 8192", "128.0 MiB", "64.0 MiB"});
}

TEST(TiffFile, NamesADamagedCompressedTile) {
  const TempFolder folder;
  write_pages<std::uint16_t>(folder / "a.tif", {.layout = {16, 16}, .compression = COMPRESSION_ADOBE_DEFLATE},
                             1);
  const TiffInfo info = read_tiff_info(folder / "a.tif");
  std::fstream(folder / "a.tif", std::ios::in | std::ios::out | std::ios::binary).seekp(10) << "rubbish";

  std::vector<std::uint16_t> counts(columns * rows);
  const auto failure = failure_of([&] { read_tiff_rows(folder / "a.tif", info, {0, rows}, counts.data()); });

  expect_failure(failure, ErrorKind::bad_file, {"a.tif", "tile 1 of 9 cannot be decoded"});
}

}  // namespace
}  // namespace feldspar::io
