// Volumes for other programs, with the program itself.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/cli/program_folder.hpp"

namespace feldspar {
namespace {

class Export : public testing::ProgramFolder {
 protected:
  void SetUp() override {
    expect_success("simulate markers --columns 48 --views 40 -o scan");
    expect_success("recon scan -o v.h5 --size 20,24,28 --verify off");
  }
};

TEST_F(Export, WritesWhatTheOutputEndsLikeAndSaysIt) {
  const testing::Outcome said =
      run("export v.h5 cell.mhd --type uint16 --range=-0.1,1 --roi 4:,:20,2:26 --bin 2 --json");

  ASSERT_EQ(said.exit_code, 0) << said.output;
  const nlohmann::json made = nlohmann::json::parse(said.output.substr(said.output.find('{')));
  EXPECT_EQ(made["files"], (nlohmann::json{"cell.raw", "cell.mhd"}));
  EXPECT_EQ(made["size"], (nlohmann::json{8, 10, 12}));
  EXPECT_EQ(made["type"], "uint16");
  EXPECT_EQ(made["intercept_per_mm"], -0.1);
  EXPECT_EQ(std::filesystem::file_size(folder_ / "cell.raw"), 2U * 8 * 10 * 12);
}

TEST_F(Export, ReplacesOnlyWhenTold) {
  expect_success("export v.h5 v.nrrd");
  expect_failure("export v.h5 v.nrrd", 4, {"v.nrrd", "already exists", "--overwrite"});
  expect_success("export v.h5 v.nrrd --overwrite");
}

TEST_F(Export, RefusesWhatItCannotDo) {
  expect_failure("export v.h5 v.jpg", 2, {"v.jpg", ".nrrd", "tiff, nrrd"});
  expect_failure("export v.h5 v.tif --roi 0:100,:,:", 2, {"0:100 along x", "20 voxels", "--roi"});
  expect_failure("export v.h5 v.tif --roi 5", 2, {"--roi is '5'", "X0:X1"});
  expect_failure("export v.h5 v.tif --type uint16 --range 1", 2, {"--range is '1'", "LOW,HIGH"});
  expect_failure("export v.h5 none/v.tif", 4, {"none/v.tif", "folder"});
  expect_failure("export scan v.tif", 3, {"scan"});
  expect_failure("export scan/markers.xtekct v.tif", 3, {"markers.xtekct"});
  EXPECT_FALSE(has("v.tif"));
}

TEST_F(Export, IsWhatReconNamesWhereAnotherFormatIsAskedFor) {
  expect_failure("recon scan -o v.tif", 2, {"v.tif", "HDF5", "-o v.h5", "feldspar export v.h5 v.tif"});
  EXPECT_FALSE(has("v.tif"));
}

}  // namespace
}  // namespace feldspar
