// The hash of every layer, made while it is written: of what, and what it finds later. And a volume that is
// verified before it has its name.
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>

#include "base/error.hpp"
#include "io/content_hash.hpp"
#include "io/hdf5/volume_file.hpp"
#include "tests/io/volumes.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/temp_folder.hpp"

namespace feldspar {
namespace {

using testing::grid_of;
using testing::slab_at;
using testing::slabs_of;
using testing::TempFolder;
using testing::write_volume;

const geometry::VolumeGrid grid = grid_of(40, 30, 70);

std::vector<std::string> hashes_now(const io::VolumeReader& volume) {
  std::vector<std::string> hashes;
  (void)volume.read_slices(0, volume.grid().nz, hashes);
  return hashes;
}

TEST(LayerHashes, AreOfTheValuesAsTheyAreStored) {
  const TempFolder folder;
  write_volume(folder / "v.h5", grid, {}, slabs_of(70, 23));

  const io::VolumeReader volume(folder / "v.h5");
  const Array3<float> slice = slab_at(grid, 5, 1);
  const auto bytes = slice.view().values();
  ASSERT_EQ(volume.layer_hashes().size(), 70U);
  EXPECT_EQ(volume.layer_hashes()[5],
            io::text_hash({reinterpret_cast<const char*>(bytes.data()), bytes.size_bytes()}));
  EXPECT_EQ(hashes_now(volume), volume.layer_hashes());
}

TEST(LayerHashes, DoNotDependOnCompressionNorOnTheCut) {
  const TempFolder folder;
  for (const io::VoxelType type : {io::VoxelType::float32, io::VoxelType::uint16}) {
    std::vector<std::string> first;
    for (const int deflate : {0, 1})
      for (const int height : {70, 16, 7}) {
        io::VolumeFileOptions options{.type = type, .lowest = 0.01, .highest = 0.3, .overwrite = true};
        options.deflate = deflate, options.threads = 3;
        write_volume(folder / "v.h5", grid, options, slabs_of(70, height));

        const io::VolumeReader volume(folder / "v.h5");
        if (first.empty()) first = volume.layer_hashes();
        EXPECT_EQ(volume.layer_hashes(), first) << deflate << ' ' << height;
        EXPECT_EQ(hashes_now(volume), first) << deflate << ' ' << height;
      }
  }
}

TEST(LayerHashes, SurviveAnInterruption) {
  const TempFolder folder;
  io::VolumeFileOptions options;
  options.identity = "one";
  {
    io::VolumeWriter writer(folder / "v.h5", grid, options);
    writer.write(0, slab_at(grid, 0, 32).view());
  }
  options.resume = true;
  {
    io::VolumeWriter writer(folder / "v.h5", grid, options);
    writer.write(16, slab_at(grid, 16, 54).view());
    writer.finish({});
  }
  const io::VolumeReader volume(folder / "v.h5");

  EXPECT_EQ(volume.layer_hashes().size(), 70U);
  EXPECT_EQ(hashes_now(volume), volume.layer_hashes());
}

TEST(LayerHashes, TellWhichLayerRotted) {
  const TempFolder folder;
  write_volume(folder / "v.h5", grid, {}, slabs_of(70, 70));
  const float wanted = testing::value_at(grid, 11, 7, 42);
  std::string bytes(std::filesystem::file_size(folder / "v.h5"), '\0');
  std::ifstream(folder / "v.h5", std::ios::binary)
      .read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  char value[4];
  std::memcpy(value, &wanted, 4);
  bytes[bytes.find(std::string(value, 4))] ^= 1;
  std::ofstream(folder / "v.h5", std::ios::binary) << bytes;

  const io::VolumeReader volume(folder / "v.h5");
  const auto now = hashes_now(volume);
  for (int z = 0; z < 70; ++z) EXPECT_EQ(now[z] == volume.layer_hashes()[z], z != 42) << z;
}

TEST(VolumeVerification, ComesBeforeTheName) {
  const TempFolder folder;
  io::VolumeWriter writer(folder / "v.h5", grid, {});
  writer.write(0, slab_at(grid, 0, 70).view());
  io::VolumeRecord record;
  record.title = "a title";

  writer.finish(record, [&](const io::VolumeReader& volume) {
    EXPECT_FALSE(std::filesystem::exists(folder / "v.h5"));
    EXPECT_EQ(volume.title(), "a title");
    EXPECT_EQ(hashes_now(volume), volume.layer_hashes());
    return io::Record{{"verdict", "trusted"}};
  });

  EXPECT_EQ(io::VolumeReader(folder / "v.h5").text("verification/verdict"), "trusted");
}

TEST(VolumeVerification, ThatIsInterruptedLeavesTheOldVolumeAndIsGoneOnWith) {
  const TempFolder folder;
  std::ofstream(folder / "v.h5") << "precious";
  io::VolumeFileOptions options;
  options.identity = "one", options.overwrite = true;
  {
    io::VolumeWriter writer(folder / "v.h5", grid, options);
    writer.write(0, slab_at(grid, 0, 70).view());
    EXPECT_THROW(
        writer.finish(
            {}, [](const io::VolumeReader&) -> io::Record { throw Error(ErrorKind::cancelled, "stopped"); }),
        Error);
    EXPECT_TRUE(writer.can_be_resumed());
  }
  EXPECT_EQ(std::filesystem::file_size(folder / "v.h5"), 8U);
  options.resume = true;

  io::VolumeWriter writer(folder / "v.h5", grid, options);

  ASSERT_TRUE(writer.has({0, 70}));
  writer.finish({}, [](const io::VolumeReader& volume) {
    EXPECT_EQ(hashes_now(volume), volume.layer_hashes());
    return io::Record{{"verdict", "trusted"}};
  });
  EXPECT_EQ(io::VolumeReader(folder / "v.h5").text("verification/verdict"), "trusted");
}

TEST(VolumeVerification, ThatFindsOtherVoxelsLeavesNothingToGoOnWith) {
  const TempFolder folder;
  io::VolumeFileOptions options;
  options.identity = "one";
  {
    io::VolumeWriter writer(folder / "v.h5", grid, options);
    writer.write(0, slab_at(grid, 0, 70).view());
    EXPECT_THROW(writer.finish({},
                               [&](const io::VolumeReader&) -> io::Record {
                                 writer.distrust();
                                 throw Error(ErrorKind::io, "other voxels");
                               }),
                 Error);
    EXPECT_FALSE(writer.can_be_resumed());
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

}  // namespace
}  // namespace feldspar
