// From a scan in Nikon's format to a volume and back to numbers, with the program itself.
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "io/hdf5/volume_file.hpp"
#include "tests/support/run_program.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/support/test_data.hpp"

namespace feldspar {
namespace {

namespace fs = std::filesystem;
using testing::Outcome;

/// A folder with one small simulated scan in it.
class Pipeline : public ::testing::Test {
 protected:
  void simulate(const std::string& preset_and_options) {
    const Outcome made = run("simulate " + preset_and_options + " -o scan");
    ASSERT_EQ(made.exit_code, 0) << made.output;
  }
  Outcome run(const std::string& arguments) const {
    // The program is called from inside the folder, so that its paths are short and relative.
    return shell(testing::quoted_program(FELDSPAR_PROGRAM) + " -q " + arguments);
  }
  Outcome shell(const std::string& command) const {
    return testing::run_shell("cd '" + folder_.path().string() + "' && { " + command + " ; } 2>&1");
  }
  [[nodiscard]] std::vector<std::string> files_but_scan() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_.path()))
      if (entry.path().filename() != "scan") names.push_back(entry.path().filename().string());
    return names;
  }
  [[nodiscard]] std::vector<float> voxels(const std::string& file) const {
    const io::VolumeReader reader(folder_ / file);
    const auto& g = reader.grid();
    const auto box = reader.read(0, g.nx, 0, g.ny, 0, g.nz);
    return {box.view().values().begin(), box.view().values().end()};
  }
  /// The mean of 3 x 3 x 3 voxels around a place in mm.
  [[nodiscard]] double value_near(const std::string& file, geometry::Vec3 place) const {
    const io::VolumeReader reader(folder_ / file);
    const auto& g = reader.grid();
    const auto index = [](double at, double origin, double spacing) {
      return int(std::lround((at - origin) / spacing)) - 1;
    };
    const auto box =
        reader.read(index(place.x, g.origin.x, g.spacing.x), 3, index(place.y, g.origin.y, g.spacing.y), 3,
                    index(place.z, g.origin.z, g.spacing.z), 3);
    double sum = 0;
    for (const float value : box.view().values()) sum += value;
    return sum / 27;
  }
  testing::TempFolder folder_;
};

// The spheres of the phantom (simulate/phantom.cpp) at places that no mirror image or turn has in common:
// 0.1 /mm within, 0.01 /mm around them. A place that is off by a voxel still has most of a sphere.
TEST_F(Pipeline, MarkersComeOutWhereTheyAre) {
  for (const char* variation :
       {"", " --axis-offset 300um --axis-roll 0.8deg --axis-tilt -0.6deg", " --detector-offset 1.1mm"}) {
    simulate(std::string("markers --scale 1/2 --views 180 --overwrite --no-noise") + variation);
    const Outcome made = run("recon scan -o markers.h5 --overwrite");
    ASSERT_EQ(made.exit_code, 0) << made.output;

    for (const geometry::Vec3 place : {geometry::Vec3{14, 0, 12}, {0, 10, 4}, {-7, 0, -6}}) {
      EXPECT_NEAR(value_near("markers.h5", place), 0.1, 0.01) << place.x << variation;
      EXPECT_NEAR(value_near("markers.h5", {-place.x, -place.y, place.z}), 0.01, 0.01)
          << place.x << variation;
      EXPECT_NEAR(value_near("markers.h5", {place.x, place.y, -place.z}), 0.01, 0.01) << place.x << variation;
    }
  }
}

TEST_F(Pipeline, UniformCylinderReadsItsAttenuation) {
  simulate("cylinder --scale 1/2 --no-noise --no-blur");
  ASSERT_EQ(run("recon scan -o cylinder.h5").exit_code, 0);

  // 0.5 % of 0.05 /mm, of which rounding to counts of 60000 is a hundredth.
  for (const geometry::Vec3 place : {geometry::Vec3{0, 0, 0}, {10, 0, 0}, {0, -12, 0}, {5, 5, 3}})
    EXPECT_NEAR(value_near("cylinder.h5", place), 0.05, 0.00025);
  EXPECT_NEAR(value_near("cylinder.h5", {20.5, 0, 0}), 0, 0.0005);
}

