// The back-projection kernels: one thread a short column of voxels, all views of a batch in its registers.
#include "kernels/cuda/launch.hpp"
#include "kernels/cuda/resources.hpp"

namespace feldspar::kernels::cuda {
namespace {

constexpr unsigned block_x = 32, block_y = 8;

template <class Column>
__global__ void __launch_bounds__(block_x* block_y)
    fdk_kernel(const __grid_constant__ ViewBatch batch, const __grid_constant__ Column column) {
  column(batch, static_cast<int>(blockIdx.x * block_x + threadIdx.x),
         static_cast<int>(blockIdx.y * block_y + threadIdx.y), static_cast<int>(blockIdx.z) * Column::length);
}

template <bool upright, class Stack>
void launch_columns(const ViewBatch& batch, const Stack& stack, const FdkTarget& target,
                    cudaStream_t stream) {
  using Column = FdkColumn<Stack, upright>;
  const auto blocks = [](int count, unsigned width) {
    return (static_cast<unsigned>(count) - 1) / width + 1;
  };
  const dim3 grid(blocks(target.nx, block_x), blocks(target.ny, block_y),
                  blocks(target.slices, Column::length));
  fdk_kernel<<<grid, dim3(block_x, block_y), 0, stream>>>(
      batch,
      Column{target.volume, target.nx, target.ny, target.first_slice, target.slices, stack, target.disc});
  check(cudaGetLastError(), "the launch of the back-projection kernel");
}

template <class Stack>
void launch_either(const ViewBatch& batch, const Stack& stack, const FdkTarget& target, bool upright,
                   cudaStream_t stream) {
  if (upright)
    launch_columns<true>(batch, stack, target, stream);
  else
    launch_columns<false>(batch, stack, target, stream);
}

}  // namespace

void launch_fdk(const ViewBatch& batch, const LinearStack& stack, const FdkTarget& target, bool upright,
                cudaStream_t stream) {
  launch_either(batch, stack, target, upright, stream);
}

void launch_fdk(const ViewBatch& batch, const TextureStack& stack, const FdkTarget& target, bool upright,
                cudaStream_t stream) {
  launch_either(batch, stack, target, upright, stream);
}

cudaError_t find_device_code() {
  cudaFuncAttributes attributes{};
  return cudaFuncGetAttributes(&attributes, fdk_kernel<FdkColumn<LinearStack, true>>);
}

}  // namespace feldspar::kernels::cuda
