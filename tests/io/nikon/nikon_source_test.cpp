// Whole Nikon scans: opening by file or folder, the orientation of pixels, angles, profile, and reading.
#include <gtest/gtest.h>

#include <atomic>
#include <bit>
#include <chrono>
#include <numbers>
#include <thread>

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
using testing::XtekctText;

testing::Failure opening(const fs::path& path, const OpenOptions& options = {}) {
  return failure_of([&] { (void)open_scan(path, options); });
}

constexpr double degree = std::numbers::pi / 180;

TEST(OpenScan, TakesTheFileOrItsFolder) {
  const NikonSet set;

  const auto from_file = open_scan(set.xtekct()), from_folder = open_scan(set.folder.path());

  EXPECT_EQ(from_file->description().format, "Nikon X-Tek CT");
  EXPECT_EQ(from_file->files(), from_folder->files());
  EXPECT_EQ(from_file->files().size(), 9U);
  EXPECT_EQ(from_file->files()[0], set.xtekct());
  EXPECT_EQ(from_file->files()[8], set.projection(8));
  EXPECT_TRUE(from_file->findings().empty());
}

TEST(OpenScan, RecognisesTheFileByItsContent) {
  const NikonSet set;
  fs::rename(set.xtekct(), set.folder / "renamed.txt");

  EXPECT_EQ(open_scan(set.folder / "renamed.txt")->scan().angles.size(), 8U);
}

TEST(OpenScan, ReadsAnXtekctInUtf16ThatSaysSo) {
  const NikonSet set;
  std::string wide = "\xFF\xFE";
  for (const char c : set.text.text()) wide.append({c, '\0'});
  write_text(set.xtekct(), wide);

  const auto source = open_scan(set.folder.path());
  EXPECT_EQ(source->description().name, "scan");
  EXPECT_EQ(source->scan().angles.size(), 8U);
}

TEST(OpenScan, NamesTheReadersWhenItKnowsNone) {
  const testing::TempFolder folder;
  write_text(folder / "a.txt", "anything");

  expect_failure(opening(folder.path()), ErrorKind::unsupported,
                 {folder.path().string(), "no scan", "Nikon X-Tek CT"});
  expect_failure(opening(folder / "a.txt"), ErrorKind::unsupported, {"a.txt", "no reader", "Nikon X-Tek CT"});
  expect_failure(opening(folder / "absent"), ErrorKind::io, {"absent"});
}

TEST(OpenScan, RefusesNikonsOtherTrajectories) {
  const NikonSet set;
  fs::rename(set.xtekct(), set.folder / "scan.xtekHelixCT");

  expect_failure(opening(set.folder / "scan.xtekHelixCT"), ErrorKind::unsupported,
                 {"scan.xtekHelixCT", "no circular"});
}

TEST(OpenScan, ReplacesNikonsPixelSize) {
  const NikonSet set;

  const auto stated = open_scan(set.xtekct()), given = open_scan(set.xtekct(), {.pixel_pitch = 0.0625});

  EXPECT_NE(stated->scan().detector.column_pitch, 0.0625);
  EXPECT_EQ(given->scan().detector.column_pitch, 0.0625);
  EXPECT_EQ(given->scan().detector.row_pitch, 0.0625);
  EXPECT_EQ(given->scan().axis.offset, stated->scan().axis.offset);
  EXPECT_EQ(count_with(given->findings(), {"DetectorPixelSizeX", "pixel size"}), 1);
}

TEST(OpenScan, PointsFromAProjectionToItsScan) {
  const NikonSet set;

  expect_failure(opening(set.projection(1)), ErrorKind::unsupported, {"scan_0001.tif", "give scan.xtekct"});
}

TEST(OpenScan, ReadsAnXtekctOfAnotherEncodingAndSaysWhatItLacks) {
  const testing::TempFolder folder;
  write_text(folder / "a.xtekct", std::string("\xFF\xFE[\0X\0", 6));

  expect_failure(opening(folder / "a.xtekct"), ErrorKind::bad_file, {"a.xtekct", "no section [XTekCT]"});
}

TEST(OpenScan, OpensTheOriginalOfSeveralCopies) {
  NikonSet set;
  set.text.set("OutputName", "scan_01");
  set.write_xtekct("scan_01.xtekct");
  write_text(set.folder / "._scan.xtekct", "rubbish");

  const auto source = open_scan(set.folder.path());

  EXPECT_EQ(source->files()[0], set.xtekct());
  EXPECT_EQ(count_with(source->findings(), {"scan_01.xtekct", "same scan"}), 1);
}

