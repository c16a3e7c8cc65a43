// Kernels that work along rows, one thread a sample, one row a block in x: the filter's steps and the
// rectifier.
#include "kernels/cuda/launch.hpp"
#include "kernels/cuda/resources.hpp"

namespace feldspar::kernels::cuda {
namespace {

constexpr int block_width = 256;

template <class Step>
__global__ void row_kernel(const Step step) {
  step(static_cast<int>(blockIdx.y * blockDim.x + threadIdx.x), static_cast<int>(blockIdx.x));
}

template <class Step>
void launch_rows(const Step& step, int samples, std::int64_t rows, cudaStream_t stream, const char* name) {
  const unsigned across = static_cast<unsigned>((samples - 1) / block_width + 1);
  row_kernel<<<dim3(static_cast<unsigned>(rows), across), block_width, 0, stream>>>(step);
  check(cudaGetLastError(), std::string("the launch of the ") + name + " kernel");
}

}  // namespace

void launch(const RectifyBlock& block, std::int64_t lines, cudaStream_t stream) {
  launch_rows(block, block.columns, lines, stream, "rectifier");
}
void launch(const WeighAndPad& step, int slots, cudaStream_t stream) {
  launch_rows(step, step.batch.length, slots, stream, "weighting");
}
void launch(const ApplyResponse& step, int slots, cudaStream_t stream) {
  launch_rows(step, step.batch.length / 2 + 1, slots, stream, "ramp");
}
void launch(const Crop& step, int slots, cudaStream_t stream) {
  launch_rows(step, step.batch.columns, slots, stream, "cropping");
}

}  // namespace feldspar::kernels::cuda
