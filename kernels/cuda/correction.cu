// The kernels of corrections: a thread a patch, a thread a bad pixel of a view, a thread a value.
#include "kernels/cuda/launch.hpp"
#include "kernels/cuda/resources.hpp"

namespace feldspar::kernels::cuda {
namespace {

constexpr int block_width = 256;

unsigned blocks_of(std::int64_t threads) { return static_cast<unsigned>((threads - 1) / block_width + 1); }

__global__ void patch_kernel(const PatchBlock block, std::int64_t patches) {
  const std::int64_t index = std::int64_t{blockIdx.x} * block_width + threadIdx.x;
  if (index < patches) block(index);
}

__global__ void repair_kernel(const RepairBlock block, std::int64_t repairs) {
  const std::int64_t index = std::int64_t{blockIdx.x} * block_width + threadIdx.x;
  if (index < repairs) block(index, blockIdx.y);
}

__global__ void correct_kernel(const CorrectBlock block) {
  const int column = static_cast<int>(blockIdx.y * blockDim.x + threadIdx.x);
  if (column < block.columns) block(column, blockIdx.x);
}

}  // namespace

void launch(const PatchBlock& block, std::int64_t patches, cudaStream_t stream) {
  patch_kernel<<<blocks_of(patches), block_width, 0, stream>>>(block, patches);
  check(cudaGetLastError(), "the launch of the kernel that patches values");
}

void launch(const RepairBlock& block, std::int64_t repairs, int views, cudaStream_t stream) {
  repair_kernel<<<dim3(blocks_of(repairs), static_cast<unsigned>(views)), block_width, 0, stream>>>(block,
                                                                                                    repairs);
  check(cudaGetLastError(), "the launch of the kernel that replaces bad pixels");
}

void launch(const CorrectBlock& block, std::int64_t lines, cudaStream_t stream) {
  correct_kernel<<<dim3(static_cast<unsigned>(lines), blocks_of(block.columns)), block_width, 0, stream>>>(
      block);
  check(cudaGetLastError(), "the launch of the correction kernel");
}

}  // namespace feldspar::kernels::cuda
