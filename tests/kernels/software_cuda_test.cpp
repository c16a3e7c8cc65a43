// The device in software itself: what it lets pass and what it does not. And what the CUDA backend says of
// errors that only several devices or a failing one show.
#include "tests/support/software_cuda/machine.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "base/error.hpp"
#include "kernels/cuda/cuda_backend.hpp"
#include "kernels/cuda/resources.hpp"
#include "kernels/filter.hpp"
#include "tests/support/errors.hpp"

namespace feldspar::testing::software_cuda {
namespace {

using kernels::cuda::DeviceMemory;
using kernels::cuda::Queue;

class SoftwareDevice : public ::testing::Test {
 protected:
  Machine machine_{{.devices = 2, .memory = std::size_t{64} << 20, .delay_us = 0}};
  Queue queue_{0, 0};
};

/// Runs `thread` in one block of `threads` and returns what became of it.
template <class Thread>
cudaError_t run(const Queue& queue, unsigned threads, const Thread& thread, std::size_t shared = 0) {
  launch("a_kernel", Launch{1, threads, shared, queue.stream()}, thread);
  const cudaError_t launched = cudaGetLastError();
  return launched != cudaSuccess ? launched : cudaStreamSynchronize(queue.stream());
}

TEST_F(SoftwareDevice, MemoryIsNaNUntilItIsWritten) {
  const DeviceMemory memory(queue_, 1000, "a test");
  std::vector<float> values(250, 0.0f);

  ASSERT_EQ(cudaMemcpy(values.data(), memory.data(), 1000, cudaMemcpyDeviceToHost), cudaSuccess);

  for (const float value : values) EXPECT_TRUE(std::isnan(value));
}

TEST_F(SoftwareDevice, BarriersPartWhatThreadsDo) {
  const DeviceMemory memory(queue_, 100 * sizeof(int), "a test");
  int* const values = memory.as<int>();

  const cudaError_t outcome = run(queue_, 100, [values] {
    const unsigned own = threadIdx.x;
    values[own] = static_cast<int>(own);
    __syncthreads();
    const int other = values[(own + 37) % 100], odd = __syncthreads_count(own % 2);
    values[own] = other + 1000 * odd;
  });

  EXPECT_EQ(outcome, cudaSuccess);
  std::vector<int> result(100);
  ASSERT_EQ(cudaMemcpy(result.data(), values, 400, cudaMemcpyDeviceToHost), cudaSuccess);
  for (int n = 0; n < 100; ++n) EXPECT_EQ(result[static_cast<std::size_t>(n)], (n + 37) % 100 + 50000);
}

TEST_F(SoftwareDevice, ABarrierThatSomeThreadsNeverReachFails) {
  EXPECT_EQ(run(queue_, 64,
                [] {
                  if (threadIdx.x != 5) __syncthreads();
                }),
            cudaErrorLaunchFailure);
}

TEST_F(SoftwareDevice, TouchingWhatIsBesideMemoryFails) {
  const DeviceMemory memory(queue_, 4096, "a test");
  float* const end = memory.as<float>() + 1024;

  EXPECT_EQ(run(queue_, 32, [end] { end[0] = 1; }), cudaErrorIllegalAddress);
}

TEST_F(SoftwareDevice, TouchingWhatIsBesideSharedMemoryFails) {
  EXPECT_EQ(run(
                queue_, 32, [] { static_cast<float*>(dynamic_shared())[256] = 1; }, 1024),
            cudaErrorIllegalAddress);
}

TEST_F(SoftwareDevice, AnotherDevicesMemoryFails) {
  if (!host_is_kept_out()) GTEST_SKIP() << "this processor has no protection keys";
  const Queue other(1, 0);
  const DeviceMemory memory(other, 4096, "a test");
  float* const values = memory.as<float>();
  queue_.activate();

  EXPECT_EQ(run(queue_, 32, [values] { values[0] = 1; }), cudaErrorIllegalAddress);
}

TEST_F(SoftwareDevice, LaunchesThatNoDeviceTakesFail) {
  const auto nothing = [] {};
  EXPECT_EQ(run(queue_, 1025, nothing), cudaErrorInvalidConfiguration);
  EXPECT_EQ(run(queue_, 0, nothing), cudaErrorInvalidConfiguration);
  EXPECT_EQ(run(queue_, 32, nothing, 50000), cudaErrorInvalidConfiguration);  // was not asked for
  launch("a_kernel", Launch{{1, 65536}, 32, 0, queue_.stream()}, nothing);
  EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidConfiguration);
}

TEST_F(SoftwareDevice, CopiesThatMistakeTheirEndsFail) {
  const DeviceMemory memory(queue_, 4096, "a test");
  char host[4096] = {};
  EXPECT_EQ(cudaMemcpy(host, memory.data(), 4096, cudaMemcpyHostToDevice), cudaErrorInvalidValue);
  EXPECT_EQ(cudaMemcpy(memory.data(), host, 4097, cudaMemcpyHostToDevice), cudaErrorInvalidValue);
}

using SoftwareDeviceDeathTest = SoftwareDevice;

TEST_F(SoftwareDeviceDeathTest, TheHostCannotReadItsMemory) {
  if (!host_is_kept_out()) GTEST_SKIP() << "this processor has no protection keys";
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const DeviceMemory memory(queue_, 4096, "a test");

  EXPECT_DEATH(std::printf("%f", static_cast<double>(*memory.as<volatile float>())), "");
}

TEST_F(SoftwareDeviceDeathTest, WritingBesideMemoryEndsTheProgram) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        const DeviceMemory memory(queue_, 1001, "a test");
        char* const end = memory.as<char>() + 1001;
        (void)run(queue_, 1, [end] { *end = 0; });
      },
      "beside a block of memory");
}