TEST(OpenScan, RefusesToChooseBetweenDifferentScans) {
  NikonSet set;
  set.text.set("ObjectOffsetX", "0.02");
  set.write_xtekct("scan_01.xtekct");

  expect_failure(opening(set.folder.path()), ErrorKind::usage,
                 {"scan.xtekct", "scan_01.xtekct", "ObjectOffsetX", "instead of its folder"});
}

TEST(NikonSource, TurnsTheStoredImageHalfAround) {
  const NikonSet set;
  const auto source = open_scan(set.xtekct());
  std::vector<std::uint16_t> counts(2 * 6 * 4);
  const std::vector<int> views{7, 2};

  source->read(views, {{0, 6}, {0, 4}}, counts.data());

  EXPECT_EQ(source->count_type(), CountType::uint16);
  EXPECT_EQ(counts[0], NikonSet::stored(5, 3, 8)) << "column 0 is the last stored, row 0 the lowest stored";
  for (int n = 0; n < 2 * 6 * 4; ++n)
    EXPECT_EQ(counts[n], NikonSet::count(n % 6, n / 6 % 4, views[n / 24])) << n;
}

TEST(NikonSource, ReadsEveryWindow) {
  const NikonSet set;
  const auto source = open_scan(set.xtekct());
  const int view = 3;
  for (int c0 = 0; c0 < 6; ++c0)
    for (int c1 = c0; c1 <= 6; ++c1)
      for (int r0 = 0; r0 < 4; ++r0)
        for (int r1 = r0; r1 <= 4; ++r1) {
          const int columns = c1 - c0, rows = r1 - r0;
          std::vector<std::uint16_t> counts(static_cast<std::size_t>(columns * rows) + 1, 7);

          source->read(std::span(&view, 1), {{c0, c1}, {r0, r1}}, counts.data());

          for (int n = 0; n < columns * rows; ++n)
            ASSERT_EQ(counts[n], NikonSet::count(c0 + n % columns, r0 + n / columns, view));
          ASSERT_EQ(counts.back(), 7) << "written past the end";
        }
}

TEST(NikonSource, ReadsFloatsAsFloats) {
  NikonSet set;
  set.text.set("Projections", "1");
  set.write_xtekct();
  for (int number = 2; number <= 8; ++number) fs::remove(set.projection(number));
  testing::TiffSpec spec{
      .columns = 6, .rows = 4, .rows_per_strip = 4, .strips = {""}, .tags = {{258, 32}, {339, 3}}};
  for (int n = 0; n < 24; ++n)
    spec.strips[0] +=
        testing::TiffBytes::encoded(std::bit_cast<std::uint32_t>(static_cast<float>(n) + 0.5f), 4, false);
  testing::write_bytes(set.projection(1), testing::TiffBytes(spec).bytes());

  const auto source = open_scan(set.xtekct());
  std::vector<float> counts(24);
  const int view = 0;
  source->read(std::span(&view, 1), {{0, 6}, {0, 4}}, counts.data());

  EXPECT_EQ(source->count_type(), CountType::float32);
  EXPECT_EQ(source->references().saturation, 0);
  for (int n = 0; n < 24; ++n) EXPECT_EQ(counts[n], static_cast<float>(23 - n) + 0.5f);
}

TEST(NikonSource, RefusesWhatIsOutsideTheScan) {
  const NikonSet set;
  const auto source = open_scan(set.xtekct());
  std::vector<std::uint16_t> counts(100);
  const auto reading = [&](int view, geometry::PixelWindow window) {
    return failure_of([&] { source->read(std::span(&view, 1), window, counts.data()); });
  };

  expect_failure(reading(8, {{0, 6}, {0, 4}}), ErrorKind::internal, {"no such view"});
  expect_failure(reading(-1, {{0, 6}, {0, 4}}), ErrorKind::internal, {"no such view"});
  expect_failure(reading(0, {{0, 7}, {0, 4}}), ErrorKind::internal, {"outside"});
  expect_failure(reading(0, {{0, 6}, {-1, 4}}), ErrorKind::internal, {"outside"});
}

