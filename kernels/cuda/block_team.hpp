// The threads of a block as the team that bodies in kernels/shared ask for. Read by nvcc, and by the host's
// compiler for the device in software that tests use.
#pragma once

#include "kernels/shared/host_device.hpp"

namespace feldspar::kernels::cuda {

struct BlockTeam {
  template <class Step>
  FELDSPAR_HOST_DEVICE void operator()([[maybe_unused]] int count, [[maybe_unused]] const Step& step) const {
#if defined(__CUDA_ARCH__) || defined(FELDSPAR_SOFTWARE_CUDA)
    for (int n = static_cast<int>(threadIdx.x); n < count; n += static_cast<int>(blockDim.x)) step(n);
    __syncthreads();
#endif
  }
};

}  // namespace feldspar::kernels::cuda
