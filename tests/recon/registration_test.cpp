// Alignment of volumes of a known object that was turned, moved and grown by known amounts.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <random>

#include "recon/registration/align.hpp"
#include "recon/registration/resample.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/failure.hpp"

namespace feldspar::recon::registration {
namespace {

using geometry::Similarity;
using geometry::Vec3;
using geometry::VolumeGrid;

/// 1 within, 0 without, and half a mm of slope, which no voxel of half a mm misses.
double soft(double inside) { return 0.5 * (1 + std::tanh(2 * inside)); }

/// A can of 8 mm radius with a rod beside its axis, a bead in a corner, and a plate across: no turn brings it
/// back onto itself. Without `marks` it is round.
double object_at(Vec3 p, bool marks = true) {
  const double r = std::hypot(p.x, p.y), within = soft(12 - std::abs(p.z));
  double value = 0.3 * within * (soft(8 - r) - soft(7 - r)) + 0.1 * within * soft(7 - r);
  if (!marks) return value;
  value += 0.15 * within * soft(1.5 - std::hypot(p.x - 4, p.y - 1));
  value += 0.2 * soft(2 - geometry::norm(p - Vec3{-2, 4, 6}));
  return value - 0.06 * soft(1 - std::abs(p.z + 5)) * soft(6 - r);
}

/// What a scan of the object, lying where `lies` takes its points, would give.
template <class Object>
Array3<float> volume_of(const Object& object, const Similarity& lies, const VolumeGrid& grid) {
  Array3<float> volume(grid.nx, grid.ny, grid.nz);
  const Similarity back = inverse(lies);
  for (int k = 0; k < grid.nz; ++k)
    for (int j = 0; j < grid.ny; ++j)
      for (int i = 0; i < grid.nx; ++i)
        volume(i, j, k) = static_cast<float>(object(back(grid.centre_of(i, j, k))));
  return volume;
}

CoarseVolume coarse_of(const Similarity& lies, const VolumeGrid& grid, bool marks = true) {
  return {grid, volume_of([marks](Vec3 p) { return object_at(p, marks); }, lies, grid)};
}

const VolumeGrid cube = geometry::centred_grid(44, 44, 60, 0.5);
const Similarity moved{1.017, geometry::rotation_about({0.02, -0.03, 2.3}), {0.7, -0.4, 1.1}};

/// Largest distance in mm over the object's extent.
double apart(const Similarity& a, const Similarity& b) {
  double most = 0;
  for (const double x : {-8.0, 8.0})
    for (const double y : {-8.0, 8.0})
      for (const double z : {-12.0, 12.0}) most = std::max(most, geometry::norm(a({x, y, z}) - b({x, y, z})));
  return most;
}

TEST(Align, FindsTurnShiftAndScaleFromNothing) {
  ThreadPool pool(2);

  const Alignment found = align(coarse_of(moved, cube), coarse_of({}, cube), {}, pool);

  // Voxels of both are samples of a smooth function, so only the interpolation of its samples errs: cubic
  // convolution by less than a hundredth of the slope's height, which is worth a hundredth of a voxel.
  EXPECT_LT(apart(found.transform, moved), 0.01 * cube.spacing.x);
  EXPECT_NEAR(found.transform.scale, moved.scale, 5e-4);
  EXPECT_GT(found.correlation, 0.999);
  EXPECT_TRUE(found.findings.empty());
}

TEST(Align, RigidKeepsTheScale) {
  const Similarity rigid{1, moved.rotation, moved.shift};
  ThreadPool pool(2);

  const Alignment found = align(coarse_of(rigid, cube), coarse_of({}, cube), {.rigid = true}, pool);

  EXPECT_EQ(found.transform.scale, 1);
  EXPECT_LT(apart(found.transform, rigid), 0.01 * cube.spacing.x);
}

TEST(Align, IsNotLedAstrayByOtherVoxelsGainAndNoise) {
  ThreadPool pool(2);
  const VolumeGrid other = geometry::centred_grid(40, 38, 56, 0.6, {0.2, -0.1, 0.5});
  CoarseVolume second = coarse_of({}, other);
  std::mt19937 random(3);
  std::normal_distribution<float> noise(0, 0.02f);
  for (float& value : second.voxels.view().values()) value = 0.8f * value + 0.01f + noise(random);

  const Alignment found = align(coarse_of(moved, cube), std::move(second), {}, pool);

  // The turn hangs on the rod 4 mm from the axis: noise turns it by some 1 mrad, 14 um at the corners.
  EXPECT_LT(apart(found.transform, moved), 0.1 * cube.spacing.x);
  EXPECT_LT(std::abs(found.transform.scale - moved.scale), 4 * found.scale_error);
  EXPECT_LT(found.scale_error, 5e-4);
  EXPECT_NEAR(found.gain, 1 / 0.8, 0.02);
}

TEST(Align, SaysWhenAnyTurnFits) {
  ThreadPool pool(2);

  const Alignment found = align(coarse_of({}, cube, false), coarse_of({}, cube, false), {}, pool);

  ASSERT_EQ(found.findings.size(), 1u);
  EXPECT_EQ(testing::count_of(found.findings, "alignment.ambiguous"), 1);
  EXPECT_LT(apart(found.transform, {}), 0.01 * cube.spacing.x);
}

TEST(Align, StartsWhereItIsTold) {
  ThreadPool pool(2);
  const Similarity upside_down{1, geometry::rotation_about({std::numbers::pi, 0, 0}), {}};
  const Similarity near{1, geometry::rotation_about({std::numbers::pi - 0.05, 0, 0}), {0.5, 0, 0}};

  const Alignment found =
      align(coarse_of(upside_down, cube), coarse_of({}, cube), {.rigid = true, .start = near}, pool);

  EXPECT_LT(apart(found.transform, upside_down), 0.01 * cube.spacing.x);
}

TEST(Align, RefusesAnEmptyVolume) {
  ThreadPool pool(1);
  CoarseVolume empty{cube, Array3<float>(cube.nx, cube.ny, cube.nz)};
  empty.voxels.fill(0);

  testing::expect_error(ErrorKind::usage, {"nothing stands out"},
                        [&] { (void)align(std::move(empty), coarse_of({}, cube), {}, pool); });
}

StoredVolume stored(const Array3<float>& voxels, const VolumeGrid& grid) {
  return {grid, [&voxels](int x, int nx, int y, int ny, int z, int nz) {
            Array3<float> part(nx, ny, nz);
            for (int k = 0; k < nz; ++k)
              for (int j = 0; j < ny; ++j)
                std::copy_n(voxels.view().row(y + j, z + k) + x, nx, &part(0, j, k));
            return part;
          }};
}

TEST(Resample, BringsAVolumeBack) {
  ThreadPool pool(2);
  const Array3<float> here = coarse_of({}, cube).voxels, there = coarse_of(moved, cube).voxels;

  const Array3<float> back = resampled(stored(there, cube), moved, cube, pool);

  int compared = 0;
  for (std::size_t n = 0; n < back.size(); ++n) {
    if (std::isnan(back.data()[n])) continue;
    ++compared;
    EXPECT_NEAR(back.data()[n], here.data()[n],
                0.02);  // a fifteenth of the wall: half a voxel off is a third
  }
  EXPECT_GT(compared, static_cast<int>(back.size() / 2));
}

TEST(Averaged, IsTheMeanAndKnowsTheField) {
  ThreadPool pool(2);
  Progress progress;
  const VolumeGrid grid = geometry::centred_grid(33, 32, 32, 1);
  Array3<float> voxels(33, 32, 32);
  for (std::size_t n = 0; n < voxels.size(); ++n) voxels.data()[n] = static_cast<float>(n % 33);
  StoredVolume volume = stored(voxels, grid);
  volume.field_radius = 12;

  const CoarseVolume coarse = averaged(volume, 2, pool, progress);

  EXPECT_EQ(coarse.grid, (VolumeGrid{16, 16, 16, {2, 2, 2}, {-15.5, -15, -15}}));
  EXPECT_EQ(coarse.voxels(8, 8, 5), 16.5f);
  EXPECT_TRUE(std::isnan(coarse.voxels(0, 0, 5)));
}

TEST(Averaged, RefusesVoxelsThatAreNoNumber) {
  ThreadPool pool(2);
  Progress progress;
  Array3<float> voxels(16, 16, 16);
  voxels.fill(0);
  voxels(3, 4, 5) = NAN;

  testing::expect_error(ErrorKind::bad_file, {"z = -2.5", "no finite number"}, [&] {
    (void)averaged(stored(voxels, geometry::centred_grid(16, 16, 16, 1)), 1, pool, progress);
  });
}

}  // namespace
}  // namespace feldspar::recon::registration
