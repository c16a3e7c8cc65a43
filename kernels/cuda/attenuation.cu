// The attenuation kernel: one thread a pixel, one row a block in x.
#include "kernels/cuda/launch.hpp"
#include "kernels/cuda/resources.hpp"

namespace feldspar::kernels::cuda {
namespace {

constexpr int block_width = 256;

/// Adds how many threads of the block hold `outcome`. All threads must take part.
__device__ void count(unsigned met, unsigned outcome, unsigned long long* total) {
  const int found = __syncthreads_count((met & outcome) != 0);
  if (threadIdx.x == 0 && found > 0) atomicAdd(total, static_cast<unsigned long long>(found));
}

template <class Block>
__global__ void attenuate_kernel(const Block block, DeviceTally* tally) {
  const unsigned met = block(static_cast<int>(blockIdx.y * blockDim.x + threadIdx.x), blockIdx.x);
  if (__syncthreads_or(static_cast<int>(met)) == 0) return;  // nothing in the whole block: the usual case
  count(met, met_floor, &tally->floored);
  count(met, met_saturation, &tally->saturated);
  count(met, met_dead, &tally->dead);
  count(met, met_not_finite, &tally->not_finite);
}

template <class Block>
void launch_block(const Block& block, std::int64_t lines, DeviceTally* tally, cudaStream_t stream) {
  const unsigned across = static_cast<unsigned>((block.columns - 1) / block_width + 1);
  attenuate_kernel<<<dim3(static_cast<unsigned>(lines), across), block_width, 0, stream>>>(block, tally);
  check(cudaGetLastError(), "the launch of the attenuation kernel");
}

}  // namespace

void launch(const AttenuateBlock<std::uint16_t>& block, std::int64_t lines, DeviceTally* tally,
            cudaStream_t stream) {
  launch_block(block, lines, tally, stream);
}
void launch(const AttenuateBlock<float>& block, std::int64_t lines, DeviceTally* tally, cudaStream_t stream) {
  launch_block(block, lines, tally, stream);
}

}  // namespace feldspar::kernels::cuda