// The acrylic disc of the Helsinki challenge: about 0.032 /mm (hardened: more at the rim), and holes whose
// edges double when the object turns the wrong way, which lowers the image's variance.
TEST_F(Pipeline, RealLaboratoryScanIsQuantitativeAndSharpOneWayRound) {
  const auto scan = testing::test_data() / "fan_htc2022/htc2022_ta_cone_nxtomo.nxs";
  FELDSPAR_NEEDS_DATA("fan_htc2022/htc2022_ta_cone_nxtomo.nxs");
  ASSERT_EQ(run("recon '" + scan.string() + "' -o right.h5").exit_code, 0);
  ASSERT_EQ(run("recon '" + scan.string() + "' -o wrong.h5 --reverse-rotation --verify off").exit_code, 0);

  const auto energy = [&](const char* file) {
    double sum = 0;
    for (const float value : voxels(file)) sum += double(value) * value;
    return sum;
  };
  EXPECT_GT(energy("right.h5"), 1.005 * energy("wrong.h5"));
  const auto right = voxels("right.h5");
  double mean = 0;
  int count = 0;
  for (const float value : right)
    if (value > 0.02) mean += value, ++count;
  EXPECT_NEAR(mean / count, 0.032, 0.003);
}

TEST_F(Pipeline, BudgetAndReplayGiveTheSameBits) {
  simulate("shepp-logan --scale 1/2 --views 60");
  ASSERT_EQ(run("recon scan -o a.h5 --window hann --cutoff 0.9 --views 0:60:2 --size 90,92,94").exit_code, 0);
  ASSERT_EQ(shell(testing::quoted_program(FELDSPAR_PROGRAM) + " info --config a.h5 > a.toml").exit_code, 0);
  ASSERT_EQ(run("recon --config a.toml -o b.h5 --save-config b.toml").exit_code, 0);
  ASSERT_EQ(run("recon --config b.toml -o c.h5 --memory 112MiB --threads 1").exit_code, 0);

  EXPECT_EQ(voxels("b.h5"), voxels("a.h5"));
  EXPECT_EQ(voxels("c.h5"), voxels("a.h5"));
}

TEST_F(Pipeline, LikeTakesTheVoxelsOfAnotherVolume) {
  simulate("markers --scale 1/4 --views 90");
  ASSERT_EQ(run("recon scan -o one.h5 --voxel-size 0.9mm --size 31,30,17 --center 1mm,-2mm,3mm").exit_code,
            0);
  ASSERT_EQ(run("recon scan -o other.h5 --like one.h5 --views 0:90:2").exit_code, 0);
  EXPECT_TRUE(io::VolumeReader(folder_ / "one.h5").grid() == io::VolumeReader(folder_ / "other.h5").grid());
  const Outcome both = run("recon scan -o none.h5 --like one.h5 --size 8,8,8");
  EXPECT_EQ(both.exit_code, 2) << both.output;
  EXPECT_NE(both.output.find("leave out --like"), std::string::npos) << both.output;
}

TEST_F(Pipeline, Uint16IsWithinHalfAStep) {
  simulate("shepp-logan --scale 1/4 --views 60");
  ASSERT_EQ(run("recon scan -o a.h5").exit_code, 0);
  ASSERT_EQ(run("recon scan -o b.h5 --type uint16 --range=-0.5,1 --compress 1").exit_code, 0);

  const auto exact = voxels("a.h5"), coded = voxels("b.h5");
  ASSERT_EQ(exact.size(), coded.size());
  for (std::size_t n = 0; n < exact.size(); ++n) ASSERT_NEAR(coded[n], exact[n], 0.51 * 1.5 / 65535);
}

TEST_F(Pipeline, DryRunLeavesNothingAndSaysThePlan) {
  simulate("shepp-logan --scale 1/4 --views 20");
  const Outcome plan = run("recon scan -o a.h5 --dry-run");

  EXPECT_EQ(plan.exit_code, 0);
  EXPECT_NE(plan.output.find("64 x 64 x 64 voxels"), std::string::npos) << plan.output;
  for (const char* origin :
       {"detector pitch / magnification", "all that the detector covers", "roll 0.000 deg, from reverse rays",
        "mm, from the scan's file; pixels of", "(the fastest here)"})
    EXPECT_NE(plan.output.find(origin), std::string::npos) << origin << " in\n" << plan.output;
  const Outcome told =
      run("recon scan --dry-run --voxel-size 500um --size 40,30,20 --axis-offset 0.1mm --device cpu");
  for (const char* origin : {"(x, y, z; given)", "mm (given)", "from given", "(given)\nfilter"})
    EXPECT_NE(told.output.find(origin), std::string::npos) << origin << " in\n" << told.output;
  EXPECT_TRUE(files_but_scan().empty());
}

TEST_F(Pipeline, InfoIsJsonForPrograms) {
  simulate("shepp-logan --scale 1/4 --views 20");
  const auto info = nlohmann::json::parse(run("info scan --json").output);

  EXPECT_EQ(info["views"], 20);
  EXPECT_TRUE(info["has_pixels"]);
  EXPECT_EQ(info["volume"]["size"], (std::vector<int>{64, 64, 64}));
}

