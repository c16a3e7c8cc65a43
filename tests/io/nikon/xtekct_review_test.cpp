// What people are told about a file's keys.
#include "io/nikon/xtekct_review.hpp"

#include <gtest/gtest.h>

#include "io/nikon/xtekct_scan.hpp"
#include "tests/io/nikon/nikon_set.hpp"
#include "tests/support/failure.hpp"

namespace feldspar::io::nikon {
namespace {

using testing::count_with;
using testing::XtekctText;
using Use = SourceField::Use;

Review review_of(const XtekctText& text, bool white_level_replaced = false) {
  const XtekctFile file = parse_xtekct(text.text(), "folder/a.xtekct");
  return review(file, to_scan(file, nominal_stage_angles(file)), {.white_level = white_level_replaced});
}

SourceField field(const Review& review, const std::string& name) {
  for (const SourceField& f : review.fields)
    if (f.name == name) return f;
  ADD_FAILURE() << "no field " << name;
  return {};
}

XtekctText with_old_axis(const char* top, const char* bottom) {
  return XtekctText()
      .drop("ObjectOffsetX")
      .drop("ObjectRoll")
      .drop("ObjectTilt")
      .set("CentreOfRotationTop", top)
      .set("CentreOfRotationBottom", bottom);
}

TEST(XtekctReview, FindsNothingInAPlainFile) { EXPECT_TRUE(review_of(XtekctText()).findings.empty()); }

TEST(XtekctReview, SaysWhatBecameOfEveryKey) {
  const Review review = review_of(XtekctText()
                                      .set("SomethingNew", "7")
                                      .set("FilterType", "1")
                                      .set("VoxelsX", "9")
                                      .set("Xrays/XraykV", "90"));

  EXPECT_EQ(field(review, "SrcToObject").use, Use::used);
  EXPECT_EQ(field(review, "SrcToObject").section, "XTekCT");
  EXPECT_EQ(field(review, "SrcToObject").value, "100");
  EXPECT_EQ(field(review, "FilterType").use, Use::ignored);
  EXPECT_NE(field(review, "FilterType").note, "");
  EXPECT_EQ(field(review, "VoxelsX").use, Use::informative);
  EXPECT_EQ(field(review, "SomethingNew").note, "unknown key");
  EXPECT_EQ(field(review, "XraykV").section, "Xrays");
}

TEST(XtekctReview, KeepsRepeatedKeysAsContradicted) {
  const XtekctFile file = parse_xtekct(XtekctText().text() + "WhiteLevel=5\r\n", "a.xtekct");

  const Review result = review(file, to_scan(file, nominal_stage_angles(file)), {});

  EXPECT_EQ(result.fields.back().use, Use::contradicted);
  EXPECT_EQ(field(result, "WhiteLevel").use, Use::used);
  EXPECT_EQ(count_with(result.findings, {"WhiteLevel", "twice"}), 1);
}

TEST(XtekctReview, SaysThatTheCentreOfRotationWasNeverMeasured) {
  const std::vector<std::string> words{"a.xtekct", "centre of rotation was never measured"};

  EXPECT_EQ(count_with(review_of(with_old_axis("0.0", "0.0")).findings, words), 1);
  EXPECT_EQ(count_with(review_of(XtekctText().set("ObjectOffsetX", "0.0")).findings, words), 1);
  EXPECT_EQ(count_with(review_of(XtekctText().drop("ObjectOffsetX")).findings, words), 1);
  EXPECT_EQ(count_with(review_of(XtekctText().set("AutomaticCentreOfRotation", "1")).findings, words), 1);
  EXPECT_EQ(count_with(review_of(with_old_axis("0.1", "-0.1")).findings, words), 0);
  EXPECT_EQ(count_with(review_of(XtekctText().set("AutomaticCentreOfRotation", "0")).findings, words), 0);
}

TEST(XtekctReview, SaysThatTheTwoGenerationsOfKeysDisagree) {
  const Review apart =
      review_of(XtekctText().set("CentreOfRotationTop", "0.1").set("CentreOfRotationBottom", "0.1"));
  const Review leaning =
      review_of(XtekctText().set("CentreOfRotationTop", "0.14").set("CentreOfRotationBottom", "-0.06"));
  const Review same =
      review_of(XtekctText().set("CentreOfRotationTop", "0.04").set("CentreOfRotationBottom", "0.04"));
  const Review unmeasured = review_of(XtekctText()
                                          .set("ObjectOffsetX", "0.1")
                                          .set("CentreOfRotationTop", "0.0")
                                          .set("CentreOfRotationBottom", "0.0"));
  const std::vector<std::string> words{"a.xtekct", "CentreOfRotationTop", "ObjectOffsetX", "are used"};

  EXPECT_EQ(count_with(apart.findings, words), 1);
  EXPECT_EQ(count_with(apart.findings, {"0.060 mm"}), 1);  // 0.1 mm against 0.01 mm times magnification 4
  EXPECT_EQ(field(apart, "CentreOfRotationTop").use, Use::contradicted);
  EXPECT_EQ(field(apart, "ObjectOffsetX").use, Use::used);
  EXPECT_EQ(count_with(leaning.findings, words), 1);
  EXPECT_EQ(count_with(unmeasured.findings, words), 0);
  EXPECT_EQ(count_with(same.findings, words), 0);
  EXPECT_EQ(field(same, "CentreOfRotationTop").use, Use::ignored);
}

TEST(XtekctReview, SaysThatOnlyOneEdgeIsGiven) {
  const Review review = review_of(with_old_axis("0.1", "").drop("CentreOfRotationBottom"));

  EXPECT_EQ(count_with(review.findings, {"only one of CentreOfRotationTop"}), 1);
}

TEST(XtekctReview, ComparesTheVoxelSizeWithTheMagnification) {
  const Review near = review_of(XtekctText().set("VoxelSizeX", "0.0476"));  // 4.8 % below 0.05
  const Review far = review_of(XtekctText().set("VoxelSizeX", "0.06"));

  EXPECT_EQ(count_with(near.findings, {"VoxelSizeX"}), 0);
  EXPECT_EQ(count_with(far.findings, {"a.xtekct", "VoxelSizeX", "0.06", "0.05 mm"}), 1);
  EXPECT_EQ(field(far, "VoxelSizeX").use, Use::contradicted);
}

TEST(XtekctReview, SaysWhichWhiteLevelCounts) {
  EXPECT_EQ(field(review_of(XtekctText()), "WhiteLevel").use, Use::used);
  EXPECT_EQ(field(review_of(XtekctText(), true), "WhiteLevel").use, Use::ignored);
  EXPECT_EQ(field(review_of(XtekctText(), true), "WhiteLevel").note,
            "replaced by the white level that was given");
}

struct Oddity {
  const char* key;
  const char* odd;
  const char* harmless;
  std::vector<std::string> words;
};

TEST(XtekctReview, SaysWhatCtProWouldHaveDoneToo) {
  const std::string differs = "differ from CT Pro's";
  const std::vector<Oddity> oddities{
      {"CoefX1", "0", "1.0", {"CoefX1", "no correction"}},
      {"Scattering", "0.1", "0.0", {"Scattering", differs}},
      {"MedianFilterKernelSize", "3", "1", {"MedianFilterKernelSize is 3", differs}},
      {"ConvolutionKernelSize", "3", "0", {"ConvolutionKernelSize is 3", differs}},
      {"Increment", "2", "1", {"Increment is 2", differs}},
      {"Blanking", "1", "0", {"Blanking", differs}},
      {"BeamHardeningLUTFile", "steel.lut", "", {"steel.lut", differs}},
      {"RegionStartX", "1", "0", {"RegionStart", "whole detector"}},
      {"RegionPixelsY", "3", "4", {"RegionPixels", "whole detector"}},
      {"OffsetZ", "-0.1", "0.0", {"OffsetZ", "off centre"}},
      {"ObjectOffsetY", "1", "0.0", {"ObjectOffsetY is 1", "ignored"}},
      {"DetectorOffsetX", "0.1", "0.0", {"DetectorOffsetX is 0.1", "sign"}},
      {"DetectorOffsetY", "0.1", "0.0", {"DetectorOffsetY is 0.1", "sign"}},
      {"AngularStep", "-45", "45", {"AngularStep is -45", "against the usual sense"}},
      {"CTPro/Shuttling", "True", "False", {"Shuttling is True"}}};
  for (const Oddity& oddity : oddities) {
    EXPECT_EQ(count_with(review_of(XtekctText().set(oddity.key, oddity.odd)).findings, oddity.words), 1)
        << oddity.key;
    EXPECT_TRUE(review_of(XtekctText().set(oddity.key, oddity.harmless)).findings.empty()) << oddity.key;
  }
}

TEST(XtekctReview, CoefficientsOfHardeningAreUsed) {
  const Review review =
      review_of(XtekctText().set("CoefX2", "0.25").set("CoefX1", "0.75").set("Scale", "1.32"));
  EXPECT_TRUE(review.findings.empty());
  for (const char* key : {"CoefX2", "CoefX1", "Scale"}) EXPECT_EQ(field(review, key).use, Use::used) << key;
}

TEST(XtekctReview, SuspectsRadians) {
  const Review review = review_of(XtekctText().set("Projections", "3142").set("AngularStep", "0.002"));

  EXPECT_EQ(count_with(review.findings, {"AngularStep is 0.002", "radians"}), 1);
}

TEST(XtekctReview, KnowsCopiesOfTheSameScan) {
  const auto parse = [](const XtekctText& text) { return parse_xtekct(text.text(), "a.xtekct"); };
  const XtekctFile original = parse(XtekctText());

  EXPECT_EQ(first_difference(original, parse(XtekctText().set("OutputName", "b"))), "");
  EXPECT_EQ(first_difference(original, parse(XtekctText().set("ObjectOffsetX", "0.02"))), "ObjectOffsetX");
}

}  // namespace
}  // namespace feldspar::io::nikon
