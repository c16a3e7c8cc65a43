// A device that fails in the middle of a volume: the finished slabs stay, and another goes on from them.
#include <gtest/gtest.h>

#include <algorithm>

#include "io/hdf5/volume_file.hpp"
#include "tests/recon/reconstruct.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/failing_backend.hpp"
#include "tests/support/scans.hpp"
#include "tests/support/temp_folder.hpp"

namespace feldspar::recon {
namespace {

using testing::FailingBackend;

struct Task {
  testing::VirtualScan source{testing::plain_scan(40, 2 * std::numbers::pi),
                              {{{1, -2, 1}, {5, 4, 6}, 0.3, 0.05, false}}};
  FdkSetup setup = prepare_fdk(source.scan());
  FdkOptions options{
      .grid = geometry::centred_grid(32, 32, 80, 0.5), .ramp = {}, .projector = {}, .memory = 0};

  /// Five slabs, on `device`, into `writer`.
  void run(kernels::Backend& device, io::VolumeSink& writer) const {
    kernels::Backend* const one = &device;
    SlabPlan plan = plan_slabs(setup, options.grid, testing::plenty,
                               costs_on(std::span(&one, 1), source, setup, options));
    plan.slabs.clear();
    for (int z = 0; z < 80; z += 16) plan.slabs.push_back(make_slab(setup, options.grid, {z, z + 16}));
    Progress progress;
    (void)reconstruct_fdk({source, setup, options}, plan, writer, device, progress);
  }
};

class DeviceLoss : public ::testing::TestWithParam<int> {};

TEST_P(DeviceLoss, LeavesTheFinishedSlabsToTheNextRun) {
  const Task task;
  const testing::TempFolder folder;
  io::VolumeFileOptions file;
  file.identity = "one";
  FailingBackend failing(testing::plenty);
  failing.fail_download(GetParam());
  {
    io::VolumeWriter writer(folder / "v.h5", task.options.grid, file);
    testing::expect_error(ErrorKind::device, {"it fell off the bus"}, [&] { task.run(failing, writer); });
    EXPECT_EQ(writer.can_be_resumed(), GetParam() > 0);
  }
  EXPECT_FALSE(std::filesystem::exists(folder / "v.h5"));
  file.resume = true;
  FailingBackend sound(testing::plenty);

  io::VolumeWriter writer(folder / "v.h5", task.options.grid, file);
  EXPECT_EQ(writer.has({0, 16}), GetParam() > 0);
  task.run(sound, writer);
  writer.finish({});

  EXPECT_EQ(sound.downloads(), 5 - GetParam());
  const auto values = io::VolumeReader(folder / "v.h5").read(0, 32, 0, 32, 0, 80);
  const auto expected = testing::reconstruct(task.source, task.setup, task.options.grid).values;
  EXPECT_TRUE(std::equal(expected.begin(), expected.end(), values.view().values().begin()));
}

INSTANTIATE_TEST_SUITE_P(Slabs, DeviceLoss, ::testing::Values(0, 1, 4));

}  // namespace
}  // namespace feldspar::recon
