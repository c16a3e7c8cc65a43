// Scans of SkyScan, phoenix, Tescan and North Star: geometry of real texts, and images found, ordered and
// turned.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "base/units.hpp"
#include "io/open_scan.hpp"
#include "io/tiff/tiff_file.hpp"
#include "io/vendors/keyed_text.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/failure.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/support/test_data.hpp"

namespace feldspar::io::vendors {
namespace {

namespace fs = std::filesystem;
using testing::count_with;
using testing::expect_failure;
using testing::failure_of;

constexpr double degree = radians_per_degree;

const std::string pca =
    "[General]\r\nVersion-pca=2\r\n[Geometry]\r\nFDD=500\r\nFOD=100\r\ncx=1\r\ncy=0.5\r\nCalibValue=2\r\n"
    "[CT]\r\nNumberImages=2\r\nRotationSector=360\r\n[Image]\r\nDimX=3\r\nDimY=2\r\nFreeRay=900\r\n"
    "[Detector]\r\nPixelsizeX=0.2\r\nPixelsizeY=0.4\r\n";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  return text.replace(text.find(from), from.size(), to);
}

/// An image whose counts are 100 `number` + 10 row from the top + column.
void write_image(const fs::path& path, int number) {
  std::vector<std::uint16_t> counts;
  for (int row = 0; row < 2; ++row)
    for (int column = 0; column < 3; ++column)
      counts.push_back(static_cast<std::uint16_t>(100 * number + 10 * row + column));
  write_tiff(path, View3<const std::uint16_t>{counts.data(), 3, 2, 1});
}

TEST(KeyedText, ComparesKeysWithoutCaseAndKeepsTheFirst) {
  KeyedText text("[A b]\r\n Key = \"1.5\"\r\nkey=2\nempty=\nword=x=y\n[other]\nKEY=3", "f.txt");

  EXPECT_EQ(text.number("a B", "KEY"), 1.5);
  EXPECT_EQ(text.number("other", "key"), 3);
  EXPECT_EQ(text.number("A b", "empty"), std::nullopt);
  EXPECT_EQ(text.text("A b", "word"), "x=y");
  EXPECT_EQ(text.text("absent", "key"), "");
  EXPECT_EQ(text.fields().size(), 5U);
}

TEST(KeyedText, NamesFileFieldAndValue) {
  KeyedText text("[A]\nn=1,5\nzero=0\nhalf=1.5", "f.txt");

  expect_failure(failure_of([&] { (void)text.number("A", "n"); }), ErrorKind::bad_file,
                 {"f.txt", "[A] n", "1,5"});
  expect_failure(failure_of([&] { (void)text.required("A", "m"); }), ErrorKind::bad_file,
                 {"[A] m", "missing"});
  expect_failure(failure_of([&] { (void)text.positive("A", "zero"); }), ErrorKind::bad_file, {"zero"});
  expect_failure(failure_of([&] { (void)text.count("A", "half"); }), ErrorKind::bad_file, {"half"});
}

TEST(Phoenix, ReadsImagesFromTheTopAndDropsTheLastAngle) {
  const testing::TempFolder folder;
  std::ofstream(folder / "s.pca") << pca;
  std::ofstream(folder / "s.pcp") << "datos|x\nImgNr\tRotPos\tU\n1\t0.0\t90\n2\t170.0\t90\n3\t360.0\t90\n";
  for (int n = 1; n <= 2; ++n) write_image(folder / fmt::format("s_000{}.tif", n), n);

  const auto source = open_scan(folder.path());
  std::vector<std::uint16_t> counts(6);
  source->read(std::vector<int>{1}, {{0, 3}, {0, 2}}, counts.data());

  EXPECT_EQ(counts, (std::vector<std::uint16_t>{210, 211, 212, 200, 201, 202}));
  ASSERT_EQ(source->scan().angles.size(), 2U);
  EXPECT_DOUBLE_EQ(source->scan().angles[1], -170 * degree);
  EXPECT_EQ(source->references().white, std::vector<float>{900});
  EXPECT_EQ(source->scan().axis.offset, 0);
  EXPECT_EQ(count_with(source->findings(), {"CalibValue", "0.0800mm"}), 1);
}

TEST(Phoenix, PutsTheCentralRayOnItsPixel) {
  const testing::TempFolder folder;
  std::ofstream(folder / "s.pca") << replaced(replaced(pca, "cx=1\r", "cx=2\r"), "cy=0.5", "cy=0");

  const auto source = open_scan(folder.path(), {.headers_only = true});

  EXPECT_DOUBLE_EQ(source->scan().detector.column_offset, -0.2);  // the middle is left of the ray
  EXPECT_DOUBLE_EQ(source->scan().detector.row_offset, -0.2);     // row 0 is the highest: the middle is below
}

TEST(Phoenix, SaysThatProjectionsAreMissing) {
  const testing::TempFolder folder;
  std::ofstream(folder / "s.pca") << pca;

  const auto shown = open_scan(folder / "s.pca", {.headers_only = true});

  EXPECT_EQ(shown->scan().angles.size(), 2U);
  EXPECT_EQ(count_with(shown->findings(), {"s_????.tif"}), 1);
  expect_failure(failure_of([&] { (void)open_scan(folder / "s.pca"); }), ErrorKind::io, {"s_????.tif"});
}

TEST(Phoenix, RefusesImagesOfAnotherSize) {
  const testing::TempFolder folder;
  std::ofstream(folder / "s.pca") << replaced(pca, "DimX=3", "DimX=4");
  for (int n = 1; n <= 2; ++n) write_image(folder / fmt::format("s_000{}.tif", n), n);

  expect_failure(failure_of([&] { (void)open_scan(folder / "s.pca"); }), ErrorKind::bad_file,
                 {"s.pca", "4 x 2", "3 x 2"});
}

TEST(Phoenix, RefusesOtherTrajectories) {
  const testing::TempFolder folder;
  std::ofstream(folder / "s.pca") << pca << "[Helixscan]\nActive=1\n";

  expect_failure(failure_of([&] { (void)open_scan(folder / "s.pca"); }), ErrorKind::unsupported,
                 {"Helixscan"});
}

TEST(Phoenix, ReadsARealText) {
  const std::string file = "ge_phoenix/FEG230530_409-run-files/FEG230530_409.pca";
  FELDSPAR_NEEDS_DATA(file);

  const auto source = open_scan(testing::test_data() / file, {.headers_only = true});

  const geometry::CircularScan& scan = source->scan();
  EXPECT_DOUBLE_EQ(scan.source_object_distance, 41.52975);
  EXPECT_DOUBLE_EQ(scan.source_detector_distance, 807.1353464);
  EXPECT_EQ(scan.detector.columns, 2014);
  EXPECT_EQ(scan.detector.rows, 2024);
  EXPECT_NEAR(scan.detector.column_pitch / scan.magnification(), 0.01029065, 1e-8);  // VoxelSizeX, its digits
  EXPECT_EQ(scan.detector.column_offset, 0);
  ASSERT_EQ(scan.angles.size(), 1300U);
  EXPECT_NEAR(scan.angles[1299], -359.723 * degree, 1e-12);
  EXPECT_EQ(count_with(source->findings(), {"DetectorShift"}), 1);
}

TEST(SkyScan, ReadsARealText) {
  const std::string file = "bruker/skyscan_1272/DRP_P21_3/DRP_P21_3.log";
  FELDSPAR_NEEDS_DATA(file);

  const auto source = open_scan(testing::test_data() / file, {.headers_only = true});

  const geometry::CircularScan& scan = source->scan();
  EXPECT_DOUBLE_EQ(scan.source_object_distance, 200.709);
  EXPECT_EQ(scan.detector.columns, 1075);
  EXPECT_EQ(scan.angles.size(), 471U);
  EXPECT_NEAR(scan.angles[470], -188 * degree, 1e-12);
  EXPECT_NEAR(scan.detector.column_pitch / scan.magnification(), 0.019797722, 1e-12);
  EXPECT_NEAR(scan.detector.row_offset, (447.5 - 528) * scan.detector.row_pitch, 1e-12);
  EXPECT_EQ(count_with(source->findings(), {"one of 2 connected scans"}), 1);
  EXPECT_EQ(count_with(source->findings(), {"DRP_P21_3~00????????.tif"}), 1);
}

TEST(SkyScan, RefusesOtherTrajectories) {
  const testing::TempFolder folder;
  std::ofstream(folder / "s.log")
      << "[System]\nScanner=SkyScan1272\n[Acquisition]\nScanning Trajectory=SPIRAL\n";

  expect_failure(failure_of([&] { (void)open_scan(folder / "s.log"); }), ErrorKind::unsupported, {"SPIRAL"});
}

TEST(SkyScan, RefusesTheRecordOfAReconstruction) {
  const testing::TempFolder folder;
  std::ofstream(folder / "s_rec.log") << "[System]\nScanner=SkyScan1272\n[Reconstruction]\n";

  expect_failure(failure_of([&] { (void)open_scan(folder / "s_rec.log"); }), ErrorKind::unsupported,
                 {"s_rec.log", "record of a reconstruction"});
}

TEST(Tescan, ReadsARealText) {
  const std::string file = "tescan/data settings XRE.txt";
  FELDSPAR_NEEDS_DATA(file);

  const auto source = open_scan(testing::test_data() / file, {.headers_only = true});

  const geometry::CircularScan& scan = source->scan();
  EXPECT_DOUBLE_EQ(scan.source_object_distance, 149.999969);
  EXPECT_DOUBLE_EQ(scan.source_detector_distance, 599.999451);
  EXPECT_EQ(scan.detector.columns, 960);
  EXPECT_EQ(scan.detector.rows, 948);
  EXPECT_EQ(scan.angles.size(), 1440U);
  EXPECT_NEAR(scan.angles[1], -0.25 * degree, 1e-12);
  EXPECT_NEAR(scan.axis.offset, (479.958038 - 479.5) * 0.3 / scan.magnification(), 1e-9);
}

/// A project of 2 images, 3 stored columns and 2 stored rows, that are flipped and turned so.
std::string nsi_text(int turn, bool flip_rows, bool flip_columns) {
  return fmt::format(
      "<NSI Reconstruction Project>\r\n  <version>2.0\r\n  <Project Name>a part\r\n  <Object Radiograph>\r\n"
      "    <file>Radio\\r*.tif\r\n    <pitch>0.5 0.25\r\n    <number>2\r\n    <angleStep>90\r\n"
      "  </Object Radiograph>\r\n  <Correction>\r\n    <flipH>{}\r\n    <flipV>{}\r\n    <rotate>{}\r\n  "
      "</Correction>\r\n"
      "  <Geometry>\r\n    <Processed>\r\n      <clockwise>True\r\n    </Processed>\r\n    <Result>\r\n"
      "      <source>0.0625 -0.5 -100\r\n      <axis>0 -1 0\r\n      <reference>0.5 -0.25 300\r\n      "
      "<normal>0 0 1\r\n"
      "      <horizontal>-1 0 0\r\n    </Result>\r\n  </Geometry>\r\n  <CT Project Configuration>\r\n"
      "    <Technique Configuration>\r\n      <Detector>\r\n        <width pixels>3\r\n        <height "
      "pixels>2\r\n"
      "        <fixturing>\r\n      </Detector>\r\n    </Technique Configuration>\r\n"
      "  </CT Project Configuration>\r\n</NSI Reconstruction Project>\r\n",
      flip_columns ? "True" : "False", flip_rows ? "True" : "False", turn);
}

class NorthStar : public ::testing::Test {
 protected:
  NorthStar() {
    fs::create_directories(folder_ / "Radio");
    fs::create_directories(folder_ / "Corrections");
    for (int n = 0; n < 2; ++n) write_image(folder_ / fmt::format("Radio/r{}.tif", n), n + 1);
    write_image(folder_ / "Corrections/gain0.tif", 9);
    write_image(folder_ / "Corrections/offset.tif", 0);
  }
  std::unique_ptr<ScanSource> open(const std::string& text) {
    std::ofstream(folder_ / "a.nsipro", std::ios::binary) << text;
    return open_scan(folder_.path());
  }
  testing::TempFolder folder_;
};

/// Upright images by the book: flipped, then turned clockwise by a quarter as often as stated; rows from the
/// top.
std::vector<std::vector<int>> upright(int number, int turn, bool flip_rows, bool flip_columns) {
  std::vector<std::vector<int>> image;
  for (int row = 0; row < 2; ++row)
    image.push_back({100 * number + 10 * row, 100 * number + 10 * row + 1, 100 * number + 10 * row + 2});
  if (flip_rows) std::reverse(image.begin(), image.end());
  if (flip_columns)
    for (auto& row : image) std::reverse(row.begin(), row.end());
  for (; turn > 0; turn -= 90) {
    std::vector<std::vector<int>> turned(image[0].size(), std::vector<int>(image.size()));
    for (std::size_t r = 0; r < turned.size(); ++r)
      for (std::size_t c = 0; c < image.size(); ++c) turned[r][c] = image[image.size() - 1 - c][r];
    image = turned;
  }
  return image;
}

TEST_F(NorthStar, TurnsImagesAsTheProjectSays) {
  for (const int turn : {0, 90, 180, 270})
    for (const bool flip_rows : {false, true})
      for (const bool flip_columns : {false, true}) {
        SCOPED_TRACE(fmt::format("{} {} {}", turn, flip_rows, flip_columns));
        const auto source = open(nsi_text(turn, flip_rows, flip_columns));
        const auto expected = upright(2, turn, flip_rows, flip_columns);
        const geometry::Detector& d = source->scan().detector;

        ASSERT_EQ(static_cast<std::size_t>(d.rows), expected.size());
        ASSERT_EQ(static_cast<std::size_t>(d.columns), expected[0].size());
        const int view = 1;
        for (int first = 0; first < d.columns; ++first)
          for (int row = 0; row < d.rows; ++row) {
            std::vector<std::uint16_t> counts(static_cast<std::size_t>(d.columns - first));
            source->read(std::span(&view, 1), {{first, d.columns}, {row, row + 1}}, counts.data());
            const auto& line = expected[static_cast<std::size_t>(d.rows - 1 - row)];
            EXPECT_EQ(std::vector<int>(counts.begin(), counts.end()),
                      std::vector<int>(line.begin() + first, line.end()));
          }
        const auto flat = upright(9, turn, flip_rows, flip_columns);
        EXPECT_EQ(source->references().white[0], static_cast<float>(flat.back().front()));
      }
}

TEST_F(NorthStar, PlacesSourceAxisAndDetector) {
  const auto source = open(nsi_text(0, false, false));
  const geometry::CircularScan& scan = source->scan();

  // x runs along -X of the file, y along its Z, z along its Y.
  EXPECT_DOUBLE_EQ(scan.source_object_distance, 100);
  EXPECT_DOUBLE_EQ(scan.source_detector_distance, 400);
  EXPECT_DOUBLE_EQ(scan.axis.offset, 0.0625);
  EXPECT_DOUBLE_EQ(scan.detector.column_offset, -(0.5 - 0.0625) + 0.5);
  EXPECT_DOUBLE_EQ(scan.detector.row_offset, -0.25 + 0.5 - 0.125);
  EXPECT_NEAR(scan.angles[1], -90 * degree, 1e-12);
  EXPECT_EQ(source->description().name, "a part");
  EXPECT_EQ(count_with(source->findings(), {"a.nsipro", "clockwise", "reverse-rotation"}), 1);
}

TEST_F(NorthStar, NamesWhatIsWrong) {
  const auto opening = [&](const std::string& from, const std::string& to) {
    return failure_of([&] { (void)open(replaced(nsi_text(0, false, false), from, to)); });
  };
  expect_failure(opening("<rotate>0", "<rotate>45"), ErrorKind::bad_file, {"a.nsipro", "rotate", "45"});
  expect_failure(opening("<source>0.0625 -0.5", "<source>0.0625"), ErrorKind::bad_file,
                 {"Geometry/Result", "source", "2 numbers"});
  expect_failure(opening("<axis>0 -1 0", "<axis>1 0 0"), ErrorKind::bad_file, {"axis", "upright"});
  expect_failure(opening("<horizontal>-1 0 0", "<horizontal>0 0 1"), ErrorKind::bad_file,
                 {"horizontal", "right angles"});
}

TEST(NorthStarText, OfARealScan) {
  const std::string file = "nsi/Plastic Part 6-5-2024.nsipro";
  FELDSPAR_NEEDS_DATA(file);

  const auto source = open_scan(testing::test_data() / file, {.headers_only = true});

  const geometry::CircularScan& scan = source->scan();
  EXPECT_NEAR(scan.source_object_distance, 381.851307738696, 1e-9);
  EXPECT_NEAR(scan.source_detector_distance, 775.533081623787, 1e-9);
  EXPECT_EQ(scan.detector.columns, 1420);
  EXPECT_NEAR(scan.detector.column_offset, -0.715, 1e-9);  // (N-1)/2 * 0.3 mm - 213.565
  EXPECT_NEAR(scan.detector.row_offset, 212.710883031907 - 212.85, 1e-9);
  EXPECT_NEAR(scan.axis.roll, -0.000192356163060668, 1e-11);  // its digits
  ASSERT_EQ(scan.angles.size(), 1200U);
  EXPECT_NEAR(scan.angles[1], 0.3 * degree, 1e-12);
  EXPECT_EQ(source->description().voltage_kv, 150);
  EXPECT_EQ(source->description().filter, "0.040\" Cu");
}

}  // namespace
}  // namespace feldspar::io::vendors