/// Queues a fill of memory that is freed at once.
cudaError_t free_early(std::set<std::string> ignored) {
  const Machine machine({.delay_us = 0, .ignored = std::move(ignored)});
  const Queue queue(0, 0);
  {
    const DeviceMemory memory(queue, std::size_t{256} << 20, "a test");
    EXPECT_EQ(cudaMemsetAsync(memory.data(), 0, memory.bytes(), queue.stream()), cudaSuccess);
  }
  return cudaDeviceSynchronize();
}

TEST(DeviceMemory, IsFreedWhenTheWorkThatUsesItIsDone) {
  EXPECT_EQ(free_early({}), cudaSuccess);
  EXPECT_EQ(free_early({"cudaStreamSynchronize"}), cudaErrorIllegalAddress);  // the test of the test
}

TEST(Errors, NameTheDeviceThatFailed) {
  const Machine machine({.devices = 2, .faults = {{"cudaSetDevice", 0, cudaErrorDevicesUnavailable}}});
  expect_error(ErrorKind::device, {"cudaSetDevice(1) failed on cuda:1"}, [] { (void)kernels::open_cuda(1); });
}

TEST(Errors, OfKernelsAreNotBlamedOnTheCallThatMeetsThem) {
  const Machine machine({.faults = {{"cudaMemsetAsync", 0, cudaErrorLaunchFailure}}});
  const auto backend = kernels::open_cuda(0);
  const auto buffer = backend->allocate(4096, "a test");
  backend->fill_zero(buffer->data(), 4096);
  expect_error(ErrorKind::device, {"unspecified launch failure", "of an earlier kernel or copy"},
               [&] { backend->wait(); });
}

TEST(Errors, OfPinnedMemorySpeakOfTheHost) {
  const Machine machine({.faults = {{"cudaHostAlloc", 0, cudaErrorMemoryAllocation}}});
  const auto backend = kernels::open_cuda(0);
  expect_error(ErrorKind::out_of_memory, {"raw projections", "the host's memory", "lower memory"},
               [&] { (void)backend->allocate_staging(4096, "raw projections"); });
}

TEST(OpenBackends, GoesOnWithTheDevicesThatCanBeOpened) {
  const Machine machine(
      {.devices = 3, .faults = {{"cudaFuncGetAttributes", 1, cudaErrorNoKernelImageForDevice}}});

  const auto backends = kernels::open_backends("cuda");

  ASSERT_EQ(backends.size(), 2u);
  EXPECT_EQ(backends[0]->name(), "cuda:0");
  EXPECT_EQ(backends[1]->name(), "cuda:2");
}

TEST(OpenBackends, ThrowsWhyNoneCanBeOpened) {
  const Machine machine({.devices = 1, .faults = {{"cudaSetDevice", 0, cudaErrorDevicesUnavailable}}});
  expect_error(ErrorKind::device, {"cuda:0"}, [] { (void)kernels::open_backends("cuda"); });
}

TEST(Filter, TellsOfTheMemoryOfRowsTooLongForABlock) {
  const Machine machine({.memory = std::size_t{2} << 30, .shared = 99 << 10});
  const auto backend = kernels::open_cuda(0);
  EXPECT_EQ(backend->make_filter({.columns = 4096, .ramp = {}})->workspace_bytes(), 0u);
  EXPECT_EQ(backend->make_filter({.columns = 8192, .ramp = {}})->workspace_bytes(),
            std::size_t{1024} * 8 * 16384);
}

}  // namespace
}  // namespace feldspar::testing::software_cuda
