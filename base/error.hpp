// The one exception of the project: a kind for programs (it is the exit code of the command line)
// a message for people, which names what is wrong and where, and the way out as data.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>

#include "base/remedy.hpp"

namespace feldspar {

/// What went wrong. The values are the exit codes of `feldspar`; 0 is success.
enum class ErrorKind {
  internal = 1,       ///< a mistake of the program itself
  usage = 2,          ///< the command line, configuration or an argument is wrong
  bad_file = 3,       ///< an input can be read but makes no sense
  io = 4,             ///< an input or output cannot be read or written
  out_of_memory = 5,  ///< the budget is too small for one slab, or memory ran out
  device = 6,         ///< the device or its driver failed
  cancelled = 7,      ///< stopped by the user
  unsupported = 8,    ///< possible in principle, not by this build
  untrusted = 9,      ///< the volume was written but verification failed
};

/// The name of a kind, for logs and JSON: "bad_file".
[[nodiscard]] const char* name_of(ErrorKind kind) noexcept;

/// The one exception that the project throws.
class Error : public std::runtime_error {
 public:
  /// `message` is for people: what is wrong, and where. It reads well without the remedies.
  Error(ErrorKind kind, const std::string& message, Remedies remedies = {});
  /// The same in other words, with `more` ways out.
  Error(const Error& cause, const std::string& message, const Remedies& more = {});

  /// What programs go by: the exit code of `feldspar`.
  [[nodiscard]] ErrorKind kind() const noexcept { return kind_; }
  /// What to do about it; may be empty.
  [[nodiscard]] const Remedies& remedies() const noexcept { return *remedies_; }

 private:
  ErrorKind kind_;
  std::shared_ptr<const Remedies> remedies_;  ///< shared, for copies of exceptions must not throw
};

/// Throws Error(kind, message) unless `condition` holds.
inline void expects(bool condition, const char* message, ErrorKind kind = ErrorKind::internal) {
  if (!condition) throw Error(kind, message);
}

}  // namespace feldspar
