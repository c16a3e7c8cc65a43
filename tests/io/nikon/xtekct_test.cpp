// The text of .xtekct files, as dirty as it comes.
#include "io/nikon/xtekct.hpp"

#include <gtest/gtest.h>

#include "tests/support/failure.hpp"

namespace feldspar::io::nikon {
namespace {

using testing::count_with;
using testing::expect_failure;
using testing::failure_of;

XtekctFile parse(std::string_view text) { return parse_xtekct(text, "folder/a.xtekct"); }

TEST(Xtekct, KeepsEveryEntryInOrder) {
  const XtekctFile file = parse("[XTekCT]\nName=a b\nSomethingNew= 7 \nEmpty=\n[Xrays]\nXraykV=90\n");

  ASSERT_EQ(file.entries.size(), 4U);
  EXPECT_EQ(file.entries[1].key, "SomethingNew");
  EXPECT_EQ(file.entries[1].value, "7");
  EXPECT_EQ(file.entries[1].line, 3);
  EXPECT_EQ(file.text("Name"), "a b");
  EXPECT_EQ(file.text("Empty"), "");
  EXPECT_EQ(file.number("XraykV", "Xrays"), 90);
  EXPECT_TRUE(file.findings.empty());
}

TEST(Xtekct, ComparesSectionsAndKeysWithoutCase) {
  const XtekctFile file = parse("[XtekCT]\nsrctoobject=5\n[XRAYS]\nxraykv=9\n");

  EXPECT_EQ(file.number("SrcToObject"), 5);
  EXPECT_EQ(file.number("XraykV", "Xrays"), 9);
}

TEST(Xtekct, DoesNotMatchKeysByTheirBeginningOrInOtherSections) {
  const XtekctFile file = parse("[XTekCT]\nScaling=1000\nObjectOffsetX=3\n[CTPro]\nScale=5\n");

  EXPECT_FALSE(file.number("Scale").has_value());
  EXPECT_FALSE(file.number("OffsetX").has_value());
}

TEST(Xtekct, TakesEveryLineEndAndAByteOrderMark) {
  for (const char* const text : {"[XTekCT]\nName=a\nWhiteLevel=5\n", "[XTekCT]\r\nName=a\r\nWhiteLevel=5\r\n",
                                 "\xEF\xBB\xBF[XTekCT]\r\nName=a\r\nWhiteLevel=5"}) {
    const XtekctFile file = parse(text);

    EXPECT_EQ(file.text("Name"), "a");
    EXPECT_EQ(file.number("WhiteLevel"), 5);
  }
}

TEST(Xtekct, SplitsAtTheFirstEqualsSign) {
  const XtekctFile file = parse("[XTekCT]\n[DICOM]\nDICOMTags=<?xml version=\"1.0\" encoding=\"utf-16\"?>\n");

  EXPECT_EQ(file.text("DICOMTags", "DICOM"), "<?xml version=\"1.0\" encoding=\"utf-16\"?>");
}

TEST(Xtekct, BringsLatin1ToUtf8AndLeavesUtf8Alone) {
  const XtekctFile latin = parse("[XTekCT]\nName=\xA9 M\xFCller\n"),
                   utf8 = parse("[XTekCT]\nName=\xC3\xBC\xE2\x82\xAC\n");

  EXPECT_EQ(latin.text("Name"), "\xC2\xA9 M\xC3\xBCller");
  EXPECT_EQ(utf8.text("Name"), "\xC3\xBC\xE2\x82\xAC");
}

TEST(Xtekct, CountsTheFirstOfRepeatedKeysAndSaysSo) {
  const XtekctFile file = parse("[XTekCT]\nWhiteLevel=5\nwhitelevel=6\n");

  EXPECT_EQ(file.number("WhiteLevel"), 5);
  EXPECT_TRUE(file.entries[1].repeated);
  EXPECT_EQ(count_with(file.findings,
                       {"a.xtekct", "whitelevel", "\"5\" in line 2", "\"6\" in line 3", "the first"}),
            1);
}

TEST(Xtekct, SkipsLinesThatAreNoEntriesAndSaysSo) {
  const XtekctFile file = parse("[XTekCT]\n; a comment\n\nrubbish\nWhiteLevel=5\n=7\n");

  EXPECT_EQ(file.number("WhiteLevel"), 5);
  EXPECT_EQ(file.findings.size(), 2U);
  EXPECT_EQ(count_with(file.findings, {"line 4", "rubbish"}), 1);
}

TEST(Xtekct, RefusesDecimalCommasWithAWayOut) {
  const XtekctFile file = parse("[XTekCT]\nDetectorPixelSizeX=0,127\n");

  expect_failure(
      failure_of([&] { (void)file.number("DetectorPixelSizeX"); }), ErrorKind::bad_file,
      {"folder/a.xtekct", "DetectorPixelSizeX", "line 2", "\"0,127\"", "point", "copy of the file"});
}

TEST(Xtekct, RefusesWhatIsNoNumber) {
  for (const char* const value : {"abc", "12mm", "NaN", "inf", "1e999", "0x10", "1 2"}) {
    const XtekctFile file = parse("[XTekCT]\nSrcToObject=" + std::string(value) + "\n");

    expect_failure(failure_of([&] { (void)file.number("SrcToObject"); }), ErrorKind::bad_file,
                   {"a.xtekct", "SrcToObject", value});
  }
}

TEST(Xtekct, ReadsWholeNumbersHoweverWritten) {
  EXPECT_EQ(parse("[XTekCT]\nProjections=60000\n").count("Projections", 100000), 60000);
  EXPECT_EQ(parse("[XTekCT]\nProjections=60000.0\n").count("Projections", 100000), 60000);
  for (const char* const value : {"0", "-3", "2.5", "100001", "1e300"})
    expect_failure(
        failure_of([&] {
          (void)parse("[XTekCT]\nProjections=" + std::string(value) + "\n").count("Projections", 100000);
        }),
        ErrorKind::bad_file, {"a.xtekct", "Projections", "line 2", value, "from 1 to 100000"});
}

TEST(Xtekct, NamesAKeyThatIsMissingOrEmpty) {
  for (const char* const text : {"[XTekCT]\n", "[XTekCT]\nSrcToObject=\n"})
    expect_failure(failure_of([&] { (void)parse(text).required("SrcToObject"); }), ErrorKind::bad_file,
                   {"a.xtekct", "SrcToObject"});
}

TEST(Xtekct, RefusesOtherTexts) {
  expect_failure(failure_of([] { (void)parse("<html></html>"); }), ErrorKind::bad_file,
                 {"a.xtekct", "[XTekCT]"});
  expect_failure(failure_of([] { (void)parse(""); }), ErrorKind::bad_file, {"a.xtekct", "[XTekCT]"});
  expect_failure(failure_of([] { (void)parse(std::string_view("\xFF\xFE[\0X\0", 6)); }), ErrorKind::bad_file,
                 {"a.xtekct", "UTF-16", "UTF-8"});
}

TEST(Xtekct, IsRecognisedByItsFirstSection) {
  EXPECT_TRUE(looks_like_xtekct("[XTekCT]\nName=a"));
  EXPECT_TRUE(looks_like_xtekct("\xEF\xBB\xBF\r\n; comment\r\n[xtekct]\r\n"));
  EXPECT_TRUE(looks_like_xtekct("[Xrays]\nXraykV=1"));
  EXPECT_FALSE(looks_like_xtekct("[Other]\n[XTekCT]"));
  EXPECT_FALSE(looks_like_xtekct("II*"));
  EXPECT_FALSE(looks_like_xtekct(""));
}

}  // namespace
}  // namespace feldspar::io::nikon
