// The backend for processors: threads, and vector instructions chosen at run time.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "kernels/backend.hpp"

namespace feldspar::kernels {

/// "cpu" with the best instruction set of this machine, then each one that could be forced.
[[nodiscard]] std::vector<DeviceInfo> cpu_devices();

/// `instruction_set` is "avx512", "avx2", "baseline", or empty for the best.
[[nodiscard]] std::unique_ptr<Backend> open_cpu(std::string_view instruction_set,
                                                const BackendOptions& options);

}  // namespace feldspar::kernels
