// How the object or the instrument moved while the scan was taken: shifts of single views, found by comparing
// every view with what a coarse volume of all of them looks like from there.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "geometry/scan.hpp"
#include "io/scan_source.hpp"
#include "recon/resources.hpp"

namespace feldspar::recon {

/// Along columns or along rows, in pixels of the source.
struct MotionAlong {
  bool found = false;      ///< stands out from the uncertainty and is worth to be corrected
  double range = 0;        ///< largest minus smallest shift
  double mean = 0;         ///< of the columns' shifts: an axis beside where the scan has it
  double rms = 0;          ///< about the mean
  double uncertainty = 0;  ///< one standard deviation of a view's shift
};

/// How the views are shifted, and how sure that is.
struct MotionEstimate {
  std::vector<geometry::ViewShift> shifts;     ///< of all views: the scan's own, plus what was found
  MotionAlong columns, rows;                   ///< along either side of the detector
  double misfit_before = 0, misfit_after = 0;  ///< of re-projections, relative to the projections (rms)
  std::string text;                            ///< what became of it, in a sentence

  [[nodiscard]] bool found() const { return columns.found || rows.found; }  ///< along any side
};

/// Looks at up to 400 of `views`, averaged to some 128 pixels across the object, and continues in straight
/// lines between them. `scan` is the source's, with the axis that holds. A move of the object as a whole is
/// no motion: shifts along columns have no part that goes with the sine or cosine of the angle, those along
/// rows no mean. Needs a full turn, whose opposite views contradict each other when something moves;
/// otherwise, and when nothing rises above the uncertainty, the shifts are the scan's own. Throws what the
/// source throws.
[[nodiscard]] MotionEstimate estimate_motion(const io::ScanSource& source, const geometry::CircularScan& scan,
                                             std::span<const int> views, const Resources& resources);

/// Bytes that it takes at least, with as small slabs as there are.
[[nodiscard]] std::size_t motion_bytes(const io::ScanSource& source, const geometry::CircularScan& scan,
                                       std::span<const int> views, const Resources& resources);

}  // namespace feldspar::recon
