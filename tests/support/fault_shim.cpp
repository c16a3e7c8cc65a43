// A library to preload that makes calls of the system fail, so that tests see what a program makes of it.
//   FELDSPAR_FAULT="CALL WHAT FIRST COUNT PATH"
// Of the calls CALL on files whose name has PATH in it, those from number FIRST on (from 0), COUNT of them,
// go wrong. CALL is read, pread, write, pwrite, fsync, close (of a file that was open for writing), truncate,
// create, open (of a file that is there, by open(2)), rename, exchange (of two names), unlink, mkdir, or
// change: any of these from write on. WHAT is ENOSPC, EIO, EINTR, EINVAL, SHORT (half of it is done), END (as
// if the file ended), KILL (the process is killed before the call), NONE (nothing goes wrong) or WAIT (the
// call waits as long as the file FELDSPAR_FAULT_WHILE is there). A close that fails closes. For CALL alloc,
// PATH is the smallest size in bytes and WHAT is ENOMEM. A line for each call that counts, "CALL NAME", is
// appended to the file FELDSPAR_FAULT_LOG where that is given.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

struct Fault {
  Fault() {
    const char* text = std::getenv("FELDSPAR_FAULT");
    active = text && std::sscanf(text, "%15s %15s %ld %ld %127s", call, what, &first, &count, path) == 5;
    const char* log_name = std::getenv("FELDSPAR_FAULT_LOG");
    if (active && log_name)
      log = static_cast<int>(
          ::syscall(SYS_openat, AT_FDCWD, log_name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  }
  char call[16] = "", what[16] = "", path[128] = "";
  long first = 0, count = 0;
  int log = -1;
  bool active = false;
  std::atomic<long> seen{0};

  /// True when this call is one that goes wrong; it does not return when the process is to be killed.
  bool strikes() {
    const long number = seen++;
    if (number < first || number >= first + count || is("NONE")) return false;
    if (is("KILL")) (void)::kill(::getpid(), SIGKILL);
    if (!is("WAIT")) return true;
    const char* reason = std::getenv("FELDSPAR_FAULT_WHILE");
    while (reason && ::access(reason, F_OK) == 0) (void)::usleep(10000);
    return false;
  }
  bool counts(const char* name) const {
    const bool reads =
        std::strcmp(name, "read") == 0 || std::strcmp(name, "pread") == 0 || std::strcmp(name, "open") == 0;
    return active && (std::strcmp(call, name) == 0 || (!reads && std::strcmp(call, "change") == 0));
  }
  bool strikes(const char* name, const char* target) {
    if (!std::strstr(target, path)) return false;
    if (log >= 0) {
      char line[PATH_MAX + 32];
      const int length = std::snprintf(line, sizeof line, "%s %s\n", name, target);
      (void)::syscall(SYS_write, log, line, static_cast<size_t>(length));
    }
    return strikes();
  }
  bool strikes(const char* name, int file) {
    if (!counts(name)) return false;
    char link[64], target[PATH_MAX];
    std::snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    const ssize_t length = ::readlink(link, target, sizeof target - 1);
    if (length < 0) return false;
    target[length] = '\0';
    return strikes(name, target);
  }
  /// For calls that name their file, from the folder `at` or the current one.
  bool strikes_named(const char* name, const char* file) {
    if (!counts(name) || !file) return false;
    char target[2 * PATH_MAX];
    if (file[0] == '/' || !::getcwd(target, PATH_MAX)) target[0] = '\0';
    const size_t length = std::strlen(target);
    std::snprintf(target + length, PATH_MAX, "%s%s", length > 0 ? "/" : "", file);
    return strikes(name, target);
  }
  [[nodiscard]] bool is(const char* name) const { return std::strcmp(what, name) == 0; }
  int failure() const {
    errno = is("ENOSPC") ? ENOSPC : is("EINTR") ? EINTR : is("EINVAL") ? EINVAL : EIO;
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

/// A call that transfers nothing: SHORT does not apply to it.
template <class Call>
int other(bool strikes, Call call) {
  return strikes && !fault().is("SHORT") ? fault().failure() : call();
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

ssize_t writev(int file, const struct iovec* parts, int count) {
  static const auto real = next<ssize_t (*)(int, const struct iovec*, int)>("writev");
  return transfer("write", file, static_cast<size_t>(count),
                  [&](size_t n) { return real(file, parts, static_cast<int>(n)); });
}

ssize_t pwrite64(int file, const void* from, size_t count, off64_t at) {
  static const auto real = next<WriteAt>("pwrite64");
  return transfer("pwrite", file, count, [&](size_t n) { return real(file, from, n, at); });
}
ssize_t pwrite(int file, const void* from, size_t count, off_t at) { return pwrite64(file, from, count, at); }

int fsync(int file) {
  static const auto real = next<int (*)(int)>("fsync");
  return other(fault().strikes("fsync", file), [&] { return real(file); });
}

int close(int file) {
  static const auto real = next<int (*)(int)>("close");
  const int mode = fault().counts("close") ? ::fcntl(file, F_GETFL) : O_RDONLY;
  const bool strikes = mode >= 0 && (mode & O_ACCMODE) != O_RDONLY && fault().strikes("close", file);
  const int result = real(file);
  return strikes && !fault().is("SHORT") ? fault().failure() : result;
}

int ftruncate64(int file, off64_t size) {
  static const auto real = next<int (*)(int, off64_t)>("ftruncate64");
  return other(fault().strikes("truncate", file), [&] { return real(file, size); });
}
int ftruncate(int file, off_t size) { return ftruncate64(file, size); }

int rename(const char* from, const char* to) {
  static const auto real = next<int (*)(const char*, const char*)>("rename");
  return other(fault().strikes_named("rename", to), [&] { return real(from, to); });
}
int renameat2(int from_folder, const char* from, int to_folder, const char* to, unsigned flags) {
  static const auto real = next<int (*)(int, const char*, int, const char*, unsigned)>("renameat2");
  return other(fault().strikes_named((flags & RENAME_EXCHANGE) != 0 ? "exchange" : "rename", to),
               [&] { return real(from_folder, from, to_folder, to, flags); });
}
int unlink(const char* name) {
  static const auto real = next<int (*)(const char*)>("unlink");
  const bool strikes = fault().strikes_named("unlink", name) && !fault().is("ENOSPC");  // needs no room
  return other(strikes, [&] { return real(name); });
}
int mkdir(const char* name, mode_t mode) {
  static const auto real = next<int (*)(const char*, mode_t)>("mkdir");
  return other(fault().strikes_named("mkdir", name), [&] { return real(name, mode); });
}

int open64(const char* name, int flags, ...) {
  static const auto real = next<int (*)(const char*, int, ...)>("open64");
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return other(fault().strikes_named((flags & O_CREAT) != 0 ? "create" : "open", name),
               [&] { return real(name, flags, mode); });
}
int open(const char* name, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return open64(name, flags, mode);
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
