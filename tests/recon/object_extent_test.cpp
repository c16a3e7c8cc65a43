// The box around the object, from a few projections of bodies that are known.
#include "recon/find/object_extent.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "tests/support/resources.hpp"
#include "tests/support/scans.hpp"
#include "tests/support/virtual_scan.hpp"

namespace feldspar::recon {
namespace {

using testing::Body;
using testing::VirtualScan;

/// 160 x 120 pixels of 1 mm at magnification 2.5: a field of view of 32 mm radius, 48 mm high.
geometry::CircularScan wide_scan() {
  geometry::CircularScan scan = testing::plain_scan(48);
  scan.detector.columns = 160;
  scan.detector.rows = 120;
  return scan;
}

std::optional<Box> find(const VirtualScan& scan) {
  std::vector<int> views(scan.scan().angles.size());
  std::iota(views.begin(), views.end(), 0);
  return find_object(scan, scan.scan(), views, testing::all_resources());
}

// Shadows are known to a bin of 8 pixels, 3.2 mm at the axis, and a bin is added; the hull's cells are small.
constexpr double bin = 3.2;

void expect_box_around(const Box& box, geometry::Vec3 low, geometry::Vec3 high) {
  EXPECT_LE(box.lowest.x, low.x);
  EXPECT_LE(box.lowest.y, low.y);
  EXPECT_LE(box.lowest.z, low.z);
  EXPECT_GE(box.highest.x, high.x);
  EXPECT_GE(box.highest.y, high.y);
  EXPECT_GE(box.highest.z, high.z);
  EXPECT_GE(box.lowest.x, low.x - 2.2 * bin);
  EXPECT_GE(box.lowest.y, low.y - 2.2 * bin);
  EXPECT_GE(box.lowest.z, low.z - 2.2 * bin);
  EXPECT_LE(box.highest.x, high.x + 2.2 * bin);
  EXPECT_LE(box.highest.y, high.y + 2.2 * bin);
  EXPECT_LE(box.highest.z, high.z + 2.2 * bin);
}

TEST(ObjectExtent, SurroundsABodyOffTheAxisClosely) {
  const auto box = find(VirtualScan(wide_scan(), {{{7, -5, 4}, {6, 4, 8}, 0, 0.08}}));

  ASSERT_TRUE(box);
  expect_box_around(*box, {1, -9, -4}, {13, -1, 12});
}

TEST(ObjectExtent, SurroundsTwoBodiesTogether) {
  const auto box =
      find(VirtualScan(wide_scan(), {{{9, 0, 0}, {4, 4, 4}, 0, 0.08}, {{-10, 3, -9}, {3, 3, 3}, 0, 0.06}}));

  ASSERT_TRUE(box);
  expect_box_around(*box, {-13, -4, -12}, {13, 6, 4});
}

TEST(ObjectExtent, KeepsAnAxisThatIsOffTheMiddle) {
  geometry::CircularScan scan = wide_scan();
  scan.axis.offset = 3.5;

  const auto box = find(VirtualScan(scan, {{{-6, 4, 0}, {4, 4, 4}, 0, 0.08}}));

  ASSERT_TRUE(box);
  expect_box_around(*box, {-10, 0, -4}, {-2, 8, 4});
}

TEST(ObjectExtent, IsTheWholeFieldWhereTheObjectReachesOverTheDetector) {
  const auto box = find(VirtualScan(wide_scan(), {{{0, 0, 0}, {60, 60, 200}, 0, 0.01, true}}));

  ASSERT_TRUE(box);
  EXPECT_LT(box->lowest.x, -31);
  EXPECT_GT(box->highest.y, 31);
}

TEST(ObjectExtent, IsNothingWhereNothingIs) { EXPECT_FALSE(find(VirtualScan(wide_scan(), {}))); }

TEST(CutTo, KeepsTheVoxelsOfTheGridInPlace) {
  const geometry::VolumeGrid grid = geometry::centred_grid(100, 80, 60, 0.5);

  const geometry::VolumeGrid part = cut_to(grid, {{-3.1, 2.2, -99}, {4.9, 3.3, 99}});

  EXPECT_EQ(part.nz, 60);
  EXPECT_EQ(part.origin, grid.centre_of(43, 43, 0));
  EXPECT_EQ(part.nx, 18);
  EXPECT_EQ(part.ny, 5);
  EXPECT_EQ(part.spacing, grid.spacing);
}

}  // namespace
}  // namespace feldspar::recon
