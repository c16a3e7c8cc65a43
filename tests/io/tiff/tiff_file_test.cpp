// Reading rows of TIFFs of every layout that projections come in, and refusing all others by name.
#include "io/tiff/tiff_file.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <tiffio.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <chrono>
#include <csignal>
#include <thread>

#include "tests/io/tiff/tiff_bytes.hpp"
#include "tests/support/failure.hpp"
#include "tests/support/peak_memory.hpp"
#include "tests/support/temp_folder.hpp"

namespace feldspar::io {
namespace {

using testing::expect_failure;
using testing::failure_of;
using testing::TempFolder;
using testing::TiffBytes;
using testing::TiffSpec;
using testing::write_bytes;

constexpr int columns = 5, rows = 7;

/// The pixel at (column, row): every one is different and needs both bytes.
constexpr std::uint16_t pixel(int column, int row) {
  return static_cast<std::uint16_t>(300 * row + 7 * column + 513);
}

/// The bits of a pixel of a format.
using Encoding = std::uint64_t (*)(std::uint16_t);

TiffSpec image(
    int rows_per_strip, int bytes = 2, Encoding encode = [](std::uint16_t v) { return std::uint64_t{v}; },
    bool big_endian = false) {
  TiffSpec spec{.columns = columns, .rows = rows, .rows_per_strip = rows_per_strip, .big_endian = big_endian};
  for (int first = 0; first < rows; first += rows_per_strip) {
    std::string strip;
    for (int row = first; row < std::min(first + rows_per_strip, rows); ++row)
      for (int column = 0; column < columns; ++column)
        strip += TiffBytes::encoded(encode(pixel(column, row)), bytes, big_endian);
    spec.strips.push_back(strip);
  }
  if (bytes != 2) spec.tags[258] = static_cast<std::uint64_t>(8 * bytes);
  return spec;
}

template <class Count>
void expect_rows(const std::filesystem::path& path, geometry::Range range, std::uint16_t mask = 0xffff) {
  std::vector<Count> counts(static_cast<std::size_t>(range.count() * columns) + 1, Count{42});

  read_tiff_rows(path, read_tiff_info(path), range, counts.data());

  for (int row = range.first; row < range.end; ++row)
    for (int column = 0; column < columns; ++column)
      EXPECT_EQ(counts[(row - range.first) * columns + column],
                static_cast<Count>(pixel(column, row) & mask));
  EXPECT_EQ(counts.back(), Count{42}) << "written past the end";
}

TEST(TiffFile, ReadsAnyRowsWhateverTheStrips) {
  const TempFolder folder;
  for (const int rows_per_strip : {1, 2, 3, 7})
    for (const bool reversed : {false, true}) {
      TiffSpec spec = image(rows_per_strip);
      spec.reverse_strips = reversed;
      write_bytes(folder / "a.tif", TiffBytes(spec).bytes());

      for (int first = 0; first < rows; ++first)
        for (int end = first; end <= rows; ++end) expect_rows<std::uint16_t>(folder / "a.tif", {first, end});
    }
}

TEST(TiffFile, ReadsBothByteOrdersOfClassicAndBigTiff) {
  const TempFolder folder;
  for (const bool big_endian : {false, true})
    for (const bool big_tiff : {false, true}) {
      TiffSpec spec = image(
          2, 2, [](std::uint16_t v) { return std::uint64_t{v}; }, big_endian);
      spec.big_tiff = big_tiff;
      write_bytes(folder / "a.tif", TiffBytes(spec).bytes());

      expect_rows<std::uint16_t>(folder / "a.tif", {1, 6});
    }
}

struct Format {
  const char* name;
  int bytes;
  int sample_format;  // 1 unsigned, 3 floating point
  Encoding encode;
  CountType delivered;
  float highest;
  std::uint16_t mask = 0xffff;
};

class TiffFormats : public ::testing::TestWithParam<Format> {};

TEST_P(TiffFormats, BecomeCountsInBothByteOrders) {
  const Format& format = GetParam();
  const TempFolder folder;
  for (const bool big_endian : {false, true}) {
    TiffSpec spec = image(3, format.bytes, format.encode, big_endian);
    spec.tags[339] = static_cast<std::uint64_t>(format.sample_format);
    write_bytes(folder / "a.tif", TiffBytes(spec).bytes());

    const TiffInfo info = read_tiff_info(folder / "a.tif");

    EXPECT_EQ(info.count_type, format.delivered);
    EXPECT_EQ(info.highest, format.highest);
    if (format.delivered == CountType::uint16)
      expect_rows<std::uint16_t>(folder / "a.tif", {2, 7}, format.mask);
    else
      expect_rows<float>(folder / "a.tif", {2, 7}, format.mask);
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, TiffFormats,
    ::testing::Values(Format{"uint8", 1, 1, [](std::uint16_t v) -> std::uint64_t { return v & 0xffu; },
                             CountType::uint16, 255, 0xff},
                      Format{"uint16", 2, 1, [](std::uint16_t v) -> std::uint64_t { return v; },
                             CountType::uint16, 65535},
                      Format{"uint32", 4, 1, [](std::uint16_t v) -> std::uint64_t { return v; },
                             CountType::float32, 4294967295.0f},
                      Format{"float32", 4, 3,
                             [](std::uint16_t v) -> std::uint64_t {
                               return std::bit_cast<std::uint32_t>(float{static_cast<float>(v)});
                             },
                             CountType::float32, 0},
                      Format{"float64", 8, 3,
                             [](std::uint16_t v) -> std::uint64_t {
                               return std::bit_cast<std::uint64_t>(static_cast<double>(v));
                             },
                             CountType::float32, 0}),
    [](const auto& test) { return std::string(test.param.name); });

/// Writes the same pixels with libtiff, in strips of 3 rows.
void write_compressed(const std::filesystem::path& path, int compression, int predictor) {
  TIFF* const tiff = TIFFOpen(path.c_str(), "w");
  ASSERT_TRUE(tiff);
  TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, columns);
  TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, rows);
  TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, 16);
  TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, 1);
  TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
  TIFFSetField(tiff, TIFFTAG_COMPRESSION, compression);
  if (predictor) TIFFSetField(tiff, TIFFTAG_PREDICTOR, predictor);
  TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, 3);
  for (int row = 0; row < rows; ++row) {
    std::uint16_t line[columns];
    for (int column = 0; column < columns; ++column) line[column] = pixel(column, row);
    ASSERT_EQ(TIFFWriteScanline(tiff, line, static_cast<std::uint32_t>(row)), 1);
  }
  TIFFClose(tiff);
}

