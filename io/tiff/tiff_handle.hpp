// An open TIFF: the descriptor, libtiff's handle on it, and what libtiff complained about. Internal to
// io/tiff.
#pragma once

#include <tiffio.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

namespace feldspar::io {

/// Everything libtiff and the direct reads need of one file. Used by one thread at a time.
class TiffHandle {
 public:
  enum class Mode { read, write, write_big };

  /// Opens for reading, or creates or replaces. Throws Error(io) when the file cannot be opened,
  /// Error(bad_file) when one to read is no TIFF.
  TiffHandle(const std::filesystem::path& path, Mode mode);

  TiffHandle(const TiffHandle&) = delete;
  TiffHandle& operator=(const TiffHandle&) = delete;
  ~TiffHandle();

  [[nodiscard]] TIFF* tiff() const noexcept { return tiff_; }
  [[nodiscard]] std::uint64_t size() const noexcept { return file_.size; }
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return file_.path; }

  /// Bytes [offset, offset + count). Throws Error(io), or Error(bad_file) when the file ends before.
  void read(std::uint64_t offset, std::size_t count, void* bytes) const;

  /// Throws what went wrong in libtiff: Error(io) for a failed system call, else Error(bad_file).
  [[noreturn]] void fail(const std::string& doing) const;

  /// Writes what libtiff still holds and closes the file. Throws Error(io).
  void finish();

 private:
  struct File {
    std::filesystem::path path;
    int descriptor = -1;
    std::uint64_t position = 0;
    std::uint64_t size = 0;
    int system_error = 0;   ///< errno of the first system call that failed under libtiff
    std::string complaint;  ///< libtiff's last message
  };

  explicit TiffHandle(const std::filesystem::path& path);
  void check_magic() const;

  static tmsize_t read_some(thandle_t file, void* bytes, tmsize_t count);
  static tmsize_t write_some(thandle_t file, void* bytes, tmsize_t count);
  static toff_t seek(thandle_t file, toff_t offset, int whence);
  static toff_t size_of(thandle_t file);

  File file_;
  TIFF* tiff_ = nullptr;
};

}  // namespace feldspar::io
