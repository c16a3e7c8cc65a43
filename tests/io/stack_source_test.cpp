// Descriptions of TIFF stacks: what is read, what is refused, and which way images and angles run.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "base/units.hpp"
#include "io/open_scan.hpp"
#include "io/stack/stack_description.hpp"
#include "io/stack/stack_files.hpp"
#include "io/tiff/tiff_file.hpp"
#include "tests/io/tiff/tiff_bytes.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/failure.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/support/test_data.hpp"

namespace feldspar::io::stack {
namespace {

using testing::expect_error;

const std::string plain = R"(feldspar_scan = 1
beam = "cone"
source_to_object = "100 mm"
source_to_detector = "0.5 m"
[images]
projections = "p*.tif"
white_level = 1000
[detector]
pixel_size = "200 um"
[angles]
turn = "clockwise"
range = "360 deg"
)";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  return text.replace(text.find(from), from.size(), to);
}

/// A folder with `views` images of 3 x 2 pixels, whose counts are 100 view + 10 row from the top + column.
class StackSource : public ::testing::Test {
 protected:
  void write_images(int views) {
    for (int view = 0; view < views; ++view) {
      std::vector<std::uint16_t> counts;
      for (int row = 0; row < 2; ++row)
        for (int column = 0; column < 3; ++column)
          counts.push_back(static_cast<std::uint16_t>(100 * view + 10 * row + column));
      write_tiff(folder_ / (fmt::format("p{}.tif", view)),
                 View3<const std::uint16_t>{counts.data(), 3, 2, 1});
    }
  }
  auto open(const std::string& text, const OpenOptions& options = {}) {
    std::ofstream(folder_ / "scan.toml") << text;
    return open_scan(folder_.path(), options);
  }
  static std::vector<std::uint16_t> view_of(const ScanSource& source, int view) {
    std::vector<std::uint16_t> counts(6);
    source.read(std::span(&view, 1), {{0, 3}, {0, 2}}, counts.data());
    return counts;
  }
  testing::TempFolder folder_;
};

TEST_F(StackSource, SortsByNumberAndTurnsClockwise) {
  write_images(12);
  const auto source = open(plain);

  EXPECT_EQ(source->scan().source_detector_distance, 500);
  EXPECT_EQ(source->scan().detector.column_pitch, 0.2);
  ASSERT_EQ(source->scan().angles.size(), 12U);
  EXPECT_NEAR(source->scan().angles[11], -330 * radians_per_degree, 1e-12);
  EXPECT_EQ(view_of(*source, 10), (std::vector<std::uint16_t>{1010, 1011, 1012, 1000, 1001, 1002}));
}

TEST_F(StackSource, TurnsImagesThatAreSeenFromTheDetectorOrStoredFromTheBottom) {
  write_images(2);
  const auto source =
      open(replaced(plain, "[images]\n", "[images]\nfirst_row = \"bottom\"\nseen_from = \"detector\"\n"));

  EXPECT_EQ(view_of(*source, 1), (std::vector<std::uint16_t>{102, 101, 100, 112, 111, 110}));
}

TEST_F(StackSource, ReadsTheStatedRowsOfPagesAndPlanes) {
  testing::TiffSpec spec{.columns = 3, .rows = 2, .rows_per_strip = 2, .big_endian = true};
  spec.strips = {std::string("\0\1\0\2\0\3\0\4\0\5\0\6\1\1\1\2\1\3\1\4\1\5\1\6", 24)};
  spec.description = "ImageJ=1.53t\nimages=2\nslices=2\n";
  testing::write_bytes(folder_ / "planes.tif", testing::TiffBytes(spec).bytes());
  spec.description.clear();
  spec.strips[0].resize(12);
  spec.images = 2;
  testing::write_bytes(folder_ / "pages.tif", testing::TiffBytes(spec).bytes());

  const auto planes = open(replaced(plain, "p*.tif", "planes.tif"));
  const auto pages = open(replaced(plain, "p*.tif", "pages.tif"));

  ASSERT_EQ(planes->scan().angles.size(), 2U);
  EXPECT_EQ(view_of(*planes, 1), (std::vector<std::uint16_t>{260, 261, 262, 257, 258, 259}));
  ASSERT_EQ(pages->scan().angles.size(), 2U);
  EXPECT_EQ(view_of(*pages, 1), (std::vector<std::uint16_t>{4, 5, 6, 1, 2, 3}));
}

