// The step between cuFFT's transforms, for the benchmark of the filter against them.
#include <cuda_runtime.h>
#include <cufft.h>

namespace {

__global__ void scale_kernel(cufftComplex* spectra, const float* response, int bins, int rows) {
  const int bin = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (bin >= bins) return;
  for (int row = static_cast<int>(blockIdx.y); row < rows; row += static_cast<int>(gridDim.y)) {
    cufftComplex& value = spectra[static_cast<long long>(row) * bins + bin];
    value.x *= response[bin];
    value.y *= response[bin];
  }
}

}  // namespace

/// Multiplies `rows` spectra of `bins` values by the response, all on the device.
void scale_spectra(cufftComplex* spectra, const float* response, int bins, int rows) {
  const unsigned threads = 256, blocks = (static_cast<unsigned>(bins) + threads - 1) / threads;
  const unsigned lines = rows < 65535 ? static_cast<unsigned>(rows) : 65535;
  scale_kernel<<<dim3(blocks, lines), threads>>>(spectra, response, bins, rows);
}
