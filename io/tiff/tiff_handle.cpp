// libtiff on our own descriptor: interrupted calls are retried, and messages stay with their file, so that
// any number of threads can read any number of files.
#include "io/tiff/tiff_handle.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <memory>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "base/error.hpp"

namespace feldspar::io {
namespace {

/// Calls `call` until it is not interrupted.
template <class Call>
auto uninterrupted(const Call& call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

int keep_message(TIFF*, void* text, const char*, const char* format, va_list arguments) {
  std::array<char, 512> message{};
  (void)std::vsnprintf(message.data(), message.size(), format, arguments);
  *static_cast<std::string*>(text) = message.data();
  return 1;
}

int drop_message(TIFF*, void*, const char*, const char*, va_list) { return 1; }

/// The first bytes of a file that is no TIFF, for people: text as text, anything else as hexadecimal.
std::string beginning(const unsigned char* bytes, std::size_t count) {
  const auto printable = [](unsigned char c) { return c >= 0x20 && c < 0x7f; };
  if (std::all_of(bytes, bytes + count, printable))
    return fmt::format("\"{}\"", std::string_view(reinterpret_cast<const char*>(bytes), count));
  return fmt::format("{:02x}", fmt::join(bytes, bytes + count, " "));
}

/// Seconds between two changes that a file system may give the same time.
constexpr std::time_t coarsest_times = 2;

bool is_tiff(const unsigned char* bytes, std::size_t count) {
  if (count < 4) return false;
  const bool little = bytes[0] == 'I' && bytes[1] == 'I' && bytes[3] == 0;
  const bool big = bytes[0] == 'M' && bytes[1] == 'M' && bytes[2] == 0;
  return (little && (bytes[2] == 42 || bytes[2] == 43)) || (big && (bytes[3] == 42 || bytes[3] == 43));
}

}  // namespace

TiffHandle::TiffHandle(const std::filesystem::path& path) : in_hand_(std::in_place, path) {
  file_.path = path;
}

TiffHandle::TiffHandle(const std::filesystem::path& path, Mode mode, std::uint64_t directory)
    : TiffHandle(path) {
  const bool reading = mode == Mode::read;
  // O_NONBLOCK: a pipe under a projection's name must not stop the program; it is refused below.
  const int flags = (reading ? O_RDONLY | O_NONBLOCK : O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW) | O_CLOEXEC;
  file_.descriptor = uninterrupted([&] { return ::open(path.c_str(), flags, 0666); });
  struct stat& status = file_.opened;
  if (file_.descriptor < 0 || ::fstat(file_.descriptor, &status) != 0)
    throw Error(ErrorKind::io, fmt::format("{}: cannot be opened: {}", path.string(), std::strerror(errno)));
  if (!S_ISREG(status.st_mode))
    throw Error(ErrorKind::bad_file, fmt::format("{}: is no regular file", path.string()));
  file_.size = static_cast<std::uint64_t>(status.st_size);
  file_.settled = std::time(nullptr) - status.st_mtim.tv_sec > coarsest_times;
  if (reading)
    check_magic(), show(directory);
  else
    open_library(mode == Mode::write_big ? "w8" : "w", reading);
}

void TiffHandle::show(std::uint64_t directory) {
  if (tiff_) TIFFClose(std::exchange(tiff_, nullptr));
  file_.header.clear();
  file_.position = 0;
  if (directory != 0) begin_at(directory);
  open_library("rc", true);  // "c": one large strip stays one instead of being presented as thousands
}

void TiffHandle::rest() noexcept {
  if (tiff_) TIFFClose(std::exchange(tiff_, nullptr));
  in_hand_.reset();
}

bool TiffHandle::wake() {
  in_hand_.emplace(file_.path);
  struct stat now {};
  const struct stat& then = file_.opened;
  const auto same = [](const timespec& a, const timespec& b) {
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
  };
  return ::stat(file_.path.c_str(), &now) == 0 && now.st_dev == then.st_dev && now.st_ino == then.st_ino &&
         now.st_size == then.st_size && same(now.st_mtim, then.st_mtim) && same(now.st_ctim, then.st_ctim);
}

void TiffHandle::open_library(const char* access, bool reading) {
  const std::unique_ptr<TIFFOpenOptions, void (*)(TIFFOpenOptions*)> options(TIFFOpenOptionsAlloc(),
                                                                             TIFFOpenOptionsFree);
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), keep_message, &file_.complaint);
  TIFFOpenOptionsSetWarningHandlerExtR(options.get(), drop_message, nullptr);
  // No table of an honest file is larger than the file; libtiff's own work space is far below the rest.
  constexpr std::uint64_t work_space = 64 << 20;
  if (reading)
    TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), static_cast<tmsize_t>(file_.size + work_space));
  tiff_ = TIFFClientOpenExt(
      file_.path.c_str(), access, &file_, read_some, write_some, seek, [](thandle_t) { return 0; }, size_of,
      nullptr, nullptr, options.get());
  if (!tiff_) fail(reading ? "its header cannot be read" : "cannot be created");
}

