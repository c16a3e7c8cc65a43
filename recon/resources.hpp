// What one run may use: settled once, before anything is looked for, and handed to everything that works for
// it.
#pragma once

#include <algorithm>
#include <cstddef>

#include "base/reservation.hpp"
#include "io/scan_source.hpp"
#include "kernels/backend.hpp"

namespace feldspar::recon {

/// One budget, one device and one number of threads. Refers to what its owner holds.
struct Resources {
  MemoryBudget& budget;       ///< of host memory, of which what the program itself takes is reserved
  kernels::Backend& backend;  ///< whose buffers count against it
  int threads = 1;            ///< of loops on the host

  /// Bytes that the whole process may take.
  [[nodiscard]] std::size_t memory() const { return budget.limit(); }

  /// How many of the threads can have `bytes` each of what is left: at least one, which then may be refused.
  [[nodiscard]] int threads_with(std::size_t bytes) const {
    const std::size_t used = std::min(budget.used(), budget.limit());
    const std::size_t room = (budget.limit() - used) / std::max<std::size_t>(1, bytes);
    return static_cast<int>(std::clamp<std::size_t>(room, 1, static_cast<std::size_t>(threads)));
  }
};

/// What a process takes besides what it counts: code, libraries, stacks and heaps, and with every thread the
/// chunks that a writer compresses and what is hashed.
[[nodiscard]] constexpr std::size_t program_bytes(int threads) {
  return (std::size_t{64} << 20) + static_cast<std::size_t>(threads) * (std::size_t{4} << 20);
}

/// What open-beam and dark images take.
[[nodiscard]] inline std::size_t bytes_of(const io::References& references) {
  return sizeof(float) * (references.white.size() + references.dark.size());
}

}  // namespace feldspar::recon
