#include "run/workshop.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/parallel.hpp"
#include "base/system_memory.hpp"
#include "base/units.hpp"

namespace feldspar::run {

std::size_t default_memory() { return available_memory() / 4 * 3; }

std::vector<kernels::Backend*> Workshop::devices() const {
  std::vector<kernels::Backend*> all{backend.get()};
  for (const auto& other : more_backends) all.push_back(other.get());
  return all;
}

Workshop open_workshop(const Machine& machine) {
  Workshop shop;
  shop.threads = machine.threads > 0 ? machine.threads : usable_processors();
  shop.budget = std::make_unique<MemoryBudget>(machine.memory ? *machine.memory : default_memory());
  shop.budget->reserve(recon::program_bytes(shop.threads), "the program itself");
  auto backends = kernels::open_backends(machine.device, {.threads = shop.threads,
                                                          .budget = shop.budget.get(),
                                                          .device_memory = machine.gpu_memory.value_or(0)});
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
              fmt::format("the memory budget is {}, but {} takes at least {}{}", format_bytes(budget.limit()),
                          purpose, format_bytes(needed),

                          default_memory() < needed ? ", more than is free" : ""),
              {{"memory", fmt::format("{}MiB", (needed + mebibyte - 1) / mebibyte)}});
}

}  // namespace feldspar::run