TEST(NikonSource, NoticesAProjectionThatChanges) {
  const NikonSet set;
  const auto source = open_scan(set.xtekct());
  fs::last_write_time(set.projection(2), fs::file_time_type::clock::now() + std::chrono::hours(1));
  std::vector<std::uint16_t> counts(24);
  const auto reading = [&](int view) {
    return failure_of([&] { source->read(std::span(&view, 1), {{0, 6}, {0, 4}}, counts.data()); });
  };

  EXPECT_EQ(reading(0).message, "");
  expect_failure(reading(1), ErrorKind::io, {"scan_0002.tif", "changed", "complete"});
  fs::remove(set.projection(3));
  expect_failure(reading(2), ErrorKind::io, {"scan_0003.tif"});
}

TEST(NikonSource, ServesManyThreads) {
  const NikonSet set;
  const auto source = open_scan(set.xtekct());
  std::atomic<int> wrong = 0;
  const auto work = [&](int view) {
    std::vector<std::uint16_t> counts(24);
    for (int repeat = 0; repeat < 200; ++repeat) {
      source->read(std::span(&view, 1), {{0, 6}, {0, 4}}, counts.data());
      for (int n = 0; n < 24; ++n) wrong += counts[n] != NikonSet::count(n % 6, n / 6, view);
    }
  };

  std::vector<std::thread> threads;
  for (int view = 0; view < 8; ++view) threads.emplace_back(work, view);
  for (std::thread& thread : threads) thread.join();

  EXPECT_EQ(wrong, 0);
}

TEST(NikonSource, GivesTheWhiteLevelAndTheSaturation) {
  const NikonSet set;

  const auto stated = open_scan(set.xtekct()), given = open_scan(set.xtekct(), {.white_level = 58000});

  EXPECT_EQ(stated->references().white, std::vector<float>{60000});
  EXPECT_TRUE(stated->references().dark.empty());
  EXPECT_EQ(stated->references().saturation, 65535);
  EXPECT_EQ(given->references().white, std::vector<float>{58000});
}

TEST(NikonSource, TurnsTheOtherWayWhenToldAndSaysSo) {
  const NikonSet set;

  const auto usual = open_scan(set.xtekct()), reversed = open_scan(set.xtekct(), {.reverse_rotation = true});

  EXPECT_LT(usual->scan().angles[1], usual->scan().angles[0]);
  EXPECT_GT(reversed->scan().angles[1], reversed->scan().angles[0]);
  EXPECT_EQ(count_with(reversed->findings(), {"counter-clockwise"}), 1);
}

std::string ctdata(double last) {
  std::string text = "Projections\tFrames\tExposure(ms)\r\n8\t1\t708\r\nProjection\tAngle(deg)\tTime(s)\r\n";
  for (int n = 0; n < 9; ++n)
    text += std::to_string(n + 1) + "\t" + std::to_string(n == 7 ? last : 45.0 * n + 1) + "\t0\r\n";
  return text;
}

TEST(NikonSource, UsesMeasuredAnglesOnlyWhenTold) {
  const NikonSet set;
  write_text(set.folder / "_ctdata.txt", ctdata(320));

  const auto nominal = open_scan(set.xtekct()), measured = open_scan(set.xtekct(), {.angles = "file"});

  EXPECT_NEAR(nominal->scan().angles[7], (180 - 315) * degree, 1e-12);
  EXPECT_NEAR(measured->scan().angles[7], (180 - 320) * degree, 1e-12);
  EXPECT_NEAR(measured->scan().angles[1], (180 - 46) * degree, 1e-12);
  EXPECT_EQ(nominal->files().size(), 9U);
  EXPECT_EQ(measured->files().size(), 10U);
  EXPECT_EQ(count_with(measured->findings(), {"_ctdata.txt", "measured angles are used"}), 1);
}

TEST(NikonSource, UsesMeasuredAnglesWhenTheScanDemandsThem) {
  NikonSet set;
  set.text.set("CTPro/AngleFile_Use", "True");
  set.write_xtekct();
  const auto without = open_scan(set.xtekct());
  write_text(set.folder / "_ctdata.txt", ctdata(320));

  const auto demanded = open_scan(set.xtekct()), nominal = open_scan(set.xtekct(), {.angles = "nominal"});

  EXPECT_NEAR(without->scan().angles[7], (180 - 315) * degree, 1e-12);
  EXPECT_NEAR(demanded->scan().angles[7], (180 - 320) * degree, 1e-12);
  EXPECT_NEAR(nominal->scan().angles[7], (180 - 315) * degree, 1e-12);
  EXPECT_EQ(count_with(without->findings(), {"AngleFile_Use is True", "there is no _ctdata.txt"}), 1);
  EXPECT_EQ(count_with(demanded->findings(), {"measured angles are used", "AngleFile_Use demands"}), 1);
  EXPECT_EQ(count_with(nominal->findings(), {"AngleFile_Use is True", "nominal angles"}), 1);
}

