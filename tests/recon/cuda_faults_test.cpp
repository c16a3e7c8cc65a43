// What the CUDA backend makes of calls that fail, and of its own errors: on devices in software.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "base/error.hpp"
#include "base/log.hpp"
#include "tests/recon/cuda_cases.hpp"
#include "tests/support/failure.hpp"
#include "tests/support/software_cuda/machine.hpp"

namespace feldspar::recon {
namespace {

using testing::CudaCase;
using testing::software_cuda::Fault;
using testing::software_cuda::Machine;
using testing::software_cuda::Settings;

constexpr std::size_t mebibyte = std::size_t{1} << 20;

/// Every stage there is, in two slabs or more. Where rows are continued, the host waits for each batch.
CudaCase task_of(int views, bool extended) {
  geometry::CircularScan scan = testing::small_scan(views);
  scan.detector.roll = 0.01;
  scan.detector.columns = 24, scan.detector.rows = 44;
  CudaCase made = testing::cuda_case("all", std::move(scan));
  made.options.grid = geometry::centred_grid(16, 16, 48, 0.5);
  if (extended)
    made.options.extension = std::make_shared<Extension>(extend_by_outline(made.setup, {7, 1, -2}));
  auto corrections = std::make_shared<Corrections>();
  corrections->spec.columns = 24, corrections->spec.rows = 44;
  corrections->spec.bad_pixels = {30, 700}, corrections->spec.patches = {{3, 800, 0.2f}};
  made.options.corrections = std::move(corrections);
  return made;
}
Settings machine_of(int devices) {
  Settings settings;
  settings.devices = devices;
  settings.memory = (256 + 64) * mebibyte + 5 * mebibyte / 4;  // the driver's, tables, slabs
  settings.delay_us = 20;
  return settings;
}

/// What a run ends with: its volume or its error, and what it leaves behind.
struct Outcome {
  std::vector<float> values = {};
  std::string error = {};
  int left = 0;
};
Outcome run(const CudaCase& task, const Settings& settings) {
  const Machine machine(settings);
  Outcome outcome;
  try {
    outcome.values = task.on("cuda").values;
  } catch (const Error& error) {
    outcome.error = error.what();
    EXPECT_TRUE(error.kind() == ErrorKind::device || error.kind() == ErrorKind::out_of_memory ||
                error.kind() == ErrorKind::unsupported)
        << error.what();
  }
  outcome.left = machine.in_use();
  return outcome;
}

struct Kind {
  const char* call;
  cudaError_t error;
};
constexpr Kind kinds[] = {{"cudaMalloc", cudaErrorMemoryAllocation},
                          {"cudaHostAlloc", cudaErrorMemoryAllocation},
                          {"launch", cudaErrorLaunchFailure},
                          {"launch", cudaErrorIllegalAddress},
                          {"launch", cudaErrorMemoryAllocation},
                          {"cudaMemcpyAsync", cudaErrorUnknown},
                          {"cudaMemcpyAsync", cudaErrorInvalidValue},
                          {"cudaMemsetAsync", cudaErrorLaunchFailure},
                          {"cudaStreamSynchronize", cudaErrorLaunchFailure},
                          {"cudaEventSynchronize", cudaErrorUnknown},
                          {"cudaEventRecord", cudaErrorLaunchFailure},
                          {"cudaEventCreateWithFlags", cudaErrorMemoryAllocation},
                          {"cudaStreamCreateWithFlags", cudaErrorMemoryAllocation},
                          {"cudaSetDevice", cudaErrorUnknown},
                          {"cudaSetDevice", cudaErrorDevicesUnavailable},
                          {"cudaFree", cudaErrorLaunchFailure},
                          {"cudaFreeHost", cudaErrorLaunchFailure},
                          {"cudaMemGetInfo", cudaErrorUnknown},
                          {"cudaFuncGetAttributes", cudaErrorNoKernelImageForDevice},
                          {"cudaFuncSetAttribute", cudaErrorInvalidValue},
                          {"cudaDeviceGetAttribute", cudaErrorInvalidValue},
                          {"cudaGetDeviceCount", cudaErrorInsufficientDriver},
                          {"cudaGetDeviceProperties", cudaErrorUnknown}};

class Faults : public ::testing::TestWithParam<std::tuple<int, Kind>> {
 protected:
  void SetUp() override { set_log_threshold(LogLevel::error); }
};

/// The first and the last call of a kind, and some between them.
std::vector<int> some_of(int calls) {
  std::mt19937 random(5);
  std::vector<int> all(static_cast<std::size_t>(calls)), some;
  for (int n = 0; n < calls; ++n) all[static_cast<std::size_t>(n)] = n;
  std::sample(all.begin(), all.end(), std::back_inserter(some), 4, random);
  some.insert(some.end(), {0, calls - 1});
  return some;
}

TEST_P(Faults, EndInTheVolumeOrInACleanError) {
  const auto& [devices, kind] = GetParam();
  const CudaCase task = task_of(8, true);
  Settings settings = machine_of(devices);
  std::vector<float> expected;
  int calls = 0;
  {
    const Machine machine(settings);
    expected = task.on("cuda").values;
    calls = machine.calls(kind.call);
  }
  ASSERT_GT(calls, 0);
  for (const int number : some_of(calls)) {
    settings.faults = {{kind.call, number, kind.error}};

    const Outcome outcome = run(task, settings);

    EXPECT_TRUE(outcome.values == expected || !outcome.error.empty()) << number << " of " << calls;
    EXPECT_EQ(outcome.left, 0) << number << " of " << calls << ": " << outcome.error;
  }
}

INSTANTIATE_TEST_SUITE_P(Calls, Faults,
                         ::testing::Combine(::testing::Values(1, 3), ::testing::ValuesIn(kinds)),
                         [](const auto& of) {
                           const Kind& kind = std::get<1>(of.param);
                           return std::string(kind.call) + "_" + std::to_string(kind.error) + "_on_" +
                                  std::to_string(std::get<0>(of.param));
                         });

/// One of three devices is lost while it works: the others do its slab again.
class Loss : public ::testing::TestWithParam<Kind> {};

TEST_P(Loss, OfOneOfThreeDevicesCostsNoVolume) {
  set_log_threshold(LogLevel::error);
  const Kind kind = GetParam();
  const CudaCase task = task_of(8, true);
  Settings settings = machine_of(3);
  std::vector<float> expected;
  int calls = 0;
  {
    const Machine machine(settings);
    expected = task.on("cuda").values;
    calls = machine.calls(kind.call);
  }
  int lost = 0;
  for (int tenth = 4; tenth < 10; ++tenth) {  // what comes before belongs to the opening of devices
    settings.faults = {{kind.call, calls * tenth / 10, kind.error}};
    const Machine machine(settings);

    const auto result = task.on("cuda");

    EXPECT_EQ(result.values, expected) << tenth;
    lost += testing::count_of(result.report.findings, "device.failed");
  }
  EXPECT_GE(lost, 2) << "the last calls of a kind may come when all is stored";
}

INSTANTIATE_TEST_SUITE_P(Of, Loss,
                         ::testing::Values(Kind{"launch", cudaErrorLaunchFailure},
                                           Kind{"launch", cudaErrorIllegalAddress},
                                           Kind{"cudaMemcpyAsync", cudaErrorUnknown},
                                           Kind{"cudaEventSynchronize", cudaErrorUnknown}),
                         [](const auto& of) {
                           return std::string(of.param.call) + "_" + std::to_string(of.param.error);
                         });

TEST(LastCopy, OfATallyDoesNotFailTheRunWhenItFails) {
  set_log_threshold(LogLevel::error);
  const CudaCase task = task_of(8, true);
  Settings settings = machine_of(1);
  std::vector<float> expected;
  {
    const Machine machine(settings);
    expected = task.on("cuda").values;
    settings.faults = {{"cudaMemcpyAsync", machine.calls("cudaMemcpyAsync") - 1, cudaErrorLaunchFailure}};
  }
  const Machine machine(settings);

  const auto result = task.on("cuda");

  EXPECT_EQ(result.values, expected);
  EXPECT_EQ(testing::count_of(result.report.findings, "device.failed"), 1);
  EXPECT_EQ(testing::count_with(result.report.findings, {"tally", "not complete"}), 1);
}

/// Ends the program with 0 where a run gives the right volume.
[[noreturn]] void judge(const CudaCase& task, const Settings& settings) {
  set_log_threshold(LogLevel::error);
  alarm(60);
  Settings sound_settings = settings;
  sound_settings.ignored = {}, sound_settings.kernel = {}, sound_settings.delay_us = 20;
  const Outcome sound = run(task, sound_settings), outcome = run(task, settings);
  std::_Exit(outcome.values == sound.values && !sound.values.empty() ? 0 : 1);
}

struct Planted {
  const char* name;
  const char* ignored;  ///< a wait, or
  const char* kernel;   ///< a kernel's
  int barrier;
  bool harmful;
};
class PlantedErrors : public ::testing::TestWithParam<Planted> {};

TEST_P(PlantedErrors, AreSeen) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const Planted& planted = GetParam();
  Settings settings = machine_of(1);
  settings.delay_us = *planted.ignored ? 20000 : 200;
  if (*planted.ignored) settings.ignored = {planted.ignored};
  settings.kernel = planted.kernel, settings.barrier = planted.barrier;