TiffHandle::~TiffHandle() {
  if (tiff_) TIFFClose(tiff_);
  if (file_.descriptor >= 0) (void)::close(file_.descriptor);
}

void TiffHandle::check_magic() {
  if (file_.size == 0)
    throw Error(ErrorKind::bad_file, fmt::format("{}: is empty (0 bytes)", file_.path.string()));
  std::array<unsigned char, 16> bytes{};
  const std::size_t count = std::min<std::size_t>(bytes.size(), file_.size);
  read(0, count, bytes.data());
  if (!is_tiff(bytes.data(), count))
    throw Error(ErrorKind::bad_file, fmt::format("{}: is no TIFF: it begins with {}", file_.path.string(),
                                                 beginning(bytes.data(), count)));
  file_.big_endian = bytes[0] == 'M';
}

std::uint64_t TiffHandle::number_at(std::uint64_t offset, std::size_t bytes) const {
  std::array<unsigned char, 8> number{};
  read(offset, bytes, number.data());
  std::uint64_t value = 0;
  for (std::size_t n = 0; n < bytes; ++n) value = value << 8 | number[file_.big_endian ? n : bytes - 1 - n];
  return value;
}

void TiffHandle::begin_at(std::uint64_t directory) {
  const std::size_t width = number_at(2, 2) == 43 ? 8 : 4, at = width;
  file_.header.resize(at + width);
  read(0, file_.header.size(), file_.header.data());
  for (std::size_t n = 0; n < width; ++n)
    file_.header[file_.big_endian ? at + width - 1 - n : at + n] =
        static_cast<unsigned char>(directory >> (8 * n));
}

std::vector<std::uint64_t> TiffHandle::directories(std::string& damage) const {
  const bool big = number_at(2, 2) == 43;
  const std::size_t width = big ? 8 : 4, count_width = big ? 8 : 2, entry = big ? 20 : 12;
  std::vector<std::uint64_t> found;
  std::unordered_set<std::uint64_t> visited;
  try {
    for (std::uint64_t at = number_at(width, width); at != 0;) {
      if (at >= file_.size || !visited.insert(at).second)
        throw Error(
            ErrorKind::bad_file,
            fmt::format("{}: is truncated or damaged: page {} is said to begin at byte {}, which is {}",
                        file_.path.string(), found.size() + 1, at,
                        at >= file_.size ? fmt::format("beyond its end at {}", file_.size)
                                         : "that of a page before it"));
      const std::uint64_t entries = number_at(at, count_width);
      if (entries == 0 || entries > file_.size / entry)
        throw Error(ErrorKind::bad_file, fmt::format("{}: is damaged: page {} has {} tags",
                                                     file_.path.string(), found.size() + 1, entries));
      const std::uint64_t next = number_at(at + count_width + entries * entry, width);
      found.push_back(std::exchange(at, next));
    }
    if (found.empty())
      throw Error(ErrorKind::bad_file, fmt::format("{}: holds no image", file_.path.string()));
  } catch (const Error& error) {
    if (found.empty() || error.kind() != ErrorKind::bad_file) throw;
    damage = error.what();
  }
  return found;
}

