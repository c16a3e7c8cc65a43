// A library to preload that makes calls of the system fail, so that tests see what a program makes of it.
//   FELDSPAR_FAULT="CALL WHAT FIRST COUNT PATH"
// Of the calls CALL (read, pread, write, pwrite, fsync, alloc) on files whose name has PATH in it, those from
// number FIRST on (from 0), COUNT of them, go wrong: WHAT is ENOSPC, EIO, EINTR, SHORT (half of it is done),
// END (as if the file ended), KILL (the process is killed before the call) or WAIT (the call waits as long as
// the file FELDSPAR_FAULT_WHILE is there). For alloc, PATH is the smallest size in bytes and WHAT is ENOMEM.
#include <dlfcn.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

struct Fault {
  Fault() {
    const char* text = std::getenv("FELDSPAR_FAULT");
    active = text && std::sscanf(text, "%15s %15s %ld %ld %127s", call, what, &first, &count, path) == 5;
  }
  char call[16] = "", what[16] = "", path[128] = "";
  long first = 0, count = 0;
  bool active = false;
  std::atomic<long> seen{0};

  /// True when this call is one that goes wrong; it does not return when the process is to be killed.
  bool strikes() {
    const long number = seen++;
    if (number < first || number >= first + count) return false;
    if (is("KILL")) (void)::kill(::getpid(), SIGKILL);
    if (!is("WAIT")) return true;
    const char* reason = std::getenv("FELDSPAR_FAULT_WHILE");
    while (reason && ::access(reason, F_OK) == 0) (void)::usleep(10000);
    return false;
  }
  bool strikes(const char* name, int file) {
    if (!active || std::strcmp(call, name) != 0) return false;
    char link[64], target[4096];
    std::snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    const ssize_t length = ::readlink(link, target, sizeof target - 1);
    if (length < 0) return false;
    target[length] = '\0';
    return std::strstr(target, path) != nullptr && strikes();
  }
  [[nodiscard]] bool is(const char* name) const { return std::strcmp(what, name) == 0; }
  ssize_t failure() const {
    errno = is("ENOSPC") ? ENOSPC : is("EINTR") ? EINTR : EIO;
    return -1;
  }
};

Fault& fault() {
  static Fault instance;
  return instance;
}

template <class Function>
Function next(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

/// The call of `count` bytes, done wrongly if it is its turn.
template <class Call>
ssize_t transfer(const char* name, int file, size_t count, Call call) {
  if (!fault().strikes(name, file)) return call(count);
  if (fault().is("END")) return 0;
  if (fault().is("SHORT")) return call(count > 1 ? count / 2 : count);
  return fault().failure();
}

using Read = ssize_t (*)(int, void*, size_t);
using ReadAt = ssize_t (*)(int, void*, size_t, off64_t);
using Write = ssize_t (*)(int, const void*, size_t);
using WriteAt = ssize_t (*)(int, const void*, size_t, off64_t);

}  // namespace

extern "C" {

ssize_t read(int file, void* to, size_t count) {
  static const auto real = next<Read>("read");
  return transfer("read", file, count, [&](size_t n) { return real(file, to, n); });
}

ssize_t pread64(int file, void* to, size_t count, off64_t at) {
  static const auto real = next<ReadAt>("pread64");
  return transfer("pread", file, count, [&](size_t n) { return real(file, to, n, at); });
}
ssize_t pread(int file, void* to, size_t count, off_t at) { return pread64(file, to, count, at); }

ssize_t write(int file, const void* from, size_t count) {
  static const auto real = next<Write>("write");
  return transfer("write", file, count, [&](size_t n) { return real(file, from, n); });
}

ssize_t pwrite64(int file, const void* from, size_t count, off64_t at) {
  static const auto real = next<WriteAt>("pwrite64");
  return transfer("pwrite", file, count, [&](size_t n) { return real(file, from, n, at); });
}
ssize_t pwrite(int file, const void* from, size_t count, off_t at) { return pwrite64(file, from, count, at); }

int fsync(int file) {
  static const auto real = next<int (*)(int)>("fsync");
  return fault().strikes("fsync", file) ? static_cast<int>(fault().failure()) : real(file);
}

void* aligned_alloc(size_t alignment, size_t size) {
  static const auto real = next<void* (*)(size_t, size_t)>("aligned_alloc");
  Fault& wanted = fault();
  if (wanted.active && std::strcmp(wanted.call, "alloc") == 0 &&
      size >= std::strtoull(wanted.path, nullptr, 10) && wanted.strikes()) {
    errno = ENOMEM;
    return nullptr;
  }
  return real(alignment, size);
}

}  // extern "C"
