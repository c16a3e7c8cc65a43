// The forward projection kernels: one thread a ray, one row of a view a block in x.
#include "kernels/cuda/launch.hpp"
#include "kernels/cuda/resources.hpp"

namespace feldspar::kernels::cuda {
namespace {

constexpr int block_width = 128;

__device__ JosephRay ray_of(const RayBlock& block, int column, int line) {
  return joseph_ray(block.views[line / block.rows], block.box, block.first_column + column,
                    block.first_row + line % block.rows);
}

__global__ void project_kernel(const __grid_constant__ RayBlock block, const float* volume,
                               float* projections) {
  const int column = static_cast<int>(blockIdx.y * blockDim.x + threadIdx.x),
            line = static_cast<int>(blockIdx.x);
  if (column >= block.columns) return;
  projections[static_cast<std::ptrdiff_t>(line) * block.columns + column] +=
      line_integral(ray_of(block, column, line), block.box, volume);
}

__global__ void spread_kernel(const __grid_constant__ RayBlock block, const float* projections,
                              float* volume) {
  const int column = static_cast<int>(blockIdx.y * blockDim.x + threadIdx.x),
            line = static_cast<int>(blockIdx.x);
  if (column >= block.columns) return;
  const JosephRay ray = ray_of(block, column, line);
  const float value = projections[static_cast<std::ptrdiff_t>(line) * block.columns + column] * ray.length;
  walk(ray, block.box,
       [&](std::ptrdiff_t voxel, float weight) { atomicAdd(volume + voxel, weight * value); });
}

dim3 blocks_of(const RayBlock& block, std::int64_t lines) {
  return dim3(static_cast<unsigned>(lines), static_cast<unsigned>((block.columns - 1) / block_width + 1));
}

}  // namespace

void launch_projection(const RayBlock& block, std::int64_t lines, const float* volume, float* projections,
                       cudaStream_t stream) {
  project_kernel<<<blocks_of(block, lines), block_width, 0, stream>>>(block, volume, projections);
  check(cudaGetLastError(), "the launch of the forward projection kernel");
}

void launch_adjoint(const RayBlock& block, std::int64_t lines, const float* projections, float* volume,
                    cudaStream_t stream) {
  spread_kernel<<<blocks_of(block, lines), block_width, 0, stream>>>(block, projections, volume);
  check(cudaGetLastError(), "the launch of the forward projection's adjoint kernel");
}

}  // namespace feldspar::kernels::cuda
