// How often a run opens the files of a scan: once a pass over the data that it states, and not once a read.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>

#include "tests/cli/program_folder.hpp"

namespace feldspar {
namespace {

class Opens : public testing::ProgramFolder {
 protected:
  static constexpr int views = 60;

  /// A scan of long ago: files that have just been written are never trusted to stay as they are.
  void SetUp() override {
    expect_success("simulate cylinder --scale 1/4 --views 60 -o tiff --format tiff");
    expect_success("simulate cylinder --scale 1/4 --views 60 -o nikon --format nikon");
    ASSERT_EQ(shell("touch -d '1 hour ago' */*.tif").exit_code, 0);
  }

  /// The most often that any image was opened; what was printed goes to `output`.
  int most_opens(const std::string& arguments, std::string& output, const std::string& before = {}) {
    std::filesystem::remove(folder_ / "opens");
    const testing::Outcome outcome =
        run(arguments, before +
                           " FELDSPAR_FAULT='open NONE 0 0 .tif' FELDSPAR_FAULT_LOG=$PWD/opens "
                           "LD_PRELOAD='" FELDSPAR_FAULT_SHIM "'");
    EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
    output = outcome.output;
    std::map<std::string, int> opens;
    std::ifstream log(folder_ / "opens");
    for (std::string line; std::getline(log, line);) ++opens[line];
    EXPECT_EQ(opens.size(), views);
    int most = 0;
    for (const auto& [file, count] : opens) most = std::max(most, count);
    return most;
  }
};

TEST_F(Opens, AreOneAFileOfASmallScanAndOneToHashIt) {
  std::string output;
  for (const std::string scan : {"tiff", "nikon"}) {
    EXPECT_LE(most_opens("info " + scan, output), 2) << scan;
    EXPECT_NE(output.find("looked at of 60 views: 60 for the axis, 6 for the beam, 60 for repeats (a row), "
                          "60 for bad pixels, "
                          "60 for rings, 60 for drift"),
              std::string::npos)
        << output;
    // The images, kept open; the fingerprint and the hashes of all bytes. Threads may have one each for a
    // while.
    EXPECT_LE(most_opens("recon " + scan + " -o " + scan + ".h5", output), 4) << scan;
  }
}

/// So few descriptors that a quarter of them are not enough for all files: every pass opens each.
TEST_F(Opens, AreOneAPassOfALargeScan) {
  std::string output;

  // Pages, header, axis, repeats, bad pixels and rings, drift, the object's extent and three slices to tell
  // hardening from, strips of all heights, their noise; six of them for the beam.
  EXPECT_LE(most_opens("info tiff --threads 1", output, "ulimit -n 64 &&"), 12);
  // And one slab, random voxels, rows at five heights, fingerprint, hashes.
  EXPECT_LE(most_opens("recon tiff -o v.h5 --threads 1", output, "ulimit -n 64 &&"), 21);
}

}  // namespace
}  // namespace feldspar
