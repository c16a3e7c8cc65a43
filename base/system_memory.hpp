// How much memory the machine and the control groups around this process leave to it.
#pragma once

#include <cstddef>
#include <filesystem>

namespace feldspar {

/// Bytes that this process can still take without swapping: what the system could give, and what the control
/// groups leave that it is in, of version 1 and 2, and all those around them that can be seen from here
/// (their limits less what is in use in them; page cache that can be dropped counts as free). `root` is where
/// /proc and the mount points are looked for.
[[nodiscard]] std::size_t available_memory(const std::filesystem::path& root = "/");

/// Bytes that this process has resident now, and that it had at most.
struct ResidentMemory {
  std::size_t now = 0;   ///< bytes
  std::size_t peak = 0;  ///< bytes
};
/// As the system says; 0 where it does not.
[[nodiscard]] ResidentMemory resident_memory();

/// Tells the C library to give freed memory back to the system instead of keeping it for later: what is
/// resident is then what is in use. To be called before the first thread starts.
void give_freed_memory_back();

}  // namespace feldspar