TEST_F(Pipeline, EveryStageSaysHowLongItTook) {
  simulate("shepp-logan --scale 1/4 --views 20");
  const auto result = nlohmann::json::parse(run("recon scan -o a.h5 --json 2>/dev/null").output);

  const io::VolumeReader volume(folder_ / "a.h5");
  for (const std::string stage :
       {"read", "attenuation", "correction", "rectification", "filter", "back_projection", "write"}) {
    EXPECT_TRUE(result.contains(stage + "_s")) << stage;
    EXPECT_NE(volume.text("reconstruction/time_" + stage + "_s"), "") << stage;
  }
}

TEST_F(Pipeline, FailuresLeaveNothingBehind) {
  simulate("shepp-logan --scale 1/4 --views 20");
  const struct {
    const char* arguments;
    int exit_code;
    const char* word;
  } cases[] = {{"recon scan -o no/such/folder/a.h5", 4, "no/such/folder"},
               {"recon scan -o a.h5 --memory 1MiB", 5, "--memory"},
               {"recon scan -o a.h5 --memory lots", 2, "--memory"},
               {"recon scan -o a.h5 --voxel-size -1um", 2, "--voxel-size"},
               {"recon scan -o a.h5 --size 3,4", 2, "--size"},
               {"recon scan -o a.h5 --size 64,64,0", 2, "--size"},
               {"recon scan -o a.h5 --views 5:3", 2, "--views"},
               {"recon scan -o a.h5 --window box", 2, "ram-lak"},
               {"recon scan -o a.h5 --cutoff 1.5", 2, "Nyquist"},
               {"recon scan -o a.h5 --device gpu", 2, "feldspar devices"},
               {"recon scan -o a.h5 --views 0:9", 3, "missing"},
               {"recon scan", 2, "-o"},
               {"recon -o a.h5", 2, "scan"},
               {"slice a.h5", 4, "a.h5"}};
  for (const auto& c : cases) {
    const Outcome outcome = run(c.arguments);
    EXPECT_EQ(outcome.exit_code, c.exit_code) << c.arguments << ": " << outcome.output;
    EXPECT_NE(outcome.output.find(c.word), std::string::npos) << c.arguments << ": " << outcome.output;
  }
  EXPECT_TRUE(files_but_scan().empty());
}

/// README's own names: a description beside the volume is not replaced.
TEST_F(Pipeline, WritesTheVolumeAndNothingElse) {
  simulate("shepp-logan --scale 1/4 --views 20 --format tiff");
  const auto names = [&] {
    std::vector<std::string> all;
    for (const auto& entry : fs::directory_iterator(folder_ / "scan")) all.push_back(entry.path().filename());
    std::sort(all.begin(), all.end());
    return all;
  };
  std::vector<std::string> expected = names();
  expected.emplace_back("scan.h5");
  std::sort(expected.begin(), expected.end());
  const auto size = fs::file_size(folder_ / "scan/scan.toml");

  ASSERT_EQ(
      shell("cd scan && " + testing::quoted_program(FELDSPAR_PROGRAM) + " -q recon . -o scan.h5").exit_code,
      0);

  EXPECT_EQ(names(), expected);
  EXPECT_EQ(fs::file_size(folder_ / "scan/scan.toml"), size);
  EXPECT_EQ(run("info scan").exit_code, 0);
}

TEST_F(Pipeline, ExistingVolumeIsKeptUnlessTold) {
  simulate("shepp-logan --scale 1/4 --views 20");
  std::ofstream(folder_ / "a.h5") << "mine";

  EXPECT_EQ(run("recon scan -o a.h5").exit_code, 4);
  EXPECT_EQ(fs::file_size(folder_ / "a.h5"), 4U);
  EXPECT_EQ(run("recon scan -o a.h5 --overwrite").exit_code, 0);
  EXPECT_GT(fs::file_size(folder_ / "a.h5"), 64U * 64 * 64 * 4);
}

TEST_F(Pipeline, InterruptLeavesNothingBehind) {
  simulate("shepp-logan --scale 1/2 --views 90");
  // Slow enough, on the reference backend, to be stopped in the middle: once its file is there.
  const std::string its_file = (folder_ / "a.h5.partial").string();
  const Outcome outcome =
      run("recon scan -o a.h5 --device reference & pid=$!; for n in $(seq 600); do [ -e '" + its_file +
          "' ] && break; sleep 0.1; done; kill -TERM $pid; wait $pid");

  EXPECT_EQ(outcome.exit_code, 7) << outcome.output;
  EXPECT_TRUE(files_but_scan().empty());
}

TEST_F(Pipeline, UnknownKeyInAConfigurationIsNamed) {
  simulate("shepp-logan --scale 1/4 --views 20");
  std::ofstream(folder_ / "mine.toml") << "voxel-sise = '36um'\n";
  const Outcome outcome = run("recon scan -o a.h5 --config mine.toml");

  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_NE(outcome.output.find("mine.toml: voxel-sise"), std::string::npos) << outcome.output;
}

}  // namespace
}  // namespace feldspar
