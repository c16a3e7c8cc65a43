// The verdict of a run, through the program: printed, stored, in the exit code, and asked again.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
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

/// Their outlines are not the same at the two heights at which opposite rays cross them.
TEST_F(VerifyPipeline, TakesNoEllipsoidsForMotion) {
  ASSERT_EQ(run("simulate shepp-logan -o head").exit_code, 0);

  const Outcome outcome = run("info head");

  EXPECT_EQ(outcome.output.find("FAILED"), std::string::npos) << outcome.output;
  EXPECT_NE(outcome.output.find("motion: opposite rays"), std::string::npos) << outcome.output;
}

TEST_F(VerifyPipeline, CanBeLeftOut) {
  const Outcome made = run("recon scan -o a.h5 --white-level 30000 --verify off");

  EXPECT_EQ(made.exit_code, 0) << made.output;
  EXPECT_EQ(stored("verdict"), "");
}

/// Changes one bit of the voxel (x, y, z), wherever the file has its value.
void damage(const std::filesystem::path& file, int x, int y, int z) {
  const float value = io::VolumeReader(file).read(x, 1, y, 1, z, 1)(0, 0, 0);
  std::string bytes(std::filesystem::file_size(file), '\0');
  std::ifstream(file, std::ios::binary).read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  const std::size_t at = bytes.find(std::string(reinterpret_cast<const char*>(&value), sizeof value));
  ASSERT_NE(at, std::string::npos);
  std::fstream(file, std::ios::in | std::ios::out | std::ios::binary)
      .seekp(static_cast<std::streamoff>(at))
      .put(static_cast<char>(bytes[at] ^ 1));
}

TEST_F(VerifyPipeline, FindsTheLayerThatRotted) {
  ASSERT_EQ(run("recon scan -o a.h5").exit_code, 0);
  EXPECT_EQ(run("verify --alone a.h5").exit_code, 0);
  const auto grid = io::VolumeReader(folder_ / "a.h5").grid();
  damage(folder_ / "a.h5", grid.nx / 2, grid.ny / 2 + 3, 17);

  const Outcome alone = run("verify --alone a.h5");

  EXPECT_EQ(alone.exit_code, 9) << alone.output;
  EXPECT_NE(alone.output.find("1 is not what was written: 17"), std::string::npos) << alone.output;
  EXPECT_EQ(run("verify a.h5").exit_code, 9);
}

TEST_F(VerifyPipeline, FindsTheLayersThatCannotBeRead) {
  ASSERT_EQ(run("recon scan -o a.h5 --compress 1").exit_code, 0);
  const auto size = std::filesystem::file_size(folder_ / "a.h5");
  {
    std::fstream file(folder_ / "a.h5", std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(size / 2)) << std::string(64, 'x');
  }
  for (const char* command : {"verify --alone a.h5", "verify a.h5"}) {
    const Outcome found = run(command);
    EXPECT_EQ(found.exit_code, 9) << found.output;
    EXPECT_NE(found.output.find("layers: of "), std::string::npos) << found.output;
  }
}

TEST_F(VerifyPipeline, LeavesAFinishedVolumeAsItIs) {
  for (const char* options : {"", " --white-level 30000"}) {
    const std::string command = std::string("recon scan --resume -o a.h5") + options;
    std::filesystem::remove(folder_ / "a.h5");
    const int code = run(command).exit_code;
    const auto before = testing::run_shell("sha256sum " + (folder_ / "a.h5").string()).output;
    const auto time = std::filesystem::last_write_time(folder_ / "a.h5");

    const Outcome again = run(command);

    EXPECT_EQ(again.exit_code, code) << again.output;
    EXPECT_NE(again.output.find(code == 0 ? "trusted (stored" : "level of air"), std::string::npos)
        << again.output;
    EXPECT_EQ(run("verify a.h5").exit_code, code);
    EXPECT_EQ(testing::run_shell("sha256sum " + (folder_ / "a.h5").string()).output, before);
    EXPECT_EQ(std::filesystem::last_write_time(folder_ / "a.h5"), time);
  }
}

TEST_F(VerifyPipeline, JudgesAJoinedVolumeLikeAnyOther) {
  for (const char* share : {"1/2", "2/2"})
    ASSERT_EQ(run(std::string("recon scan -o p.h5 --slabs ") + share).exit_code, 0);
  const std::string parts = "p.part-1-of-2.h5 p.part-2-of-2.h5";

  const Outcome joined = run("join " + parts + " -o a.h5");

  EXPECT_EQ(joined.exit_code, 0) << joined.output;
  EXPECT_EQ(stored("verdict"), "trusted");
  EXPECT_TRUE(stored("random voxels").starts_with("passed")) << stored("random voxels");
  EXPECT_TRUE(stored("layers").starts_with("passed")) << stored("layers");

  std::filesystem::rename(folder_ / "scan", folder_ / "elsewhere");
  const Outcome alone = run("join " + parts + " -o a.h5 --overwrite --solid");
  EXPECT_EQ(alone.exit_code, 0) << alone.output;
  EXPECT_EQ(stored("verdict"), "not verifiable");
  EXPECT_NE(stored("reasons").find("scan"), std::string::npos) << stored("reasons");

  EXPECT_EQ(run("join " + parts + " -o v.h5").exit_code, 0);
  const auto grid = io::VolumeReader(folder_ / "v.h5").grid();
  damage(folder_ / "p.part-2-of-2.h5", grid.nx / 2, grid.ny / 2 + 3, 2);
  EXPECT_EQ(run("verify --alone v.h5").exit_code, 9);
  EXPECT_EQ(run("verify --alone a.h5").exit_code, 0);
  for (const char* how : {"", " --solid"}) {
    const Outcome refused = run("join " + parts + " -o x.h5" + how);
    EXPECT_EQ(refused.exit_code, 3) << refused.output;
    EXPECT_NE(refused.output.find("a part is damaged"), std::string::npos) << refused.output;
    EXPECT_FALSE(std::filesystem::exists(folder_ / "x.h5"));
  }
}

}  // namespace
}  // namespace feldspar