TEST_F(StackSource, SaysThatSignedCountsAreTakenAsTheyAre) {
  testing::TiffSpec spec{.columns = 1, .rows = 1, .rows_per_strip = 1};
  spec.strips = {std::string("\xfe\xff", 2)};
  spec.tags = {{339, 2}};
  for (const char* name : {"p0.tif", "p1.tif"})
    testing::write_bytes(folder_ / name, testing::TiffBytes(spec).bytes());

  const auto source = open(plain);

  const int view = 1;
  float count = 0;
  source->read(std::span(&view, 1), {{0, 1}, {0, 1}}, &count);
  EXPECT_EQ(count, -2);
  EXPECT_EQ(testing::count_with(source->findings(), {"signed integers"}), 1);
}

TEST_F(StackSource, PlacesTheAxisByItsColumn) {
  write_images(2);
  const auto source = open(plain + "[axis]\ncolumn = 1.5\n");
  const auto mirrored =
      open(replaced(plain, "[images]\n", "[images]\nseen_from = \"detector\"\n") + "[axis]\ncolumn = 1.5\n");

  EXPECT_NEAR(source->scan().axis.offset, 0.5 * 0.2 / 5, 1e-15);  // half a pixel at fivefold magnification
  EXPECT_NEAR(mirrored->scan().axis.offset, -0.5 * 0.2 / 5, 1e-15);
}

TEST_F(StackSource, NamesMissingImagesAndKeepsTheAnglesOfTheOthers) {
  write_images(5);
  std::filesystem::remove(folder_ / "p2.tif");

  expect_error(ErrorKind::bad_file, {"scan.toml", "p*.tif", "2", "allow-missing"},
               [&] { (void)open(plain); });
  const auto source = open(plain, {.allow_missing = true});
  ASSERT_EQ(source->scan().angles.size(), 4U);
  EXPECT_NEAR(source->scan().angles[2], -216 * radians_per_degree, 1e-12);
}

TEST_F(StackSource, AsksForAsManyAnglesAsImages) {
  write_images(3);
  std::ofstream(folder_ / "a.txt") << "# deg\n0; 1\n5; 2\n\n10; 3\n15; 4\n";
  const std::string text =
      replaced(plain, "range = \"360 deg\"", "file = \"a.txt\"\nunit = \"deg\"\ncolumn = 2");

  expect_error(ErrorKind::bad_file, {"a.txt", "4 angles", "3 projections", "skip_first"},
               [&] { (void)open(text); });
  EXPECT_NEAR(open(text + "skip_first = 1\n")->scan().angles[0], -2 * radians_per_degree, 1e-15);
}

TEST_F(StackSource, DecimalCommasOfTablesMustBeStated) {
  write_images(3);
  const std::string angles = replaced(plain, "range = \"360 deg\"", "file = \"a.txt\"\nunit = \"deg\"");
  const std::string shifts = plain + "[shifts]\nfile = \"s.txt\"\nunit = \"mm\"\n";
  std::ofstream(folder_ / "a.txt") << "0,000\n2,500\n5,250\n";
  std::ofstream(folder_ / "s.txt") << "0,40 0,80\n0,41 0,80\n0,42 0,80\n";

  expect_error(ErrorKind::bad_file, {"a.txt", "decimal = \"comma\""}, [&] { (void)open(angles); });
  expect_error(ErrorKind::bad_file, {"s.txt", "decimal = \"comma\""}, [&] { (void)open(shifts); });
  EXPECT_NEAR(open(angles + "decimal = \"comma\"\n")->scan().angles[1], -2.5 * radians_per_degree, 1e-15);
  const auto moved = open(shifts + "decimal = \"comma\"\nseparator = \"blanks\"\n");
  EXPECT_DOUBLE_EQ(moved->scan().shifts[1].column, 0.41);
  EXPECT_DOUBLE_EQ(moved->scan().shifts[1].row, 0.8);
}

TEST_F(StackSource, SaysThatCommasSeparateColumns) {
  write_images(3);
  std::ofstream(folder_ / "a.txt") << "0,0.0\n1,2.5\n2,5.25\n";
  const std::string text =
      replaced(plain, "range = \"360 deg\"", "file = \"a.txt\"\nunit = \"deg\"\ncolumn = 2");

  const auto source = open(text);

  EXPECT_NEAR(source->scan().angles[2], -5.25 * radians_per_degree, 1e-15);
  EXPECT_EQ(testing::count_with(source->findings(), {"a.txt: its commas are taken to separate columns"}), 1);
  const auto stated = open(text + "\nseparator = \"comma\"\n");
  EXPECT_EQ(testing::count_of(stated->findings(), "file.read-otherwise"), 0);
  expect_error(ErrorKind::bad_file, {"angles.separator", "blanks", "semicolon"},
               [&] { (void)open(text + "\nseparator = \"|\"\n"); });
}