TEST(NikonSource, ComparesMeasuredAnglesEvenWhenTheyAreNotUsed) {
  const NikonSet set;
  write_text(set.folder / "_ctdata.txt", ctdata(350));

  EXPECT_EQ(count_with(open_scan(set.xtekct())->findings(), {"_ctdata.txt", "projection 8", "350.0000"}), 1);
}

TEST(NikonSource, RefusesADamagedAngleFileOnlyWhenItIsNeeded) {
  const NikonSet set;
  write_text(set.folder / "_ctdata.txt", "Projection\tAngle(deg)\n1\tabc\n");

  expect_failure(opening(set.xtekct(), {.angles = "file"}), ErrorKind::bad_file,
                 {"_ctdata.txt", "line 2", "abc"});
  EXPECT_EQ(count_with(open_scan(set.xtekct())->findings(), {"_ctdata.txt", "line 2", "AngularStep is used"}),
            1);
}

TEST(NikonSource, TakesMeasuredAnglesInPlaceOfAMissingStep) {
  NikonSet set;
  set.text.drop("AngularStep");
  set.write_xtekct();
  write_text(set.folder / "_ctdata.txt", ctdata(320));

  EXPECT_NEAR(open_scan(set.xtekct(), {.angles = "file"})->scan().angles[7], (180 - 320) * degree, 1e-12);
  expect_failure(opening(set.xtekct()), ErrorKind::bad_file, {"AngularStep is missing", "angles file"});
}

TEST(NikonSource, AsksForAnglesThatAreNotThere) {
  const NikonSet set;

  expect_failure(opening(set.xtekct(), {.angles = "file"}), ErrorKind::bad_file,
                 {"scan.xtekct", "_ctdata.txt", "scan.ang", "angles nominal"});
  expect_failure(opening(set.xtekct(), {.angles = "measured"}), ErrorKind::usage, {"angles", "measured"});
}

TEST(NikonSource, RefusesScansThatAreNoFullCircle) {
  for (const std::string flag :
       {"HelicalScan", "PanelScan", "ScanFlatPanel", "FastPanelScan", "LimitedAngleScan"}) {
    const NikonSet set;
    const auto write = [&](const char* value) {
      write_text(set.folder / "scan.ctprofile.xml",
                 "<CTProfile><" + flag + ">" + value + "</" + flag + "></CTProfile>");
    };

    write("true");
    expect_failure(opening(set.xtekct()), ErrorKind::unsupported, {"scan.ctprofile.xml", flag + " is true"});
    write("false");
    EXPECT_EQ(opening(set.xtekct()).message, "");
  }
}

TEST(NikonSource, ComparesTheProfileWithTheScan) {
  const NikonSet set;
  write_text(set.folder / "scan.ctprofile.xml",
             "<CTProfile><WhiteTargetLevel>58500</WhiteTargetLevel><Projections>8</Projections>"
             "<ImagingSettings exposure=\"500\" "
             "gain=\"3\"/><FramesPerProjection>4</FramesPerProjection></CTProfile>");

  const auto source = open_scan(set.xtekct());

  EXPECT_EQ(source->description().exposure_s, 2.0);
  EXPECT_EQ(source->references().white, std::vector<float>{60000});
  EXPECT_EQ(count_with(source->findings(), {"scan.ctprofile.xml", "WhiteTargetLevel is 58500", "60000"}), 1);
  EXPECT_EQ(source->findings().size(), 1U);
}

TEST(NikonSource, DescribesAScanWithoutItsProjections) {
  const NikonSet set;
  for (int number = 2; number <= 8; ++number) fs::remove(set.projection(number));
  std::uint16_t count = 0;
  const int view = 0;

  const auto source = open_scan(set.xtekct(), {.headers_only = true});
  const auto reading = failure_of([&] { source->read(std::span(&view, 1), {{0, 1}, {0, 1}}, &count); });

  EXPECT_EQ(source->scan().angles.size(), 8U);
  EXPECT_EQ(source->files(), std::vector<fs::path>{set.xtekct()});
  EXPECT_EQ(count_with(source->findings(), {"7 of 8 projections are missing"}), 1);
  expect_failure(reading, ErrorKind::io, {"scan.xtekct", "not found"});
}

}  // namespace
}  // namespace feldspar::io
