// Measured angles: both kinds of file, their order, and their disagreement with the nominal step.
#include "io/nikon/angle_file.hpp"

#include <gtest/gtest.h>

#include "tests/io/nikon/nikon_set.hpp"
#include "tests/support/failure.hpp"

namespace feldspar::io::nikon {
namespace {

using testing::count_with;
using testing::expect_failure;
using testing::failure_of;

const std::string ctdata_head =
    "Projections\tFrames\tExposure(ms)\r\n3\t1\t708.00\r\nProjection\tAngle(deg)\tTime(s)\r\n";
const std::string ang_head = "Proj\tAngle(deg)\n";
const std::vector<double> nominal{0, 10, 20};

AngleFile parse(const std::string& text, const char* name = "folder/_ctdata.txt") {
  return parse_angle_file(text, name);
}
AngleFile with(std::vector<double> degrees, const char* name = "folder/_ctdata.txt") {
  return {name, std::move(degrees)};
}

TEST(AngleFile, ReadsCtdata) {
  const AngleFile file =
      parse(ctdata_head + "1\t000.0342\t002.8319\r\n2\t010.2617\t003.5397\r\n3\t020.5\t4.0\r\n");

  EXPECT_EQ(file.degrees, (std::vector<double>{0.0342, 10.2617, 20.5}));
}

TEST(AngleFile, ReadsAng) {
  const AngleFile file = parse(ang_head + "1:\t20.5\n2:\t10.25\n3:\t0\n\n", "a.ang");

  EXPECT_EQ(file.degrees, (std::vector<double>{20.5, 10.25, 0}));
}

TEST(AngleFile, NamesTheDamagedLine) {
  struct Damage {
    std::string row;
    const char* found;
  };
  for (const Damage& damage :
       {Damage{"2", "\"2\""}, Damage{"2\tNaN", "NaN"}, Damage{"2\tabc", "abc"}, Damage{"x\t5", "x 5"},
        Damage{"2\t0,5\t1", "0,5"}, Damage{"4\t5\t1", "projection 4"}})
    expect_failure(failure_of([&] { (void)parse(ctdata_head + "1\t0\t1\r\n" + damage.row + "\r\n"); }),
                   ErrorKind::bad_file, {"folder/_ctdata.txt", "line 5", damage.found, "expected"});
}

TEST(AngleFile, RefusesOtherTexts) {
  for (const std::string& text : {std::string{}, std::string("<html>\n"), ctdata_head})
    expect_failure(failure_of([&] { (void)parse(text); }), ErrorKind::bad_file,
                   {"_ctdata.txt", "no list of angles"});
}

TEST(AngleFile, IsFoundBesideTheScan) {
  const testing::TempFolder folder;
  EXPECT_EQ(find_angle_file(folder.path(), "scan"), "");
  testing::write_text(folder / "scan.ang", "");
  EXPECT_EQ(find_angle_file(folder.path(), "scan"), folder / "scan.ang");
  testing::write_text(folder / "scan_ctdata.txt", "");
  EXPECT_EQ(find_angle_file(folder.path(), "scan"), folder / "scan_ctdata.txt");
  testing::write_text(folder / "_ctdata.txt", "");
  EXPECT_EQ(find_angle_file(folder.path(), "scan"), folder / "_ctdata.txt");
}

TEST(AngleFile, OfANameThatNoFileCanHaveIsAbsent) {
  const testing::TempFolder folder;

  EXPECT_EQ(find_angle_file(folder.path(), std::string(300, 'a')), "");
}

TEST(MatchAngles, DropsTheRowAfterTheLastProjection) {
  const MeasuredAngles angles = match_angles(with({0.1, 10.1, 20.1, 30.1}), nominal);

  EXPECT_EQ(angles.degrees, (std::vector<double>{0.1, 10.1, 20.1}));
  EXPECT_TRUE(angles.findings.empty());
}

TEST(MatchAngles, RefusesOtherCounts) {
  for (const auto& degrees : {std::vector<double>{0, 10}, std::vector<double>{0, 10, 20, 30, 40}})
    expect_failure(failure_of([&] { (void)match_angles(with(degrees), nominal); }), ErrorKind::bad_file,
                   {"_ctdata.txt", std::to_string(degrees.size()) + " angles", "3 projections"});
}

TEST(MatchAngles, ReadsAngFromLastToFirst) {
  const MeasuredAngles angles = match_angles(with({20.1, 10.1, 0.1}, "a.ang"), nominal);

  EXPECT_EQ(angles.degrees, (std::vector<double>{0.1, 10.1, 20.1}));
  EXPECT_TRUE(angles.findings.empty());
}

TEST(MatchAngles, ReadsAngFromFirstToLastWhenOnlyThatAgrees) {
  const MeasuredAngles angles = match_angles(with({0.1, 10.1, 20.1, 30.1}, "a.ANG"), nominal);

  EXPECT_EQ(angles.degrees, (std::vector<double>{0.1, 10.1, 20.1}));
  EXPECT_EQ(count_with(angles.findings, {"a.ANG", "first to last"}), 1);
}

TEST(MatchAngles, SaysWhereTheyDisagreeByMoreThanHalfAStep) {
  const MeasuredAngles apart = match_angles(with({0, 10, 25.1}), nominal);
  const MeasuredAngles near = match_angles(with({0, 10, 24.9}), nominal);

  EXPECT_EQ(count_with(apart.findings,
                       {"_ctdata.txt", "projection 3", "25.1000", "20.0000", "5.1000", "half a step"}),
            1);
  EXPECT_TRUE(near.findings.empty());
}

TEST(MatchAngles, SaysThatAllAreTurned) {
  const MeasuredAngles angles = match_angles(with({90, 100, 110}), nominal);

  EXPECT_EQ(count_with(angles.findings, {"90.0000 deg after InitialAngle", "only turns the volume"}), 1);
  EXPECT_EQ(angles.findings.size(), 1U);
}

TEST(MatchAngles, ComparesNothingWithoutAStep) {
  const MeasuredAngles angles = match_angles(with({0, 10, 20}), {0, 0, 0});

  EXPECT_EQ(angles.degrees, nominal);
  EXPECT_TRUE(angles.findings.empty());
}

}  // namespace
}  // namespace feldspar::io::nikon
