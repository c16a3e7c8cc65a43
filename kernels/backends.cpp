// The list of backends, in one place and by name: static registration would be dropped by the linker.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/error.hpp"
#include "base/log.hpp"
#include "kernels/backend.hpp"
#include "kernels/cpu/cpu_backend.hpp"
#include "kernels/cuda/cuda_backend.hpp"
#include "kernels/reference/reference_backend.hpp"

namespace feldspar::kernels {
namespace {

int parse_index(std::string_view text, std::string_view name) {
  int index = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
  if (error != std::errc{} || end != text.data() + text.size() || index < 0)
    throw Error(ErrorKind::usage, fmt::format("'{}' names no device; write for example cuda:1", name));
  return index;
}

/// Where nothing better is offered: all that is queued is waited for.
class AllMarker final : public Marker {
 public:
  explicit AllMarker(Backend& backend) : backend_(backend) {}
  void set() override {}
  void wait() override { backend_.wait(); }

 private:
  Backend& backend_;
};

}  // namespace

std::unique_ptr<Marker> Backend::make_marker() { return std::make_unique<AllMarker>(*this); }

std::vector<DeviceInfo> list_devices() {
  std::vector<DeviceInfo> all = cuda_devices();
  for (const auto& list : {cpu_devices(), std::vector{reference_device()}})
    all.insert(all.end(), list.begin(), list.end());
  std::stable_sort(all.begin(), all.end(), [](const DeviceInfo& a, const DeviceInfo& b) {
    if (a.unavailable.empty() != b.unavailable.empty()) return a.unavailable.empty();
    return a.preference > b.preference;
  });
  return all;
}

std::unique_ptr<Backend> open_backend(std::string_view name, const BackendOptions& options) {
  if (name == "auto") {
    const auto devices = list_devices();
    expects(!devices.empty() && devices.front().preference > 0, "no device can be opened", ErrorKind::device);
    return open_backend(devices.front().name, options);
  }
  if (name == "reference") return open_reference(options);
  if (name == "cpu") return open_cpu("", options);
  if (name.starts_with("cpu:")) return open_cpu(name.substr(4), options);
  if (name == "cuda") return open_cuda(0, options);
  if (name.starts_with("cuda:")) return open_cuda(parse_index(name.substr(5), name), options);
  throw Error(ErrorKind::usage, fmt::format("'{}' names no device; `feldspar devices` lists them", name));
}

namespace {

/// The devices that a list names.
std::vector<std::string> devices_named(std::string_view names) {
  std::vector<std::string> wanted;
  for (std::size_t end = 0; end != std::string_view::npos; names.remove_prefix(end + 1)) {
    end = names.find(',');
    wanted.emplace_back(names.substr(0, end));
    if (end == std::string_view::npos) break;
  }
  return wanted;
}

/// All NVIDIA devices that can be opened, and a warning of each that cannot; the error of the last when none
/// can.
std::vector<std::unique_ptr<Backend>> open_all_cuda(const BackendOptions& options) {
  std::vector<std::unique_ptr<Backend>> backends;
  std::optional<Error> failed;
  for (const DeviceInfo& device : cuda_devices()) {
    if (!device.unavailable.empty()) continue;
    try {
      backends.push_back(open_backend(device.name, options));
    } catch (const Error& error) {
      log_warning(fmt::format("{} is left out: {}", device.name, error.what()));
      failed = error;
    }
  }
  if (backends.empty() && failed) throw *failed;
  if (backends.empty()) backends.push_back(open_cuda(0, options));  // throws why there is none
  return backends;
}

}  // namespace

std::vector<std::unique_ptr<Backend>> open_backends(std::string_view names, const BackendOptions& options) {
  if (names == "cuda") return open_all_cuda(options);
  const std::vector<std::string> wanted = devices_named(names);
  std::vector<std::unique_ptr<Backend>> backends;
  for (const std::string& name : wanted) {
    if (wanted.size() > 1 && !name.starts_with("cuda:"))
      throw Error(
          ErrorKind::usage,
          fmt::format("'{}' cannot share the work: only NVIDIA devices can, as in cuda:0,cuda:1", name));
    if (std::count(wanted.begin(), wanted.end(), name) > 1)
      throw Error(ErrorKind::usage, fmt::format("'{}' is named twice", name));
    backends.push_back(open_backend(name, options));
  }
  return backends;
}

}  // namespace feldspar::kernels
