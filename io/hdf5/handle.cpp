// The messages of the HDF5 library.
#include "io/hdf5/handle.hpp"

namespace feldspar::io::hdf5 {
namespace {

/// The walk goes upward, so the first error met is the innermost.
herr_t keep_first(unsigned, const H5E_error2_t* error, void* text) {
  auto& first = *static_cast<std::string*>(text);
  if (first.empty() && error->desc) first = error->desc;
  return 0;
}

}  // namespace

void silence() noexcept {
  thread_local const bool silent = H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr) >= 0;
  (void)silent;
}

void fail(const std::string& what) {
  std::string reason;
  (void)H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_first, &reason);
  (void)H5Eclear2(H5E_DEFAULT);
  throw Failure(reason.empty() ? what : what + ": " + reason);
}

}  // namespace feldspar::io::hdf5
