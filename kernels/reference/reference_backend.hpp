// The backend that is written to be read: double precision, one pixel and one voxel at a time, straight
// from the definitions. It is slow, and every other backend is tested against it.
#pragma once

#include <memory>

#include "kernels/backend.hpp"

namespace feldspar::kernels {

[[nodiscard]] DeviceInfo reference_device();
[[nodiscard]] std::unique_ptr<Backend> open_reference(const BackendOptions& options);

}  // namespace feldspar::kernels
