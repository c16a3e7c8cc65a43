// Files are known by device and inode; names that are not there yet by their folder.
#include "io/output_rule.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/error.hpp"

namespace feldspar::io {
namespace {

namespace fs = std::filesystem;

using Inode = std::pair<dev_t, ino_t>;

std::optional<struct stat> status_of(const fs::path& path) {
  struct stat status;
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return status;
}

std::optional<Inode> inode_of(const fs::path& path) {
  const auto status = status_of(path);
  return status ? std::optional(Inode{status->st_dev, status->st_ino}) : std::nullopt;
}

fs::path without_slash(const fs::path& path) { return path.has_filename() ? path : path.parent_path(); }

fs::path folder_of(const fs::path& path) { return path.has_parent_path() ? path.parent_path() : "."; }

/// The same for every spelling of a name, whether there is such a file or not.
fs::path spelt_once(const fs::path& path) {
  std::error_code ignored;
  const fs::path folder = fs::weakly_canonical(fs::absolute(folder_of(without_slash(path))), ignored);
  return folder / without_slash(path).filename();
}

fs::path temporary_of(const fs::path& path) { return without_slash(path).string() + ".partial"; }

const char* kind_of(mode_t mode) {
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISFIFO(mode)) return "a named pipe";
  if (S_ISSOCK(mode)) return "a socket";
  return S_ISCHR(mode) || S_ISBLK(mode) ? "a device" : "not a file";
}

[[noreturn]] void refuse(ErrorKind kind, const fs::path& path, const std::string& what,
                         const Remedies& remedies = {}) {
  throw Error(kind, fmt::format("{}: {}", path.string(), what), remedies);
}

class Rule {
 public:
  explicit Rule(const RunFiles& files) : files_(files) {
    for (const fs::path& input : files.inputs)
      if (const auto inode = inode_of(input)) inputs_.try_emplace(*inode, input);
    for (const Output& output : files.outputs)
      if (is_folder(output.kind)) folders_.insert(spelt_once(output.path));
  }

  /// Inputs first: what is said of them must not be hidden by a smaller fault.
  void apply() {
    for (const Output& output : files_.outputs) {
      if (output.kind != Output::Kind::shelf) refuse_input(output.path, output.path);
      if (has_temporary(output.kind)) refuse_input(temporary_of(output.path), output.path);
      if (output.kind == Output::Kind::folder) refuse_holder_of_inputs(output.path);
    }
    for (const Output& output : files_.outputs) {
      refuse_twice(output.path);
      if (has_temporary(output.kind)) refuse_twice(temporary_of(output.path));
    }
    for (const Output& output : files_.outputs) refuse_unwritable(output);
  }

 private:
  static bool has_temporary(Output::Kind kind) {
    return kind != Output::Kind::side_file && kind != Output::Kind::shelf;
  }

  static bool is_folder(Output::Kind kind) {
    return kind == Output::Kind::folder || kind == Output::Kind::shelf;
  }

  void refuse_input(const fs::path& path, const fs::path& output) const {
    const auto inode = inode_of(path);
    const auto input = inode ? inputs_.find(*inode) : inputs_.end();
    if (input == inputs_.end()) return;
    const std::string which =
        spelt_once(path) == spelt_once(input->second) ? "" : fmt::format(" ({})", input->second.string());
    refuse(
        ErrorKind::usage, path,
        fmt::format("is an input of this run{} and would be lost, overwriting or not; choose another name{}",
                    which, path == output ? "" : " than " + output.string()));
  }

  /// A folder that is written whole takes the place of all that is in it.
  void refuse_holder_of_inputs(const fs::path& folder) const {
    const auto inode = inode_of(folder);
    if (!inode) return;
    std::set<fs::path> seen;
    for (const fs::path& input : files_.inputs) {
      std::error_code missing;
      for (fs::path above = fs::canonical(input, missing).parent_path();
           !missing && seen.insert(above).second; above = above.parent_path())
        if (inode_of(above) == inode)
          refuse(ErrorKind::usage, folder,
                 fmt::format("holds an input of this run ({}), which would be lost; choose another folder",
                             input.string()));
    }
  }

  void refuse_twice(const fs::path& path) {
    const auto inode = inode_of(path);
    const bool fresh = names_.insert(spelt_once(path)).second;
    const bool other = !inode || written_.insert(*inode).second;
    if (!fresh || !other)
      refuse(ErrorKind::usage, path, "would be written twice by this run; give each output its own name");
  }

  /// A folder that this run makes.
  [[nodiscard]] bool is_made(const fs::path& folder) const {
    return !inode_of(folder) && folders_.count(spelt_once(folder)) > 0;
  }