TEST_F(StackSource, ReferencesOfAnotherSizeAreRefused) {
  write_images(2);
  const float one[] = {1, 1};
  write_tiff(folder_ / "f.tif", View3<const float>{one, 2, 1, 1});

  expect_error(ErrorKind::bad_file, {"f.tif", "2 x 1", "3 x 2"},
               [&] { (void)open(replaced(plain, "white_level = 1000", "flats = \"f.tif\"")); });
}

TEST(StackDescription, RefusesWhatIsUnknownMissingOrContradictory) {
  struct Wrong {
    const char *from, *to;
    std::vector<std::string> words;
  };
  const std::vector<Wrong> all{
      {"\"200 um\"", "200", {"detector.pixel_size", "without a unit"}},
      {"\"200 um\"", "\"200\"", {"detector.pixel_size", "without a unit"}},
      {"\"200 um\"", "\"200 parsec\"", {"detector.pixel_size", "parsec"}},
      {"pixel_size", "pixelsize", {"detector.pixel_size", "absent"}},
      {"white_level", "white_lvl", {"images.white_lvl", "not known"}},
      {"range", "step = \"1 deg\"\nrange", {"angles", "several"}},
      {"range = \"360 deg\"", "", {"angles", "none"}},
      {"turn = \"clockwise\"", "", {"angles.turn", "counter-clockwise"}},
      {"white_level = 1000", "white_level = 1000\nflats = \"f\"", {"images.white_level", "flats"}},
      {"\"cone\"", "\"parallel\"", {"source_to_object", "parallel"}},
      {"source_to_object", "#", {"source_to_object", "absent"}},
      {"= \"clockwise\"", "=", {"line 11"}},
      {"feldspar_scan = 1", "feldspar_scan = 2", {"feldspar_scan", "1"}},
  };
  for (const Wrong& wrong : all) {
    SCOPED_TRACE(wrong.to);
    testing::expect_failure(
        testing::failure_of([&] { (void)parse_stack(replaced(plain, wrong.from, wrong.to), "s.toml"); }),
        ErrorKind::bad_file, wrong.words);
  }
}

TEST(StackDescription, TheTemplateIsOne) {
  EXPECT_EQ(parse_stack(stack_template(), "t.toml").scan.source_detector_distance, 983);
}

TEST(StackFiles, PatternsAndOrder) {
  EXPECT_TRUE(matches("a*_??.tif", "abc_12.tif"));
  EXPECT_FALSE(matches("a*_??.tif", "abc_1.tif"));
  EXPECT_TRUE(comes_before("p9.tif", "p10.tif"));
  EXPECT_FALSE(comes_before("p10.tif", "p9.tif"));
}

TEST(StackSourceOfRealImages, IsTheScanThatItsNxtomoFileHolds) {
  FELDSPAR_NEEDS_DATA("parallel_tiff_i13");
  FELDSPAR_NEEDS_DATA("nexus/i13_24737_nxtomo.nxs");
  const testing::TempFolder folder;
  const std::string data = std::filesystem::absolute(testing::test_data() / "parallel_tiff_i13").string();
  std::ofstream(folder / "scan.toml")
      << "feldspar_scan = 1\nbeam = \"parallel\"\n[images]\nprojections = \"" << data
      << "/tiffs/raw_*.tiff\"\nflats = \"" << data << "/flat_*.tiff\"\ndarks = \"" << data
      << "/dark_*.tiff\"\n[detector]\npixel_size = \"1 um\"\n[axis]\ncolumn = 86\n[angles]\nturn = "
         "\"clockwise\"\nunit = \"deg\"\nskip_first = 10\nskip_last = 10\nfile = \""
      << data << "/angles.txt\"\n";

  const auto stack = open_scan(folder / "scan.toml");
  const auto nexus = open_scan(testing::test_data() / "nexus/i13_24737_nxtomo.nxs");

  EXPECT_NEAR(stack->scan().axis.offset, 6.5e-3, 1e-15);
  ASSERT_EQ(stack->scan().angles.size(), 91U);
  EXPECT_NEAR(stack->scan().angles[90], nexus->scan().angles[90], 1e-12);
  const int view = 45;
  std::vector<std::uint16_t> a(160 * 135), b(160 * 135);
  stack->read(std::span(&view, 1), {{0, 160}, {0, 135}}, a.data());
  nexus->read(std::span(&view, 1), {{0, 160}, {0, 135}}, b.data());
  EXPECT_EQ(a, b);
}

}  // namespace
}  // namespace feldspar::io::stack
