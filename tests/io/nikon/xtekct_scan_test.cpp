// Nikon's units and signs in ours, and the scans that are refused.
#include "io/nikon/xtekct_scan.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "base/units.hpp"
#include "tests/io/nikon/nikon_set.hpp"
#include "tests/support/failure.hpp"

namespace feldspar::io::nikon {
namespace {

using testing::expect_failure;
using testing::failure_of;
using testing::XtekctText;

constexpr double degree = radians_per_degree;
/// A few roundings of numbers of the size of a turn.
constexpr double rounding = 1e-14;

XtekctFile parse(const XtekctText& text) { return parse_xtekct(text.text(), "folder/a.xtekct"); }
geometry::CircularScan scan_of(const XtekctText& text) {
  const XtekctFile file = parse(text);
  return to_scan(file, nominal_stage_angles(file));
}

TEST(XtekctScan, TakesDistancesAndDetectorAsTheyStand) {
  const geometry::CircularScan scan = scan_of(XtekctText().set("DetectorPixelSizeY", "0.3"));

  EXPECT_EQ(scan.source_object_distance, 100);
  EXPECT_EQ(scan.source_detector_distance, 400);
  EXPECT_EQ(scan.detector.columns, 6);
  EXPECT_EQ(scan.detector.rows, 4);
  EXPECT_EQ(scan.detector.column_pitch, 0.2);
  EXPECT_EQ(scan.detector.row_pitch, 0.3);
}

TEST(XtekctScan, TurnsClockwiseFromHalfATurn) {
  const geometry::CircularScan scan = scan_of(XtekctText().set("InitialAngle", "30"));

  ASSERT_EQ(scan.angles.size(), 8U);
  EXPECT_NEAR(scan.angles[0], (180 - 30) * degree, rounding);
  EXPECT_NEAR(scan.angles[1], (180 - 30 - 45) * degree, rounding);
  EXPECT_NEAR(scan.angles[7], (180 - 30 - 7 * 45) * degree, rounding);
}

TEST(XtekctScan, TurnsTheOtherWayWhenTold) {
  const XtekctFile file = parse(XtekctText());

  const auto scan = to_scan(file, nominal_stage_angles(file), Turn::counter_clockwise);

  EXPECT_NEAR(scan.angles[1] - scan.angles[0], 45 * degree, rounding);
}

TEST(XtekctScan, MovesTheDetectorTowardsHigherStoredColumnsAndUp) {
  const geometry::CircularScan scan =
      scan_of(XtekctText().set("DetectorOffsetX", "0.1").set("DetectorOffsetY", "0.2"));

  EXPECT_EQ(scan.detector.column_offset, -0.1);
  EXPECT_EQ(scan.detector.row_offset, 0.2);
}

TEST(XtekctScan, PutsTheAxisTowardsHigherStoredColumns) {
  const geometry::CircularScan scan =
      scan_of(XtekctText().set("ObjectOffsetX", "0.05").set("ObjectTilt", "0.2").set("ObjectRoll", "0.1"));

  EXPECT_EQ(scan.axis.offset, -0.05);
  EXPECT_NEAR(scan.axis.roll, 0.1 * degree, rounding);
  EXPECT_NEAR(scan.axis.tilt, 0.2 * degree, rounding);
}

/// The stored TIFF column at which the rotation axis appears at the height of `row` from the top.
double stored_column_of_axis(const geometry::CircularScan& scan, double row) {
  // A point of the axis at any height z projects onto some row; the axis is straight, so two points give the
  // rest.
  const auto view = geometry::make_views(scan).front();
  const auto project = [&](double z) {
    // Pixel indices of the ray through (0, 0, z): r = q + u U + v V solved by cross products.
    const geometry::Vec3 r = geometry::Vec3{0, 0, z} - view.source, q = view.pixel_origin - view.source;
    const double w = dot(r, cross(view.column_step, view.row_step));
    return std::pair{dot(r, cross(view.row_step, q)) / w, dot(r, cross(q, view.column_step)) / w};
  };
  const auto [u0, v0] = project(-0.1);
  const auto [u1, v1] = project(0.1);
  const double wanted = scan.detector.rows - 1 - row;
  return scan.detector.columns - 1 - (u0 + (wanted - v0) / (v1 - v0) * (u1 - u0));
}

TEST(XtekctScan, PutsTheAxisOfOldKeysWhereTheyPutItOnTheDetector) {
  const XtekctText text = XtekctText()
                              .drop("ObjectOffsetX")
                              .drop("ObjectRoll")
                              .drop("ObjectTilt")
                              .set("CentreOfRotationTop", "0.3")
                              .set("CentreOfRotationBottom", "-0.1");

  const geometry::CircularScan scan = scan_of(text);

  // The upper edge is half a pixel above row 0, the lower one half a pixel below row 3; the middle of the six
  // columns is column 2.5, and 0.2 mm are one of them. 1e-9 is rounding in a chain of some ten operations.
  EXPECT_NEAR(stored_column_of_axis(scan, -0.5), 2.5 + 0.3 / 0.2, 1e-9);
  EXPECT_NEAR(stored_column_of_axis(scan, 3.5), 2.5 - 0.1 / 0.2, 1e-9);
}

TEST(XtekctScan, ReadsOldKeysAsTheNewOnesTheyBecame) {
  const double roll = -std::atan((0.3 - -0.1) / (4 * 0.2)) / degree;
  const XtekctText old_keys = XtekctText()
                                  .drop("ObjectOffsetX")
                                  .drop("ObjectRoll")
                                  .drop("ObjectTilt")
                                  .set("CentreOfRotationTop", "0.3")
                                  .set("CentreOfRotationBottom", "-0.1");
  const XtekctText new_keys =
      XtekctText().set("ObjectOffsetX", "0.025").set("ObjectRoll", std::to_string(roll));

  const auto old_axis = scan_of(old_keys).axis, new_axis = scan_of(new_keys).axis;

  EXPECT_NEAR(old_axis.offset, new_axis.offset, rounding);
  EXPECT_NEAR(old_axis.roll, new_axis.roll, 1e-6 * degree);  // std::to_string writes six decimals
}

TEST(XtekctScan, TakesCentreOfRotationForBothEdges) {
  const auto scan = scan_of(XtekctText()
                                .drop("ObjectOffsetX")
                                .drop("ObjectRoll")
                                .drop("ObjectTilt")
                                .set("CentreOfRotation", "0.2"));

  EXPECT_NEAR(scan.axis.offset, -0.05, rounding);
  EXPECT_EQ(scan.axis.roll, 0);
}

TEST(XtekctScan, KeepsTheTiltBesideOldKeys) {
  const auto scan = scan_of(XtekctText()
                                .drop("ObjectOffsetX")
                                .drop("ObjectRoll")
                                .set("ObjectTilt", "0.2")
                                .set("CentreOfRotationTop", "0.2")
                                .set("CentreOfRotationBottom", "0.2"));

  EXPECT_NEAR(scan.axis.offset, -0.05, rounding);
  EXPECT_NEAR(scan.axis.tilt, 0.2 * degree, rounding);
}

TEST(XtekctScan, PrefersTheNewAxis) {
  const auto scan =
      scan_of(XtekctText().set("CentreOfRotationTop", "0.3").set("CentreOfRotationBottom", "0.3"));

  EXPECT_EQ(scan.axis.offset, -0.01);
}

struct BadKey {
  const char* name;
  const char* key;
  const char* value;  ///< null: the key is absent
  ErrorKind kind;
  std::vector<std::string> words;
};

class BadKeys : public ::testing::TestWithParam<BadKey> {};

TEST_P(BadKeys, AreNamedWithFileValueAndWayOut) {
  const BadKey& bad = GetParam();
  XtekctText text;
  if (bad.value)
    text.set(bad.key, bad.value);
  else
    text.drop(bad.key);

  const auto failure = failure_of([&] { (void)scan_of(text); });

  expect_failure(failure, bad.kind, bad.words);
  expect_failure(failure, bad.kind, {"folder/a.xtekct"});
}

INSTANTIATE_TEST_SUITE_P(
    All, BadKeys,
    ::testing::Values(
        BadKey{"no_distance", "SrcToObject", nullptr, ErrorKind::bad_file, {"no SrcToObject"}},
        BadKey{"source_behind_detector",
               "SrcToObject",
               "400",
               ErrorKind::bad_file,
               {"source-to-detector", "400", "copy of the file"}},
        BadKey{"negative_distance", "SrcToObject", "-100", ErrorKind::bad_file, {"source-to-object", "-100"}},
        BadKey{"zero_pitch", "DetectorPixelSizeX", "0", ErrorKind::bad_file, {"column pitch", "0"}},
        BadKey{"comma",
               "DetectorPixelSizeY",
               "0,2",
               ErrorKind::bad_file,
               {"DetectorPixelSizeY", "\"0,2\"", "point"}},
        BadKey{"no_columns", "DetectorPixelsX", "0", ErrorKind::bad_file, {"DetectorPixelsX", "\"0\""}},
        BadKey{"too_many_rows", "DetectorPixelsY", "1e9", ErrorKind::bad_file, {"DetectorPixelsY", "1e9"}},
        BadKey{"half_a_projection", "Projections", "7.5", ErrorKind::bad_file, {"Projections", "7.5"}},
        BadKey{"no_step",
               "AngularStep",
               nullptr,
               ErrorKind::bad_file,
               {"AngularStep", "missing", "angles file"}},
        BadKey{"zero_step", "AngularStep", "0", ErrorKind::bad_file, {"AngularStep", "0", "angles file"}},
        BadKey{"nan_step", "AngularStep", "NaN", ErrorKind::bad_file, {"AngularStep", "NaN"}},
        BadKey{"inches", "Units", "inch", ErrorKind::bad_file, {"Units", "inch", "mm"}},
        BadKey{"far_offset", "DetectorOffsetX", "5", ErrorKind::bad_file, {"column offset", "-5"}},
        BadKey{"far_axis", "ObjectOffsetX", "1", ErrorKind::bad_file, {"axis offset", "-1"}},
        BadKey{"virtual_width",
               "VirtualDetectorPixelsX",
               "12",
               ErrorKind::unsupported,
               {"VirtualDetectorPixelsX", "12", "panel"}},
        BadKey{"virtual_pitch",
               "VirtualDetectorPixelSizeY",
               "0.1",
               ErrorKind::unsupported,
               {"VirtualDetectorPixelSizeY"}},
        BadKey{"virtual_distance",
               "SrcToVirtualDetector",
               "500",
               ErrorKind::unsupported,
               {"SrcToVirtualDetector", "500"}}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(XtekctScan, AcceptsAVirtualDetectorThatIsTheRealOne) {
  EXPECT_NO_THROW(
      (void)scan_of(XtekctText().set("VirtualDetectorPixelsX", "6").set("SrcToVirtualDetector", "400.0")));
}

TEST(XtekctScan, AsksForTheWhiteLevelItCannotUse) {
  for (const char* const value : {"0", "-5", "NaN", "", "60000,5", "inf"})
    expect_failure(failure_of([&] { (void)white_level(parse(XtekctText().set("WhiteLevel", value)), 0); }),
                   ErrorKind::bad_file, {"folder/a.xtekct", "WhiteLevel", value, "white-level"});
  expect_failure(failure_of([&] { (void)white_level(parse(XtekctText().drop("WhiteLevel")), 0); }),
                 ErrorKind::bad_file, {"folder/a.xtekct", "WhiteLevel is missing", "white-level"});
}

TEST(XtekctScan, TakesTheWhiteLevelItIsGiven) {
  EXPECT_EQ(white_level(parse(XtekctText().set("WhiteLevel", "NaN")), 58000), 58000);
  EXPECT_EQ(white_level(parse(XtekctText().set("WhiteLevel", "60000.0")), 0), 60000);
}

TEST(XtekctScan, PassesOnTheProposedGrid) {
  const XtekctFile file = parse(
      XtekctText().set("VoxelsX", "10").set("VoxelsY", "11").set("VoxelsZ", "12").set("OffsetZ", "-0.5"));

  const ProposedGrid grid = proposed_grid(file), none = proposed_grid(parse(XtekctText()));

  EXPECT_EQ(grid.nx, 10);
  EXPECT_EQ(grid.ny, 11);
  EXPECT_EQ(grid.nz, 12);
  EXPECT_EQ(grid.spacing, 0.05);
  EXPECT_EQ(grid.offset_z, -0.5);
  EXPECT_EQ(none.nx, 0);
  EXPECT_EQ(none.spacing, 0);
}

TEST(XtekctScan, DescribesTheScan) {
  const auto file = parse_xtekct(XtekctText()
                                     .set("Xrays/XraykV", "90")
                                     .set("Xrays/XrayuA", "32")
                                     .set("CTPro/Filter_ThicknessMM", "1.0")
                                     .set("CTPro/Filter_Material", "Cu")
                                     .text(),
                                 "a [2023-10-18 11.22.08]/a.xtekct");

  const ScanDescription description = describe(file);

  EXPECT_EQ(description.name, "scan");
  EXPECT_EQ(description.voltage_kv, 90);
  EXPECT_EQ(description.current_ua, 32);
  EXPECT_EQ(description.filter, "1 mm Cu");
  EXPECT_EQ(description.date, "2023-10-18 11:22:08");
}

TEST(XtekctScan, PolynomialOfHardeningIsScaled) {
  const auto hardening = [](const XtekctText& text) {
    return hardening_of(parse_xtekct(text.text(), "a.xtekct"));
  };

  EXPECT_TRUE(hardening(XtekctText()).empty());
  EXPECT_TRUE(hardening(XtekctText().set("CoefX1", "1.0").set("Scale", "1.0")).empty());
  EXPECT_TRUE(hardening(XtekctText().set("CoefX1", "0")).empty());
  const auto preset =
      hardening(XtekctText().set("CoefX1", "0.75").set("CoefX2", "0.25").set("Scale", "1.32"));
  ASSERT_EQ(preset.size(), 3U);
  EXPECT_EQ(preset[0], 0);
  EXPECT_DOUBLE_EQ(preset[1], 0.99);
  EXPECT_DOUBLE_EQ(preset[2], 0.33);
  EXPECT_EQ(hardening(XtekctText().set("CoefX0", "0.1").set("CoefX4", "0.5")),
            (std::vector<double>{0.1, 1, 0, 0, 0.5}));
}

}  // namespace
}  // namespace feldspar::io::nikon
