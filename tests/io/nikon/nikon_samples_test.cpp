// Files that real instruments wrote.
#include <gtest/gtest.h>

#include <numbers>

#include "io/open_scan.hpp"
#include "tests/support/failure.hpp"
#include "tests/support/test_data.hpp"

namespace feldspar::io {
namespace {

using testing::count_with;
using testing::expect_failure;
using testing::failure_of;

const std::string lego = "nikon/Lego_alignment test_1 [2023-10-18 11.22.08]";
const std::string lego_01 = lego + "/Lego_alignment test_1_01.xtekct";
const std::string old_keys = "nikon/inspectx_old_keys.xtekct";
constexpr double degree = std::numbers::pi / 180;
constexpr double rounding = 1e-12;  // of degrees beyond a turn, in double

const SourceField& field(const ScanSource& source, const std::string& name) {
  for (const SourceField& f : source.fields())
    if (f.name == name) return f;
  throw Error(ErrorKind::internal, "no field " + name);
}

TEST(NikonSamples, LegoAsItsCopyDescribesIt) {
  FELDSPAR_NEEDS_DATA(lego_01);

  const auto source = open_scan(testing::test_data() / lego_01, {.headers_only = true});

  const geometry::CircularScan& scan = source->scan();
  EXPECT_EQ(scan.source_object_distance, 33.97571);
  EXPECT_EQ(scan.source_detector_distance, 679.5143);
  EXPECT_EQ(scan.detector.columns, 1000);
  EXPECT_EQ(scan.detector.rows, 1000);
  EXPECT_EQ(scan.detector.column_pitch, 0.4);
  EXPECT_EQ(scan.axis.offset, 0.0277442);
  EXPECT_NEAR(scan.axis.roll, -0.07657059 * degree, rounding);
  EXPECT_EQ(scan.axis.tilt, 0);
  ASSERT_EQ(scan.angles.size(), 1570U);
  EXPECT_NEAR(scan.angles[0], (180 - 40.20631) * degree, rounding);
  EXPECT_NEAR(scan.angles[1569], (180 - 40.20631 - 1569 * 0.2299575) * degree, rounding);
  EXPECT_NEAR(1570 * (scan.angles[0] - scan.angles[1]), 361.0333 * degree,
              1e-4 * degree);  // seven digits of the step
  EXPECT_EQ(source->references().white, std::vector<float>{58500});
}

TEST(NikonSamples, LegoIsDescribed) {
  FELDSPAR_NEEDS_DATA(lego_01);

  const auto source = open_scan(testing::test_data() / lego_01, {.headers_only = true});

  EXPECT_EQ(source->description().name, "Lego_alignment test_1");
  EXPECT_EQ(source->description().voltage_kv, 90);
  EXPECT_EQ(source->description().current_ua, 32);
  EXPECT_EQ(source->description().filter, "1 mm Aluminium");
  EXPECT_EQ(source->description().date, "2023-10-18 11:22:08");
  EXPECT_EQ(source->proposed_grid().nz, 814);
  EXPECT_EQ(source->proposed_grid().spacing, 0.02);
  EXPECT_EQ(field(*source, "DICOMTags").section, "DICOM");
  EXPECT_EQ(field(*source, "ObjectRoll").use, SourceField::Use::used);
  EXPECT_EQ(field(*source, "Product").value, "[XT 5.4][Copyright (c) 2004-2019 Nikon Metrology NV]");
}

TEST(NikonSamples, LegosFolderHoldsTwoCopiesOfOneScan) {
  FELDSPAR_NEEDS_DATA(lego);

  const auto source = open_scan(testing::test_data() / lego, {.headers_only = true});

  EXPECT_EQ(source->files()[0].filename(), "Lego_alignment test_1.xtekct");
  EXPECT_EQ(source->files()[1].filename(), "Lego_alignment test_1.ctprofile.xml");
  EXPECT_EQ(source->description().exposure_s, 0.708);
  EXPECT_EQ(count_with(source->findings(), {"Lego_alignment test_1_01.xtekct", "same scan"}), 1);
  EXPECT_EQ(count_with(source->findings(), {"no projection Lego_alignment test_1_NUMBER.tif"}), 1);
  EXPECT_EQ(count_with(source->findings(), {"OffsetZ"}), 1);
  EXPECT_EQ(source->findings().size(), 3U) << "its measured angles and its profile agree with it";
}

TEST(NikonSamples, LegosMeasuredAnglesAgreeWithItsStep) {
  FELDSPAR_NEEDS_DATA(lego_01);

  const auto nominal = open_scan(testing::test_data() / lego_01, {.headers_only = true});
  const auto measured = open_scan(testing::test_data() / lego_01, {.angles = "file", .headers_only = true});

  ASSERT_EQ(measured->scan().angles.size(), 1570U);  // of 1571 rows
  EXPECT_NEAR(measured->scan().angles[0], (180 - 40.20631 - 0.0342) * degree, rounding);
  EXPECT_NEAR(measured->scan().angles[1569], (180 - 40.20631 - 360.8379) * degree, rounding);
  for (std::size_t n = 0; n < 1570; ++n)  // 0.0342 deg of offset and 0.0066 deg of noise, a third of a step
    EXPECT_NEAR(measured->scan().angles[n], nominal->scan().angles[n], 0.045 * degree) << n;
}

TEST(NikonSamples, LegosProjectionsAreAskedFor) {
  FELDSPAR_NEEDS_DATA(lego_01);

  expect_failure(failure_of([] { (void)open_scan(testing::test_data() / lego_01); }), ErrorKind::io,
                 {"Lego_alignment test_1_01.xtekct", "Lego_alignment test_1_NUMBER.tif"});
}

TEST(NikonSamples, OldKeysLeaveTheAxisUnmeasured) {
  FELDSPAR_NEEDS_DATA(old_keys);

  const auto source = open_scan(testing::test_data() / old_keys, {.headers_only = true});

  EXPECT_EQ(source->scan().angles.size(), 3142U);
  EXPECT_EQ(source->scan().detector.columns, 2000);
  EXPECT_EQ(source->scan().axis.offset, 0);
  EXPECT_EQ(source->references().white, std::vector<float>{60000});
  EXPECT_EQ(source->description().filter, "");
  EXPECT_EQ(field(*source, "CentreOfRotationTop").use, SourceField::Use::used);
  EXPECT_EQ(count_with(source->findings(), {"centre of rotation was never measured"}), 1);
}

}  // namespace
}  // namespace feldspar::io
