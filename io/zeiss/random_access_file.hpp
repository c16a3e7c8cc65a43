// Positioned reads of a file that must not change while it is open.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>

namespace feldspar::io::zeiss {

/// A file that is open for reading at any place, from any thread.
class RandomAccessFile {
 public:
  /// Throws Error(io) when the file cannot be opened.
  explicit RandomAccessFile(std::filesystem::path path);
  ~RandomAccessFile();
  RandomAccessFile(const RandomAccessFile&) = delete;
  RandomAccessFile& operator=(const RandomAccessFile&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

  /// Throws Error(io) when that fails or the file is shorter than it was.
  void read(std::uint64_t offset, void* bytes, std::size_t count) const;

  /// Throws Error(io) when the file was written to since it was opened.
  void expect_unchanged() const;

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
  std::int64_t seconds_ = 0, nanoseconds_ = 0;  ///< of its last change
};

}  // namespace feldspar::io::zeiss
