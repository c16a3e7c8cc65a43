#include "base/stop.hpp"

#include <atomic>

#include "base/error.hpp"

namespace feldspar {
namespace {

std::atomic<StopRequest> stop_request{nullptr};

}  // namespace

void set_stop_request(StopRequest asked) noexcept { stop_request = asked; }

void stop_if_requested() {
  const StopRequest asked = stop_request;
  if (asked && asked()) throw Error(ErrorKind::cancelled, "stopped by the user");
}

}  // namespace feldspar
