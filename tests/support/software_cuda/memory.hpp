// Memory of devices in software, and what is pinned of the host's: guarded, poisoned, never given out twice.
#pragma once

#include <cstddef>

namespace feldspar::testing::software_cuda {

/// Full of NaN. `device` is -1 for the host's. Null when the host has none.
[[nodiscard]] char* allocate(std::size_t bytes, int device);
/// From now on nobody may touch it. Ends the program when something was written beside it.
void release(char* memory, std::size_t bytes, int device);

/// Lets the calling thread touch a device's memory.
void enter_memory(int device);
void leave_memory(int device);

}  // namespace feldspar::testing::software_cuda
