// The backend for NVIDIA GPUs. absent.cpp supplies the same functions in builds without CUDA.
#pragma once

#include <memory>
#include <vector>

#include "kernels/backend.hpp"

namespace feldspar::kernels {

/// Every CUDA device, or one entry that says why there is none. Never throws.
[[nodiscard]] std::vector<DeviceInfo> cuda_devices();

/// Throws Error(unsupported) in a build without CUDA, Error(device) when the driver or the device fails.
[[nodiscard]] std::unique_ptr<Backend> open_cuda(int index, const BackendOptions& options);

}  // namespace feldspar::kernels
