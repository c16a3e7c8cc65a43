// Writes scans as Zeiss Xradia microscopes do, as far as the format is known: one .txrm file.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "geometry/scan.hpp"
#include "io/zeiss/compound_writer.hpp"
#include "io/zeiss/txrm_header.hpp"

namespace feldspar::io::zeiss {

/// What the file says besides the geometry.
struct TxrmNotes {
  PixelType type = PixelType::uint16;
  double voltage_kv = 0, current_ua = 0;
  double exposure_s = 1, reference_exposure_s = 1;
  std::string filter{};
  std::uint32_t sector_bytes = 4096;
};

class TxrmWriter {
 public:
  /// The file has another name until finish(). The format has no place for a detector or an axis that is out
  /// of place: a scan whose detector is offset, rolled, tilted or slanted, or has pixels that are not square,
  /// throws Error(unsupported); the axis is left out, as the instrument does. Throws Error(io).
  TxrmWriter(const std::filesystem::path& path, const geometry::CircularScan& scan, const TxrmNotes& notes,
             bool overwrite = false);

  /// Writes one view: columns x rows of notes.type, column 0 leftmost seen from the source, row 0 lowest.
  /// Views may come in any order; those that never come are 0 and take no disk.
  void write_view(int view, const void* counts) const;

  /// The open beam: columns x rows.
  void write_reference(std::span<const float> counts) const;

  void finish() { file_.finish(); }

 private:
  using Contents = std::vector<std::pair<NewStream, std::vector<std::byte>>>;
  static Contents contents_of(const geometry::CircularScan& scan, const TxrmNotes& notes);
  static std::vector<NewStream> streams_of(const Contents& contents, const geometry::CircularScan& scan,
                                           PixelType type);
  TxrmWriter(const std::filesystem::path& path, const geometry::CircularScan& scan, const TxrmNotes& notes,
             const Contents& contents, bool overwrite);

  std::size_t pixels_, views_, first_image_, reference_;
  PixelType type_;
  CompoundWriter file_;
};

}  // namespace feldspar::io::zeiss
