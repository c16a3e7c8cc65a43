// An open TIFF: the descriptor, libtiff's handle on it, and what libtiff complained about. Internal to
// io/tiff.
#pragma once

#include <sys/stat.h>
#include <tiffio.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/crash.hpp"

namespace feldspar::io {

/// Everything libtiff and the direct reads need of one file. Used by one thread at a time.
class TiffHandle {
 public:
  enum class Mode { read, write, write_big };

  /// Opens for reading, or creates or replaces. Throws Error(io) when the file cannot be opened,
  /// Error(bad_file) when one to read is no TIFF. `directory`, where it is not 0, is the byte at which the
  /// tags of the image to read begin: libtiff, which would walk through all pages to reach it, is shown it as
  /// the first.
  TiffHandle(const std::filesystem::path& path, Mode mode, std::uint64_t directory = 0);

  TiffHandle(const TiffHandle&) = delete;
  TiffHandle& operator=(const TiffHandle&) = delete;
  ~TiffHandle();

  /// Shows libtiff the image whose tags begin at `directory`, as the constructor does.
  void show(std::uint64_t directory);
  /// Gives back all but the descriptor, so that any thread may go on after wake(). libtiff is then shown
  /// nothing.
  void rest() noexcept;
  /// Takes the file into this thread's hands. False when what its name stands for is another file now or has
  /// changed since it was opened.
  [[nodiscard]] bool wake();

  /// False of a file that had changed so shortly before it was opened that its times would not tell wake() of
  /// another change.
  [[nodiscard]] bool is_settled() const noexcept { return file_.settled; }

  [[nodiscard]] TIFF* tiff() const noexcept { return tiff_; }
  [[nodiscard]] std::uint64_t size() const noexcept { return file_.size; }
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return file_.path; }

  /// Where the tags of the pages begin. `damage` receives why the pages behind them cannot be reached. Throws
  /// Error(bad_file) when the first cannot.
  [[nodiscard]] std::vector<std::uint64_t> directories(std::string& damage) const;

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
    bool big_endian = false;
    std::vector<unsigned char>
        header;             ///< what libtiff sees instead of the first bytes; empty for the true ones
    int system_error = 0;   ///< errno of the first system call that failed under libtiff
    std::string complaint;  ///< libtiff's last message
    struct stat opened {};  ///< as it was when it was opened
    bool settled = false;   ///< it had not just been changed then
  };

  explicit TiffHandle(const std::filesystem::path& path);
  void open_library(const char* access, bool reading);
  void check_magic();
  void begin_at(std::uint64_t directory);
  [[nodiscard]] std::uint64_t number_at(std::uint64_t offset, std::size_t bytes) const;

  static tmsize_t read_some(thandle_t file, void* bytes, tmsize_t count);
  static tmsize_t write_some(thandle_t file, void* bytes, tmsize_t count);
  static toff_t seek(thandle_t file, toff_t offset, int whence);
  static toff_t size_of(thandle_t file);

  std::optional<FileInHand> in_hand_;
  File file_;
  TIFF* tiff_ = nullptr;
};

}  // namespace feldspar::io
