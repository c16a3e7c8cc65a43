// All that a test may use: the CPU, its processors, and memory without a limit.
#pragma once

#include "base/parallel.hpp"
#include "recon/resources.hpp"

namespace feldspar::testing {

inline recon::Resources all_resources() {
  static MemoryBudget budget;
  static const int threads = usable_processors();
  static const std::unique_ptr<kernels::Backend> backend =
      kernels::open_backend("cpu", {.threads = threads, .budget = &budget});
  return {budget, *backend, threads};
}

}  // namespace feldspar::testing
