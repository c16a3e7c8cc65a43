// Two folders change names in one step where the file system can, so that either of them is always there.
#include "io/partial_folder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "base/error.hpp"
#include "io/output_rule.hpp"
#include "io/partial_file.hpp"

namespace feldspar::io {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const fs::path& path, const char* what, int error) {
  throw Error(ErrorKind::io, fmt::format("{}: {}: {}", path.string(), what, std::strerror(error)));
}

/// Where a link to a folder leads: a folder cannot take the name of a link.
fs::path resolved(const fs::path& path) {
  const fs::path name = path.has_filename() ? path : path.parent_path();
  std::error_code absent;
  const fs::path real = fs::canonical(name, absent);
  return fs::is_symlink(fs::symlink_status(name, absent)) && !real.empty() ? real : name;
}

bool is_plain_file(const fs::directory_entry& entry) {
  return entry.symlink_status().type() == fs::file_type::regular;
}

void sync_all_of(const fs::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) fail(folder, "cannot be opened", errno);
  const int error = ::syncfs(descriptor) == 0 ? 0 : errno;
  (void)::close(descriptor);
  if (error != 0) fail(folder, "cannot be brought to the disk", error);
}

}  // namespace

PartialFolder::PartialFolder(const fs::path& path, bool overwrite, IsOurs is_ours)
    : path_(resolved(path)),
      temporary_(path_.string() + ".partial"),
      is_ours_(std::move(is_ours)),
      overwrite_(overwrite) {
  check_outputs({.outputs = {{path_, Output::Kind::folder}}});
  refuse_what_is_not_ours();
  if (::mkdir(temporary_.c_str(), 0777) == 0) return;
  if (errno == EEXIST)
    throw Error(ErrorKind::io, fmt::format("{}: is there already; remove it if no other run is writing it",
                                           temporary_.string()));
  fail(temporary_, "cannot be made", errno);
}

PartialFolder::~PartialFolder() {
  std::error_code ignored;
  if (!published_) fs::remove_all(temporary_, ignored);
}

void PartialFolder::refuse_what_is_not_ours() const {
  std::error_code absent;
  if (!fs::exists(path_, absent)) return;
  for (const fs::directory_entry& entry : fs::directory_iterator(path_)) {
    if (!overwrite_)
      throw Error(
          ErrorKind::io,
          fmt::format("{}: already exists and is not an empty folder; choose another name", path_.string()),
          is_ours_ ? Remedies{{"overwrite", "", "to replace what an earlier run wrote there, give"}}
                   : Remedies{});
    if (!is_plain_file(entry) || !is_ours_(entry.path()))
      throw Error(ErrorKind::io,
                  fmt::format("{}: is not replaced, for it holds more than an earlier scan of this name that "
                              "feldspar wrote ({}); choose another name or remove it yourself",
                              path_.string(), entry.path().filename().string()));
  }
}

void PartialFolder::write_text(const std::string& name, const std::string& text) const {
  write_new_file(temporary_ / name, text);
}

/// Gives the folder its name; where another had it, that one is `temporary_` afterwards.
void PartialFolder::swap() const {
  const char *from = temporary_.c_str(), *to = path_.c_str();
  if (::rename(from, to) == 0) return;  // nothing was there, or an empty folder
  if (!overwrite_ || (errno != ENOTEMPTY && errno != EEXIST)) fail(path_, "cannot be given its name", errno);
  refuse_what_is_not_ours();
  if (::renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_EXCHANGE) == 0) return remove_replaced();
  if (errno != EINVAL && errno != ENOSYS) fail(path_, "cannot be given its name", errno);
  const fs::path aside = path_.string() + ".replaced";  // a file system without the flag
  if (::rename(to, aside.c_str()) != 0) fail(path_, "cannot make way", errno);
  if (::rename(from, to) != 0) {
    const int error = errno;
    (void)::rename(aside.c_str(), to);
    fail(path_, "cannot be given its name", error);
  }
  if (::rename(aside.c_str(), from) == 0) remove_replaced();
}

/// What has come into the replaced folder meanwhile stays where it is.
void PartialFolder::remove_replaced() const {
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(temporary_, ignored))
    if (is_plain_file(entry) && is_ours_(entry.path())) fs::remove(entry.path(), ignored);
  fs::remove(temporary_, ignored);
}

void PartialFolder::publish() {
  sync_all_of(temporary_);
  swap();
  published_ = true;
  sync_folder_of(path_);
}

}  // namespace feldspar::io
