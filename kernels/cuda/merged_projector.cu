// The kernels that merge neighbouring views for tiles of voxels and back-project them.
#include <algorithm>

#include "base/error.hpp"
#include "kernels/cuda/block_team.hpp"
#include "kernels/cuda/launch.hpp"
#include "kernels/cuda/resources.hpp"

namespace feldspar::kernels::cuda {
namespace {

using Block = FdkBlock<FloatPair>;

constexpr int placing_threads = 128, merging_threads = 256;
constexpr std::size_t shared_bytes = 48 << 10;  // that every device gives without being asked

unsigned blocks_of(int count, int width) { return (static_cast<unsigned>(count) - 1) / width + 1; }

std::size_t row_bytes(const Merging& merging) {
  return sizeof(float) * static_cast<std::size_t>(merging.line_pitch() + merging.sum_pitch());
}

__global__ void __launch_bounds__(placing_threads)
    placing_kernel(const __grid_constant__ MergePlacing placing) {
  placing(static_cast<int>(blockIdx.z), static_cast<int>(blockIdx.y),
          static_cast<int>(blockIdx.x * placing_threads + threadIdx.x));
}

__global__ void __launch_bounds__(merging_threads) merging_kernel(const __grid_constant__ Merging merging) {
  extern __shared__ float rows[];
  merging(static_cast<int>(blockIdx.z), static_cast<int>(blockIdx.y), static_cast<int>(blockIdx.x),
          Merging::Memory{rows, rows + merging.rows_at_once * merging.line_pitch()}, BlockTeam{});
}

/// Blocks x are those of a tile, from left to right and front to back.
__global__ void __launch_bounds__(Block::threads, 3)
    merged_block_kernel(const __grid_constant__ Merging merging, const __grid_constant__ BlockTarget slab,
                        int blocks_across) {
  __shared__ Block::Memory memory;
  const MergeTile& tile = merging.tiles[blockIdx.z];
  const Block block{merged_target(slab, tile),
                    {merging.pairs + blockIdx.z * merging.sizes.pairs, tile.shape, nullptr}};
  const int n = static_cast<int>(blockIdx.x);
  block(tile.view, tile.groups,
        {tile.first_i + n % blocks_across * Block::width, tile.first_j + n / blocks_across * Block::depth,
         static_cast<int>(blockIdx.y) * Block::height},
        memory, BlockTeam{});
}

}  // namespace

int merged_rows_at_once(const MergeSizes& sizes) {
  Merging merging{};
  merging.sizes = sizes;
  for (int rows = Merging::most_rows; rows > 0; rows /= 2)
    if (rows * row_bytes(merging) <= shared_bytes) return rows;
  throw Error(ErrorKind::unsupported, "the shadow of a tile is too wide for views to be merged on the GPU",
              {{"fast", "off"}});
}

void launch(const MergeLaunch& work, cudaStream_t stream) {
  const auto tiles = static_cast<unsigned>(work.tiles);
  const MergeSizes& sizes = work.placing.sizes;
  const dim3 places(blocks_of(std::max(sizes.columns, sizes.sources), placing_threads),
                    static_cast<unsigned>(sizes.slots), tiles);
  placing_kernel<<<places, placing_threads, 0, stream>>>(work.placing);
  check(cudaGetLastError(), "the launch of the kernel that places merged views");

  const int rows = work.merging.rows_at_once;
  const dim3 parts(blocks_of(work.longest_stride, rows), MergeTile::most_groups, tiles);
  merging_kernel<<<parts, merging_threads, rows * row_bytes(work.merging), stream>>>(work.merging);
  check(cudaGetLastError(), "the launch of the kernel that merges views");

  const unsigned across = blocks_of(work.tile_width, Block::width);
  const dim3 blocks(across * blocks_of(work.tile_width, Block::depth),
                    blocks_of(work.target.slices, Block::height), tiles);
  merged_block_kernel<<<blocks, Block::threads, 0, stream>>>(work.merging, work.target,
                                                             static_cast<int>(across));
  check(cudaGetLastError(), "the launch of the kernel that back-projects merged views");
}

}  // namespace feldspar::kernels::cuda
