// pread, and the file's size and time of change to tell that it is still the same.
#include "io/zeiss/random_access_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/error.hpp"

namespace feldspar::io::zeiss {
namespace {

[[noreturn]] void fail(const std::filesystem::path& path, const char* what, int error) {
  throw Error(ErrorKind::io, fmt::format("{}: {}: {}", path.string(), what, std::strerror(error)));
}

}  // namespace

RandomAccessFile::RandomAccessFile(std::filesystem::path path) : path_(std::move(path)) {
  descriptor_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor_ < 0) fail(path_, "cannot be opened", errno);
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0) {
    const int error = errno;
    ::close(descriptor_);
    fail(path_, "cannot be read", error);
  }
  size_ = static_cast<std::uint64_t>(status.st_size);
  seconds_ = status.st_mtim.tv_sec, nanoseconds_ = status.st_mtim.tv_nsec;
}

RandomAccessFile::~RandomAccessFile() { ::close(descriptor_); }

void RandomAccessFile::read(std::uint64_t offset, void* bytes, std::size_t count) const {
  auto* to = static_cast<char*>(bytes);
  while (count > 0) {
    const ssize_t got = ::pread(descriptor_, to, count, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(path_, "cannot be read", errno);
    if (got == 0)
      throw Error(ErrorKind::io,
                  fmt::format("{}: ends at byte {}, before what was to be read", path_.string(), offset));
    to += got, offset += static_cast<std::uint64_t>(got), count -= static_cast<std::size_t>(got);
  }
}

void RandomAccessFile::expect_unchanged() const {
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0) fail(path_, "cannot be read", errno);
  if (static_cast<std::uint64_t>(status.st_size) != size_ || status.st_mtim.tv_sec != seconds_ ||
      status.st_mtim.tv_nsec != nanoseconds_)
    throw Error(
        ErrorKind::io,
        fmt::format("{}: changed while the scan was open; wait until the scan is complete", path_.string()));
}

}  // namespace feldspar::io::zeiss
