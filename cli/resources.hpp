// The memory, the device and the threads of a command: the same options with the same meaning everywhere,
// settled before anything is computed.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "recon/resources.hpp"

namespace CLI {
class App;
}

namespace feldspar::cli {

/// As typed.
struct ResourceOptions {
  std::string device = "auto";
  std::string memory;      ///< "4GiB"; empty for default_memory()
  std::string gpu_memory;  ///< of each GPU; empty for what its driver has free
  int threads = 0;         ///< 0 for all that the process may use
};

/// Adds --device, --memory, --gpu-memory and --threads.
void add_resource_options(CLI::App& command, ResourceOptions& options);
/// Only --memory and --threads, for what needs no device.
void add_host_options(CLI::App& command, ResourceOptions& options);

/// Three quarters of what the system and its control groups leave to this process.
[[nodiscard]] std::size_t default_memory();

/// What a command works with, and owns.
struct Workshop {
  std::unique_ptr<MemoryBudget> budget;  ///< of all memory of what follows: it goes last
  std::unique_ptr<kernels::Backend> backend;
  std::vector<std::unique_ptr<kernels::Backend>> more_backends;  ///< that share slabs with the first
  int threads = 1;

  [[nodiscard]] recon::Resources resources() const { return {*budget, *backend, threads}; }
  [[nodiscard]] std::vector<kernels::Backend*> devices() const;
};

/// Opens the devices, and counts what the program itself takes. Throws Error(usage) for what cannot be read,
/// and as kernels::open_backends.
[[nodiscard]] Workshop open_workshop(const ResourceOptions& options);

/// Throws Error(out_of_memory), naming the --memory that suffices, unless `bytes` fit into the budget beside
/// what is in use; `purpose` continues "to".
void require_memory(const MemoryBudget& budget, std::size_t bytes, const std::string& purpose);

}  // namespace feldspar::cli
