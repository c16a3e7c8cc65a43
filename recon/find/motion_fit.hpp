// One step of finding views' shifts: how far every view of a coarse scan is from its re-projection.
#pragma once

#include <vector>

#include "recon/find/coarse_scan.hpp"

namespace feldspar::recon {

/// Shifts of all views, in pixels of a scan.
struct Shifts {
  std::vector<double> column, row;  ///< one a view; positive when the image moved to higher indices
};

/// One comparison of all views with the volume made of them.
struct MotionStep {
  Shifts further;  ///< how much further than supposed the views are shifted
  /// Half the difference of what the upper and the lower half of the detector say (the left and the right
  /// one, of few rows).
  Shifts doubt;
  double misfit = 0;  ///< of the re-projections, relative to the projections (rms)
};

/// Reconstructs `scan` with its views shifted by `supposed` and re-projects the volume.
[[nodiscard]] MotionStep compare_with_reprojections(const CoarseScan& scan, const Shifts& supposed,
                                                    const Resources& resources);

/// Bytes that it takes at least, the coarse scan and its half included, with as small slabs as there are.
[[nodiscard]] std::size_t reprojection_bytes(const io::ScanSource& source, const geometry::CircularScan& scan,
                                             std::size_t views, const Resources& resources);

/// Takes out of the shifts what a move of the object as a whole does.
void remove_translation(Shifts& shifts, const std::vector<double>& angles);

}  // namespace feldspar::recon
