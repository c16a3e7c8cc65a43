// The filter kernel: one block a pair of rows, in shared memory where it is large enough.
#include <algorithm>

#include "kernels/cuda/block_team.hpp"
#include "kernels/cuda/launch.hpp"
#include "kernels/cuda/resources.hpp"

namespace feldspar::kernels::cuda {
namespace {

constexpr int most_threads = 512;

__global__ void __launch_bounds__(most_threads)
    filter_kernel(const __grid_constant__ RowFilter filter, int pairs, Complex* workspace) {
  extern __shared__ Complex on_chip[];
  Complex* row = workspace ? workspace + static_cast<std::size_t>(blockIdx.x) * filter.length : on_chip;
  for (unsigned pair = blockIdx.x; pair < static_cast<unsigned>(pairs); pair += gridDim.x)
    filter(static_cast<int>(pair), row, BlockTeam{});
}

}  // namespace

bool allow_shared_rows(int device, std::size_t bytes) {
  int most = 0;
  check(cudaDeviceGetAttribute(&most, cudaDevAttrMaxSharedMemoryPerBlockOptin, device),
        "cudaDeviceGetAttribute(cudaDevAttrMaxSharedMemoryPerBlockOptin)");
  if (bytes > static_cast<std::size_t>(most)) return false;
  check(cudaFuncSetAttribute(filter_kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, most),
        "cudaFuncSetAttribute(cudaFuncAttributeMaxDynamicSharedMemorySize)");
  return true;
}

void launch(const RowFilter& filter, int pairs, const RowWorkspace& workspace, cudaStream_t stream) {
  const int threads = std::min(most_threads, std::max(32, filter.length / 4));
  const int blocks = workspace.rows ? std::min(pairs, workspace.count) : pairs;
  const std::size_t shared = workspace.rows ? 0 : sizeof(Complex) * static_cast<std::size_t>(filter.length);
  filter_kernel<<<static_cast<unsigned>(blocks), static_cast<unsigned>(threads), shared, stream>>>(
      filter, pairs, workspace.rows);
  check(cudaGetLastError(), "the launch of the filter kernel");
}

}  // namespace feldspar::kernels::cuda
