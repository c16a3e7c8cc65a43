// Every method of back-projection on a device, merged views included; skipped, visibly, without one.
#include <gtest/gtest.h>

#include <string>
#include <tuple>

#include "kernels/cuda/cuda_backend.hpp"
#include "kernels/cuda/operators.hpp"
#include "tests/kernels/cuda_expectations.hpp"
#include "tests/kernels/merging_cases.hpp"
#include "tests/support/comparison.hpp"

namespace feldspar::kernels::cuda {
namespace {

/// Adds all views to all slices of a volume of zeros on the first device.
std::vector<float> on_device(Method method, const BackProjectorSpec& spec, const geometry::CircularScan& scan,
                             const geometry::VolumeGrid& grid, const std::vector<float>& values) {
  const auto views = geometry::make_views(scan);
  const auto queue = std::make_shared<const Queue>(0, 0);
  const DeviceMemory projections(*queue, values.size() * sizeof(float), "projections");
  const DeviceMemory volume(*queue, grid.voxels() * sizeof(float), "a volume");
  check(cudaMemcpy(projections.data(), values.data(), projections.bytes(), cudaMemcpyHostToDevice),
        "cudaMemcpy");
  check(cudaMemset(volume.data(), 0, volume.bytes()), "cudaMemset");
  check(cudaDeviceSynchronize(), "cudaDeviceSynchronize");  // the queue does not wait for the default stream
  make_back_projector(queue, method, spec)
      ->accumulate(views, {0, scan.detector.rows},
                   {projections.as<float>(), scan.detector.columns, scan.detector.rows,
                    static_cast<int>(views.size())},
                   grid, {0, grid.nz}, {volume.as<float>(), grid.nx, grid.ny, grid.nz});
  queue->wait();
  std::vector<float> result(grid.voxels());
  check(cudaMemcpy(result.data(), volume.data(), volume.bytes(), cudaMemcpyDeviceToHost), "cudaMemcpy");
  return result;
}

struct NamedMethod {
  const char* name;
  Method method;
  double rounding;  ///< of pixels and weights, relative to the largest voxel
};

// Pixels of half precision are off by 2^-11 of themselves at most. A texture's weights of 8 bits read from up
// to 2^-9 pixel away in either direction, where neighbours differ by at most 1 (the edge); the largest voxel
// gets at least half of what every view could give.
constexpr NamedMethod methods[] = {{"blocks", Method::blocks, 0},
                                   {"half_blocks", Method::half_blocks, 0x1p-11},
                                   {"columns", Method::columns, 0},
                                   {"texture", Method::texture, 2 * 0x1p-9 / 0.5}};

class MethodsOnDevice : public ::testing::TestWithParam<std::tuple<NamedMethod, testing::ScanCase>> {
 protected:
  void SetUp() override {
    const DeviceInfo device = cuda_devices().front();
    if (!device.unavailable.empty()) GTEST_SKIP() << "needs a CUDA device: " << device.unavailable;
  }
};

TEST_P(MethodsOnDevice, AgreeWithTheDefinition) {
  const auto& [way, scan_case] = GetParam();
  const auto& [name, scan, grid] = scan_case;
  const auto views = geometry::make_views(scan);
  const int nu = scan.detector.columns, nv = scan.detector.rows, count = static_cast<int>(views.size());
  const std::vector<float> values = testing::noise(static_cast<std::size_t>(nu) * nv * views.size());
  const auto expected = testing::expected_back_projection(views, {values.data(), nu, nv, count}, grid);

  const auto result = on_device(way.method, {}, scan, grid, values);

  const auto difference = testing::compare(std::span(result), std::span(expected));
  EXPECT_LT(difference.worst, way.rounding + testing::column_tolerance(scan_case))
      << "at " << difference.where;
}

INSTANTIATE_TEST_SUITE_P(Geometries, MethodsOnDevice,
                         ::testing::Combine(::testing::ValuesIn(methods),
                                            ::testing::ValuesIn(testing::scan_cases())),
                         [](const auto& of) {
                           return std::string(std::get<0>(of.param).name) + "_" + std::get<1>(of.param).name;
                         });

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

  const auto result = on_device(Method::blocks, spec, scan, grid, stack);

  const auto difference = testing::compare(std::span(result), std::span(expected));
  EXPECT_LT(difference.relative, 1e-4) << "at " << difference.where;
  EXPECT_LT(difference.worst, 2.8e-4) << "at " << difference.where;
}

INSTANTIATE_TEST_SUITE_P(Geometries, MergingOnDevice, ::testing::ValuesIn(testing::merge_cases()),
                         [](const auto& of) { return of.param.name; });

}  // namespace
}  // namespace feldspar::kernels::cuda