TEST(TiffFile, ReadsLosslesslyCompressedStrips) {
  const TempFolder folder;
  for (const int compression :
       {COMPRESSION_LZW, COMPRESSION_ADOBE_DEFLATE, COMPRESSION_PACKBITS, COMPRESSION_ZSTD}) {
    if (!TIFFIsCODECConfigured(static_cast<std::uint16_t>(compression))) continue;
    write_compressed(folder / "a.tif", compression,
                     compression == COMPRESSION_PACKBITS ? 0 : PREDICTOR_HORIZONTAL);

    for (int first = 0; first < rows; ++first) expect_rows<std::uint16_t>(folder / "a.tif", {first, rows});
  }
}

/// All zeros, which a few kilobytes hold, in one strip.
void write_one_large_strip(const std::filesystem::path& path, int side) {
  TIFF* const tiff = TIFFOpen(path.c_str(), "w");
  ASSERT_TRUE(tiff);
  TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, side);
  TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, side);
  TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, 8);
  TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
  TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, side);
  TIFFSetField(tiff, TIFFTAG_COMPRESSION, COMPRESSION_ADOBE_DEFLATE);
  std::string line(static_cast<std::size_t>(side), '\0');
  for (int row = 0; row < side; ++row)
    ASSERT_EQ(TIFFWriteScanline(tiff, line.data(), static_cast<std::uint32_t>(row)), 1);
  TIFFClose(tiff);
}

TEST(TiffFile, DecodesAStripRowByRowHoweverLargeItIs) {
  constexpr int side = 8000;  // 61 MiB in one strip
  const TempFolder folder;
  write_one_large_strip(folder / "a.tif", side);
  const TiffInfo info = read_tiff_info(folder / "a.tif");
  std::vector<std::uint16_t> counts(2 * side, 42);

  const testing::PeakMemory memory;
  read_tiff_rows(folder / "a.tif", info, {side / 2, side / 2 + 2}, counts.data());

  EXPECT_LT(memory.added(), std::size_t{8} << 20);
  EXPECT_EQ(counts, std::vector<std::uint16_t>(2 * side, 0));
}

