// Temporary names, locks and durable renames on POSIX file systems.
#include "io/partial_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "io/output_rule.hpp"

namespace feldspar::io {
namespace {

[[noreturn]] void fail(const std::filesystem::path& path, const char* what, int error) {
  throw Error(ErrorKind::io, fmt::format("{}: {}: {}", path.string(), what, std::strerror(error)));
}

void write_all(int descriptor, std::string_view content, const std::filesystem::path& path) {
  while (!content.empty()) {
    const ssize_t count = ::write(descriptor, content.data(), content.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) fail(path, "cannot be written", count < 0 ? errno : ENOSPC);
    content.remove_prefix(static_cast<std::size_t>(count));
  }
}

bool locks_are_missing(int error) { return error == ENOLCK || error == ENOSYS || error == EOPNOTSUPP; }

}  // namespace

void sync_folder_of(const std::filesystem::path& file) noexcept {
  // Some network file systems cannot; they order renames themselves.
  const std::string folder = file.has_parent_path() ? file.parent_path().string() : ".";
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  (void)::fsync(descriptor);
  (void)::close(descriptor);
}

void write_file(const std::filesystem::path& path, std::string_view content, bool overwrite) {
  PartialFile file(path, overwrite);
  file.write(0, content.data(), content.size());
  file.publish();
}

void write_new_file(const std::filesystem::path& path, std::string_view content) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
  if (descriptor < 0) fail(path, "cannot be made", errno);
  try {
    write_all(descriptor, content, path);
  } catch (const Error&) {
    (void)::close(descriptor);
    (void)::unlink(path.c_str());
    throw;
  }
  if (::close(descriptor) != 0) fail(path, "cannot be written", errno);
}

PartialFile::PartialFile(std::filesystem::path path, bool overwrite, Start start)
    : path_(std::move(path)), temporary_(path_), overwrite_(overwrite) {
  temporary_ += ".partial";
  check_outputs({.outputs = {{path_}}, .overwrite = overwrite});
  open_locked();
  if (start == Start::empty && ::ftruncate(descriptor_, 0) != 0) {
    const int error = errno;
    give_up();
    fail(temporary_, "cannot be emptied", error);
  }
}

PartialFile::~PartialFile() { give_up(); }

void PartialFile::refuse_existing() const {
  std::error_code ignored;
  if (!overwrite_ && std::filesystem::exists(path_, ignored))
    throw Error(ErrorKind::io, fmt::format("{}: already exists", path_.string()),
                {{"overwrite", "", "choose another name, or give"}});
}

int PartialFile::open_left_over() const {
  // O_NONBLOCK: a pipe under that name must not stop the program.
  const int left = ::open(temporary_.c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (left < 0 && errno == ENOENT) return -1;  // gone meanwhile
  struct stat about {};
  const bool known = left >= 0 && ::fstat(left, &about) == 0;
  const std::string why = known ? why_foreign(about) : "";
  if (known && why.empty()) return left;
  const int error = errno;
  if (left >= 0) (void)::close(left);
  throw Error(
      ErrorKind::io,
      fmt::format("{}: is there, and no earlier run of yours can have left it: {}; remove it or choose "
                  "another name",
                  temporary_.string(),
                  !why.empty()     ? why
                  : error == ELOOP ? "it is a symbolic link"
                                   : std::strerror(error)));
}

void PartialFile::open_locked() {
  do {
    if (descriptor_ >= 0) (void)::close(descriptor_);
    descriptor_ = ::open(temporary_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    const bool fresh = descriptor_ >= 0;
    if (!fresh && errno != EEXIST) fail(temporary_, "cannot be made", errno);
    if (!fresh && (descriptor_ = open_left_over()) < 0) continue;
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0) continue;
    const int error = errno;
    if (fresh && locks_are_missing(error)) continue;  // exclusive creation is the lock then
    (void)::close(std::exchange(descriptor_, -1));
    throw Error(ErrorKind::io,
                fmt::format("{}: another run is writing it ({}); wait for that run, choose another name, "
                            "or remove the file if no such run exists",
                            temporary_.string(), std::strerror(error)));
  } while (!still_ours());  // the run that had it may have renamed or removed it just before the lock
}

bool PartialFile::still_ours() const noexcept {
  struct stat open_file, named_file;
  return ::fstat(descriptor_, &open_file) == 0 && ::lstat(temporary_.c_str(), &named_file) == 0 &&
         open_file.st_ino == named_file.st_ino && open_file.st_dev == named_file.st_dev;
}

std::uint64_t PartialFile::room() const {
  struct statvfs disk;
  if (::fstatvfs(descriptor_, &disk) != 0) fail(temporary_, "cannot ask its disk for room", errno);
  return static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize;
}

void PartialFile::write(std::uint64_t offset, const void* bytes, std::size_t count) noexcept {
  const auto* from = static_cast<const char*>(bytes);
  while (count > 0 && descriptor_ >= 0) {
    const ssize_t done = ::pwrite(descriptor_, from, count, static_cast<off_t>(offset));
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) {
      if (error_ == 0) error_ = done < 0 ? errno : EIO;
      return;
    }
    from += done, offset += static_cast<std::uint64_t>(done), count -= static_cast<std::size_t>(done);
  }
}

