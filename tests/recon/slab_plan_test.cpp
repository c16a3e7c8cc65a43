// How a reconstruction is cut, from the numbers alone.
#include "recon/slabs/slab_plan.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/scans.hpp"

namespace feldspar {
namespace {

using recon::FdkSetup;
using recon::MemoryCosts;
using recon::SlabPlan;

constexpr std::size_t mib = std::size_t{1} << 20;
constexpr std::size_t gib = 1024 * mib;

class SlabPlans : public ::testing::Test {
 protected:
  static FdkSetup tall_setup() {
    geometry::CircularScan scan = testing::plain_scan(400);
    scan.detector.columns = 200;
    scan.detector.rows = 1200;
    scan.detector.column_pitch = scan.detector.row_pitch = 0.4;
    return recon::prepare_fdk(scan);
  }

  const FdkSetup setup_ = tall_setup();
  const geometry::VolumeGrid grid_ = geometry::centred_grid(200, 200, 1000, 0.1);
  const MemoryCosts costs_{
      .merging = {}, .back_projector = [](int, int, int) { return 1 * mib; }, .extension = {}};

  [[nodiscard]] SlabPlan plan(std::size_t budget) const {
    return recon::plan_slabs(setup_, grid_, budget, costs_);
  }
};

TEST_F(SlabPlans, TakesOneSlabWhereItFits) {
  const SlabPlan result = plan(4096 * mib);

  ASSERT_EQ(result.slabs.size(), 1u);
  EXPECT_EQ(result.slabs[0].slices.count(), grid_.nz);
}

TEST_F(SlabPlans, CoversEverySliceOnceWithinAnyBudget) {
  const std::size_t smallest = 24 * mib, most = plan(4096 * mib).memory;
  for (std::size_t budget = smallest; budget < most; budget += 7 * mib) {
    const SlabPlan result = plan(budget);
    EXPECT_LE(result.memory, budget);
    int next = 0;
    for (const recon::Slab& slab : result.slabs) {
      EXPECT_EQ(slab.slices.first, next);
      next = slab.slices.end;
    }
    EXPECT_EQ(next, grid_.nz);
  }
}

TEST_F(SlabPlans, CutsHighSlabsBetweenBlocksOfTheKernel) {
  int several = 0;
  for (std::size_t budget = 80 * mib; budget < 200 * mib; budget += 5 * mib) {
    const SlabPlan result = plan(budget);
    const int height = result.slabs.front().slices.count();
    if (result.slabs.size() == 1 || height < SlabPlan::slice_block) continue;
    EXPECT_EQ(height % SlabPlan::slice_block, 0) << budget / mib << " MiB";
    ++several;
  }
  EXPECT_GT(several, 5);
}

/// A volume's slices, the devices that share it and the slabs there are to be.
struct OnDevices {
  int slices, devices;
  std::size_t slabs;
};

TEST_F(SlabPlans, GivesDevicesFourToEightSlabsOfWholeBlocks) {
  for (const OnDevices& c : {OnDevices{100, 1, 1},
                             {256, 1, 2},
                             {512, 1, 4},
                             {600, 1, 5},
                             {1000, 1, 4},
                             {1100, 1, 5},
                             {2000, 1, 4},
                             {2000, 2, 4},
                             {2000, 3, 6},
                             {100, 3, 3}}) {
    MemoryCosts costs = costs_;
    costs.devices = c.devices, costs.device_limit = 139 * gib;
    const SlabPlan result =
        recon::plan_slabs(setup_, geometry::centred_grid(200, 200, c.slices, 0.1), 64 * gib, costs);
    EXPECT_EQ(result.slabs.size(), c.slabs) << c.slices << " slices, " << c.devices << " devices";
    if (c.slices > 128) {
      EXPECT_EQ(result.slabs.front().slices.count() % SlabPlan::slice_block, 0) << c.slices << " slices";
    }
  }
}

TEST_F(SlabPlans, BoundsWhatDevicesPinOfTheHostsMemory) {
  MemoryCosts costs = costs_;
  costs.device_limit = 139 * gib;
  for (const auto& [across, slabs] : {std::pair{2000, 4u}, {2400, 8u}, {4000, 8u}}) {
    const geometry::VolumeGrid grid = geometry::centred_grid(across, across, 2000, 0.01);

    const SlabPlan result = recon::plan_slabs(setup_, grid, 512 * gib, costs);

    EXPECT_EQ(result.slabs.size(), slabs) << across;
    EXPECT_LT(result.memory, (across < 4000 ? std::size_t{17} : std::size_t{32}) * gib) << across;
  }
}

TEST_F(SlabPlans, RefusesABudgetTooSmallForOneSlabSayingWhatItTakes) {
  testing::expect_error(ErrorKind::out_of_memory, {"at least", "memory"}, [&] { (void)plan(2 * mib); });
}

}  // namespace
}  // namespace feldspar
