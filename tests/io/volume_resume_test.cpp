// Volumes that are written by more than one run, because the first was interrupted.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "base/error.hpp"
#include "io/hdf5/volume_file.hpp"
#include "tests/io/volumes.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/temp_folder.hpp"

namespace feldspar {
namespace {

using testing::grid_of;
using testing::slab_at;
using testing::TempFolder;

const geometry::VolumeGrid grid = grid_of(40, 30, 70);

io::VolumeFileOptions journaled(const char* identity = "one", bool resume = false) {
  io::VolumeFileOptions options;
  options.identity = identity;
  options.resume = resume;
  return options;
}

/// Stores slices 0 .. 16 and 48 .. 64 and stops there, as a failing run does.
void interrupt(const std::filesystem::path& path, const io::VolumeFileOptions& options = journaled()) {
  io::VolumeWriter writer(path, grid, options);
  writer.write(0, slab_at(grid, 0, 16).view());
  writer.write(48, slab_at(grid, 48, 16).view());
}

/// A verification that is stopped, when the record stands in the file already.
io::Record stop(const io::VolumeReader&) { throw Error(ErrorKind::cancelled, "stopped"); }

void expect_whole(const std::filesystem::path& path) {
  const Array3<float> values = io::VolumeReader(path).read(0, grid.nx, 0, grid.ny, 0, grid.nz);
  const Array3<float> expected = slab_at(grid, 0, grid.nz);
  EXPECT_TRUE(std::equal(values.view().values().begin(), values.view().values().end(),
                         expected.view().values().begin()));
}

TEST(VolumeResuming, GoesOnWithTheSlabsThatAreThere) {
  const TempFolder folder;
  interrupt(folder / "v.h5");
  ASSERT_FALSE(std::filesystem::exists(folder / "v.h5"));
  {
    io::VolumeWriter writer(folder / "v.h5", grid, journaled("one", true));
    EXPECT_TRUE(writer.has({0, 16}));
    EXPECT_TRUE(writer.has({48, 64}));
    EXPECT_FALSE(writer.has({0, 32}));
    writer.write(16, slab_at(grid, 16, 32).view());
    writer.write(64, slab_at(grid, 64, 6).view());
    writer.finish({});
  }
  expect_whole(folder / "v.h5");
  EXPECT_FALSE(std::filesystem::exists(folder / "v.h5.partial"));
  EXPECT_FALSE(std::filesystem::exists(folder / "v.h5.journal"));
}

TEST(VolumeResuming, TakesSlabsThatAreCutElsewhere) {
  const TempFolder folder;
  interrupt(folder / "v.h5");
  {
    io::VolumeWriter writer(folder / "v.h5", grid, journaled("one", true));
    writer.write(0, slab_at(grid, 0, 32).view());
    writer.write(32, slab_at(grid, 32, 38).view());
    writer.finish({});
  }
  expect_whole(folder / "v.h5");
}

TEST(VolumeResuming, SurvivesASecondInterruption) {
  const TempFolder folder;
  interrupt(folder / "v.h5");
  {
    io::VolumeWriter writer(folder / "v.h5", grid, journaled("one", true));
    writer.write(16, slab_at(grid, 16, 16).view());
  }
  io::VolumeWriter writer(folder / "v.h5", grid, journaled("one", true));
  EXPECT_TRUE(writer.has({0, 32}));
  EXPECT_TRUE(writer.has({48, 64}));
}

TEST(VolumeResuming, RefusesWhatAnotherRunLeft) {
  const TempFolder folder;
  interrupt(folder / "v.h5");

  testing::expect_error(ErrorKind::usage, {"v.h5.journal", "resume"},
                        [&] { io::VolumeWriter(folder / "v.h5", grid, journaled("another", true)); });

  EXPECT_TRUE(io::VolumeWriter(folder / "v.h5", grid, journaled("one", true)).has({0, 16}));
}

TEST(VolumeResuming, StartsAgainUnlessAsked) {
  const TempFolder folder;
  interrupt(folder / "v.h5");

  const io::VolumeWriter writer(folder / "v.h5", grid, journaled());

  EXPECT_FALSE(writer.has({0, 16}));
}

TEST(VolumeResuming, StartsFromTheBeginningWhereNothingIsLeft) {
  const TempFolder folder;

  const io::VolumeWriter writer(folder / "v.h5", grid, journaled("one", true));

  EXPECT_FALSE(writer.has({0, 16}));
}

TEST(VolumeResuming, DoesNotTrustALineThatWasCutShort) {
  const TempFolder folder;
  interrupt(folder / "v.h5");
  std::ofstream(folder / "v.h5.journal", std::ios::app) << "16 48";

  const io::VolumeWriter writer(folder / "v.h5", grid, journaled("one", true));

  EXPECT_TRUE(writer.has({0, 16}));
  EXPECT_FALSE(writer.has({16, 32}));
}

TEST(VolumeResuming, StartsAgainWhereTheFileIsDamaged) {
  const TempFolder folder;
  interrupt(folder / "v.h5");
  std::filesystem::resize_file(folder / "v.h5.partial", 100);

  const io::VolumeWriter writer(folder / "v.h5", grid, journaled("one", true));

  EXPECT_FALSE(writer.has({0, 16}));
}

/// The journal holds all that finishing changes in what was in the file before, also where the index of the
/// chunks has several nodes.
TEST(VolumeResuming, PutsTheIndexBackWhereFinishingTheFileFailed) {
  const geometry::VolumeGrid tall = grid_of(8, 8, 1500);
  for (const io::VoxelType type : {io::VoxelType::float32, io::VoxelType::uint16}) {
    const TempFolder folder;
    io::VolumeFileOptions options = journaled();
    options.type = type, options.lowest = 0, options.highest = 1;
    const auto content = [&](const char* name) {
      std::ostringstream text;
      text << std::ifstream(folder / name, std::ios::binary).rdbuf();
      return text.str().substr(96);  // but for the superblock, of which opening the file drops what is cached
    };
    std::string before;
    {
      io::VolumeWriter writer(folder / "v.h5", tall, options);
      writer.write(0, slab_at(tall, 0, tall.nz).view());
      before = content("v.h5.partial");
      io::VolumeRecord record;
      record.title = record.configuration = std::string(3000, 't');
      EXPECT_THROW(writer.finish(record, stop), Error);
      EXPECT_TRUE(writer.can_be_resumed());
    }
    ASSERT_NE(content("v.h5.partial"), before);
    options.resume = true;

    io::VolumeWriter writer(folder / "v.h5", tall, options);

    EXPECT_TRUE(writer.has({0, tall.nz}));
    EXPECT_TRUE(content("v.h5.partial") == before);
  }
}

TEST(VolumeResuming, StartsAgainWhereTheFileIsNotTheJournals) {
  const TempFolder folder;
  {
    io::VolumeWriter writer(folder / "v.h5", grid, journaled());
    writer.write(0, slab_at(grid, 0, grid.nz).view());
    EXPECT_THROW(writer.finish({}, stop), Error);
  }
  std::filesystem::resize_file(folder / "v.h5.partial", 0);

  const io::VolumeWriter writer(folder / "v.h5", grid, journaled("one", true));

  EXPECT_FALSE(writer.has({0, 16}));
}

TEST(VolumeResuming, LeavesNothingBehindWhenNoSlabWasFinished) {
  const TempFolder folder;
  { const io::VolumeWriter writer(folder / "v.h5", grid, journaled()); }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(VolumeResuming, LeavesNothingBehindOfACompressedVolume) {
  const TempFolder folder;
  io::VolumeFileOptions options = journaled();
  options.deflate = 1;
  interrupt(folder / "v.h5", options);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(VolumeResuming, CountsTheClippedVoxelsOfBothRuns) {
  const TempFolder folder;
  io::VolumeFileOptions options = journaled();
  options.type = io::VoxelType::uint16, options.lowest = 0,
  options.highest = testing::value_at(grid, 0, 0, 2);
  interrupt(folder / "v.h5", options);
  options.resume = true;

  const io::VolumeWriter writer(folder / "v.h5", grid, options);

  EXPECT_EQ(writer.clipped(), 30 * 1200 - 1);  // slices 2 .. 15 and 48 .. 63, but for the voxel at the limit
}

}  // namespace
}  // namespace feldspar
