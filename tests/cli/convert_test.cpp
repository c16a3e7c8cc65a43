// `feldspar convert` from every format to every other that can hold the scan, in one walk: nothing changes.
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include "io/stack/stack_writer.hpp"
#include "tests/cli/program_folder.hpp"
#include "tests/support/scans.hpp"
#include "tests/support/whole_scan.hpp"

namespace feldspar::testing {
namespace {

using geometry::CircularScan;

/// Every ordered pair of `names`, and each to itself, as one walk that begins and ends at the first.
std::vector<std::string> walk_over_pairs(const std::vector<std::string>& names) {
  std::vector<std::string> walk;
  for (std::size_t a = 0; a < names.size(); ++a) {
    walk.push_back(names[a]);
    walk.push_back(names[a]);
    for (std::size_t b = a + 1; b < names.size(); ++b) {
      walk.push_back(names[b]);
      if (b + 1 < names.size()) walk.push_back(names[a]);
    }
  }
  for (std::size_t a = names.size() - 1; a-- > 0;) walk.push_back(names[a]);
  return walk;
}

/// How far a format's numbers may lie from those it was given: .txrm files hold 32-bit floats, of degrees and
/// of lengths that are products of two; Nikon's angles are degrees that begin elsewhere.
struct Rounding {
  double length = 0;  ///< relative
  double angle = 0;   ///< rad
};
Rounding rounding_of(const std::string& format) {
  if (format == "zeiss") return {4 * std::ldexp(1.0, -24), std::ldexp(360.0, -24) * std::numbers::pi / 180};
  if (format == "nikon") return {0, 1e-13 * 10};
  return {};
}

void expect_near(double a, double b, double relative, const char* what) {
  EXPECT_NEAR(a, b, relative * std::abs(b)) << what;
}

void expect_same(const WholeScan& now, const WholeScan& before, const std::string& format) {
  const Rounding rounding = rounding_of(format);
  const CircularScan &a = now.content.scan, &b = before.content.scan;
  ASSERT_EQ(a.beam, b.beam);
  expect_near(a.source_object_distance, b.source_object_distance, rounding.length, "source to object");
  expect_near(a.source_detector_distance, b.source_detector_distance, rounding.length, "source to detector");
  expect_near(a.detector.column_pitch, b.detector.column_pitch, rounding.length, "column pitch");
  expect_near(a.detector.row_pitch, b.detector.row_pitch, rounding.length, "row pitch");
  EXPECT_EQ(a.detector.column_offset, b.detector.column_offset);
  EXPECT_EQ(a.detector.row_offset, b.detector.row_offset);
  EXPECT_EQ(a.axis.offset, b.axis.offset);
  ASSERT_EQ(a.angles.size(), b.angles.size());
  const double turns = std::round((a.angles[0] - b.angles[0]) / (2 * std::numbers::pi));
  if (format != "nikon") {
    EXPECT_EQ(turns, 0);
  }
  for (std::size_t n = 0; n < a.angles.size(); ++n)
    EXPECT_NEAR(a.angles[n] - turns * 2 * std::numbers::pi, b.angles[n], rounding.angle) << "view " << n;
  EXPECT_EQ(now.content.type, before.content.type);
  EXPECT_EQ(now.counts, before.counts);
  const auto pixels = pixels_of(a.detector);
  const auto spread = [&](std::vector<float> counts) {
    if (counts.size() == 1) counts.resize(pixels, counts[0]);
    return counts;
  };
  EXPECT_EQ(spread(now.content.references.white), spread(before.content.references.white));
  EXPECT_EQ(spread(now.content.references.dark), spread(before.content.references.dark));
  const io::ScanDescription &about = now.content.description, &was = before.content.description;
  EXPECT_EQ(about.voltage_kv, was.voltage_kv);
  EXPECT_EQ(about.current_ua, was.current_ua);
  if (format != "nikon") {  // in its .ctprofile.xml, which is not written
    EXPECT_EQ(about.exposure_s, was.exposure_s);
  }
  EXPECT_EQ(about.filter, was.filter);
  if (format != "zeiss") {
    EXPECT_EQ(about.hardening, was.hardening);
  }
}

class Convert : public ProgramFolder {
 protected:
  /// Writes `original` as TIFFs, walks over every pair of `names`, and looks at the scan after each step.
  void walk(const WholeScan& original, const std::vector<std::string>& names) {
    write(original, *std::make_unique<io::stack::StackWriter>(folder_ / "start", original.content));
    std::string from = "start";
    WholeScan before = read(folder_ / from);
    expect_same(before, original, "tiff");
    int step = 0;
    for (const std::string& format : walk_over_pairs(names)) {
      SCOPED_TRACE(from + " to " + format);
      const std::string to = std::to_string(step++) + "_" + format + extension_of(format);
      expect_success("convert " + from + " " + to + " --format " + format + " --name scan");
      const WholeScan now = read(folder_ / to);
      expect_same(now, before, format);
      if (HasFailure()) return;
      from = to, before = now;
    }
  }
  static std::string extension_of(const std::string& format) {
    return format == "zeiss" ? ".txrm" : format == "nxtomo" ? ".nxs" : format == "dxchange" ? ".h5" : "";
  }
};

/// Lengths that 32-bit floats hold.
CircularScan cone() {
  CircularScan scan = plain_scan(9);
  scan.source_object_distance = 176.25, scan.source_detector_distance = 983.5;
  scan.detector.column_pitch = scan.detector.row_pitch = 0.127;
  return scan;
}

void make_uneven(CircularScan& scan) {
  for (std::size_t n = 0; n < scan.angles.size(); ++n)
    scan.angles[n] += 0.4 * std::sin(3.0 * static_cast<double>(n)) - 2;
}

/// What an instrument that corrects its images has: one number for the open beam.
WholeScan corrected(const CircularScan& scan) {
  WholeScan whole = random_scan(scan, io::CountType::uint16, 5);
  whole.content.references = {{60000}, {}, 65535};
  whole.content.description.voltage_kv = 205;
  whole.content.description.current_ua = 330;
  whole.content.description.exposure_s = 0.5;
  whole.content.description.filter = "1.5 mm Cu";
  return whole;
}

const std::vector<std::string> all_formats{"tiff", "nikon", "nxtomo", "dxchange", "zeiss"};

TEST_F(Convert, KeepsAConeBeamOfEvenSteps) { walk(corrected(cone()), all_formats); }

TEST_F(Convert, KeepsAConeBeamOfUnevenAngles) {
  CircularScan scan = cone();
  make_uneven(scan);
  walk(corrected(scan), all_formats);
}

TEST_F(Convert, KeepsAHardeningPolynomialWhereTheFormatHasAPlace) {
  WholeScan whole = corrected(cone());
  whole.content.description.hardening = {0, 0.75 * 1.32, 0.25 * 1.32};
  walk(whole, {"tiff", "nikon", "nxtomo", "dxchange"});
}

TEST_F(Convert, KeepsFlatsAndDarksOfAParallelBeam) {
  CircularScan scan = parallel_scan(8);
  make_uneven(scan);
  scan.axis.offset = 0.1 / 3;
  walk(random_scan(scan, io::CountType::float32, 6), {"tiff", "nxtomo", "dxchange"});
}

TEST_F(Convert, KeepsFlatsOfAParallelBeamInAZeissFile) {
  CircularScan scan = parallel_scan(8);
  make_uneven(scan);
  WholeScan whole = random_scan(scan, io::CountType::float32, 7);
  whole.content.references.dark.clear();
  walk(whole, {"tiff", "zeiss", "nxtomo"});
}

TEST_F(Convert, RefusesWhatAFormatCannotHold) {
  WholeScan whole = random_scan(parallel_scan(4), io::CountType::float32, 8);
  write(whole, *std::make_unique<io::stack::StackWriter>(folder_ / "start", whole.content));

  expect_failure("convert start a --format nikon", 8, {"nikon", "parallel beam", "nxtomo"});
  expect_failure("convert start a.txrm", 8, {"zeiss", "dark counts"});
  EXPECT_FALSE(has("a"));
  EXPECT_FALSE(has("a.txrm"));
}

}  // namespace
}  // namespace feldspar::testing