  void refuse_unwritable(const Output& output) const {
    const fs::path path = without_slash(output.path);
    if (path.empty()) refuse(ErrorKind::usage, output.path, "an output needs a name");
    const bool folder = is_folder(output.kind);
    const bool free = is_free(path);
    if (!free) {
      refuse_unusual(path, folder);
      if (output.kind == Output::Kind::picture && !files_.more_inputs && !is_png(path))
        refuse(ErrorKind::io, path, "already exists and is no picture; choose another name");
      // A projection that was left out as missing is no input of the run, and worth as much as the others.
      if (output.kind == Output::Kind::file && !files_.more_inputs && is_tiff(path))
        refuse(ErrorKind::io, path,
               "already exists and is an image, which no output replaces; choose another name");
      if (has_temporary(output.kind) && !folder && !files_.overwrite && !files_.resume)
        refuse(ErrorKind::io, path, "already exists", {{"overwrite", "", "choose another name, or give"}});
    } else if (!folder && !output.path.has_filename()) {
      refuse(ErrorKind::io, output.path, "is the name of a folder; give the name of a file");
    }
    if (!folder && !files_.more_inputs) refuse_planted(output);
    if (output.kind == Output::Kind::shelf && !free)
      refuse_folder(path, path);
    else if (!is_made(folder_of(path)))
      refuse_folder(folder_of(path), path);
  }

  /// True when there is nothing of that name, not even a link to nothing.
  static bool is_free(const fs::path& path) {
    struct stat status;
    if (::lstat(path.c_str(), &status) == 0) return false;
    if (errno != ENOENT && errno != ENOTDIR)
      refuse(ErrorKind::io, path, fmt::format("cannot be written: {}", std::strerror(errno)));
    return true;
  }

  static bool is_tiff(const fs::path& path) {
    std::string begin(4, '\0');
    std::ifstream(path, std::ios::binary).read(begin.data(), 4);
    return begin.starts_with("II*") || begin.starts_with("II+") || begin.starts_with(std::string("MM\0", 3));
  }

  static bool is_png(const fs::path& path) {
    std::string begin(8, '\0');
    std::ifstream(path, std::ios::binary).read(begin.data(), 8);
    return begin == "\x89PNG\r\n\x1a\n";
  }

  static void refuse_unusual(const fs::path& path, bool folder) {
    const auto status = status_of(path);
    if (!status) {
      std::error_code ignored;
      refuse(ErrorKind::io, path,
             fmt::format("is a symbolic link to {}, which is not there; remove it or choose another name",
                         fs::read_symlink(path, ignored).string()));
    }
    if (folder && !S_ISDIR(status->st_mode))
      refuse(ErrorKind::io, path, "is there and is no folder; choose another name");
    if (!folder && !S_ISREG(status->st_mode))
      refuse(ErrorKind::io, path, fmt::format("is {}; give the name of a file", kind_of(status->st_mode)));
  }

  /// Temporary names are the program's own: what stands there must be what a killed run may have left.
  static void refuse_planted(const Output& output) {
    const fs::path path = has_temporary(output.kind) ? temporary_of(output.path) : output.path;
    if (is_free(path)) return;
    struct stat status;
    const std::string why = ::lstat(path.c_str(), &status) == 0 ? why_foreign(status) : "";
    if (!why.empty())
      refuse(ErrorKind::io, path,
             fmt::format("is there, and no earlier run of yours can have left it: {}; remove it or choose "
                         "another output",
                         why));
  }

  static void refuse_folder(const fs::path& folder, const fs::path& path) {
    const auto status = status_of(folder);
    if (!status || !S_ISDIR(status->st_mode))
      refuse(ErrorKind::io, path,
             fmt::format("cannot be made: {} {}; make that folder or choose another name", folder.string(),
                         status ? "is no folder" : "is not there"));
    if (::faccessat(AT_FDCWD, folder.c_str(), W_OK | X_OK, AT_EACCESS) != 0)
      refuse(ErrorKind::io, path,
             fmt::format("cannot be made: the folder {} is not writable ({})", folder.string(),
                         std::strerror(errno)));
  }

  const RunFiles& files_;
  std::map<Inode, fs::path> inputs_;
  std::set<fs::path> folders_, names_;
  std::set<Inode> written_;
};

}  // namespace

std::string why_foreign(const struct stat& status) {
  if (S_ISLNK(status.st_mode)) return "it is a symbolic link";
  if (!S_ISREG(status.st_mode)) return "it is no regular file";
  if (status.st_uid != ::geteuid()) return "it belongs to someone else";
  return status.st_nlink > 1 ? "it has a second name (a hard link)" : "";
}

void check_outputs(const RunFiles& files) { Rule(files).apply(); }

}  // namespace feldspar::io