void TiffHandle::read(std::uint64_t offset, std::size_t count, void* bytes) const {
  auto* to = static_cast<char*>(bytes);
  while (count > 0) {
    const ssize_t got =
        uninterrupted([&] { return ::pread(file_.descriptor, to, count, static_cast<off_t>(offset)); });
    if (got < 0)
      throw Error(ErrorKind::io,
                  fmt::format("{}: cannot be read: {}", file_.path.string(), std::strerror(errno)));
    if (got == 0)
      throw Error(ErrorKind::bad_file,
                  fmt::format("{}: is truncated: it ends at byte {}, {} more were expected",
                              file_.path.string(), offset, count));
    to += got, offset += static_cast<std::uint64_t>(got), count -= static_cast<std::size_t>(got);
  }
}

void TiffHandle::fail(const std::string& doing) const {
  if (file_.system_error != 0)
    throw Error(ErrorKind::io,
                fmt::format("{}: {}: {}", file_.path.string(), doing, std::strerror(file_.system_error)));
  throw Error(ErrorKind::bad_file, fmt::format("{}: {}: {}", file_.path.string(), doing,
                                               file_.complaint.empty() ? "it is damaged" : file_.complaint));
}

void TiffHandle::finish() {
  const bool written = TIFFFlush(tiff_) == 1 && file_.system_error == 0;
  TIFFClose(std::exchange(tiff_, nullptr));
  const bool closed = ::close(std::exchange(file_.descriptor, -1)) == 0;
  if (!written) fail("cannot be written");
  if (!closed)
    throw Error(ErrorKind::io,
                fmt::format("{}: cannot be written: {}", file_.path.string(), std::strerror(errno)));
}

tmsize_t TiffHandle::read_some(thandle_t handle, void* bytes, tmsize_t count) {
  auto& file = *static_cast<File*>(handle);
  const std::uint64_t start = file.position;
  tmsize_t done = 0;
  while (done < count) {
    const ssize_t got = uninterrupted([&] {
      return ::pread(file.descriptor, static_cast<char*>(bytes) + done,
                     static_cast<std::size_t>(count - done), static_cast<off_t>(file.position));
    });
    if (got < 0) file.system_error = errno;
    if (got <= 0) break;
    done += got, file.position += static_cast<std::uint64_t>(got);
  }
  for (auto at = static_cast<std::size_t>(start); at < file.header.size() && at < start + done; ++at)
    static_cast<unsigned char*>(bytes)[at - start] = file.header[at];
  return done;
}

tmsize_t TiffHandle::write_some(thandle_t handle, void* bytes, tmsize_t count) {
  auto& file = *static_cast<File*>(handle);
  tmsize_t done = 0;
  while (done < count) {
    const ssize_t put = uninterrupted([&] {
      return ::pwrite(file.descriptor, static_cast<const char*>(bytes) + done,
                      static_cast<std::size_t>(count - done), static_cast<off_t>(file.position));
    });
    if (put < 0) file.system_error = errno;
    if (put <= 0) break;
    done += put, file.position += static_cast<std::uint64_t>(put);
  }
  file.size = std::max(file.size, file.position);
  return done;
}

toff_t TiffHandle::seek(thandle_t handle, toff_t offset, int whence) {
  auto& file = *static_cast<File*>(handle);
  const std::uint64_t base = whence == SEEK_CUR ? file.position : whence == SEEK_END ? file.size : 0;
  return file.position = base + offset;
}

toff_t TiffHandle::size_of(thandle_t handle) { return static_cast<File*>(handle)->size; }

}  // namespace feldspar::io
