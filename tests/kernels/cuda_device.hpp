// Back-projection on the first CUDA device, by a method of choice.
#pragma once

#include <memory>
#include <vector>

#include "kernels/cuda/cuda_backend.hpp"
#include "kernels/cuda/operators.hpp"

namespace feldspar::testing {

/// Adds all views to all slices of a volume of zeros on the first device.
inline std::vector<float> back_projected_on_device(kernels::cuda::Method method,
                                                   const kernels::BackProjectorSpec& spec,
                                                   const geometry::CircularScan& scan,
                                                   const geometry::VolumeGrid& grid,
                                                   const std::vector<float>& values) {
  using namespace kernels::cuda;
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

}  // namespace feldspar::testing
