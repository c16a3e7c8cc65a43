// A volume of more than 4 GiB in its plain file: sizes and offsets beyond 32 bits.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "tests/io/volumes.hpp"
#include "tests/support/temp_folder.hpp"

namespace feldspar {
namespace {

TEST(LargeVolumeFile, KeepsVoxelsBeyondFourGibibytes) {
  const testing::TempFolder folder;
  const auto grid = testing::grid_of(1100, 1000, 1000);
  const std::uintmax_t bytes = grid.voxels() * 4;
  if (std::filesystem::space(folder.path()).available < 2 * bytes)
    GTEST_SKIP() << "needs 9 GB in " << folder.path();
  Array3<float> slab(1100, 1000, 37);
  io::VolumeWriter writer(folder / "v.h5", grid, {});

  for (const testing::Slab& part : testing::slabs_of(1000, 37)) {
    for (int z = 0; z < part.slices; ++z)
      std::ranges::fill(slab.view().planes(z, 1).values(), static_cast<float>(part.first + z));
    writer.write(part.first, slab.view().planes(0, part.slices));
  }
  writer.finish({});

  EXPECT_GT(std::filesystem::file_size(folder / "v.h5"), bytes);
  const Array3<float> column = io::VolumeReader(folder / "v.h5").read(1099, 1, 999, 1, 0, 1000);
  for (int z = 0; z < 1000; ++z) ASSERT_EQ(column(0, 0, z), static_cast<float>(z));
}

}  // namespace
}  // namespace feldspar
