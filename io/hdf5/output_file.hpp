// An HDF5 file in the making. The library writes through a driver of ours, into the descriptor that
// PartialFile has locked, and never learns that a write failed: PartialFile remembers it, and everything that
// makes the file durable or gives it its name asks. The library itself forgets failures where it closes what
// it holds, and crashes later on what such a failure left in its tables.
#pragma once

#include "io/hdf5/handle.hpp"
#include "io/hdf5/volume_file.hpp"
#include "io/partial_file.hpp"

namespace feldspar::io::hdf5 {

class OutputFile {
 public:
  OutputFile() = default;

  /// An empty HDF5 file, in the oldest format that holds what is written. Throws Failure. `partial` must
  /// outlive it.
  [[nodiscard]] static OutputFile create(PartialFile& partial);
  /// One that an earlier run left, or this one has closed.
  [[nodiscard]] static OutputFile reopen(PartialFile& partial);

  /// Throws Failure, with what the system said, when a write failed so far.
  void check() const;

  /// Writes what the library still holds and closes the file, after all that was opened in it. Throws Failure
  /// when anything of it was not written, or an object is still open.
  void close();

  operator hid_t() const noexcept { return file_; }  // NOLINT(google-explicit-constructor)

 private:
  OutputFile(PartialFile& partial, bool fresh);

  PartialFile* partial_ = nullptr;
  File file_;
  long failed_closings_ = 0;  ///< in the process before this file
};

/// Gives a file the attributes of a NeXus root. Throws Failure.
void put_root_attributes(hid_t file);

/// Adds what was found of a volume to its file, which is closed and has not its name yet. Throws Failure.
void put_verification(PartialFile& partial, const Record& found);

/// Writes a plan into the group of a volume's history; nothing for one without text. Throws Failure.
void put_plan(hid_t reconstruction, const StoredPlan& plan);

}  // namespace feldspar::io::hdf5
