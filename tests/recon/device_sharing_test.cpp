// Reconstructions on devices that run out of memory, fail, and share their slabs: the CPU's volume, bit by
// bit.
#include <gtest/gtest.h>

#include "recon/slabs/slab_queue.hpp"
#include "tests/recon/reconstruct.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/failing_backend.hpp"
#include "tests/support/failure.hpp"
#include "tests/support/scans.hpp"

namespace feldspar::recon {
namespace {

using geometry::Range;
using testing::FailingBackend;

constexpr std::size_t mebibyte = std::size_t{1} << 20;

geometry::CircularScan leaning_scan() {
  geometry::CircularScan scan = testing::plain_scan(100, 2 * std::numbers::pi);
  scan.detector.columns = 60, scan.detector.rows = 50;
  scan.detector.roll = 0.01;
  return scan;
}

struct Case {
  testing::VirtualScan source{leaning_scan(), {{{1, -2, 1}, {5, 4, 6}, 0.3, 0.05, false}}};
  FdkSetup setup = prepare_fdk(source.scan());
  FdkOptions options{
      .grid = geometry::centred_grid(48, 48, 96, 0.5), .ramp = {}, .projector = {}, .memory = 0};

  [[nodiscard]] std::vector<float> on_cpu() const {
    return testing::reconstruct(source, setup, options.grid).values;
  }