TEST(TiffFile, NamesADamagedCompressedStrip) {
  const TempFolder folder;
  write_compressed(folder / "a.tif", COMPRESSION_ADOBE_DEFLATE, 0);
  const TiffInfo info = read_tiff_info(folder / "a.tif");
  std::fstream(folder / "a.tif", std::ios::in | std::ios::out | std::ios::binary).seekp(10) << "rubbish";

  std::vector<std::uint16_t> counts(columns * rows);
  const auto failure = failure_of([&] { read_tiff_rows(folder / "a.tif", info, {0, rows}, counts.data()); });

  expect_failure(failure, ErrorKind::bad_file, {"a.tif", "strip 1 of 3 cannot be decoded"});
}

struct Refusal {
  const char* name;
  std::map<int, std::uint64_t> tags;
  const char* words;
  int images = 1;
};

class TiffRefusals : public ::testing::TestWithParam<Refusal> {};

TEST_P(TiffRefusals, NameTheProperty) {
  const TempFolder folder;
  TiffSpec spec = image(rows);
  spec.tags = GetParam().tags;
  spec.images = GetParam().images;
  write_bytes(folder / "odd.tif", TiffBytes(spec).bytes());

  const auto failure = failure_of([&] { (void)read_tiff_info(folder / "odd.tif"); });

  expect_failure(failure, ErrorKind::unsupported,
                 {"odd.tif", GetParam().words, "save the projections as 16-bit"});
}

INSTANTIATE_TEST_SUITE_P(
    All, TiffRefusals,
    ::testing::Values(Refusal{"colour", {{277, 3}, {262, 2}}, "3 samples a pixel (colour)"},
                      Refusal{"inverted", {{262, 0}}, "MinIsWhite"},
                      Refusal{"twelve_bits", {{258, 12}}, "12 bits"},
                      Refusal{"one_bit", {{258, 1}}, "1 bits"},
                      Refusal{"signed", {{339, 2}, {258, 64}}, "signed integers of 64 bits"},
                      Refusal{"half", {{339, 3}}, "floating-point numbers of 16 bits"},
                      Refusal{"complex", {{339, 6}}, "sample format 6"},
                      Refusal{"jpeg", {{259, 7}}, "compressed with JPEG"},
                      Refusal{"unknown_scheme", {{259, 4711}}, "compressed with scheme 4711"},
                      Refusal{"turned", {{274, 3}}, "Orientation 3"},
                      Refusal{"several_images", {}, "several images", 2}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(TiffFile, RefusesPalettes) {
  const TempFolder folder;
  TIFF* const tiff = TIFFOpen((folder / "a.tif").c_str(), "w");
  std::uint16_t colours[256] = {};
  std::uint8_t pixels[4] = {};
  TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, 2);
  TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, 2);
  TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, 8);
  TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_PALETTE);
  TIFFSetField(tiff, TIFFTAG_COLORMAP, colours, colours, colours);
  TIFFWriteEncodedStrip(tiff, 0, pixels, 4);
  TIFFClose(tiff);

  expect_failure(failure_of([&] { (void)read_tiff_info(folder / "a.tif"); }), ErrorKind::unsupported,
                 {"a.tif", "palette"});
}

TEST(TiffFile, RefusesImageJsHiddenPlanes) {
  const TempFolder folder;
  const TiffSpec spec = image(rows);
  write_bytes(folder / "a.tif", TiffBytes(spec).bytes());
  TIFF* const tiff = TIFFOpen((folder / "a.tif").c_str(), "r+");
  TIFFSetField(tiff, TIFFTAG_IMAGEDESCRIPTION, "ImageJ=1.53\nimages=12\nslices=12\n");
  TIFFRewriteDirectory(tiff);
  TIFFClose(tiff);

  expect_failure(failure_of([&] { (void)read_tiff_info(folder / "a.tif"); }), ErrorKind::unsupported,
                 {"a.tif", "several images"});
}

TEST(TiffFile, SaysWhatAFileIsThatIsNoTiff) {
  const TempFolder folder;
  write_bytes(folder / "empty.tif", "");
  write_bytes(folder / "page.tif", "<!DOCTYPE html><html>");
  write_bytes(folder / "zero.tif", std::string(100, '\0'));
  const auto failure = [&](const char* name) {
    return failure_of([&] { (void)read_tiff_info(folder / name); });
  };

  expect_failure(failure("empty.tif"), ErrorKind::bad_file, {"empty.tif", "0 bytes"});
  expect_failure(failure("page.tif"), ErrorKind::bad_file, {"page.tif", "no TIFF", "<!DOCTYPE html>"});
  expect_failure(failure("zero.tif"), ErrorKind::bad_file, {"zero.tif", "no TIFF", "00 00"});
  expect_failure(failure("absent.tif"), ErrorKind::io, {"absent.tif", "No such file"});
  expect_failure(failure("."), ErrorKind::bad_file, {"no regular file"});
}

