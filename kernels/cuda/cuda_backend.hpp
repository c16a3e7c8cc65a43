// The CUDA backend's door. A build without CUDA has it too: it lists why there is no device.
#pragma once

#include <memory>
#include <vector>

#include "kernels/backend.hpp"

namespace feldspar::kernels {

/// The NVIDIA devices "cuda:0", "cuda:1" and so on, or one entry "cuda" that says why there is none. Never
/// throws and leaves no context on any device.
[[nodiscard]] std::vector<DeviceInfo> cuda_devices();

/// Opens "cuda:<index>". Throws Error(unsupported) when this build or machine lacks it, Error(device) when
/// it fails. Device memory is asked of the driver, and no more than options.device_memory is taken.
[[nodiscard]] std::unique_ptr<Backend> open_cuda(int index, const BackendOptions& options = {});

}  // namespace feldspar::kernels
