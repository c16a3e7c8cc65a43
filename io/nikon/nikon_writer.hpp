// Writes a virtual scan as Nikon's Inspect-X does: NAME.xtekct, NAME_0001.tif ... and _ctdata.txt, or
// NAME.ang where the angles are uneven.
//
// Nikon's images are views from the detector towards the source, top row first, and its object turns
// clockwise seen from above. Positive ObjectOffsetX and DetectorOffsetX move towards higher TIFF columns,
// which is the laboratory's -x; InitialAngle 0 is this project's angle of half a turn.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/view3.hpp"
#include "geometry/scan.hpp"
#include "io/partial_folder.hpp"
#include "io/scan_sink.hpp"

namespace feldspar::io {

/// What the files say besides the geometry.
struct ScanNotes {
  double white_level = 60000;     ///< counts of the open beam
  double voltage_kv = 205;        ///< of the tube
  double current_ua = 330;        ///< of the tube
  double exposure_s = 1;          ///< a view
  double filter_mm = 0;           ///< thickness of the filter; 0 for none
  std::string filter_material{};  ///< "Cu"; empty for none
  /// A line integral p becomes the sum of hardening[n] * p^n, n at most 4; empty for p itself.
  std::vector<double> hardening{};
};

/// The folder of a scan, view by view.
class NikonWriter final : public ScanSink {
 public:
  /// Until finish() the scan is in "`folder`.partial", which goes away with an unfinished writer; `folder`
  /// must be absent or empty. With `overwrite` it may be one that a NikonWriter made for a scan of this name,
  /// with nothing else in it; finish() replaces it. Throws Error(unsupported) for a scan that the format
  /// cannot express (a detector that is rolled, tilted or slanted, view shifts), Error(usage) for a name that
  /// is no file name, Error(io) for a folder in use and when the disk has no room for all views.
  NikonWriter(const std::filesystem::path& folder, std::string name, geometry::CircularScan scan,
              ScanNotes notes, bool overwrite = false);

  /// The same of an image whose shape is checked.
  void write_view(int view, View3<const std::uint16_t> counts);
  void write_view(int view, const void* counts) override;

  /// Writes _ctdata.txt or NAME.ang, and last the .xtekct, which makes the folder a scan; then gives it its
  /// name.
  void finish() override;

  /// The file of a view, under the name that the folder has now.
  [[nodiscard]] std::filesystem::path view_file(int view) const;

 private:
  [[nodiscard]] std::string description() const;
  [[nodiscard]] std::string angle_table() const;
  [[nodiscard]] std::string angle_list() const;
  void require_space() const;

  std::optional<PartialFolder> folder_;
  std::string name_;
  geometry::CircularScan scan_;
  ScanNotes notes_;
  int digits_;
  double step_deg_ = 0;  ///< of Nikon's clockwise stage angle, the mean where uneven
  bool even_ = true;     ///< the angles have one step
  bool finished_ = false;
  std::vector<bool> written_;
  std::vector<std::uint16_t> image_;
};

}  // namespace feldspar::io
