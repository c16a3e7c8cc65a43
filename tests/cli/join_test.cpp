// Volumes that are made in parts and joined, with the program itself.
#include <gtest/gtest.h>

#include <fstream>

#include "run/options.hpp"
#include "run/share.hpp"
#include "tests/cli/program_folder.hpp"
#include "tests/support/errors.hpp"

namespace feldspar {
namespace {

class Join : public testing::ProgramFolder {
 protected:
  /// A scan of 72 rows, whose volume has five layers of slices, the last one lower than the others.
  void SetUp() override {
    expect_success("simulate markers --columns 64 --rows 72 --pitch 3.2mm --views 60 -o scan");
    for (const char* share : {"1/3", "2/3", "3/3"})
      expect_success(std::string("recon scan -o v.h5 --slabs ") + share);
  }
};

TEST_F(Join, MakesTheVolumeThatOneRunMakes) {
  expect_success("recon scan -o whole.h5");
  expect_success("join v.part-3-of-3.h5 v.part-1-of-3.h5 v.part-2-of-3.h5 -o v.h5");
  expect_success("join v.part-*.h5 -o solid.h5 --solid");

  EXPECT_EQ(voxels("v.h5"), voxels("whole.h5"));
  EXPECT_EQ(voxels("solid.h5"), voxels("whole.h5"));
  EXPECT_EQ(io::VolumeReader(folder_ / "v.h5").grid(), io::VolumeReader(folder_ / "whole.h5").grid());
  EXPECT_FALSE(has("v.toml"));
}

TEST_F(Join, RefusesPartsThatDoNotFit) {
  expect_success("recon scan -o other.h5 --slabs 2/3 --window hann");
  expect_success("recon scan -o whole.h5");
  std::ofstream(folder_ / "w.part-1-of-3.h5.partial") << "x";

  expect_failure("join v.part-1-of-3.h5 v.part-3-of-3.h5 -o x.h5", 3,
                 {"v.part-3-of-3.h5", "no part has slices"});
  expect_failure("join v.part-1-of-3.h5 v.part-2-of-3.h5 -o x.h5", 3, {"v.part-2-of-3.h5", "of 72"});
  expect_failure("join v.part-2-of-3.h5 v.part-3-of-3.h5 -o x.h5", 3,
                 {"v.part-2-of-3.h5", "no part has slices"});
  expect_failure("join v.part-*.h5 v.part-2-of-3.h5 -o x.h5", 3, {"v.part-2-of-3.h5", "once"});
  expect_failure("join v.part-1-of-3.h5 other.part-2-of-3.h5 v.part-3-of-3.h5 -o x.h5", 3,
                 {"other.part-2-of-3.h5", "other options", "v.part-1-of-3.h5"});
  expect_failure("join whole.h5 -o x.h5", 3, {"whole.h5", "--slabs"});
  expect_failure("join w.part-1-of-3.h5 -o x.h5", 4, {"w.part-1-of-3.h5", "not complete", "--resume"});

  EXPECT_FALSE(has("x.h5") || has("x.h5.partial"));
}

TEST_F(Join, IsNotReadWithoutItsParts) {
  expect_success("join v.part-*.h5 -o v.h5");
  std::filesystem::rename(folder_ / "v.part-2-of-3.h5", folder_ / "elsewhere.h5");

  expect_failure("slice v.h5", 4, {"v.h5", "v.part-2-of-3.h5", "--solid"});
}

TEST_F(Join, KeepsCodesOf16BitsAsTheyAre) {
  for (const char* share : {"1/2", "2/2"})
    expect_success(std::string("recon scan -o u.h5 --type uint16 --range -0.1,0.2 --compress 1 --slabs ") +
                   share);
  expect_success("recon scan -o whole.h5 --type uint16 --range -0.1,0.2");

  expect_success("join u.part-*.h5 -o u.h5 --solid");

  EXPECT_EQ(voxels("u.h5"), voxels("whole.h5"));
}

TEST(SlabShares, CoverTheVolumeOnceInWholeLayers) {
  for (const int slices : {1, 16, 72, 1985, 2000})
    for (const int count : {1, 2, 3, 7, 125}) {
      if (count > (slices + 15) / 16) continue;
      int end = 0;
      for (int k = 1; k <= count; ++k) {
        const auto share = run::share_of({k, count}, slices);
        EXPECT_EQ(share.slices.first, end);
        EXPECT_EQ(share.slices.first % 16, 0);
        EXPECT_FALSE(share.slices.empty());
        end = share.slices.end;
      }
      EXPECT_EQ(end, slices);
    }
}

TEST(SlabShares, MustBeSharesThatThereAre) {
  for (const char* text : {"0/3", "4/3", "3", "a/3", "1/0", "1.5/3", "/", "-1/3"})
    testing::expect_error(ErrorKind::usage, {"--slabs", text}, [&] {
      run::Request request;
      run::find_option("slabs")->set(request, text, "--slabs");
    });
  testing::expect_error(ErrorKind::usage, {"slabs", "1/6"}, [] { (void)run::share_of({1, 6}, 72); });
}

}  // namespace
}  // namespace feldspar
