#include "base/error.hpp"
#include "kernels/cuda/cuda_backend.hpp"

namespace feldspar::kernels {

std::vector<DeviceInfo> cuda_devices() {
  return {{.name = "cuda",
           .description = "NVIDIA GPU",
           .preference = 0,
           .memory = 0,
           .unavailable = "this build has no CUDA backend: configure with the CUDA Toolkit installed"}};
}

std::unique_ptr<Backend> open_cuda(int, const BackendOptions&) {
  throw Error(ErrorKind::unsupported, "this build has no CUDA backend: configure with the CUDA Toolkit installed");
}

}  // namespace feldspar::kernels
