// Beam hardening and scatter through the program: the file's polynomial, one's own, one from the scan.
#include <fmt/format.h>

#include <cmath>
#include <fstream>

#include "tests/cli/program_folder.hpp"

namespace feldspar {
namespace {

/// A small scan of a cylinder; `spectrum` as options of simulate.
class HardeningProgram : public testing::ProgramFolder {
 protected:
  void simulate(const std::string& spectrum = {}) const {
    expect_success("simulate cylinder -o scan --name scan --scale 1/4 --views 90 --no-noise " + spectrum);
  }
  /// Writes CT Pro's coefficients into the scan's file.
  void ask_for(const std::string& x1, const std::string& x2, const std::string& scale) const {
    const auto edited = shell("sed -i 's/^CoefX1=.*/CoefX1=" + x1 + "\\r/; s/^CoefX2=.*/CoefX2=" + x2 +
                              "\\r/; s/^Scale=.*/Scale=" + scale + "\\r/' scan/scan.xtekct");
    ASSERT_EQ(edited.exit_code, 0) << edited.output;
  }
  void recon(const std::string& volume, const std::string& options) const {
    expect_success("recon scan --correct off -o " + volume + " " + options);
  }
};

TEST_F(HardeningProgram, IsOfferedWhereItWouldMakeTheObjectMoreEven) {
  simulate("--spectrum 205kV");

  const testing::Outcome info = run("info scan");

  EXPECT_NE(info.output.find("to apply it, give --hardening auto"), std::string::npos) << info.output;
}

/// Every other view leaves a gap that would be refused, which the scan itself does not.
TEST_F(HardeningProgram, IsNotLookedForAtTheCostOfTheRun) {
  constexpr int half = 120;
  constexpr double radian = 0.017453292519943295, gap = 59, step = (360 - gap) / (2 * half - 1);
  expect_success("simulate cylinder --columns 48 --rows 32 --pitch 2mm --views 240 -o scan");
  expect_success("convert scan plain --format tiff");
  std::string angles;
  for (int n = 0; n < 2 * half; ++n)
    angles += fmt::format("{}\n", radian * (n * step + (n < half ? 0 : gap - step)));
  std::ofstream(folder_ / "plain/angles.txt") << angles;

  const testing::Outcome info = run("info plain");

  EXPECT_EQ(info.output.find("of it without a view"), std::string::npos) << info.output;
}

TEST_F(HardeningProgram, PolynomialOfTheFileIsAppliedUnlessToldOtherwise) {
  simulate();
  recon("plain.h5", "");
  ask_for("0.75", "0.25", "1.2");
  // Of a beam that is not hard: no volume casts what such a polynomial makes of it.
  recon("file.h5", "--verify off");
  recon("own.h5", "--hardening 0.9,0.3 --verify off");
  recon("off.h5", "--hardening off");

  EXPECT_EQ(voxels("off.h5"), voxels("plain.h5"));
  const std::vector<float> file = voxels("file.h5"), own = voxels("own.h5"), plain = voxels("plain.h5");
  double largest = 0, changed = 0;
  for (std::size_t n = 0; n < file.size(); ++n) {
    largest = std::max<double>(largest, std::abs(file[n] - own[n]));
    changed = std::max<double>(changed, std::abs(file[n] - plain[n]));
  }
  EXPECT_LT(largest, 1e-7);  // 1.2 * 0.75 and 0.9 differ by rounding
  EXPECT_GT(changed, 0.01);

  const testing::Outcome info = run("info scan --fields");
  EXPECT_NE(info.output.find("0.9 p + 0.3 p^2"), std::string::npos) << info.output;
}

TEST_F(HardeningProgram, AutomaticPolynomialFlattensTheCylinderAndSaysSo) {
  simulate("--spectrum 205kV");
  const testing::Outcome made = shell(testing::quoted_program(FELDSPAR_PROGRAM) +
                                      " recon scan --correct off --hardening auto -o flat.h5");
  ASSERT_EQ(made.exit_code, 0) << made.output;
  EXPECT_NE(made.output.find("beam hardening: p' = "), std::string::npos) << made.output;
  recon("plain.h5", "");
  // 64 voxels of 0.8 mm: the middle row of the middle slice at the axis and 15 mm beside it.
  const auto cupping = [&](const std::string& file) {
    const std::vector<float> all = voxels(file);
    const auto at = [&](int i) {
      return all[(std::size_t{32} * 64 + 32) * 64 + static_cast<std::size_t>(i)];
    };
    return 1 - at(32) / (0.5 * (at(32 - 18) + at(32 + 18)));
  };
  EXPECT_GT(cupping("plain.h5"), 0.08);
  EXPECT_LT(std::abs(cupping("flat.h5")), 0.02);
}

TEST_F(HardeningProgram, VolumeDoesNotDependOnSlabsWhenScatterIsTakenOff) {
  simulate("--scatter 0.2");
  recon("whole.h5", "--scatter kernel:0.2");
  recon("parts.h5", "--scatter kernel:0.2 --slabs 1/2");
  recon("parts.h5", "--scatter kernel:0.2 --slabs 2/2");
  expect_success("join parts.part-*.h5 -o parts.h5");
  EXPECT_EQ(voxels("parts.h5"), voxels("whole.h5"));
}

TEST_F(HardeningProgram, RefusesWhatItCannotRead) {
  simulate();
  expect_failure("recon scan -o v.h5 --hardening steel", 2, {"--hardening", "steel", "0.75,0.25"});
  expect_failure("recon scan -o v.h5 --scatter 0.1", 2, {"--scatter", "0.1", "constant:0.02"});
  expect_failure("simulate cylinder -o other --spectrum 205", 2, {"205", "kV"});
  EXPECT_FALSE(has("v.h5"));
}

TEST_F(HardeningProgram, WarnsOfPolynomialsThatFall) {
  simulate();
  const testing::Outcome made = run("recon scan -o v.h5 --hardening 1,-0.4");
  EXPECT_EQ(made.exit_code, 0) << made.output;
  EXPECT_NE(made.output.find("falls"), std::string::npos) << made.output;
}

}  // namespace
}  // namespace feldspar
