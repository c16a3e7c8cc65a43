// What a faster scan of one object costs: the measures of its volume beside those of slower ones.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/report/picture.hpp"
#include "recon/measure/edge_response.hpp"
#include "recon/measure/shell_correlation.hpp"
#include "simulate/cell_18650.hpp"

namespace feldspar::cli {

/// Volumes of one scan on the grid that all scans share.
struct SpeedVolumes {
  std::string name;
  std::filesystem::path whole, odd, even;  ///< from all views, and from every second
  int views = 0;
  double exposure_s = 0;         ///< of a view; 0 when it is not known
  double seconds = 0, gups = 0;  ///< of the reconstruction from all views
};

/// What only a known cell can tell.
struct CellMeasures {
  double grain = 0;  ///< 1/mm: noise with what the correction of rings leaves or adds, from slice to slice
  double anode = 0, cathode = 0;            ///< 1/mm, over the purest voxels of each
  double anode_bias = 0, cathode_bias = 0;  ///< from the truth over the same voxels
  double contrast_to_noise = 0;             ///< of the two over the grain
  recon::measure::Modulation can;           ///< at the outside of the can
  double traced = 0, invented = 0;          ///< shares of windings
  double radius_error = 0;                  ///< mm, of those traced
};

struct SpeedPicture {
  std::string title;
  Plane plane;
};

struct SpeedMeasures {
  SpeedVolumes of;
  double noise = 0;       ///< 1/mm, near the axis, of what differs between odd and even views
  double difference = 0;  ///< 1/mm, root mean square from the first scan's volume
  double voxel = 0;       ///< mm
  recon::measure::ShellCorrelation shells;
  std::optional<CellMeasures> cell;
  std::vector<double> profile;  ///< 1/mm along x through the axis, means of a few slices
  double profile_start = 0;     ///< mm
  std::vector<SpeedPicture> pictures;

  [[nodiscard]] double scan_seconds() const { return of.views * of.exposure_s; }
};

/// Measures all volumes; the first is the one that others are compared with. `cell` is what was scanned, if
/// it is known: its axis on the volume's. Throws Error(usage) when grids differ or are too small to measure.
[[nodiscard]] std::vector<SpeedMeasures> measure_speed(const std::vector<SpeedVolumes>& volumes,
                                                       const std::optional<simulate::CellDesign>& cell,
                                                       int threads);

/// For people and for programs.
[[nodiscard]] std::string speed_table(const std::vector<SpeedMeasures>& all);
[[nodiscard]] std::string speed_json(const std::vector<SpeedMeasures>& all, const std::string& how);

/// A page that needs nothing beside itself: table, pictures at one window, profiles and curves. `how` says
/// how the scans came to be.
[[nodiscard]] std::string speed_page(const std::vector<SpeedMeasures>& all, const std::string& how);

}  // namespace feldspar::cli
