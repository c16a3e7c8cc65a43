// The one rule for which files a run may write: only what it was told to, nothing that it reads, and nothing
// that is there unless it may be replaced.
#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <vector>

namespace feldspar::io {

/// Something that a run will write.
struct Output {
  /// What it is, which says what may stand in its place before.
  enum class Kind {
    file,       ///< gets its name when it is complete, and is NAME.partial until then
    picture,    ///< a file that may replace a PNG only
    side_file,  ///< a name that the program makes up, as NAME.journal; a killed run may have left it
    folder,     ///< appears complete, and is NAME.partial until then; PartialFolder says what it may replace
    shelf       ///< a folder that other outputs lie in; made when it is missing
  };
  std::filesystem::path path;  ///< its final name
  Kind kind = Kind::file;      ///< what it is
};

/// What a run reads and writes. Inputs are files and folders; names that are not there count for nothing.
struct RunFiles {
  std::vector<std::filesystem::path> inputs = {};  ///< what is read
  std::vector<Output> outputs = {};                ///< what is written
  bool overwrite = false;                          ///< what is there may be replaced, inputs never
  bool resume = false;                             ///< what is there may be the run's own; its writer decides
  bool more_inputs = false;  ///< others are to come: what only stands in the way is not judged before them
};

/// Returns when all of it may be written; makes and changes nothing. Files are compared by device and inode,
/// so that links and other spellings of an input are found. To be called before the first pixel is read.
/// Throws Error(usage) when an output is an input, holds one that would go with it, or is named twice;
/// Error(io) when it exists and may not be replaced, is no regular file, is a link to nothing, or when its
/// folder is missing or not writable.
void check_outputs(const RunFiles& files);

/// Why a file of this status is not one that an earlier run of this user left under a temporary name; empty
/// when it may be. Links are to be asked about themselves (lstat).
[[nodiscard]] std::string why_foreign(const struct stat& status);

}  // namespace feldspar::io
