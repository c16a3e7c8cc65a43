// The back-projector that interpolates with the texture unit, on a device; skipped, visibly, without one.
#include <gtest/gtest.h>

#include <string>

#include "kernels/cuda/cuda_backend.hpp"
#include "kernels/cuda/launch.hpp"
#include "kernels/cuda/resources.hpp"
#include "kernels/view_matrix.hpp"
#include "tests/kernels/cuda_expectations.hpp"
#include "tests/support/comparison.hpp"

namespace feldspar::kernels::cuda {
namespace {

class TexturesOnDevice : public ::testing::TestWithParam<testing::ScanCase> {};

TEST_P(TexturesOnDevice, BackProjectToWithinTheirWeights) {
  const DeviceInfo device = cuda_devices().front();
  if (!device.unavailable.empty()) GTEST_SKIP() << "needs a CUDA device: " << device.unavailable;
  const auto& [name, scan, grid] = GetParam();
  const auto views = geometry::make_views(scan);
  const int nu = scan.detector.columns, nv = scan.detector.rows;
  const int count = std::min(static_cast<int>(views.size()), ViewBatch::capacity);
  const std::span<const geometry::View> used(views.data(), static_cast<std::size_t>(count));
  const std::vector<float> values = testing::noise(static_cast<std::size_t>(nu * nv * count));
  const auto expected = testing::expected_back_projection(used, {values.data(), nu, nv, count}, grid);
  ViewBatch batch{};
  for (const geometry::View& view : used) batch.view[batch.count++] = make_view_matrix(view, grid);

  const Queue queue(0, 0);
  const DeviceMemory projections(queue, values.size() * sizeof(float), "projections");
  const DeviceMemory volume(queue, grid.voxels() * sizeof(float), "a volume");
  const LayeredTexture texture(queue, nu, nv, count);
  std::vector<float> result(grid.voxels());
  check(cudaMemcpy(projections.data(), values.data(), projections.bytes(), cudaMemcpyHostToDevice),
        "cudaMemcpy");
  check(cudaMemset(volume.data(), 0, volume.bytes()), "cudaMemset");
  check(cudaDeviceSynchronize(), "cudaDeviceSynchronize");  // the queue does not wait for the default stream
  texture.fill(queue, projections.as<float>(), count);
  launch_fdk(batch, TextureStack{texture.get(), 0}, {volume.as<float>(), grid.nx, grid.ny, 0, grid.nz}, false,
             queue.stream());
  queue.wait();
  check(cudaMemcpy(result.data(), volume.data(), volume.bytes(), cudaMemcpyDeviceToHost), "cudaMemcpy");

  // Weights of 8 bits read from up to 2^-9 pixel away in either direction, where neighbours differ by at most
  // 1 (the edge); the largest voxel gets at least half of what every view could give.
  const auto difference = testing::compare(std::span(result), std::span(expected));
  EXPECT_LT(difference.worst, 2 * 0x1p-9 / 0.5) << "at " << difference.where;
}

INSTANTIATE_TEST_SUITE_P(Geometries, TexturesOnDevice, ::testing::ValuesIn(testing::scan_cases()),
                         [](const auto& instance) { return std::string(instance.param.name); });

}  // namespace
}  // namespace feldspar::kernels::cuda
