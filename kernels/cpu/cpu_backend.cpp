#include "kernels/cpu/cpu_backend.hpp"

#include <fmt/format.h>

#include <array>
#include <fstream>
#include <string>

#include "base/error.hpp"
#include "kernels/cpu/operators.hpp"
#include "kernels/host_backend.hpp"

namespace feldspar::kernels {
namespace {

struct InstructionSet {
  const cpu::SimdKernels* kernels;
  bool present;
};

/// The best first.
const auto& instruction_sets() {
#ifdef FELDSPAR_X86
  static const std::array sets{
      InstructionSet{&cpu::simd_avx512,
                     __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                         __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                         __builtin_cpu_supports("avx512vl")},
      InstructionSet{&cpu::simd_avx2, __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                                          __builtin_cpu_supports("bmi2")},
      InstructionSet{&cpu::simd_baseline, true}};
#else
  static const std::array sets{InstructionSet{&cpu::simd_baseline, true}};
#endif
  return sets;
}

const cpu::SimdKernels& choose(std::string_view wanted) {
  for (const auto& [kernels, present] : instruction_sets()) {
    if (wanted.empty() && present) return *kernels;
    if (wanted == kernels->name) {
      if (present) return *kernels;
      throw Error(ErrorKind::unsupported, fmt::format("this processor has no {}", wanted),
                  {{"device", "cpu"}});
    }
  }
  throw Error(ErrorKind::usage,
              fmt::format("'cpu:{}' names no device; `feldspar devices` lists them", wanted));
}

std::string processor_model() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);)
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  return "processor";
}

class CpuBackend final : public HostBackend {
 public:
  CpuBackend(const cpu::SimdKernels& kernels, const BackendOptions& options)
      : HostBackend(options.budget), machine_{&kernels, ThreadPool(options.threads), options.budget} {}

  [[nodiscard]] std::string name() const override { return fmt::format("cpu:{}", machine_.simd->name); }
  [[nodiscard]] bool merges_views() const noexcept override { return true; }
  [[nodiscard]] std::unique_ptr<Attenuation> make_attenuation(const AttenuationSpec& spec) override {
    return cpu::make_attenuation(machine_, spec);
  }
  [[nodiscard]] std::unique_ptr<Correction> make_correction(const CorrectionSpec& spec) override {
    return cpu::make_correction(machine_, spec);
  }
  [[nodiscard]] std::unique_ptr<Rectifier> make_rectifier() override { return cpu::make_rectifier(machine_); }
  [[nodiscard]] std::unique_ptr<Filter> make_filter(const FilterSpec& spec) override {
    return cpu::make_filter(machine_, spec);
  }
  [[nodiscard]] std::unique_ptr<BackProjector> make_back_projector(const BackProjectorSpec& spec) override {
    return cpu::make_back_projector(machine_, spec);
  }
  [[nodiscard]] std::unique_ptr<ForwardProjector> make_forward_projector() override {
    return cpu::make_forward_projector(machine_);
  }
  [[nodiscard]] std::unique_ptr<RowExtender> make_row_extender() override {
    return cpu::make_row_extender(machine_);
  }

 private:
  cpu::Machine machine_;
};

}  // namespace

std::vector<DeviceInfo> cpu_devices() {
  std::vector<DeviceInfo> devices;
  const std::string model = processor_model();
  devices.push_back(
      {.name = "cpu",
       .description = fmt::format("{}, {} threads, {}", model, usable_processors(), choose("").name),
       .preference = 10,
       .memory = 0,
       .unavailable = {}});
  for (const auto& [kernels, present] : instruction_sets())
    devices.push_back({.name = fmt::format("cpu:{}", kernels->name),
                       .description = fmt::format("the same processor, {} floats at a time", kernels->lanes),
                       .preference = 1,
                       .memory = 0,
                       .unavailable = present ? "" : "this processor lacks these instructions"});
  return devices;
}

std::unique_ptr<Backend> open_cpu(std::string_view instruction_set, const BackendOptions& options) {
  return std::make_unique<CpuBackend>(choose(instruction_set), options);
}

}  // namespace feldspar::kernels
