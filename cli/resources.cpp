#include "cli/resources.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "base/error.hpp"
#include "base/parallel.hpp"
#include "base/system_memory.hpp"
#include "base/units.hpp"

namespace feldspar::cli {

void add_host_options(CLI::App& command, ResourceOptions& options) {
  command.add_option("--memory", options.memory,
                     "Most memory the program may use, as 4GiB; default: 3/4 of what is free");
  command.add_option("--threads", options.threads, "Threads of the CPU; default: all")
      ->check(CLI::Range(1, 4096));
}

void add_resource_options(CLI::App& command, ResourceOptions& options) {
  command
      .add_option("--device", options.device,
                  "Where to compute; `feldspar devices` lists them; cuda shares the work between all GPUs, "
                  "cuda:0,cuda:2 between two")
      ->capture_default_str();
  add_host_options(command, options);
  command.add_option("--gpu-memory", options.gpu_memory,
                     "Most memory to use of each GPU, as 20GiB; default: what its driver has free");
}

std::size_t default_memory() { return available_memory() / 4 * 3; }

std::vector<kernels::Backend*> Workshop::devices() const {
  std::vector<kernels::Backend*> all{backend.get()};
  for (const auto& other : more_backends) all.push_back(other.get());
  return all;
}

Workshop open_workshop(const ResourceOptions& options) {
  Workshop shop;
  shop.threads = options.threads > 0 ? options.threads : usable_processors();
  shop.budget = std::make_unique<MemoryBudget>(
      options.memory.empty() ? default_memory() : parse_bytes(options.memory, "--memory"));
  shop.budget->reserve(recon::program_bytes(shop.threads), "the program itself");
  auto backends = kernels::open_backends(
      options.device,
      {.threads = shop.threads,
       .budget = shop.budget.get(),
       .device_memory = options.gpu_memory.empty() ? 0 : parse_bytes(options.gpu_memory, "--gpu-memory")});
  shop.backend = std::move(backends.front());
  backends.erase(backends.begin());
  shop.more_backends = std::move(backends);
  return shop;
}

void require_memory(const MemoryBudget& budget, std::size_t bytes, const std::string& purpose) {
  constexpr std::size_t mebibyte = std::size_t{1} << 20;
  const std::size_t needed = budget.used() + bytes;
  if (needed <= budget.limit()) return;
  throw Error(ErrorKind::out_of_memory,
              fmt::format("the memory budget is {}, but {} takes at least {} (--memory {}MiB){}",
                          format_bytes(budget.limit()), purpose, format_bytes(needed),
                          (needed + mebibyte - 1) / mebibyte,
                          default_memory() < needed ? ", more than is free" : ""));
}

}  // namespace feldspar::cli
