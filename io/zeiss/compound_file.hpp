// Reads OLE2 compound files (MS-CFB), of any size: streams by name, any bytes of them, nothing more from
// disk.
//
// Such a file is a small file system: sectors of 512 or 4096 bytes chained by an allocation table (FAT), a
// directory of named entries, and a second table for streams below 4096 bytes. Whatever the file says is
// checked before it is used.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "io/zeiss/random_access_file.hpp"

namespace feldspar::io::zeiss {

/// Bytes of a file that lie one after the other.
struct Extent {
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
};

/// Where the bytes of a stream lie, in order.
using Extents = std::vector<Extent>;

class CompoundFile {
 public:
  struct Stream {
    std::string path;  ///< "ImageInfo/Angles", as the file spells it
    std::uint64_t size = 0;
    std::uint32_t first = 0;  ///< sector, or mini sector of a small stream
  };

  /// Reads header, tables' places and directory. Throws Error(io), Error(bad_file) naming what is damaged,
  /// Error(unsupported) for a layout that no program writes.
  explicit CompoundFile(const std::filesystem::path& path);

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return file_.path(); }
  [[nodiscard]] const std::vector<Stream>& streams() const noexcept { return streams_; }

  /// Names compare without case, as the format has it. Null when there is none.
  [[nodiscard]] const Stream* find(std::string_view path) const;

  /// Follows the stream's chain. Throws Error(bad_file) naming the stream when the chain is too short, turns
  /// back into itself or leaves the file.
  [[nodiscard]] Extents locate(const Stream& stream) const;

  /// Reads bytes [first, first + count) of what lies at `extents`. Thread-safe.
  void read(const Extents& extents, std::uint64_t first, void* bytes, std::size_t count) const;

  /// The whole of a stream that has at most `most` bytes; throws Error(bad_file) for a longer one.
  [[nodiscard]] std::vector<std::byte> read_all(const Stream& stream, std::size_t most) const;

  void expect_unchanged() const { file_.expect_unchanged(); }

 private:
  struct Entry;
  struct Header;
  [[nodiscard]] Header read_header();
  void read_fat_places(const Header& header);
  [[nodiscard]] std::vector<Entry> read_directory(std::uint32_t first);
  void list_streams(const std::vector<Entry>& entries);
  void add_stream(const Entry& entry, const std::string& folder);
  [[nodiscard]] Extents follow(std::uint32_t first, std::uint64_t size, const std::string& what) const;
  [[nodiscard]] Extents follow_mini(const Stream& stream) const;
  [[nodiscard]] std::uint64_t offset_of(std::uint32_t sector, std::string_view what) const;
  [[noreturn]] void damaged(const std::string& what) const;

  RandomAccessFile file_;
  std::uint32_t sector_bytes_ = 0;
  std::uint64_t sectors_ = 0;               ///< that the file has, the last one perhaps not whole
  std::vector<std::uint32_t> fat_sectors_;  ///< where the allocation table lies
  Extents mini_fat_;                        ///< the allocation table of small streams
  Extents mini_sectors_;                    ///< their contents
  std::vector<Stream> streams_;
  std::map<std::string, std::size_t> by_name_;  ///< lower case
};

/// True when the file begins as every compound file does.
[[nodiscard]] bool looks_like_compound_file(std::string_view beginning);

}  // namespace feldspar::io::zeiss