TEST(TiffFile, FindsEveryTruncation) {
  const TempFolder folder;
  TiffSpec spec = image(2);
  const std::string whole = TiffBytes(spec).bytes();
  for (std::size_t size = 1; size + 1 < whole.size();
       ++size) {  // the last 4 bytes may go: they are a null link
    write_bytes(folder / "cut.tif", whole.substr(0, size));

    const auto failure = failure_of([&] { (void)read_tiff_info(folder / "cut.tif"); });

    if (size < whole.size() - 4) expect_failure(failure, ErrorKind::bad_file, {"cut.tif"});
  }
}

TEST(TiffFile, SaysHowManyBytesATruncatedFileLacks) {
  const TempFolder folder;
  TiffSpec spec = image(rows);
  std::string bytes = TiffBytes(spec).bytes();
  spec.tags[273] = bytes.size() - 10;
  write_bytes(folder / "cut.tif", TiffBytes(spec).bytes());

  const auto failure = failure_of([&] { (void)read_tiff_info(folder / "cut.tif"); });

  expect_failure(failure, ErrorKind::bad_file,
                 {"cut.tif", "truncated", std::to_string(bytes.size() - 10 + 70),
                  "ends at byte " + std::to_string(bytes.size())});
}

TEST(TiffFile, RefusesImpossibleSizesBeforeAllocating) {
  const TempFolder folder;
  const std::vector<std::map<int, std::uint64_t>> cases{{{256, 0}},
                                                        {{257, 0}},
                                                        {{256, 4000000000}, {257, 4000000000}},
                                                        {{256, 1000000}, {257, 1000000}, {278, 1000000}}};
  for (const auto& tags : cases) {
    TiffSpec spec = image(rows);
    spec.tags = tags;
    write_bytes(folder / "bomb.tif", TiffBytes(spec).bytes());

    expect_failure(failure_of([&] { (void)read_tiff_info(folder / "bomb.tif"); }), ErrorKind::bad_file,
                   {"bomb.tif"});
  }
}

TEST(TiffFile, RefusesStripsShorterThanTheirRows) {
  const TempFolder folder;
  TiffSpec spec = image(4);
  spec.strips[1].resize(20);
  write_bytes(folder / "short.tif", TiffBytes(spec).bytes());

  expect_failure(failure_of([&] { (void)read_tiff_info(folder / "short.tif"); }), ErrorKind::bad_file,
                 {"short.tif", "strip 2 of 2 holds 20 bytes, 30 were expected"});
}

TEST(TiffFile, NoticesAnotherImageUnderTheSameName) {
  const TempFolder folder;
  write_bytes(folder / "a.tif", TiffBytes(image(2)).bytes());
  TiffInfo info = read_tiff_info(folder / "a.tif");
  info.columns = columns + 1;
  std::vector<std::uint16_t> counts((columns + 1) * rows);

  const auto failure = failure_of([&] { read_tiff_rows(folder / "a.tif", info, {0, rows}, counts.data()); });

  expect_failure(failure, ErrorKind::bad_file, {"a.tif", "another image"});
}

TEST(TiffFile, WritesWhatItReads) {
  const TempFolder folder;
  std::vector<std::uint16_t> counts(columns * rows);
  for (int n = 0; n < columns * rows; ++n) counts[n] = pixel(n % columns, n / columns);

  write_tiff(folder / "a.tif", {counts.data(), columns, rows, 1});

  EXPECT_EQ(read_tiff_info(folder / "a.tif").highest, 65535);
  expect_rows<std::uint16_t>(folder / "a.tif", {0, rows});
}

TEST(TiffFile, LeavesNothingBehindWhenItCannotWrite) {
  const TempFolder folder;
  const std::uint16_t one = 1;

  const auto failure = failure_of([&] { write_tiff(folder / "none" / "a.tif", {&one, 1, 1, 1}); });

  expect_failure(failure, ErrorKind::io, {"a.tif", "No such file"});
}

TEST(TiffFile, RemovesWhatItCouldNotFinish) {
  const TempFolder folder;
  const std::vector<std::uint16_t> counts(100 * 100);
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &limit), 0);
  const auto previous = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit full{.rlim_cur = 1000, .rlim_max = limit.rlim_max};  // as a disk with 1000 bytes left
  setrlimit(RLIMIT_FSIZE, &full);

  const auto failure = failure_of([&] { write_tiff(folder / "a.tif", {counts.data(), 100, 100, 1}); });
  setrlimit(RLIMIT_FSIZE, &limit);
  (void)std::signal(SIGXFSZ, previous);

  expect_failure(failure, ErrorKind::io, {"a.tif", "cannot be written", "File too large"});
  EXPECT_FALSE(std::filesystem::exists(folder / "a.tif"));
}

