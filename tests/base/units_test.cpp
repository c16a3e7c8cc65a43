// Quantities as people type them: what is understood, what is refused, and how they are shown.
#include "base/units.hpp"

#include <gtest/gtest.h>

#include <numbers>
#include <string>

#include "tests/support/errors.hpp"

namespace feldspar {
namespace {

TEST(ParseLength, TakesEveryUnit) {
  EXPECT_DOUBLE_EQ(parse_length_mm("36um", "voxel"), 0.036);
  EXPECT_DOUBLE_EQ(parse_length_mm("36 µm", "voxel"), 0.036);
  EXPECT_DOUBLE_EQ(parse_length_mm("0.036mm", "voxel"), 0.036);
  EXPECT_DOUBLE_EQ(parse_length_mm("1.2cm", "voxel"), 12);
  EXPECT_DOUBLE_EQ(parse_length_mm("1m", "voxel"), 1000);
  EXPECT_DOUBLE_EQ(parse_length_mm("500nm", "voxel"), 0.0005);
}

TEST(ParseLength, KnowsBothMusAndWordsInWhateverCase) {
  for (const char* text : {"200 \u00b5m", "200\u03bcm", "200um", "200 UM", "200 micrometer", "200 Microns"})
    EXPECT_DOUBLE_EQ(parse_length_mm(text, "pixel"), 0.2) << text;
  EXPECT_DOUBLE_EQ(millimetres_in("\u03bcm").value(), 1e-3);
  EXPECT_DOUBLE_EQ(millimetres_in("Metre").value(), 1e3);
  EXPECT_DOUBLE_EQ(radians_in("Degrees").value(), radians_per_degree);
  for (const char* unit : {"", "px", "parsec", "1mm", "e3mm", "degC"}) {
    EXPECT_FALSE(millimetres_in(unit)) << unit;
    EXPECT_FALSE(radians_in(unit)) << unit;
  }
}

TEST(ParseLength, NeedsAUnitForAllButZero) {
  EXPECT_DOUBLE_EQ(parse_length_mm(" +1.5 mm ", "voxel"), 1.5);
  EXPECT_DOUBLE_EQ(parse_length_mm("-2e-3mm", "voxel"), -0.002);
  EXPECT_EQ(parse_length_mm("0", "voxel"), 0);
  for (const char* text : {"36", "0.036", "-1"})
    testing::expect_error(ErrorKind::usage, {"--voxel", text, "without a unit", "36um"},
                          [text] { (void)parse_length_mm(text, "--voxel"); });
}

TEST(ParseLength, MayBePixelsWhereThoseAreReported) {
  const LengthOrPixels pixels = parse_length_or_pixels("-1.5 px", "--axis-offset");

  EXPECT_TRUE(pixels.is_pixels);
  EXPECT_DOUBLE_EQ(pixels.in_mm(0.2), -0.3);
  EXPECT_DOUBLE_EQ(parse_length_or_pixels("120um", "--axis-offset").in_mm(0.2), 0.12);
  testing::expect_error(ErrorKind::usage, {"--axis-offset", "1.5px"},
                        [] { (void)parse_length_or_pixels("1.5", "--axis-offset"); });
}

TEST(ParseLength, RefusesWhatIsNoLengthAndSaysWhichQuantity) {
  for (const char* text : {"", " ", "mm", "abc", "1,5mm", "1.5 furlong", "nan", "inf", "1.5mm mm", "0x10",
                           "1e999", "++1", "+-1", "1 2mm", "3deg"})
    testing::expect_error(ErrorKind::usage, {"--voxel", text, "36um"},
                          [text] { (void)parse_length_mm(text, "--voxel"); });
}

TEST(ParseAngle, TakesDegreesAndRadians) {
  EXPECT_DOUBLE_EQ(parse_angle_rad("180deg", "roll"), std::numbers::pi);
  EXPECT_DOUBLE_EQ(parse_angle_rad("-90°", "roll"), -std::numbers::pi / 2);
  EXPECT_DOUBLE_EQ(parse_angle_rad("0.01rad", "roll"), 0.01);
  EXPECT_EQ(parse_angle_rad("0", "roll"), 0);
}

TEST(ParseAngle, RefusesWhatIsNoAngle) {
  for (const char* text : {"", "deg", "1mm", "nandeg", "1.5 turns", "180"})
    testing::expect_error(ErrorKind::usage, {"--roll"}, [text] { (void)parse_angle_rad(text, "--roll"); });
}

TEST(ParseBytes, TakesBinaryAndDecimalUnits) {
  EXPECT_EQ(parse_bytes("4GiB", "memory"), std::size_t{4} << 30);
  EXPECT_EQ(parse_bytes("16G", "memory"), std::size_t{16} << 30);
  EXPECT_EQ(parse_bytes("500MB", "memory"), 500'000'000u);
  EXPECT_EQ(parse_bytes("1.5KiB", "memory"), 1536u);
  EXPECT_EQ(parse_bytes("2TiB", "memory"), std::size_t{2} << 40);
  EXPECT_EQ(parse_bytes("1024 B", "memory"), 1024u);
}

TEST(ParseBytes, RefusesAmountsThatNoMachineHas) {
  for (const char* text :
       {"0", "-1GiB", "0.5", "8", "infGiB", "1e30", "10000000TiB", "", "GiB", "4 gigs", "nanGiB"})
    testing::expect_error(ErrorKind::usage, {"--memory"}, [text] { (void)parse_bytes(text, "--memory"); });
}

TEST(ParseNumber, TakesAllOfTheTextOrNothing) {
  double value = 0;

  EXPECT_TRUE(parse_number("60000.0", value));
  EXPECT_EQ(value, 60000);
  EXPECT_TRUE(parse_number("000.0342", value));
  EXPECT_EQ(value, 0.0342);
  for (const char* text : {"", "0,127", "1.5x", "x1.5", "1.5.2", "NaN", "inf", "-", "1 2", "+-2"})
    EXPECT_FALSE(parse_number(text, value)) << text;
}

TEST(Format, ShowsAmountsAtAReadableScale) {
  EXPECT_EQ(format_bytes(0), "0 B");
  EXPECT_EQ(format_bytes(1023), "1023 B");
  EXPECT_EQ(format_bytes(std::size_t{32'000'000'000}), "29.8 GiB");
  EXPECT_EQ(format_length_mm(0.036), "36.00 um");
  EXPECT_EQ(format_length_mm(0.0005), "500.0 nm");
  EXPECT_EQ(format_length_mm(0), "0.00 mm");
  EXPECT_EQ(format_length_mm(-12.5), "-12.50 mm");
}

TEST(Format, ShowsTimesAtAReadableScale) {
  EXPECT_EQ(format_seconds(0.25), "0.2 s");
  EXPECT_EQ(format_seconds(45), "45 s");
  EXPECT_EQ(format_seconds(725), "12m 05s");
  EXPECT_EQ(format_seconds(7500), "2h 05m");
}

}  // namespace
}  // namespace feldspar
