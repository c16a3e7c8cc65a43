// `feldspar devices`: what a reconstruction can run on here, and why the rest cannot be used.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/units.hpp"
#include "cli/commands.hpp"
#include "kernels/backend.hpp"

namespace feldspar::cli {
namespace {

void print_for_people(const std::vector<kernels::DeviceInfo>& devices) {
  for (const auto& device : devices) {
    std::cout << fmt::format("{:<14}{}", device.name, device.description);
    if (device.memory > 0) std::cout << fmt::format(", {}", format_bytes(device.memory));
    if (!device.unavailable.empty()) std::cout << fmt::format(" (cannot be used: {})", device.unavailable);
    std::cout << fmt::format("\n");
  }
}

void print_for_programs(const std::vector<kernels::DeviceInfo>& devices) {
  auto list = nlohmann::ordered_json::array();
  for (const auto& device : devices)
    list.push_back({{"name", device.name},
                    {"description", device.description},
                    {"memory_bytes", device.memory},
                    {"preference", device.preference},
                    {"usable", device.unavailable.empty()},
                    {"unavailable", device.unavailable}});
  std::cout << fmt::format("{}\n", list.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace

void add_devices_command(CLI::App& program) {
  CLI::App* command =
      program.add_subcommand("devices", "List what a reconstruction can run on, the preferred first");
  command->footer("Example:\n  feldspar devices\n  feldspar recon SCAN -o VOLUME.h5 --device cuda:0");
  const auto json = std::make_shared<bool>(false);
  command->add_flag("--json", *json, "Print JSON for programs");
  command->callback([json] {
    const auto devices = kernels::list_devices();
    *json ? print_for_programs(devices) : print_for_people(devices);
  });
}

}  // namespace feldspar::cli
