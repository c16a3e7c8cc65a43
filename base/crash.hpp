// Libraries that read the files of others crash over some that are damaged or made to do harm. A process
// cannot go on after that, but it can say which file it was, and end as it does for any file that makes no
// sense.
#pragma once

#include <filesystem>
#include <string>

namespace feldspar {

/// While it lives, a library at work in this thread has this file in its hands. They nest.
class FileInHand {
 public:
  /// Keeps the name of the file; what was in hand before is so again at the end.
  explicit FileInHand(const std::filesystem::path& path);
  FileInHand(const FileInHand&) = delete;
  FileInHand& operator=(const FileInHand&) = delete;
  ~FileInHand();

 private:
  std::string name_;
  const std::string* before_;
};

/// From now on a crash (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT) of a thread with a file in hand ends the
/// process with one line that names the file, and the code of ErrorKind::bad_file. Any other crash ends it as
/// always, and so it stays where a sanitizer or debugger has asked for these signals. For programs, at their
/// start.
void name_files_in_crashes();

}  // namespace feldspar
