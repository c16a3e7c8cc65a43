// Data Exchange files: the real tooth, and files made here whose every pixel tells where it is from.
#include "io/hdf5/exchange_source.hpp"

#include <gtest/gtest.h>
#include <hdf5.h>

#include <array>
#include <cmath>
#include <fstream>

#include "base/units.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/failure.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/support/test_data.hpp"

namespace feldspar::io {
namespace {

namespace fs = std::filesystem;

constexpr int views = 7, rows = 5, columns = 6;

std::uint16_t count_at(int view, int stored_row, int column) {
  return static_cast<std::uint16_t>(100 * view + 10 * stored_row + column);
}

/// With `axes`, also compressed, in chunks.
void put(hid_t file, const char* name, hid_t type, const std::vector<hsize_t>& size, const void* values,
         const char* axes = nullptr) {
  const hid_t space = H5Screate_simple(static_cast<int>(size.size()), size.data(), nullptr);
  const hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
  if (axes) {
    const std::array<hsize_t, 3> chunk{3, 2, 4};
    H5Pset_chunk(properties, 3, chunk.data());
    H5Pset_deflate(properties, 1);
  }
  const hid_t set = H5Dcreate2(file, name, type, space, H5P_DEFAULT, properties, H5P_DEFAULT);
  H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
  if (axes) {
    const hid_t text = H5Tcopy(H5T_C_S1), one = H5Screate(H5S_SCALAR);
    H5Tset_size(text, std::char_traits<char>::length(axes));
    const hid_t attribute = H5Acreate2(set, "axes", text, one, H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(attribute, text, axes);
    H5Aclose(attribute), H5Tclose(text), H5Sclose(one);
  }
  H5Dclose(set), H5Pclose(properties), H5Sclose(space);
}

/// A file with the frames as theta:y:x, or as y:theta:x and compressed in chunks of several frames.
void write_scan(const fs::path& path, bool unusual, int angles = views) {
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  H5Gclose(H5Gcreate2(file, "/exchange", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  std::vector<std::uint16_t> data;
  for (int a = 0; a < (unusual ? rows : views); ++a)
    for (int b = 0; b < (unusual ? views : rows); ++b)
      for (int c = 0; c < columns; ++c) data.push_back(unusual ? count_at(b, a, c) : count_at(a, b, c));
  if (unusual)
    put(file, "/exchange/data", H5T_NATIVE_UINT16, {rows, views, columns}, data.data(), "y:theta:x");
  else
    put(file, "/exchange/data", H5T_NATIVE_UINT16, {views, rows, columns}, data.data());
  std::vector<float> white(2 * rows * columns, 1000), theta;
  for (std::size_t n = 0; n < rows * columns; ++n) white[n] = 2000;  // the mean of both is 1500
  put(file, "/exchange/data_white", H5T_NATIVE_FLOAT, {2, rows, columns}, white.data());
  for (int n = 0; n < angles; ++n) theta.push_back(30.0f * static_cast<float>(n));
  put(file, "/exchange/theta", H5T_NATIVE_FLOAT, {hsize_t(angles)}, theta.data());
  H5Fclose(file);
}

TEST(ExchangeSource, ReadsARealScan) {
  FELDSPAR_NEEDS_DATA("exchange/tooth.h5");
  const auto source = open_scan(testing::test_data() / "exchange/tooth.h5");

  EXPECT_EQ(source->scan().beam, geometry::Beam::parallel);
  EXPECT_EQ(source->scan().angles.size(), 181U);
  EXPECT_EQ(source->scan().detector.columns, 640);
  EXPECT_EQ(source->description().name, "Tooth");
  EXPECT_EQ(source->references().dark.size(), 1280U);
  EXPECT_EQ(testing::count_with(source->findings(), {"no pixel size", "pixel-size"}), 1);
}

TEST(ExchangeSource, DeliversPixelsInAnyOrderOfDimensions) {
  const testing::TempFolder folder;
  for (const bool unusual : {false, true}) {
    write_scan(folder / "scan.h5", unusual);
    const auto source = open_scan(folder / "scan.h5");
    const std::vector<int> chosen{0, 2, 3, 6};
    std::vector<std::uint16_t> counts(chosen.size() * 3 * 4);
    source->read(chosen, {{1, 5}, {1, 4}}, counts.data());

    const std::uint16_t* at = counts.data();
    for (const int view : chosen)
      for (int row = 1; row < 4; ++row)
        for (int column = 1; column < 5; ++column)
          ASSERT_EQ(*at++, count_at(view, rows - 1 - row, column)) << unusual << view << row << column;
    EXPECT_EQ(source->references().white, std::vector<float>(rows * columns, 1500.0f));
    EXPECT_NEAR(std::abs(source->scan().angles[6]), 180 * radians_per_degree, 1e-9);
  }
}

TEST(ExchangeSource, RefusesFewerAnglesThanViewsAndSaysWhenThereAreMore) {
  const testing::TempFolder folder;
  write_scan(folder / "few.h5", false, views - 1);
  write_scan(folder / "many.h5", false, views + 2);

  testing::expect_error(ErrorKind::bad_file, {"few.h5", "/exchange/theta", "6 values", "7 projections"},
                        [&] { (void)open_scan(folder / "few.h5"); });
  const auto source = open_scan(folder / "many.h5");
  EXPECT_EQ(source->scan().angles.size(), std::size_t{views});
  EXPECT_EQ(testing::count_with(source->findings(), {"theta has 9 values"}), 1);
}

TEST(ExchangeSource, StatedPixelSizeReplacesTheMissingOne) {
  const testing::TempFolder folder;
  write_scan(folder / "scan.h5", false);

  EXPECT_EQ(open_scan(folder / "scan.h5", {.pixel_pitch = 0.0065})->scan().detector.column_pitch, 0.0065);
}

// A few kilobytes must not make the program look for gigabytes.
TEST(ExchangeSource, RefusesFramesThatTheFileCannotHold) {
  const testing::TempFolder folder;
  write_scan(folder / "claims.h5", false);
  const hid_t file = H5Fopen((folder / "claims.h5").c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  H5Ldelete(file, "/exchange/data", H5P_DEFAULT);
  const std::array<hsize_t, 3> size{views, 60000, 60000}, chunk{1, 1000, 1000};
  const hid_t space = H5Screate_simple(3, size.data(), nullptr), properties = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_chunk(properties, 3, chunk.data());
  H5Dclose(
      H5Dcreate2(file, "/exchange/data", H5T_NATIVE_UINT16, space, H5P_DEFAULT, properties, H5P_DEFAULT));
  H5Pclose(properties), H5Sclose(space), H5Fclose(file);

  testing::expect_error(ErrorKind::bad_file, {"claims.h5", "/exchange/data", "claims", "holds 0"},
                        [&] { (void)open_scan(folder / "claims.h5"); });
}

// Every change of a file must end in a scan or an Error: never in a crash, a hang or another exception.
TEST(ExchangeSource, DamagedFilesEndInErrors) {
  const testing::TempFolder folder;
  write_scan(folder / "good.h5", true);
  std::ifstream in(folder / "good.h5", std::ios::binary);
  std::string good(fs::file_size(folder / "good.h5"), '\0');
  in.read(good.data(), static_cast<std::streamsize>(good.size()));
  int refused = 0;
  for (std::size_t n = 0; n < 400; ++n) {
    std::string bytes = good;
    if (n % 4 == 0)
      bytes.resize(good.size() * n / 400);
    else
      bytes[(n * 7919) % bytes.size()] ^= static_cast<char>(1 << n % 8);
    std::ofstream(folder / "bad.h5", std::ios::binary) << bytes;
    try {
      const auto source = open_scan(folder / "bad.h5");
      std::vector<float> counts(std::size_t{columns} * rows);
      const int view = 0;
      if (source->scan().detector.columns == columns && source->scan().detector.rows == rows)
        source->read(std::span(&view, 1), {{0, columns}, {0, rows}}, counts.data());
    } catch (const Error&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 100);  // all that are truncated
}

}  // namespace
}  // namespace feldspar::io
