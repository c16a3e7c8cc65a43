// A filter of HDF5 that crashes over what it is to decode, as the library does over some damaged files. Found
// by HDF5_PLUGIN_PATH.
#include <H5PLextern.h>

#include <csignal>
#include <cstdlib>

namespace {

// NOLINTNEXTLINE(misc-no-recursion)
int deeper(int more) {
  volatile char room[1 << 12];
  room[0] = static_cast<char>(more);
  return more == 0 ? 0 : deeper(more - 1) + room[0];
}

/// FELDSPAR_CRASH says how: "abort", "overrun" (the stack), or else SIGSEGV.
size_t crash(unsigned flags, size_t, const unsigned[], size_t bytes, size_t*, void**) {
  if ((flags & H5Z_FLAG_REVERSE) == 0) return bytes;
  const char* const how = std::getenv("FELDSPAR_CRASH");
  if (how && how[0] == 'a') std::abort();
  if (how && how[0] == 'o') return static_cast<size_t>(deeper(1 << 30));
  (void)std::raise(SIGSEGV);
  return 0;
}

const H5Z_class2_t filter{H5Z_CLASS_T_VERS, 32765, 1, 1, "crashes", nullptr, nullptr, crash};

}  // namespace

extern "C" {
H5PL_type_t H5PLget_plugin_type() { return H5PL_TYPE_FILTER; }
const void* H5PLget_plugin_info() { return &filter; }
}
