// The memory, the device and the threads of a run: settled before anything is computed, and the same for all
// of it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/progress.hpp"
#include "recon/resources.hpp"
#include "run/request.hpp"

namespace feldspar::run {

/// Who is told of a stage that begins now. Stages come one after another; the monitor that returns false
/// stops the run.
using Watch = std::function<ProgressMonitor()>;

/// Three quarters of what the system and its control groups leave to this process.
[[nodiscard]] std::size_t default_memory();

/// What a run works with, and owns.
struct Workshop {
  std::unique_ptr<MemoryBudget> budget;       ///< of all memory of what follows: it goes last
  std::unique_ptr<kernels::Backend> backend;  ///< the first device
  std::vector<std::unique_ptr<kernels::Backend>> more_backends;  ///< that share slabs with the first
  int threads = 1;                                               ///< of the host, for all stages

  /// The same, lent.
  [[nodiscard]] recon::Resources resources() const { return {*budget, *backend, threads}; }
  /// All that share slabs.
  [[nodiscard]] std::vector<kernels::Backend*> devices() const;
};

/// Opens the devices, and counts what the program itself takes. Throws as kernels::open_backends.
[[nodiscard]] Workshop open_workshop(const Machine& machine);

/// Throws Error(out_of_memory), naming the --memory that suffices, unless `bytes` fit into the budget beside
/// what is in use; `purpose` continues "to".
void require_memory(const MemoryBudget& budget, std::size_t bytes, const std::string& purpose);

}  // namespace feldspar::run
