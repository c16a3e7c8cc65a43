// The messages of the HDF5 library.
#include "io/hdf5/handle.hpp"

#include <string_view>

namespace feldspar::io::hdf5 {
namespace {

/// The walk goes upward, so the first error met is the innermost.
herr_t keep_first(unsigned, const H5E_error2_t* error, void* text) {
  auto& first = *static_cast<std::string*>(text);
  if (first.empty() && error->desc) first = error->desc;
  return 0;
}

/// What the system said, where the library quotes it among the details of a read or write.
std::string quoted_in(const std::string& reason) {
  constexpr std::string_view mark = "error message = '";
  const std::size_t start = reason.find(mark);
  if (start == std::string::npos) return reason;
  const std::size_t end = reason.find('\'', start + mark.size());
  return reason.substr(start + mark.size(), end - start - mark.size());
}

}  // namespace

void silence() noexcept {
  // A file that could not be closed for lack of room stays in the library's tables, and its own clean-up at
  // the end of the process would crash on it.
  static const bool no_clean_up = H5dont_atexit() >= 0;
  (void)no_clean_up;
  thread_local const bool silent = H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr) >= 0;
  (void)silent;
}

void fail(const std::string& what) {
  std::string reason;
  (void)H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_first, &reason);
  (void)H5Eclear2(H5E_DEFAULT);
  throw Failure(reason.empty() ? what : what + ": " + quoted_in(reason));
}

}  // namespace feldspar::io::hdf5