/// Lets a file look as if it had been written long ago.
void settle(const std::filesystem::path& path) {
  std::filesystem::last_write_time(path,
                                   std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));
}

/// How often this process has the file open.
int descriptors_of(const std::filesystem::path& path) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;  // the iterator's own
    count += std::filesystem::read_symlink(entry, gone) == path;
  }
  return count;
}

std::uint16_t first_pixel(const std::filesystem::path& path) {
  const TiffInfo info = read_tiff_info(path);
  std::vector<std::uint16_t> counts(static_cast<std::size_t>(info.columns));
  read_tiff_rows(path, info, {0, 1}, counts.data());
  return counts[0];
}

void write_uniform(const std::filesystem::path& path, std::uint16_t value, int width, int height) {
  const std::vector<std::uint16_t> counts(static_cast<std::size_t>(width * height), value);
  write_tiff(path, {counts.data(), width, height, 1});
}

TEST(TiffFile, StaysOpenForTheNextReader) {
  const TempFolder folder;
  write_bytes(folder / "plain.tif", TiffBytes(image(2)).bytes());
  write_compressed(folder / "packed.tif", COMPRESSION_LZW, 0);
  for (const char* name : {"plain.tif", "packed.tif"}) {
    settle(folder / name);

    for (int repeat = 0; repeat < 3; ++repeat)
      for (const geometry::Range range : {geometry::Range{3, 5}, geometry::Range{0, rows}})
        expect_rows<std::uint16_t>(folder / name, range);

    EXPECT_EQ(descriptors_of(folder / name), 1) << name;
  }
}

TEST(TiffFile, IsReadAnewWhenItIsNoLongerWhatWasOpened) {
  const TempFolder folder;
  const auto path = folder / "a.tif", other = folder / "b.tif";
  write_uniform(path, 1, 6, 4);
  settle(path);
  ASSERT_EQ(first_pixel(path), 1);

  write_uniform(other, 2, 4, 6);  // as large, of another shape
  settle(other);
  std::filesystem::rename(other, path);
  EXPECT_EQ(first_pixel(path), 2);
  EXPECT_EQ(read_tiff_info(path).columns, 4);
  const auto before = std::filesystem::last_write_time(path);
  write_uniform(path, 3, 6, 4);  // in place, and the time set back
  std::filesystem::last_write_time(path, before);
  EXPECT_EQ(first_pixel(path), 3);
  EXPECT_EQ(read_tiff_info(path).columns, 6);
  std::filesystem::remove(path);
  expect_failure(failure_of([&] { (void)first_pixel(path); }), ErrorKind::io, {"a.tif", "No such file"});
}

TEST(TiffFile, IsReadAnewWhenItHasJustBeenWritten) {
  const TempFolder folder;
  for (int n = 0; n < 50; ++n) {  // faster than times of files tell
    write_uniform(folder / "a.tif", static_cast<std::uint16_t>(n), n % 2 ? 6 : 4, n % 2 ? 4 : 6);
    ASSERT_EQ(first_pixel(folder / "a.tif"), n);
    ASSERT_EQ(read_tiff_info(folder / "a.tif").columns, n % 2 ? 6 : 4);
  }
}

TEST(TiffFile, ManyThreadsReadAtOnce) {
  const TempFolder folder;
  write_bytes(folder / "plain.tif", TiffBytes(image(2)).bytes());
  write_compressed(folder / "packed.tif", COMPRESSION_LZW, 0);
  settle(folder / "plain.tif"), settle(folder / "packed.tif");
  std::atomic<int> wrong = 0;
  const auto work = [&](const char* name) {
    const TiffInfo info = read_tiff_info(folder / name);
    std::vector<std::uint16_t> counts(columns * rows);
    for (int repeat = 0; repeat < 200; ++repeat) {
      read_tiff_rows(folder / name, info, {0, rows}, counts.data());
      for (int n = 0; n < columns * rows; ++n) wrong += counts[n] != pixel(n % columns, n / columns);
    }
  };

  std::vector<std::thread> threads;
  for (int n = 0; n < 6; ++n) threads.emplace_back(work, n % 2 ? "plain.tif" : "packed.tif");
  for (std::thread& thread : threads) thread.join();

  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace feldspar::io
