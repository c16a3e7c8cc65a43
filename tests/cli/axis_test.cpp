// The rotation axis as `recon` takes it: from the file, from the projections, or not at all.
#include <cmath>
#include <fstream>
#include <sstream>

#include "tests/cli/program_folder.hpp"

namespace feldspar {
namespace {

class Axis : public testing::ProgramFolder {
 protected:
  /// A scan whose axis stands 0.6 mm (three pixels) aside.
  void simulate() {
    expect_success(
        "simulate markers --columns 64 --rows 48 --pitch 3.2mm --views 90 --axis-offset 0.6mm --name scan -o "
        "scan");
  }
  /// Makes the scan's file say another axis.
  void say(const std::string& offset) {
    std::stringstream text;
    text << std::ifstream(folder_ / "scan/scan.xtekct").rdbuf();
    std::string said = text.str();
    const auto at = said.find("ObjectOffsetX=");
    said.replace(at, said.find_first_of("\r\n", at) - at, "ObjectOffsetX=" + offset);
    std::ofstream(folder_ / "scan/scan.xtekct") << said;
  }
};

TEST_F(Axis, ThatNobodyMeasuredIsFoundInTheProjections) {
  simulate();
  expect_success("recon scan -o stated.h5");
  say("0");

  const auto found = run("recon scan -o found.h5");

  EXPECT_EQ(found.exit_code, 0) << found.output;
  EXPECT_NE(found.output.find("the projections put it"), std::string::npos) << found.output;
  const std::vector<float> stated = voxels("stated.h5"), at_found = voxels("found.h5");
  ASSERT_EQ(stated.size(), at_found.size());
  double squares = 0, off = 0;
  for (std::size_t n = 0; n < stated.size(); ++n)
    squares += std::pow(stated[n], 2), off += std::pow(stated[n] - at_found[n], 2);
  EXPECT_LT(off, 0.05 * 0.05 * squares);
}

TEST_F(Axis, ThatTheProjectionsContradictIsRefusedUnlessTakenAtItsWord) {
  simulate();
  say("0.9");

  const auto refused = run("recon scan -o a.h5");
  const auto taken = run("recon scan -o b.h5 --axis-offset metadata --verify off");
  const auto sought = run("recon scan -o c.h5 --axis-offset auto");

  EXPECT_EQ(refused.exit_code, 3) << refused.output;
  for (const char* words : {"scan: states", "-0.9000 mm", "--axis-offset auto", "--axis-offset metadata"})
    EXPECT_NE(refused.output.find(words), std::string::npos) << refused.output;
  EXPECT_EQ(taken.exit_code, 0) << taken.output;
  EXPECT_EQ(sought.exit_code, 0) << sought.output;
}

TEST_F(Axis, ThatIsGivenIsShownInThePlanAndNoLongerAGuess) {
  simulate();
  say("0");

  const auto plan = run("recon scan -o a.h5 --dry-run --axis-offset 0.6mm");

  EXPECT_EQ(plan.exit_code, 0) << plan.output;
  EXPECT_NE(plan.output.find("offset 0.6000 mm"), std::string::npos) << plan.output;
  EXPECT_EQ(plan.output.find("assumed"), std::string::npos) << plan.output;
}

}  // namespace
}  // namespace feldspar
