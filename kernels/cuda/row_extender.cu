// The kernels that continue truncated rows and cut them back: one block a row.
#include "kernels/cuda/launch.hpp"
#include "kernels/cuda/resources.hpp"

namespace feldspar::kernels::cuda {
namespace {

constexpr int block_width = 256;

__global__ void extend_kernel(const __grid_constant__ ExtendedRows rows, float* wide) {
  __shared__ ExtendedRows::Side sides[2];
  const std::ptrdiff_t line = blockIdx.x;
  if (threadIdx.x < 2) sides[threadIdx.x] = rows.side_of(threadIdx.x == 1, line);
  __syncthreads();
  float* to = wide + line * rows.width() + rows.left;
  for (int c = static_cast<int>(threadIdx.x) - rows.left; c < rows.columns + rows.right; c += block_width)
    to[c] = rows.is_measured(c) ? rows.projections[line * rows.columns + c]
                                : rows.missing(sides[c < rows.measured_first ? 0 : 1], c, line);
}

__global__ void crop_kernel(const float* wide, int width, int left, float* projections, int columns) {
  const std::ptrdiff_t line = blockIdx.x;
  for (int c = static_cast<int>(threadIdx.x); c < columns; c += block_width)
    projections[line * columns + c] = wide[line * width + left + c];
}

}  // namespace

void launch(const ExtendedRows& rows, std::int64_t lines, float* wide, cudaStream_t stream) {
  extend_kernel<<<static_cast<unsigned>(lines), block_width, 0, stream>>>(rows, wide);
  check(cudaGetLastError(), "the launch of the kernel that continues rows");
}

void launch_crop(const WideRows& rows, std::int64_t lines, float* projections, int columns,
                 cudaStream_t stream) {
  crop_kernel<<<static_cast<unsigned>(lines), block_width, 0, stream>>>(rows.values, rows.width, rows.left,
                                                                        projections, columns);
  check(cudaGetLastError(), "the launch of the kernel that crops rows");
}

}  // namespace feldspar::kernels::cuda
