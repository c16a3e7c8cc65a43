// The list of slabs of an unfinished volume that are safely on the disk: NAME.journal beside NAME.partial.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "geometry/coverage.hpp"
#include "io/partial_file.hpp"

namespace feldspar::io {

/// A text file: a line that names the format, a line with the identity of the run, a line a slab, and a last
/// one when the file's index begins to change, with the index as it was. Each line is on the disk before the
/// next thing happens; one that a crash cut short does not count.
class SlabJournal {
 public:
  struct Entry {
    geometry::Range slices;
    std::int64_t clipped = 0;              ///< voxels beyond the range of uint16 in them
    std::vector<std::string> hashes = {};  ///< one a slice
  };

  /// What an earlier run left.
  struct Left {
    std::vector<Entry> entries = {};
    std::optional<FileHead> index = {};  ///< to be put back before the entries are true, where the run had
                                         ///< begun to finish the file
  };

  /// Nothing is read or written yet.
  SlabJournal(std::filesystem::path path, std::string identity);
  ~SlabJournal();
  SlabJournal(const SlabJournal&) = delete;
  SlabJournal& operator=(const SlabJournal&) = delete;

  /// What an earlier run of the same identity finished; no entries without such a run. Throws Error(usage)
  /// when the journal is another run's: other inputs, options or program.
  [[nodiscard]] Left read() const;

  /// Begins with these entries; a journal that stood there is replaced. Throws Error(io), also when what
  /// stands there is none.
  void begin(const std::vector<Entry>& entries);

  /// Adds slices whose voxels are durable. Throws Error(io).
  void add(const Entry& entry);

  /// From now on the file's index changes, and a crash may tear it: `index` is what it was. Throws Error(io).
  void end(const FileHead& index);

  [[nodiscard]] bool empty() const noexcept { return count_ == 0; }

  /// Takes back what was vouched for; durable when it returns.
  void remove() noexcept;

 private:
  void write(const std::string& text);
  [[nodiscard]] std::optional<std::string> content() const;

  std::filesystem::path path_;
  std::string identity_;
  int descriptor_ = -1;
  int count_ = 0;
};

}  // namespace feldspar::io