void PartialFile::resize(std::uint64_t size) noexcept {
  if (descriptor_ >= 0 && ::ftruncate(descriptor_, static_cast<off_t>(size)) != 0 && error_ == 0)
    error_ = errno;
}

bool PartialFile::read(std::uint64_t offset, void* bytes, std::size_t count) const noexcept {
  auto* to = static_cast<char*>(bytes);
  while (count > 0) {
    const ssize_t done = ::pread(descriptor_, to, count, static_cast<off_t>(offset));
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return false;
    if (done == 0) {
      std::memset(to, 0, count);
      return true;
    }
    to += done, offset += static_cast<std::uint64_t>(done), count -= static_cast<std::size_t>(done);
  }
  return true;
}

std::uint64_t PartialFile::size() const noexcept {
  struct stat about {};
  return ::fstat(descriptor_, &about) == 0 ? static_cast<std::uint64_t>(about.st_size) : 0;
}

void PartialFile::sync() {
  if (error_ == 0 && ::fsync(descriptor_) != 0) error_ = errno;
  if (error_ != 0) fail(temporary_, "cannot be brought to the disk", error_);
}

FileHead PartialFile::head(std::uint64_t count) const {
  FileHead head{size(), std::string(count, '\0')};
  if (count > head.size || !read(0, head.bytes.data(), count)) fail(temporary_, "cannot be read", EIO);
  return head;
}

bool PartialFile::restore(const FileHead& head) {
  if (size() < head.size) return false;
  write(0, head.bytes.data(), head.bytes.size());
  resize(head.size);
  sync();
  return true;
}

void PartialFile::publish() {
  if (!still_ours())
    throw Error(ErrorKind::io,
                fmt::format("{}: was removed or replaced while it was written", temporary_.string()));
  sync();
  const unsigned keep = overwrite_ ? 0 : RENAME_NOREPLACE;
  if (::renameat2(AT_FDCWD, temporary_.c_str(), AT_FDCWD, path_.c_str(), keep) != 0) {
    if (errno != EINVAL && errno != ENOSYS) {
      const int error = errno;
      refuse_existing();
      fail(path_, "cannot be given its name", error);
    }
    refuse_existing();  // a file system without the flag
    if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail(path_, "cannot be given its name", errno);
  }
  (void)::close(std::exchange(descriptor_, -1));  // the content is on the disk: closing cannot lose it
  sync_folder_of(path_);
}

void PartialFile::give_up() noexcept {
  if (descriptor_ < 0) return;
  if (!keep_) {
    if (still_ours()) (void)::unlink(temporary_.c_str());
    (void)::ftruncate(descriptor_, 0);
  }
  (void)::close(std::exchange(descriptor_, -1));
}

}  // namespace feldspar::io
