// What is in the files: names, orientation of pixels, keys and signs.
#include "io/nikon/nikon_writer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <numbers>
#include <sstream>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/memory.hpp"
#include "base/text.hpp"
#include "io/tiff/tiff_file.hpp"
#include "simulate/phantom.hpp"
#include "simulate/presets.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/temp_folder.hpp"

namespace feldspar::simulate {
namespace {

using io::NikonWriter;

/// A beam of one energy through an object that outlives it.
Illumination lit(const Object& object) { return monochromatic({std::shared_ptr<const Object>{}, &object}); }

namespace fs = std::filesystem;

geometry::CircularScan small_scan(int views = 3) {
  geometry::CircularScan scan;
  scan.source_object_distance = 176.9;
  scan.source_detector_distance = 983;
  scan.detector = {.columns = 4, .rows = 3, .column_pitch = 0.2, .row_pitch = 0.2};
  scan.angles = full_turn(views);
  return scan;
}

std::string text_of(const fs::path& file) { return read_text(file, 1 << 20); }

std::map<std::string, std::string> keys_of(const fs::path& file) {
  std::map<std::string, std::string> keys;
  std::istringstream lines(text_of(file));
  for (std::string line; std::getline(lines, line);) {
    EXPECT_EQ(line.back(), '\r');
    line.pop_back();
    if (const auto equals = line.find('='); equals != std::string::npos)
      keys[line.substr(0, equals)] = line.substr(equals + 1);
  }
  return keys;
}

void write_all(NikonWriter& writer, const geometry::CircularScan& scan) {
  std::vector<std::uint16_t> counts(static_cast<std::size_t>(scan.detector.columns) *
                                    static_cast<std::size_t>(scan.detector.rows));
  for (int view = 0; view < static_cast<int>(scan.angles.size()); ++view)
    writer.write_view(view, {counts.data(), scan.detector.columns, scan.detector.rows, 1});
}

std::vector<std::uint16_t> stored(const fs::path& file) {
  const io::TiffInfo info = io::read_tiff_info(file);
  std::vector<std::uint16_t> counts(static_cast<std::size_t>(info.columns) *
                                    static_cast<std::size_t>(info.rows));
  io::read_tiff_rows(file, info, {0, info.rows}, counts.data());
  return counts;
}

TEST(nikon_writer, image_is_stored_top_down_and_seen_from_the_detector) {
  const testing::TempFolder folder;
  NikonWriter writer(folder / "s", "s", small_scan(), {});
  std::vector<std::uint16_t> counts{0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23};  // tens: row from below
  writer.write_view(0, {counts.data(), 4, 3, 1});
  EXPECT_EQ(stored(writer.view_file(0)),
            (std::vector<std::uint16_t>{23, 22, 21, 20, 13, 12, 11, 10, 3, 2, 1, 0}));
}

TEST(nikon_writer, marker_on_the_right_and_up_lies_on_the_left_and_up_in_the_file) {
  // At stage angle 0 the object stands half a turn on: a sphere at world (-14, 0, 12) is at laboratory
  // (14, 0, 12), to the right seen from the source; magnified twice, 70 and 60 pixels from the centre.
  const testing::TempFolder folder;
  VirtualScan scan = preset("markers");
  scan.scan.angles = full_turn(4);
  const Phantom sphere({{.centre = {-14, 0, 12}, .half_size = {1, 1, 1}}}, {1});
  ThreadPool pool(1);
  const Array3<float> beam(256, 256, 1);
  const Array3<std::uint16_t> counts(256, 256, 1);
  NikonWriter writer(folder / "s", "s", scan.scan, {});
  const auto darkest = [&](int view) {
    transmission(lit(sphere), scan.scan, view, {}, beam.view(), pool);
    detect({}, view, beam.view(), counts.view(), pool);
    writer.write_view(view, counts.view());
    const auto image = stored(writer.view_file(view));
    const auto where = std::min_element(image.begin(), image.end()) - image.begin();
    return std::pair{static_cast<double>(where % 256), static_cast<double>(where / 256)};
  };
  const auto [column, row] = darkest(0);
  EXPECT_NEAR(column, 127.5 - 70, 1.01);
  EXPECT_NEAR(row, 127.5 - 60, 1.01);
  // A quarter turn clockwise seen from above takes what is right of the axis to the source's side:
  // magnified 1000 / 486 times.
  const auto [column_later, row_later] = darkest(1);
  EXPECT_NEAR(column_later, 127.5, 1.01);
  EXPECT_NEAR(row_later, 127.5 - 12 * 1000 / 486.0 / 0.4, 1.01);
}

TEST(nikon_writer, keys_describe_the_instrument_in_nikons_signs) {
  const testing::TempFolder folder;
  geometry::CircularScan scan = small_scan();
  scan.axis = {.offset = 0.05, .roll = 0.1 * std::numbers::pi / 180, .tilt = -0.2 * std::numbers::pi / 180};
  scan.detector.column_offset = 0.3;
  scan.detector.row_offset = -0.4;
  NikonWriter writer(folder / "s", "my cell", scan, {.exposure_s = 0.534});
  write_all(writer, scan);
  writer.finish();
  auto keys = keys_of(folder / "s/my cell.xtekct");
  EXPECT_EQ(text_of(folder / "s/my cell.xtekct").substr(0, 10), "[XTekCT]\r\n");
  EXPECT_EQ(keys["Name"], "my cell");
  EXPECT_EQ(keys["SrcToObject"], "176.9");
  EXPECT_EQ(keys["SrcToDetector"], "983.0");
  EXPECT_EQ(keys["DetectorPixelsX"], "4");
  EXPECT_EQ(keys["DetectorPixelsY"], "3");
  EXPECT_EQ(keys["DetectorPixelSizeX"], "0.2");
  EXPECT_EQ(keys["DetectorOffsetX"], "-0.3");
  EXPECT_EQ(keys["DetectorOffsetY"], "-0.4");
  EXPECT_EQ(keys["ObjectOffsetX"], "-0.05");
  EXPECT_EQ(keys["ObjectRoll"], "0.1");
  EXPECT_EQ(keys["ObjectTilt"], "-0.2");
  EXPECT_EQ(keys["Projections"], "3");
  EXPECT_EQ(keys["InitialAngle"], "0.0");
  EXPECT_NEAR(std::stod(keys["AngularStep"]), 120, 1e-12);  // from radians
  EXPECT_EQ(keys["WhiteLevel"], "60000.0");
  EXPECT_EQ(keys["InputDigits"], "4");
  EXPECT_EQ(keys["CutOffFrequency"], "2.5");
  EXPECT_NEAR(std::stod(keys["VoxelSizeX"]), 0.2 * 176.9 / 983, 1e-11);
}

TEST(nikon_writer, angles_are_listed_relative_to_the_start_with_one_row_more) {
  const testing::TempFolder folder;
  const geometry::CircularScan scan = small_scan();
  NikonWriter writer(folder / "s", "s", scan, {.exposure_s = 0.5});
  write_all(writer, scan);
  writer.finish();
  EXPECT_EQ(
      text_of(folder / "s/_ctdata.txt"),
      "Projections\tFrames\tExposure(ms)\r\n3\t1\t500.00\r\nProjection\tAngle(deg)\tTime(s)\r\n"
      "1\t000.0000\t000.0000\r\n2\t120.0000\t000.5000\r\n3\t240.0000\t001.0000\r\n4\t360.0000\t001.5000\r\n");
}

TEST(nikon_writer, unfinished_scan_has_another_name_and_goes_away) {
  const testing::TempFolder folder;
  {
    NikonWriter writer(folder / "s", "s", small_scan(), {});
    std::vector<std::uint16_t> counts(12);
    writer.write_view(0, {counts.data(), 4, 3, 1});
    EXPECT_THROW(writer.finish(), Error);
    EXPECT_FALSE(fs::exists(folder / "s"));
    EXPECT_TRUE(fs::exists(folder / "s.partial/s_0001.tif"));
    EXPECT_FALSE(fs::exists(folder / "s.partial/s.xtekct"));
  }
  EXPECT_FALSE(fs::exists(folder / "s.partial"));
}

TEST(nikon_writer, folder_that_a_killed_run_left_is_refused_by_name) {
  const testing::TempFolder folder;
  fs::create_directory(folder / "s.partial");
  EXPECT_THROW(NikonWriter(folder / "s", "s", small_scan(), {}), Error);
  EXPECT_TRUE(fs::exists(folder / "s.partial"));
}

TEST(nikon_writer, folder_in_use_is_refused) {
  const testing::TempFolder folder;
  std::ofstream(folder / "notes.txt") << "precious";
  EXPECT_THROW(NikonWriter(folder.path(), "s", small_scan(), {}), Error);
}

TEST(nikon_writer, overwriting_replaces_an_earlier_scan_when_the_new_one_is_complete) {
  const testing::TempFolder folder;
  const geometry::CircularScan earlier = small_scan(5), scan = small_scan();
  {
    NikonWriter writer(folder / "s", "s", earlier, {});
    write_all(writer, earlier);
    writer.finish();
  }
  {
    NikonWriter given_up(folder / "s", "s", scan, {}, true);
    EXPECT_TRUE(fs::exists(folder / "s/s_0005.tif"));
  }
  EXPECT_TRUE(fs::exists(folder / "s/s_0005.tif") && fs::exists(folder / "s/s.xtekct"));
  NikonWriter writer(folder / "s", "s", scan, {}, true);
  write_all(writer, scan);
  writer.finish();

  EXPECT_TRUE(fs::exists(folder / "s/s_0003.tif") && fs::exists(folder / "s/s.xtekct"));
  EXPECT_FALSE(fs::exists(folder / "s/s_0005.tif"));
  EXPECT_FALSE(fs::exists(folder / "s.partial"));
}

TEST(nikon_writer, overwriting_touches_no_folder_that_holds_anything_else) {
  const geometry::CircularScan scan = small_scan();
  for (const char* name : {"s_note.tif", "other_0001.tif", "folder", "link_to_nothing", "s.xtekct"}) {
    const testing::TempFolder folder;
    {
      NikonWriter writer(folder / "s", "s", scan, {});
      write_all(writer, scan);
      writer.finish();
    }
    if (std::string(name) == "folder")
      fs::create_directory(folder / "s/folder");
    else if (std::string(name) == "link_to_nothing")
      fs::create_symlink("nothing", folder / "s/s_0009.tif");
    else
      std::ofstream(folder / "s" / name) << "not by feldspar";
    testing::expect_error(ErrorKind::io, {"s", "holds more than"},
                          [&] { NikonWriter(folder / "s", "s", scan, {}, true); });
    for (const char* file : {"s_0001.tif", "s_0003.tif", "_ctdata.txt", "s.xtekct"})
      EXPECT_TRUE(fs::exists(folder / "s" / file)) << file;
  }
}

TEST(nikon_writer, more_than_9999_views_take_more_digits) {
  const testing::TempFolder folder;
  const NikonWriter writer(folder / "s", "s", small_scan(12000), {});
  EXPECT_EQ(writer.view_file(0).filename(), "s_00001.tif");
}

void expect_refused(const geometry::CircularScan& scan) {
  const testing::TempFolder folder;
  try {
    const NikonWriter writer(folder / "s", "s", scan, {});
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::unsupported) << error.what();
  }
  EXPECT_FALSE(fs::exists(folder / "s"));
}

TEST(nikon_writer, tilted_detector_is_refused) {
  geometry::CircularScan scan = small_scan();
  scan.detector.tilt = 0.01;
  expect_refused(scan);
}

TEST(nikon_writer, uneven_angles_are_listed_from_the_last_to_the_first) {
  const testing::TempFolder folder;
  geometry::CircularScan scan = small_scan();
  const double degree = std::numbers::pi / 180;
  scan.angles = {0.0, -10 * degree, -12.5 * degree};
  NikonWriter writer(folder / "s", "s", scan, {});
  write_all(writer, scan);
  writer.finish();

  const auto keys = keys_of(folder / "s/s.xtekct");
  EXPECT_EQ(keys.at("AngleFile_Use"), "True");
  EXPECT_EQ(keys.at("AngularStep"), "6.25");
  EXPECT_FALSE(fs::exists(folder / "s/_ctdata.txt"));
  EXPECT_EQ(text_of(folder / "s/s.ang"), "Proj\tAngle(deg)\r\n1:\t12.5\r\n2:\t10.0\r\n3:\t0.0\r\n");
}

TEST(nikon_writer, shifted_views_are_refused) {
  geometry::CircularScan scan = small_scan();
  scan.shifts.resize(3);
  expect_refused(scan);
}

TEST(nikon_writer, scan_larger_than_the_disk_is_refused_before_it_starts) {
  const testing::TempFolder folder;
  geometry::CircularScan scan = small_scan(100000);
  scan.detector.columns = scan.detector.rows = 1000000;  // 200 PB
  EXPECT_THROW(NikonWriter(folder / "s", "s", scan, {}), Error);
}

TEST(nikon_writer, name_that_leaves_the_folder_is_refused) {
  const testing::TempFolder folder;
  EXPECT_THROW(NikonWriter(folder / "s", "../s", small_scan(), {}), Error);
}

}  // namespace
}  // namespace feldspar::simulate
