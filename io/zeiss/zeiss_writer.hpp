// Writes a scan as a Zeiss Xradia .txrm file, with its open beam as the reference.
#pragma once

#include <filesystem>
#include <vector>

#include "base/view3.hpp"
#include "geometry/scan.hpp"
#include "io/nikon/nikon_writer.hpp"
#include "io/scan_sink.hpp"
#include "io/zeiss/txrm_writer.hpp"

namespace feldspar::io {

/// What a .txrm file can hold beyond ScanNotes.
struct ZeissPixels {
  CountType type = CountType::uint16;
  std::vector<float> white{};  ///< columns x rows; empty for the notes' white level everywhere
};

class ZeissWriter final : public ScanSink {
 public:
  /// Throws Error(io) when the file exists unless `overwrite`, Error(unsupported) for a scan that the
  /// format cannot express. It has no place for the axis' position: a scan that has one is written, and the
  /// file does not tell, as a real one does not.
  ZeissWriter(const std::filesystem::path& file, const geometry::CircularScan& scan, const ScanNotes& notes,
              bool overwrite = false, ZeissPixels pixels = {});

  void write_view(int view, View3<const std::uint16_t> counts);
  void write_view(int view, const void* counts) override;
  void finish() override;

 private:
  zeiss::TxrmWriter file_;
  std::vector<float> reference_;
  std::vector<bool> written_;
};

}  // namespace feldspar::io
