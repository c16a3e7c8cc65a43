// Whole reconstructions on CUDA devices against the CPU's; skipped, visibly, without one.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/recon/cuda_cases.hpp"
#include "tests/support/comparison.hpp"

namespace feldspar::recon {
namespace {

using testing::CudaCase;

bool is_there(const std::string& name) {
  const auto devices = kernels::list_devices();
  return std::any_of(devices.begin(), devices.end(), [&](const kernels::DeviceInfo& device) {
    return device.name == name && device.unavailable.empty();
  });
}

class OnCuda : public ::testing::TestWithParam<CudaCase> {};

TEST_P(OnCuda, ReconstructsAsTheCpu) {
  if (!is_there("cuda:0")) GTEST_SKIP() << "needs a CUDA device";
  const CudaCase& task = GetParam();
  const auto expected = task.on("cpu");

  const auto result = task.on("cuda:0");

  const auto difference = testing::compare(std::span(result.values), std::span(expected.values));
  EXPECT_LT(difference.worst, task.tolerance) << "at " << difference.where;
  EXPECT_TRUE(result.report.findings.empty());
  EXPECT_EQ(result.report.tally.pixels, expected.report.tally.pixels);
}

TEST_P(OnCuda, GivesTheSameBitsHoweverItIsCut) {
  if (!is_there("cuda:0")) GTEST_SKIP() << "needs a CUDA device";
  const CudaCase& task = GetParam();
  const auto whole = task.on("cuda:0");

  const auto shared = task.on("cuda");  // by several devices, where there are

  EXPECT_EQ(whole.values, shared.values);
}

INSTANTIATE_TEST_SUITE_P(Scans, OnCuda, ::testing::ValuesIn(testing::cuda_cases()),
                         [](const auto& of) { return of.param.name; });

}  // namespace
}  // namespace feldspar::recon
