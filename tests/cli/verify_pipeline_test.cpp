// The verdict of a run, through the program: printed, stored, in the exit code, and asked again.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "io/hdf5/volume_file.hpp"
#include "tests/support/run_program.hpp"
#include "tests/support/temp_folder.hpp"

namespace feldspar {
namespace {

using testing::Outcome;

class VerifyPipeline : public ::testing::Test {
 protected:
  void SetUp() override {
    const Outcome made = run("simulate markers --scale 1/2 --views 120 -o scan");
    ASSERT_EQ(made.exit_code, 0) << made.output;
  }
  Outcome run(const std::string& arguments) const {
    return testing::run_shell("cd '" + folder_.path().string() + "' && '" FELDSPAR_PROGRAM "' " + arguments +
                              " 2>&1");
  }
  [[nodiscard]] std::string stored(const std::string& name) const {
    return io::VolumeReader(folder_ / "a.h5").text("verification/" + name);
  }
  testing::TempFolder folder_;
};

TEST_F(VerifyPipeline, StoresThatAGoodVolumeIsTrusted) {
  const Outcome made = run("recon scan -o a.h5");

  EXPECT_EQ(made.exit_code, 0) << made.output;
  EXPECT_EQ(stored("verdict"), "trusted");
  EXPECT_TRUE(stored("random voxels").starts_with("passed")) << stored("random voxels");
  EXPECT_EQ(run("verify a.h5").exit_code, 0);
}

TEST_F(VerifyPipeline, KeepsAVolumeThatIsNotTrusted) {
  const Outcome made = run("recon scan -o a.h5 --white-level 30000");

  EXPECT_EQ(made.exit_code, 9) << made.output;
  EXPECT_NE(made.output.find("level of air"), std::string::npos) << made.output;
  EXPECT_EQ(stored("verdict"), "untrusted");
  EXPECT_EQ(run("verify a.h5").exit_code, 9);
  EXPECT_EQ(run("verify --alone a.h5").exit_code, 0);
}

// Few pixels, few views and hardly anything in the plane of the source: what the volume misses there is the
// pattern of its own grid, which turns as well.
TEST_F(VerifyPipeline, TrustsACoarseVolumeOfFewViews) {
  const Outcome made =
      run("simulate markers --scale 1/4 --views 40 -o few && '" FELDSPAR_PROGRAM "' recon few -o a.h5");

  EXPECT_EQ(made.exit_code, 0) << made.output;
}

TEST_F(VerifyPipeline, CanBeLeftOut) {
  const Outcome made = run("recon scan -o a.h5 --white-level 30000 --verify off");

  EXPECT_EQ(made.exit_code, 0) << made.output;
  EXPECT_EQ(stored("verdict"), "");
}

}  // namespace
}  // namespace feldspar
