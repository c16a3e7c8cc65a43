// How much memory this process had resident at most since a moment, as the kernel counts it.
#pragma once

#include <cstddef>
#include <fstream>
#include <string>

namespace feldspar::testing {

namespace detail {
inline std::size_t status_bytes(const std::string& field) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(field + ":")) return std::stoull(line.substr(field.size() + 1)) * 1024;
  return 0;
}
}  // namespace detail

/// Bytes that are resident now.
inline std::size_t resident_bytes() { return detail::status_bytes("VmRSS"); }

/// Counts from what is resident when it is made.
class PeakMemory {
 public:
  PeakMemory() {
    std::ofstream("/proc/self/clear_refs") << 5;  // the peak becomes what is resident now
    before_ = detail::status_bytes("VmHWM");
  }
  /// Bytes that were resident at most since then, beyond those.
  [[nodiscard]] std::size_t added() const { return detail::status_bytes("VmHWM") - before_; }

 private:
  std::size_t before_;
};

}  // namespace feldspar::testing