  struct Result {
    std::vector<float> values;
    FdkReport report;
    SlabPlan plan;
  };
  [[nodiscard]] Result on(const std::vector<kernels::Backend*>& devices) const {
    Result result;
    const MemoryCosts costs = costs_on(devices, source, setup, options);
    result.plan = plan_slabs(setup, options.grid, testing::plenty, costs);
    testing::VolumeInMemory volume(options.grid.nx, options.grid.ny, options.grid.nz);
    Progress progress;
    result.report = reconstruct_fdk({source, setup, options}, result.plan, volume, devices, progress);
    result.values = std::move(volume.values);
    return result;
  }
};

constexpr std::size_t tables = 64 * mebibyte;  // what plans keep free for the device itself

TEST(DeviceSharing, ADeviceWithMemoryOfItsOwnGivesTheCpusBits) {
  const Case task;
  FailingBackend device(testing::plenty);

  const auto result = task.on({&device});

  EXPECT_EQ(result.values, task.on_cpu());
  EXPECT_EQ(result.plan.slabs.size(), 1u);
  EXPECT_TRUE(result.report.findings.empty());
}

TEST(DeviceSharing, PlansStayWithinTheDevicesMemory) {
  const Case task;
  FailingBackend device(tables + 3 * mebibyte / 2);  // the volume alone takes 0.85 MiB, a batch 1.9 MiB

  const auto result = task.on({&device});

  EXPECT_EQ(result.values, task.on_cpu());
  EXPECT_LE(result.plan.device_memory, tables + 3 * mebibyte / 2);
  EXPECT_LE(device.peak() + tables, result.plan.device_memory);
  EXPECT_TRUE(result.plan.slabs.size() > 1 || result.plan.views_per_batch < 64);
  EXPECT_TRUE(result.report.findings.empty());
}

TEST(DeviceSharing, RunningOutOfMemoryHalvesTheSlabsAndGoesOn) {
  const Case task;
  FailingBackend device(mebibyte, testing::plenty);

  const auto result = task.on({&device});

  EXPECT_EQ(result.values, task.on_cpu());
  EXPECT_EQ(result.plan.slabs.size(), 1u);
  EXPECT_LE(device.peak(), mebibyte);
  EXPECT_FALSE(result.report.findings.empty());
  EXPECT_EQ(result.report.findings[0].code.name(), "device.smaller-slabs");
  EXPECT_EQ(testing::count_with(result.report.findings, {"slabs of 48 slices"}), 1);
}

TEST(DeviceSharing, TooLittleMemoryForTheSmallestSlabIsAnError) {
  const Case task;
  FailingBackend device(5000, testing::plenty);

  testing::expect_error(ErrorKind::out_of_memory, {"line integrals"}, [&] { (void)task.on({&device}); });
}

TEST(DeviceSharing, ABudgetTooSmallForAPlanNamesItsOption) {
  const Case task;
  FailingBackend device(tables);

  testing::expect_error(ErrorKind::out_of_memory, {"at least", "gpu-memory"},
                        [&] { (void)task.on({&device}); });
}

TEST(DeviceSharing, ADeviceWithoutFreeMemoryIsNotTakenForTheHost) {
  const Case task;
  FailingBackend device(0);

  testing::expect_error(ErrorKind::out_of_memory, {"is 0", "at least", "gpu-memory"},
                        [&] { (void)task.on({&device}); });
}

TEST(DeviceSharing, SeveralDevicesShareTheSlabs) {
  const Case task;
  FailingBackend one(testing::plenty), other(testing::plenty);

  const auto result = task.on({&one, &other});

  EXPECT_EQ(result.values, task.on_cpu());
  EXPECT_EQ(result.plan.slabs.size(), 2u);
  EXPECT_EQ(one.batches() + other.batches(), 4);  // two slabs of 64 and 36 views
  EXPECT_EQ(result.report.tally.not_finite, 0);
  EXPECT_GE(result.report.tally.pixels, 60 * 50 * 100);
}

/// Wherever it fails: in its first batch, in the middle of a slab, in the last batch of one.
class FailureAt : public ::testing::TestWithParam<int> {};

TEST_P(FailureAt, LeavesTheSlabToTheOtherDevice) {
  const Case task;
  FailingBackend failing(testing::plenty, 0, GetParam()), other(tables + 2 * mebibyte);

  const auto result = task.on({&failing, &other});

  EXPECT_EQ(result.values, task.on_cpu());
  if (failing.batches() > GetParam()) {  // it had its chance
    ASSERT_EQ(result.report.findings.size(), 1u);
    EXPECT_EQ(testing::count_with(result.report.findings, {"it fell off the bus"}), 1);
    EXPECT_EQ(testing::count_of(result.report.findings, "device.failed"), 1);
    EXPECT_EQ(failing.batches(), GetParam() + 1);
  }
}

INSTANTIATE_TEST_SUITE_P(Batches, FailureAt, ::testing::Values(0, 1, 2));

TEST(DeviceSharing, TheFailureOfTheLastDeviceIsThrown) {
  const Case task;
  FailingBackend one(testing::plenty, 0, 0), other(testing::plenty, 0, 1);

  testing::expect_error(ErrorKind::device, {"it fell off the bus"}, [&] { (void)task.on({&one, &other}); });
}

/// Slabs are on their way from a device while it works on the next: in its first, second and last slab.
class DownloadFailureAt : public ::testing::TestWithParam<int> {};

TEST_P(DownloadFailureAt, LeavesTheSlabToTheOtherDevice) {
  const Case task;
  FailingBackend failing(tables + mebibyte), other(tables + mebibyte);
  failing.fail_download(GetParam());

  const auto result = task.on({&failing, &other});

  EXPECT_EQ(result.values, task.on_cpu());
  EXPECT_GE(result.plan.slabs.size(), 3u);
  if (failing.downloads() > GetParam()) {  // it had its chance
    ASSERT_EQ(result.report.findings.size(), 1u);
    EXPECT_EQ(testing::count_with(result.report.findings, {"it fell off the bus"}), 1);
    EXPECT_EQ(testing::count_of(result.report.findings, "device.failed"), 1);
    EXPECT_EQ(failing.downloads(), GetParam() + 1);
  }
}

INSTANTIATE_TEST_SUITE_P(Slabs, DownloadFailureAt, ::testing::Values(0, 1, 2));

TEST(DeviceSharing, ASlabThatTheOnlyDeviceCannotBringIsThrown) {
  const Case task;
  FailingBackend device(testing::plenty);
  device.fail_download(0);

  testing::expect_error(ErrorKind::device, {"it fell off the bus"}, [&] { (void)task.on({&device}); });
}

TEST(DeviceSharing, OneDeviceShortOfMemoryDoesWhatItCan) {
  const Case task;
  FailingBackend small(mebibyte, testing::plenty), large(testing::plenty);

  const auto result = task.on({&small, &large});

  EXPECT_EQ(result.values, task.on_cpu());
}

TEST(DeviceSharing, OutOfMemoryInTheSinkIsNotRepeated) {
  struct FullSink final : io::VolumeSink {
    void write(int, View3<const float>) override {
      ++writes;
      throw Error(ErrorKind::out_of_memory, "no room for a chunk");
    }
    int writes = 0;
  } sink;
  const Case task;
  FailingBackend device(testing::plenty);
  kernels::Backend* const one = &device;
  SlabPlan plan = plan_slabs(task.setup, task.options.grid, testing::plenty,
                             costs_on(std::span(&one, 1), task.source, task.setup, task.options));
  plan.slabs = {make_slab(task.setup, task.options.grid, {0, 48}),
                make_slab(task.setup, task.options.grid, {48, 96})};
  Progress progress;

  testing::expect_error(ErrorKind::out_of_memory, {"no room for a chunk"}, [&] {
    (void)reconstruct_fdk({task.source, task.setup, task.options}, plan, sink, device, progress);
  });
  EXPECT_EQ(sink.writes, 1);
}

TEST(SlabQueue, CutsWhatIsTooHighAndKeepsTheRest) {
  SlabQueue queue({{0, 64}, {64, 80}}, 1);

  EXPECT_EQ(queue.take(48), (Range{0, 48}));
  queue.done();
  EXPECT_EQ(queue.take(48), (Range{48, 64}));
  queue.give_back({48, 64});
  EXPECT_EQ(queue.take(48), (Range{48, 64}));
  queue.done();
  EXPECT_EQ(queue.take(48), (Range{64, 80}));
  queue.done();
  EXPECT_EQ(queue.take(48), std::nullopt);
}

TEST(SlabQueue, TheLastWorkerCannotLeave) {
  SlabQueue queue({{0, 16}}, 2);
  ASSERT_TRUE(queue.take(16));

  const Range taken{0, 16};
  EXPECT_TRUE(queue.leave(std::span(&taken, 1)));
  EXPECT_EQ(queue.take(16), (Range{0, 16}));
  EXPECT_FALSE(queue.leave(std::span(&taken, 1)));
}

}  // namespace
}  // namespace feldspar::recon
