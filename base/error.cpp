#include "base/error.hpp"

#include <utility>

namespace feldspar {

Error::Error(ErrorKind kind, const std::string& message, Remedies remedies)
    : std::runtime_error(message),
      kind_(kind),
      remedies_(std::make_shared<const Remedies>(std::move(remedies))) {}

Error::Error(const Error& cause, const std::string& message, const Remedies& more)
    : std::runtime_error(message), kind_(cause.kind_), remedies_(cause.remedies_) {
  if (more.empty()) return;
  Remedies all = *remedies_;
  all.insert(all.end(), more.begin(), more.end());
  remedies_ = std::make_shared<const Remedies>(std::move(all));
}

const char* name_of(ErrorKind kind) noexcept {
  switch (kind) {
    case ErrorKind::internal: return "internal";
    case ErrorKind::usage: return "usage";
    case ErrorKind::bad_file: return "bad_file";
    case ErrorKind::io: return "io";
    case ErrorKind::out_of_memory: return "out_of_memory";
    case ErrorKind::device: return "device";
    case ErrorKind::cancelled: return "cancelled";
    case ErrorKind::unsupported: return "unsupported";
    case ErrorKind::untrusted: return "untrusted";
  }
  return "internal";
}

}  // namespace feldspar
