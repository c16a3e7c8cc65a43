// Pictures of planes: the right voxels in the right place, at one scale, averaged and within the size asked
// for.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "base/error.hpp"
#include "cli/report/picture.hpp"
#include "tests/io/volumes.hpp"
#include "tests/support/temp_folder.hpp"

namespace feldspar {
namespace {

using cli::GreyWindow;
using cli::Plane;

/// `width` x `height` steps of 1 mm, all of one value, without a label.
Plane flat_plane(int width, int height, float value) {
  return {"", width, height, 1, 1, std::vector<float>(static_cast<std::size_t>(width) * height, value)};
}

std::int64_t count_of(const io::GreyPicture& picture, int value) {
  return std::ranges::count(picture.pixels, static_cast<std::uint8_t>(value));
}

TEST(OrthogonalPlanes, AreThoseThroughTheVoxel) {
  const testing::TempFolder folder;
  const auto grid = testing::grid_of(12, 9, 21);
  testing::write_volume(folder / "v.h5", grid, {}, testing::slabs_of(21, 21));

  const auto planes = cli::orthogonal_planes(io::VolumeReader(folder / "v.h5"), {.x = 7, .y = 2, .z = 19});

  ASSERT_EQ(planes.size(), 3u);
  EXPECT_EQ(planes[0].values[3 * 12 + 5], testing::value_at(grid, 5, 3, 19));
  EXPECT_EQ(planes[1].values[3 * 12 + 5], testing::value_at(grid, 5, 2, 3));
  EXPECT_EQ(planes[2].values[3 * 9 + 5], testing::value_at(grid, 7, 5, 3));
  EXPECT_EQ(planes[2].height, 21);
  EXPECT_EQ(planes[2].column_step, grid.spacing.y);
}

TEST(VoxelAt, IsTheNearestAndRefusesPointsOutside) {
  const geometry::VolumeGrid grid{.nx = 10, .ny = 10, .nz = 10, .spacing = {1, 1, 2}, .origin = {0, 0, -5}};

  const cli::Voxel voxel = cli::voxel_at(grid, {3.4, 8.6, -2.5});

  EXPECT_EQ(voxel.x, 3);
  EXPECT_EQ(voxel.y, 9);
  EXPECT_EQ(voxel.z, 1);
  EXPECT_THROW((void)cli::voxel_at(grid, {3, 9.6, 0}), Error);
  EXPECT_THROW((void)cli::voxel_at(grid, {3, std::nan(""), 0}), Error);
}

TEST(Window, LeavesOutTheExtremesAndWhatIsNotFinite) {
  Plane plane = flat_plane(100, 100, 0);
  for (int n = 0; n < 10000; ++n) plane.values[n] = static_cast<float>(n);
  plane.values[3] = std::numeric_limits<float>::quiet_NaN();
  plane.values[4] = std::numeric_limits<float>::infinity();

  const GreyWindow window = cli::window_of(std::vector{plane});

  EXPECT_NEAR(window.black, 50, 3);
  EXPECT_NEAR(window.white, 9949, 3);
}

TEST(Window, OfAConstantVolumeCanBeDrawn) {
  const std::vector planes{flat_plane(5, 5, 3)};
  EXPECT_NO_THROW((void)cli::draw_planes(planes, cli::window_of(planes), 500));
}

TEST(Picture, HasTheLowestRowAtTheBottom) {
  Plane plane = flat_plane(100, 100, 0.2f);
  std::fill_n(plane.values.begin(), 50 * 100, 0.8f);

  const io::GreyPicture picture = cli::draw_planes(std::vector{plane}, {0, 1}, 2000);

  const auto first = [&](int value) {
    return std::ranges::find(picture.pixels, static_cast<std::uint8_t>(value)) - picture.pixels.begin();
  };
  EXPECT_LT(first(51), first(204));
}

TEST(Picture, AveragesWhatAPixelCovers) {
  Plane plane = flat_plane(3000, 3000, 0);
  for (std::size_t n = 0; n < plane.values.size(); ++n) plane.values[n] = (n + n / 3000) % 2 ? 1.0f : 0.0f;

  const io::GreyPicture picture = cli::draw_planes(std::vector{plane}, {0, 1}, 500);

  EXPECT_LE(picture.width, 500);
  EXPECT_LE(picture.height, 500);
  // A checkerboard cut at about seven values a pixel is half grey, give or take one value of 49 and the
  // edges.
  const auto halves = std::ranges::count_if(picture.pixels, [](int v) { return v > 116 && v < 140; });
  EXPECT_GT(halves, 400 * 400);
}

TEST(Picture, ShowsAllPlanesAtOneScale) {
  std::vector planes{flat_plane(100, 100, 0.2f), flat_plane(50, 100, 0.8f)};
  planes[1].column_step = 4;  // twice as wide in mm as the first

  const io::GreyPicture picture = cli::draw_planes(planes, {0, 1}, 2000);

  const auto first = static_cast<double>(count_of(picture, 51)),
             second = static_cast<double>(count_of(picture, 204));
  EXPECT_NEAR(second / first, 2.0, 0.02);
}

TEST(Picture, LeavesOutValuesThatAreNotFinite) {
  Plane plane = flat_plane(2000, 2000, 0.4f);
  for (std::size_t n = 0; n < plane.values.size(); n += 3)
    plane.values[n] = std::numeric_limits<float>::quiet_NaN();

  const io::GreyPicture picture = cli::draw_planes(std::vector{plane}, {0, 1}, 600);

  EXPECT_GT(count_of(picture, 102), 400 * 400);
}

TEST(Picture, RefusesAWindowWithoutWidth) {
  EXPECT_THROW((void)cli::draw_planes(std::vector{flat_plane(5, 5, 1)}, {1, 1}, 500), Error);
}

TEST(ScaleBar, HasARoundLength) {
  EXPECT_DOUBLE_EQ(cli::round_length(7.3), 5);
  EXPECT_DOUBLE_EQ(cli::round_length(0.0499), 0.02);
  EXPECT_DOUBLE_EQ(cli::round_length(1999), 1000);
}

}  // namespace
}  // namespace feldspar
