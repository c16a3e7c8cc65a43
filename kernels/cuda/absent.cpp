// The CUDA backend of builds without CUDA.
#include "base/error.hpp"
#include "kernels/attenuation.hpp"
#include "kernels/back_projector.hpp"
#include "kernels/cuda/cuda_backend.hpp"
#include "kernels/filter.hpp"
#include "kernels/rectifier.hpp"

namespace feldspar::kernels {

namespace {
constexpr const char* reason =
    "this build has no CUDA backend: build with the CUDA Toolkit 11.8 or later and -DFELDSPAR_CUDA=ON";
}

std::vector<DeviceInfo> cuda_devices() {
  DeviceInfo info;
  info.name = "cuda";
  info.description = "NVIDIA GPU";
  info.unavailable = reason;
  return {info};
}

std::unique_ptr<Backend> open_cuda(int, const BackendOptions&) {
  throw Error(ErrorKind::unsupported, reason, {{"device", "cpu", "to do without it, give"}});
}

}  // namespace feldspar::kernels
