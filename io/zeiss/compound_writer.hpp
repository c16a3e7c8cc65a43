// Writes OLE2 compound files (MS-CFB) of any size, one after the other stream in unbroken runs of sectors.
//
// All streams are declared before the first byte, so that every byte has its place: they may be written in
// any order, and those that are not written are holes that take no disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "io/partial_file.hpp"

namespace feldspar::io::zeiss {

/// A stream to be: "ImageInfo/Angles" and its bytes.
struct NewStream {
  std::string path;
  std::uint64_t size = 0;
};

class CompoundWriter {
 public:
  /// `sector_bytes` is 512 (version 3 of the format, streams below 4 GiB) or 4096 (version 4). Names are
  /// ASCII, at most 31 letters between slashes, no two equal but for case. The file has another name until
  /// finish(). Throws Error(io), and Error(internal) for streams that the format cannot hold.
  CompoundWriter(const std::filesystem::path& path, std::vector<NewStream> streams,
                 std::uint32_t sector_bytes, bool overwrite = false);
  ~CompoundWriter();
  CompoundWriter(const CompoundWriter&) = delete;
  CompoundWriter& operator=(const CompoundWriter&) = delete;

  /// Writes bytes of stream `stream` (its place in the list) from byte `first` on.
  void write(std::size_t stream, std::uint64_t first, const void* bytes, std::size_t count) const;

  /// Writes the tables, and gives the file its name.
  void finish();

 private:
  struct Node;
  struct Run {
    std::uint64_t first = 0, count = 0;  ///< sectors
  };
  void make_directory();
  std::size_t child_of(std::size_t folder, const std::string& name, bool is_stream);
  [[nodiscard]] std::uint32_t link(std::vector<std::uint32_t>& sorted, std::size_t first, std::size_t end,
                                   int level, int red_level);
  void place();
  void write_header() const;
  void write_fat() const;
  void write_difat() const;
  void write_mini_fat() const;
  void write_directory() const;
  void write_at(std::uint64_t offset, const void* bytes, std::size_t count) const;
  [[nodiscard]] std::uint64_t offset_of(std::uint64_t sector) const { return (sector + 1) * sector_bytes_; }
  [[nodiscard]] std::uint64_t sectors_for(std::uint64_t bytes) const {
    return (bytes + sector_bytes_ - 1) / sector_bytes_;
  }

  PartialFile file_;
  std::vector<NewStream> streams_;
  std::uint32_t sector_bytes_;
  std::vector<Node> nodes_;           ///< of the directory, the root first
  std::vector<std::size_t> node_of_;  ///< one a stream
  std::vector<std::uint64_t> first_;  ///< one a stream: its first sector or mini sector
  Run difat_, fat_, directory_, mini_fat_, mini_sectors_;
  std::uint64_t mini_count_ = 0;  ///< mini sectors in use
  std::uint64_t end_ = 0;         ///< sectors in all
};

}  // namespace feldspar::io::zeiss
