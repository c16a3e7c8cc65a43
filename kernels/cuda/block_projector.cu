// The kernels that pack projections in pairs and back-project blocks of voxels from them.
#include "kernels/cuda/block_team.hpp"
#include "kernels/cuda/launch.hpp"
#include "kernels/cuda/resources.hpp"

namespace feldspar::kernels::cuda {
namespace {

constexpr int packing_threads = 256;
constexpr int scale_threads = 512;

unsigned blocks_of(int count, int width) { return (static_cast<unsigned>(count) - 1) / width + 1; }

/// One block a view. Bits of positive floats are in the order of their values, and NaN is the largest.
__global__ void __launch_bounds__(scale_threads)
    half_scale_kernel(const float* pixels, std::ptrdiff_t count, float* scales) {
  __shared__ unsigned largest;
  if (threadIdx.x == 0) largest = 0;
  __syncthreads();
  const float* view = pixels + blockIdx.x * count;
  unsigned mine = 0;
  for (std::ptrdiff_t n = threadIdx.x; n < count; n += scale_threads)
    mine = max(mine, __float_as_uint(fabsf(view[n])));
  atomicMax(&largest, mine);
  __syncthreads();
  if (threadIdx.x == 0) scales[blockIdx.x] = half_scale(largest);
}

template <class Pair>
__global__ void __launch_bounds__(packing_threads)
    packing_kernel(const __grid_constant__ PairPacking<Pair> packing) {
  __shared__ typename PairPacking<Pair>::Memory memory;
  packing(static_cast<int>(blockIdx.z), static_cast<int>(blockIdx.x), static_cast<int>(blockIdx.y), memory,
          BlockTeam{});
}

template <class Pair>
void launch_packing(const PairPacking<Pair>& packing, int views, cudaStream_t stream) {
  constexpr int tile = PairPacking<Pair>::tile;
  const dim3 grid(blocks_of(packing.shape.columns + 1, tile), blocks_of(packing.shape.stride(), tile),
                  static_cast<unsigned>(views));
  packing_kernel<<<grid, packing_threads, 0, stream>>>(packing);
  check(cudaGetLastError(), "the launch of the kernel that packs projections");
}

template <class Pair>
__global__ void __launch_bounds__(FdkBlock<Pair>::threads, 3)
    block_kernel(const __grid_constant__ ViewBatch batch, const __grid_constant__ FdkBlock<Pair> block) {
  using Block = FdkBlock<Pair>;
  __shared__ typename Block::Memory memory;
  block(batch.view, batch.count,
        {static_cast<int>(blockIdx.x) * Block::width, static_cast<int>(blockIdx.y) * Block::depth,
         static_cast<int>(blockIdx.z) * Block::height},
        memory, BlockTeam{});
}

template <class Pair>
void launch_blocks(const FdkBlock<Pair>& block, const ViewBatch& batch, cudaStream_t stream) {
  using Block = FdkBlock<Pair>;
  const BlockTarget& target = block.target;
  const dim3 grid(blocks_of(target.end_i, Block::width), blocks_of(target.end_j, Block::depth),
                  blocks_of(target.slices, Block::height));
  block_kernel<<<grid, Block::threads, 0, stream>>>(batch, block);
  check(cudaGetLastError(), "the launch of the kernel that back-projects blocks");
}

}  // namespace

void launch_half_scales(const float* pixels, const PairShape& shape, int views, float* scales,
                        cudaStream_t stream) {
  half_scale_kernel<<<static_cast<unsigned>(views), scale_threads, 0, stream>>>(
      pixels, static_cast<std::ptrdiff_t>(shape.columns) * shape.rows, scales);
  check(cudaGetLastError(), "the launch of the kernel that finds the scales of half precision");
}

void launch(const PairPacking<FloatPair>& packing, int views, cudaStream_t stream) {
  launch_packing(packing, views, stream);
}
void launch(const PairPacking<HalfPair>& packing, int views, cudaStream_t stream) {
  launch_packing(packing, views, stream);
}

void launch(const FdkBlock<FloatPair>& block, const ViewBatch& batch, cudaStream_t stream) {
  launch_blocks(block, batch, stream);
}
void launch(const FdkBlock<HalfPair>& block, const ViewBatch& batch, cudaStream_t stream) {
  launch_blocks(block, batch, stream);
}

}  // namespace feldspar::kernels::cuda
