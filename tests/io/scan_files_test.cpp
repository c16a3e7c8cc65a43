// Scans written in one format, read, written in another and read again: every pixel and every number stays.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <hdf5.h>

#include <algorithm>

#include "io/hdf5/scan_files.hpp"
#include "io/nikon/nikon_writer.hpp"
#include "io/open_scan.hpp"
#include "io/stack/stack_writer.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/failure.hpp"
#include "tests/support/scans.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/support/whole_scan.hpp"

namespace feldspar::io {
namespace {

namespace fs = std::filesystem;
using testing::pixels_of;
using testing::random_scan;
using testing::read;
using testing::WholeScan;
using testing::write;

void expect_same_geometry(const geometry::CircularScan& a, const geometry::CircularScan& b) {
  EXPECT_EQ(a.beam, b.beam);
  EXPECT_EQ(a.source_object_distance, b.source_object_distance);
  EXPECT_EQ(a.source_detector_distance, b.source_detector_distance);
  const geometry::Detector &d = a.detector, &e = b.detector;
  EXPECT_EQ(d.columns, e.columns);
  EXPECT_EQ(d.rows, e.rows);
  EXPECT_EQ(d.column_pitch, e.column_pitch);
  EXPECT_EQ(d.row_pitch, e.row_pitch);
  EXPECT_EQ(d.column_offset, e.column_offset);
  EXPECT_EQ(d.row_offset, e.row_offset);
  EXPECT_EQ(d.roll, e.roll);
  EXPECT_EQ(d.tilt, e.tilt);
  EXPECT_EQ(d.slant, e.slant);
  EXPECT_EQ(a.axis.offset, b.axis.offset);
  EXPECT_EQ(a.axis.roll, b.axis.roll);
  EXPECT_EQ(a.axis.tilt, b.axis.tilt);
  EXPECT_EQ(a.angles, b.angles);
  ASSERT_EQ(a.shifts.size(), b.shifts.size());
  for (std::size_t n = 0; n < a.shifts.size(); ++n) {
    EXPECT_EQ(a.shifts[n].column, b.shifts[n].column);
    EXPECT_EQ(a.shifts[n].row, b.shifts[n].row);
  }
}

void expect_same(const WholeScan& a, const WholeScan& b) {
  expect_same_geometry(a.content.scan, b.content.scan);
  EXPECT_EQ(a.content.type, b.content.type);
  EXPECT_EQ(a.content.references.white, b.content.references.white);
  EXPECT_EQ(a.content.references.dark, b.content.references.dark);
  EXPECT_EQ(a.content.description.name, b.content.description.name);
  EXPECT_EQ(a.counts, b.counts);
}

struct Format {
  const char* name;
  const char* extension;
  std::unique_ptr<ScanSink> (*create)(const fs::path& path, const ScanContent& content);
};

constexpr Format formats[] = {
    {"nxtomo", ".nxs", [](const fs::path& path, const ScanContent& c) { return create_nxtomo(path, c); }},
    {"dxchange", ".h5", [](const fs::path& path, const ScanContent& c) { return create_exchange(path, c); }},
    {"tiff", "",
     [](const fs::path& path, const ScanContent& c) -> std::unique_ptr<ScanSink> {
       return std::make_unique<stack::StackWriter>(path, c);
     }},
};

TEST(ScanFiles, EveryPairOfFormatsKeepsPixelsAndGeometryExactly) {
  const testing::TempFolder folder;
  auto cases = testing::random_cases(6, 11);
  cases.push_back({"parallel", testing::parallel_scan(7), {}});
  cases.back().scan.axis = {.offset = 0.1 / 3, .roll = 0.01 / 7, .tilt = 0};
  unsigned seed = 0;
  for (const testing::Case& each : cases)
    for (const Format& from : formats)
      for (const Format& to : formats) {
        SCOPED_TRACE(each.name + ": " + from.name + " to " + to.name);
        const CountType type = ++seed % 2 ? CountType::uint16 : CountType::float32;
        const WholeScan original = random_scan(each.scan, type, seed);
        const fs::path first = folder / (fmt::format("{}a{}", seed, from.extension)),
                       second = folder / (fmt::format("{}b{}", seed, to.extension));

        write(original, *from.create(first, original.content));
        const WholeScan once = read(first);
        write(once, *to.create(second, once.content));

        expect_same(original, once);
        expect_same(once, read(second));
      }
}

// Nikon's angles are degrees with another sense and start, so they come back to the rounding of doubles.
TEST(ScanFiles, NikonKeepsPixelsAndLengthsExactlyAndAnglesToRounding) {
  const testing::TempFolder folder;
  geometry::CircularScan scan = testing::plain_scan(31);
  scan.detector.column_pitch = 0.1 / 3, scan.detector.column_offset = 1.0 / 7;
  scan.source_object_distance = 176.94 / 1.1;
  scan.axis.offset = 1e-7 / 3;
  WholeScan original = random_scan(scan, CountType::uint16, 3);
  original.content.references = {{60000}, {}, 65535};
  for (const Format& from : formats) {
    SCOPED_TRACE(from.name);
    const fs::path first = folder / (std::string("n") + from.name + from.extension),
                   second = folder / (std::string("nikon_") + from.name);
    write(original, *from.create(first, original.content));
    const WholeScan once = read(first);
    io::NikonWriter writer(second, "scan", once.content.scan, {});
    write(once, writer);
    WholeScan back = read(second);

    EXPECT_EQ(back.counts, original.counts);
    const double turns = std::round((back.content.scan.angles[0] - scan.angles[0]) / (2 * std::numbers::pi));
    for (std::size_t n = 0; n < scan.angles.size(); ++n)
      EXPECT_NEAR(back.content.scan.angles[n] - turns * 2 * std::numbers::pi, scan.angles[n], 1e-13 * 30);
    back.content.scan.angles = scan.angles;
    expect_same_geometry(back.content.scan, scan);
  }
}

TEST(ScanFiles, AnUnfinishedScanHasOnlyItsPartialName) {
  const testing::TempFolder folder;
  const WholeScan whole = random_scan(testing::plain_scan(2), CountType::uint16, 1);
  for (const Format& format : formats) {
    const fs::path path = folder / (std::string("unfinished") + format.extension);
    {
      const auto sink = format.create(path, whole.content);
      EXPECT_FALSE(fs::exists(path)) << format.name;
      EXPECT_TRUE(fs::exists(path.string() + ".partial")) << format.name;
    }
    EXPECT_TRUE(fs::is_empty(folder.path())) << format.name;  // given up
  }
}

TEST(ScanFiles, WhatWasAssumedInTheSourceIsSaidOfTheCopy) {
  const testing::TempFolder folder;
  WholeScan whole = random_scan(testing::plain_scan(2), CountType::uint16, 1);
  whole.content.findings = {
      {"axis.unstated", "a.nxs: the \"axis\" is assumed", "axis", {{"axis-offset", "auto", "find it with"}}},
      {"rotation.reversed", "b"}};
  for (const Format& format : formats) {
    const fs::path path = folder / (std::string("copy") + format.extension);
    write(whole, *format.create(path, whole.content));

    const auto findings = open_scan(path)->findings();
    EXPECT_EQ(testing::count_with(findings, {"converted from a.nxs", "the \"axis\" is assumed"}), 1)
        << format.name;
    const auto axis = std::ranges::find(findings, FindingCode("axis.unstated"), &Finding::code);
    ASSERT_NE(axis, findings.end()) << format.name;
    EXPECT_EQ(axis->field, "axis");
    EXPECT_EQ(axis->remedies, whole.content.findings[0].remedies);
    EXPECT_EQ(testing::count_of(findings, "rotation.reversed"), 1) << format.name;
  }
}

TEST(ScanFiles, ACopyOfACopySpeaksOfTheOriginalOnly) {
  const testing::TempFolder folder;
  WholeScan whole = random_scan(testing::plain_scan(2), CountType::uint16, 1);
  whole.content.findings = {{"axis.unstated", "a.nxs: something is assumed"}};
  for (const Format& format : formats) {
    const fs::path path = folder / (std::string("copy") + format.extension);
    write(whole, *format.create(path, whole.content));
    whole.content.findings = open_scan(path)->findings();
  }

  EXPECT_EQ(testing::count_with(whole.content.findings, {"was converted from a.nxs: something is assumed"}),
            1);
  EXPECT_EQ(testing::count_with(whole.content.findings, {"from was"}), 0);
  EXPECT_EQ(testing::count_with(whole.content.findings, {".nxs: was converted from copy"}), 0);
}

/// Adds `degrees` to the standard angle of view 1.
void turn_view(const fs::path& file, double degrees) {
  const hid_t handle = H5Fopen(file.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  const hid_t set = H5Dopen2(handle, "/entry/sample/rotation_angle", H5P_DEFAULT);
  std::vector<double> angles(static_cast<std::size_t>(H5Dget_storage_size(set)) / sizeof(double));
  H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, angles.data());
  angles.at(angles.size() - 2) += degrees;
  H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, angles.data());
  H5Dclose(set);
  H5Fclose(handle);
}

TEST(ScanFiles, SaysWhenTheGroupDoesNotBelongToTheAngles) {
  const testing::TempFolder folder;
  const WholeScan whole = random_scan(testing::plain_scan(3), CountType::uint16, 1);
  write(whole, *create_nxtomo(folder / "a.nxs", whole.content));
  EXPECT_EQ(testing::count_with(open_scan(folder / "a.nxs")->findings(), {"other angles"}), 0);

  turn_view(folder / "a.nxs", 0.5);

  const auto source = open_scan(folder / "a.nxs");
  EXPECT_EQ(testing::count_with(source->findings(), {"other angles", "0.00873 rad"}), 1);
  EXPECT_EQ(source->scan().angles, whole.content.scan.angles);  // those of the group
}

TEST(ScanFiles, ReversesTheRotationOfAStoredGeometry) {
  const testing::TempFolder folder;
  const WholeScan whole = random_scan(testing::plain_scan(3), CountType::uint16, 1);
  write(whole, *create_nxtomo(folder / "a.nxs", whole.content));

  const auto reversed = read(folder / "a.nxs", {.reverse_rotation = true});

  EXPECT_EQ(reversed.content.scan.angles[1], -whole.content.scan.angles[1]);
}

}  // namespace
}  // namespace feldspar::io