  const bool merges = std::string_view(planted.kernel).starts_with("merg");
  if (merges) settings.memory = Settings{}.memory;
  EXPECT_EXIT(
      judge(merges             ? testing::merged_case()
            : *planted.ignored ? task_of(150, false)
                               : task_of(8, true),
            settings),
      [&](int status) { return (status != 0) == planted.harmful; }, "");
}

INSTANTIATE_TEST_SUITE_P(
    Of, PlantedErrors,
    ::testing::Values(Planted{"nothing", "", "", -1, false},
                      Planted{"event_wait", "cudaEventSynchronize", "", -1, true},
                      Planted{"copy_wait", "cudaStreamSynchronize", "", -1, true},
                      Planted{"filter_barrier", "", "filter_kernel", 0, true},
                      Planted{"later_filter_barrier", "", "filter_kernel", 5, true},
                      Planted{"packing_barrier", "", "packing_kernel", 0, true},
                      Planted{"block_barrier", "", "block_kernel", 1, true},
                      Planted{"later_block_barrier", "", "block_kernel", 2, true},
                      Planted{"extender_barrier", "", "extend_kernel", 0, true},
                      Planted{"merging_nothing", "", "merging_kernel", 1000, false},
                      // Who sets a sum to 0 is who adds to it.
                      Planted{"first_merging_barrier", "", "merging_kernel", 0, false},
                      Planted{"merging_barrier", "", "merging_kernel", 1, true},
                      Planted{"later_merging_barrier", "", "merging_kernel", 2, true},
                      Planted{"merged_block_barrier", "", "merged_block_kernel", 1, true},
                      Planted{"later_merged_block_barrier", "", "merged_block_kernel", 2, true}),
    [](const auto& of) { return of.param.name; });

}  // namespace
}  // namespace feldspar::recon
