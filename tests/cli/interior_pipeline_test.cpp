// Interior scans with the program itself: what it says, what it stores, and what it refuses.
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

class InteriorPipeline : public ::testing::Test {
 protected:
  Outcome run(const std::string& arguments) const {
    return testing::run_shell("cd '" + folder_.path().string() + "' && '" FELDSPAR_PROGRAM "' -q " +
                              arguments + " 2>&1");
  }
  void make(const std::string& arguments) const {
    const Outcome made = run(arguments);
    ASSERT_EQ(made.exit_code, 0) << made.output;
  }
  [[nodiscard]] std::vector<float> voxels(const std::string& file) const {
    const io::VolumeReader reader(folder_ / file);
    const auto& g = reader.grid();
    const auto box = reader.read(0, g.nx, 0, g.ny, 0, g.nz);
    return {box.view().values().begin(), box.view().values().end()};
  }
  /// Mean over the middle quarter of a volume.
  [[nodiscard]] double level(const std::string& file) const {
    const io::VolumeReader reader(folder_ / file);
    const auto& g = reader.grid();
    const auto box = reader.read(g.nx / 4, g.nx / 2, g.ny / 4, g.ny / 2, g.nz / 4, g.nz / 2);
    double sum = 0;
    for (const float value : box.view().values()) sum += value;
    return sum / double(box.size());
  }
  testing::TempFolder folder_;
};

// A cylinder of 36 mm and 0.05 /mm, of which 48 of 128 columns see 36 mm or less of its width.
TEST_F(InteriorPipeline, ReadsTheLevelWithWhatIsKnownOfTheRest) {
  make("simulate cylinder --scale 1/2 --rows 32 --no-noise --no-blur -o wide --views 120");
  make("simulate cylinder --scale 1/2 --rows 24 --columns 64 --no-noise --no-blur -o inner --views 120");
  make("recon wide -o wide.h5");

  make("recon inner -o off.h5 --truncation off");
  make("recon inner -o guess.h5");
  make("recon inner -o outline.h5 --outline cylinder:36mm");
  make(
      "recon inner -o context.h5 --context wide.h5 --context-at 0mm,0mm,0mm,20deg --save-config "
      "context.toml");
  make("recon --config context.toml -o again.h5");

  EXPECT_GT(level("off.h5"), 0.07);
  EXPECT_NEAR(level("guess.h5"), 0.05, 0.005);  // an object about the axis is guessed well
  EXPECT_NEAR(level("outline.h5"), 0.05, 0.0005);
  EXPECT_NEAR(level("context.h5"), 0.05, 0.0005);
  EXPECT_EQ(voxels("again.h5"), voxels("context.h5"));
}

TEST_F(InteriorPipeline, RefusesWhatItCannotRead) {
  make("simulate cylinder --scale 1/4 --columns 64 --rows 16 --no-noise -o inner --views 20");
  std::ofstream(folder_ / "text.h5") << "no volume";
  const struct {
    const char* arguments;
    int exit_code;
    const char* word;
  } cases[] = {{"--outline 18mm", 2, "cylinder:18.3mm"},
               {"--outline cylinder:9mm", 2, "within the detector"},
               {"--outline cylinder:-3mm", 2, "--outline"},
               {"--outline cylinder:18mm@3mm", 2, "--outline"},
               {"--outline cylinder:3000mm", 2, "outline"},
               {"--outline cylinder:36mm --truncation off", 2, "exclude"},
               {"--context-at 1mm,0mm,0mm", 2, "--context"},
               {"--context none.h5", 4, "none.h5"},
               {"--context text.h5", 3, "text.h5"},
               {"--truncation perhaps", 2, "--truncation"}};
  for (const auto& c : cases) {
    const Outcome outcome = run(std::string("recon inner -o a.h5 ") + c.arguments);
    EXPECT_EQ(outcome.exit_code, c.exit_code) << c.arguments << ": " << outcome.output;
    EXPECT_NE(outcome.output.find(c.word), std::string::npos) << c.arguments << ": " << outcome.output;
  }
  EXPECT_FALSE(std::filesystem::exists(folder_ / "a.h5"));
}

TEST_F(InteriorPipeline, LeavesScansThatSeeTheWholeObjectAlone) {
  make("simulate cylinder --scale 1/4 --no-noise -o whole --views 20");

  make("recon whole -o auto.h5");
  make("recon whole -o off.h5 --truncation off");

  EXPECT_EQ(voxels("auto.h5"), voxels("off.h5"));
}

}  // namespace
}  // namespace feldspar
