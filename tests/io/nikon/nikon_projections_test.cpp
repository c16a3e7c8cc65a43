// Which files are projections, and what happens when some are missing, surplus, damaged or another kind.
#include <gtest/gtest.h>

#include "io/nikon/projection_files.hpp"
#include "io/numbered_names.hpp"
#include "io/open_scan.hpp"
#include "tests/io/nikon/nikon_set.hpp"
#include "tests/io/tiff/tiff_bytes.hpp"
#include "tests/support/failure.hpp"

namespace feldspar::io {
namespace {

namespace fs = std::filesystem;
using testing::count_with;
using testing::expect_failure;
using testing::failure_of;
using testing::NikonSet;
using testing::write_text;

testing::Failure opening(const NikonSet& set, const OpenOptions& options = {}) {
  return failure_of([&] { (void)open_scan(set.xtekct(), options); });
}

/// The first pixel of every view, in thousands: the numbers of the projections.
std::vector<int> numbers(const ScanSource& source) {
  std::vector<int> result;
  for (int view = 0; view < static_cast<int>(source.scan().angles.size()); ++view) {
    std::uint16_t count = 0;
    source.read(std::span(&view, 1), {{0, 1}, {0, 1}}, &count);
    result.push_back(count / 1000);
  }
  return result;
}

const std::vector<int> all{1, 2, 3, 4, 5, 6, 7, 8};

TEST(ProjectionNumber, IsStrict) {
  using nikon::projection_number;
  EXPECT_EQ(projection_number("a_0001.tif", "a_"), 1);
  EXPECT_EQ(projection_number("a_12.TIFF", "a_"), 12);
  EXPECT_EQ(projection_number("A_12.Tif", "a_"), 12);
  for (const char* const name :
       {"a_0001_bck.tif", "a_180deg.tif", "._a_0001.tif", "a_.tif", "a_0001.tif.bak", "a_-1.tif", "a_+1.tif",
        "a_1.5.tif", "ab_0001.tif", "a_0001.png", "a_99999999999999999999.tif", "a_"})
    EXPECT_EQ(projection_number(name, "a_"), -1) << name;
}

TEST(FormatNumbers, JoinsRangesAndStops) {
  EXPECT_EQ(format_numbers({3, 7, 8, 9, 12}), "3, 7-9, 12");
  EXPECT_EQ(format_numbers({1, 3, 5, 7}, 2), "1, 3, ...");
}

TEST(NikonProjections, AreTakenInTheOrderOfTheirNumbersWhateverTheDigits) {
  NikonSet set;
  for (int number = 1; number <= 8; ++number)
    fs::rename(set.projection(number),
               set.folder / ("scan_" + std::to_string(number) + (number % 2 ? ".tif" : ".TIFF")));
  set.text.set("Projections", "10").set("AngularStep", "36");
  set.write_projection(9, "scan_9.tif");
  set.write_projection(10, "scan_10.tif");
  set.write_xtekct();

  EXPECT_EQ(numbers(*open_scan(set.xtekct())), (std::vector<int>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}));
}

TEST(NikonProjections, LeaveOtherFilesOutAndSayWhich) {
  const NikonSet set;
  for (const char* const name : {"scan_0001_bck.tif", "light.tif", "scan_flat_0001.tif", "scan_180deg.tif",
                                 "._scan_0001.tif", "Thumbs.db", "other_0001.tif"})
    write_text(set.folder / name, "rubbish");

  const auto source = open_scan(set.xtekct());

  EXPECT_EQ(numbers(*source), all);
  EXPECT_EQ(count_with(source->findings(), {"ignored in", "scan_0001_bck.tif", "light.tif",
                                            "scan_flat_0001.tif", "other_0001.tif", "corrected already"}),
            1);
  EXPECT_EQ(count_with(source->findings(), {"180deg"}) + count_with(source->findings(), {"._scan"}), 0);
}

TEST(NikonProjections, ThatAreMissingAreListedWithAWayOut) {
  const NikonSet set;
  for (const int number : {3, 6, 7}) fs::remove(set.projection(number));

  expect_failure(opening(set), ErrorKind::bad_file,
                 {"scan.xtekct", "3 of 8 projections are missing", "3, 6-7", "allow-missing"});
}

TEST(NikonProjections, ThatAreMissingTakeTheirAnglesWithThem) {
  const NikonSet set;
  const auto whole = open_scan(set.xtekct());
  for (const int number : {3, 6, 7}) fs::remove(set.projection(number));

  const auto source = open_scan(set.xtekct(), {.allow_missing = true});

  EXPECT_EQ(numbers(*source), (std::vector<int>{1, 2, 4, 5, 8}));
  ASSERT_EQ(source->scan().angles.size(), 5U);
  for (const auto& [view, original] : {std::pair{0, 0}, {1, 1}, {2, 3}, {3, 4}, {4, 7}})
    EXPECT_EQ(source->scan().angles[view], whole->scan().angles[original]);
  EXPECT_EQ(source->files().size(), 6U);
  EXPECT_EQ(count_with(source->findings(), {"3, 6-7", "left out"}), 1);
}

TEST(NikonProjections, OneAfterTheFullTurnIsDropped) {
  const NikonSet set;
  set.write_projection(9);

  const auto source = open_scan(set.xtekct());

  EXPECT_EQ(numbers(*source), all);
  EXPECT_EQ(count_with(source->findings(), {"scan_0009.tif", "one more", "dropped"}), 1);
}

TEST(NikonProjections, MoreThanThatAreRefused) {
  const NikonSet set;
  for (const int number : {0, 10}) set.write_projection(number, "scan_" + std::to_string(number) + ".tif");

  expect_failure(
      opening(set), ErrorKind::bad_file,
      {"scan.xtekct", "Projections is 8", "scan_0.tif", "scan_10.tif", "2 more", "copy of the file"});
}

TEST(NikonProjections, TwoOfTheSameNumberAreRefused) {
  const NikonSet set;
  set.write_projection(1, "scan_1.tif");

  expect_failure(opening(set), ErrorKind::bad_file, {"scan_0001.tif", "scan_1.tif", "both projection 1"});
}

TEST(NikonProjections, ThatAreAbsentAreAskedFor) {
  const NikonSet set;
  for (int number = 1; number <= 8; ++number) fs::remove(set.projection(number));

  expect_failure(
      opening(set), ErrorKind::io,
      {"scan.xtekct", "no projection scan_NUMBER.tif", set.folder.path().string(), "InputFolderName"});
  expect_failure(opening(set, {.allow_missing = true}), ErrorKind::io, {"no projection"});
}

void move_into(const NikonSet& set, const std::string& folder) {
  fs::create_directory(set.folder / folder);
  for (int number = 1; number <= 8; ++number)
    fs::rename(set.projection(number), set.folder / folder / set.projection(number).filename());
}

TEST(NikonProjections, AreFoundInTheFolderThatTheFileNames) {
  NikonSet set;
  move_into(set, "raw data");
  for (const char* const name :
       {"raw data", "raw data\\", "C:\\scans\\raw data", "//server/share/raw data/", ".\\raw data"}) {
    set.text.set("InputFolderName", name);
    set.write_xtekct();

    const auto source = open_scan(set.xtekct());

    EXPECT_EQ(numbers(*source), all) << name;
    EXPECT_EQ(count_with(source->findings(), {"InputFolderName"}), 0);
  }
}

TEST(NikonProjections, AreFoundBesideTheFileWhenItsFolderNameIsStale) {
  NikonSet set;
  set.text.set("InputFolderName", "D:\\gone\\away");
  set.write_xtekct();

  const auto source = open_scan(set.xtekct());

  EXPECT_EQ(numbers(*source), all);
  EXPECT_EQ(
      count_with(source->findings(), {"InputFolderName is \"D:\\gone\\away\"", set.folder.path().string()}),
      1);
}

TEST(NikonProjections, MayHaveTheNameOfTheFileInsteadOfTheOneInIt) {
  NikonSet set;
  set.text.set("Name", "old name").set("InputName", "older name");
  set.write_xtekct();

  const auto source = open_scan(set.xtekct());

  EXPECT_EQ(numbers(*source), all);
  EXPECT_EQ(count_with(source->findings(), {"older name_NUMBER.tif", "scan_NUMBER.tif"}), 1);
}

TEST(NikonProjections, MayHaveAnotherSeparator) {
  for (const std::string separator : {"-", ""}) {
    NikonSet set;
    set.text.set("InputSeparator", separator);
    set.write_xtekct();
    for (int number = 1; number <= 8; ++number)
      fs::rename(set.projection(number), set.folder / ("scan" + separator + std::to_string(number) + ".tif"));

    EXPECT_EQ(numbers(*open_scan(set.xtekct())), all);
  }
}

/// Overwrites projection 5 with something that is no projection.
struct Damage {
  const char* name;
  void (*damage)(const NikonSet&);
  ErrorKind kind;
  std::vector<std::string> words;
};

class DamagedProjections : public ::testing::TestWithParam<Damage> {};

TEST_P(DamagedProjections, AreRefusedByName) {
  const NikonSet set;
  GetParam().damage(set);

  const auto failure = opening(set);

  expect_failure(failure, GetParam().kind, GetParam().words);
  expect_failure(failure, GetParam().kind, {"scan_0005.tif", "allow-missing"});
}

TEST_P(DamagedProjections, AreLeftOutWhenThatIsAllowed) {
  const NikonSet set;
  GetParam().damage(set);

  const auto source = open_scan(set.xtekct(), {.allow_missing = true});

  EXPECT_EQ(numbers(*source), (std::vector<int>{1, 2, 3, 4, 6, 7, 8}));
  EXPECT_EQ(count_with(source->findings(), {"1 of 8 projections cannot be used", ": 5 (", "scan_0005.tif"}),
            1);
}

testing::TiffSpec eight_bits(int columns, int rows) {
  return {.columns = columns,
          .rows = rows,
          .rows_per_strip = rows,
          .strips = {std::string(static_cast<std::size_t>(columns * rows), '\7')},
          .tags = {{258, 8}}};
}

INSTANTIATE_TEST_SUITE_P(
    All, DamagedProjections,
    ::testing::Values(Damage{"empty",
                             [](const NikonSet& set) { write_text(set.projection(5), ""); },
                             ErrorKind::bad_file,
                             {"0 bytes"}},
                      Damage{"html",
                             [](const NikonSet& set) { write_text(set.projection(5), "<html>404</html>"); },
                             ErrorKind::bad_file,
                             {"no TIFF", "<html>"}},
                      Damage{"truncated",
                             [](const NikonSet& set) { fs::resize_file(set.projection(5), 40); },
                             ErrorKind::bad_file,
                             {}},
                      Damage{"wider",
                             [](const NikonSet& set) { set.write_projection(5, "scan_0005.tif", 7, 4); },
                             ErrorKind::bad_file,
                             {"7 x 4 pixels", "scan.xtekct", "DetectorPixelsX = 6", "DetectorPixelsY = 4"}},
                      Damage{"lower",
                             [](const NikonSet& set) { set.write_projection(5, "scan_0005.tif", 6, 3); },
                             ErrorKind::bad_file,
                             {"6 x 3 pixels", "DetectorPixelsY = 4"}},
                      Damage{"colour",
                             [](const NikonSet& set) {
                               testing::TiffSpec spec = eight_bits(6, 4);
                               spec.tags = {{258, 8}, {277, 3}, {262, 2}};
                               testing::write_bytes(set.projection(5), testing::TiffBytes(spec).bytes());
                             },
                             ErrorKind::unsupported,
                             {"colour"}},
                      Damage{"folder",
                             [](const NikonSet& set) {
                               fs::remove(set.projection(5)), fs::create_directory(set.projection(5));
                             },
                             ErrorKind::io,
                             {}}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(NikonProjections, NoneOfWhichCanBeUsedAreRefusedEvenThen) {
  NikonSet set;
  set.text.set("DetectorPixelsX", "5");
  set.write_xtekct();

  expect_failure(opening(set, {.allow_missing = true}), ErrorKind::bad_file,
                 {"6 x 4 pixels", "DetectorPixelsX = 5"});
}

TEST(NikonProjections, OfAnotherTypeAreNeverLeftOut) {
  const NikonSet set;
  testing::write_bytes(set.projection(5), testing::TiffBytes(eight_bits(6, 4)).bytes());

  for (const bool allow : {false, true})
    expect_failure(opening(set, {.allow_missing = allow}), ErrorKind::bad_file,
                   {"scan_0005.tif", "another type", "scan_0001.tif"});
}

TEST(NikonProjections, OfEightBitsDoNotGoWithAWhiteLevelOfSixteen) {
  NikonSet set;
  for (int number = 1; number <= 8; ++number)
    testing::write_bytes(set.projection(number), testing::TiffBytes(eight_bits(6, 4)).bytes());

  expect_failure(opening(set), ErrorKind::bad_file,
                 {"scan.xtekct", "WhiteLevel is 60000", "at most 255", "white-level"});
  EXPECT_EQ(open_scan(set.xtekct(), {.white_level = 200})->references().saturation, 255);
}

}  // namespace
}  // namespace feldspar::io
