// Merged views on a CUDA device against the CPU's; skipped, visibly, without one.
#include <gtest/gtest.h>

#include "tests/kernels/cuda_device.hpp"
#include "tests/kernels/merging_cases.hpp"
#include "tests/support/comparison.hpp"

namespace feldspar::kernels {
namespace {

class MergingOnDevice : public ::testing::TestWithParam<testing::MergeCase> {};

// The bounds of cuda_merging_test, which derives them.
TEST_P(MergingOnDevice, GivesWhatTheCpuGives) {
  const DeviceInfo device = cuda_devices().front();
  if (!device.unavailable.empty()) GTEST_SKIP() << "needs a CUDA device: " << device.unavailable;
  const auto& [name, scan, grid, count] = GetParam();
  const auto views = geometry::make_views(scan);
  const BackProjectorSpec spec{.merging = merging_of(count, views, grid, testing::everywhere)};
  std::vector<float> stack = testing::waves(scan), expected(grid.voxels());
  open_backend("cpu", {.threads = 2})
      ->make_back_projector(spec)
      ->accumulate(views, {0, scan.detector.rows},
                   {stack.data(), scan.detector.columns, scan.detector.rows, static_cast<int>(views.size())},
                   grid, {0, grid.nz}, {expected.data(), grid.nx, grid.ny, grid.nz});

  const auto result = testing::back_projected_on_device(cuda::Method::blocks, spec, scan, grid, stack);

  const auto difference = testing::compare(std::span(result), std::span(expected));
  EXPECT_LT(difference.relative, 1e-4) << "at " << difference.where;
  EXPECT_LT(difference.worst, 2.8e-4) << "at " << difference.where;
}

INSTANTIATE_TEST_SUITE_P(Geometries, MergingOnDevice, ::testing::ValuesIn(testing::merge_cases()),
                         [](const auto& of) { return of.param.name; });

}  // namespace
}  // namespace feldspar::kernels
