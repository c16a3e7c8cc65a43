// The rectifier kernel: one thread a pixel, one row a block in x.
#include "kernels/cuda/launch.hpp"
#include "kernels/cuda/resources.hpp"

namespace feldspar::kernels::cuda {
namespace {

constexpr int block_width = 256;

__global__ void rectify_kernel(const __grid_constant__ RectifyBlock block) {
  block(static_cast<int>(blockIdx.y * blockDim.x + threadIdx.x), static_cast<int>(blockIdx.x));
}

}  // namespace

void launch(const RectifyBlock& block, std::int64_t lines, cudaStream_t stream) {
  const unsigned across = static_cast<unsigned>((block.columns - 1) / block_width + 1);
  rectify_kernel<<<dim3(static_cast<unsigned>(lines), across), block_width, 0, stream>>>(block);
  check(cudaGetLastError(), "the launch of the rectifier kernel");
}

}  // namespace feldspar::kernels::cuda
