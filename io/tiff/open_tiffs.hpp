// The TIFFs that were read last stay open: a scan of many files is gone through more than once. Internal to
// io/tiff.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "io/tiff/tiff_handle.hpp"
#include "io/tiff/tiff_layout.hpp"

namespace feldspar::io {

/// A file that is open for reading, and the image in it that was read last.
struct OpenTiff {
  TiffHandle file;
  TiffPage page;
  TiffLayout layout;  ///< of that page
};

/// Descriptors and layouts of files that nobody reads now. Only what is still the file that was opened is
/// used again. As many as a quarter of the descriptors that the process may have, 256 at most, and none whose
/// layout is large: they take less than 10 MiB, which program_bytes() has room for. Thread-safe.
class OpenTiffs {
 public:
  /// Those of the process.
  static OpenTiffs& all();

  /// The image, for this caller alone. Errors as read_tiff_info.
  [[nodiscard]] std::unique_ptr<OpenTiff> take(const std::filesystem::path& path, TiffPage page);
  /// Takes back what could be read as it should.
  void keep(std::unique_ptr<OpenTiff> tiff) noexcept;

 private:
  OpenTiffs();
  struct Kept {
    std::unique_ptr<OpenTiff> tiff;
    std::uint64_t turn;  ///< of being kept: the lowest one goes first
  };
  [[nodiscard]] std::unique_ptr<OpenTiff> take_kept(const std::string& path, TiffPage page);

  std::size_t most_;
  std::mutex access_;
  std::multimap<std::string, Kept> kept_;  ///< by path
  std::uint64_t turn_ = 0;
};

}  // namespace feldspar::io
