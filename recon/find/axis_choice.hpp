// The rotation axis by all means there are: what the scan states, what reverse rays say and what makes slices
// sharpest, and which of them to believe.
#pragma once

#include <span>
#include <string>

#include "recon/find/centre.hpp"
#include "recon/find/slice_sharpness.hpp"

namespace feldspar::recon {

/// How the axis is looked for.
struct AxisSearch {
  bool keep_slices = false;  ///< the voxels of all trials, to be drawn
};

/// The axis to use, and what each of the ways to find it says.
struct AxisChoice {
  geometry::RotationAxis axis;    ///< to use
  std::string method;             ///< "reverse rays", "sharpness" or "metadata"
  double offset_uncertainty = 0;  ///< one standard deviation, mm; 0 for the metadata's
  double pixel = 0;               ///< mm at the axis that one column spans
  CentreEstimate rays;            ///< what reverse rays say, if they do
  SharpnessEstimate sharpness;    ///< sought from the reverse rays' axis, or else the metadata's
  Findings findings;              ///< differences of more than 0.3 column between any two
};

/// Reverse rays are believed when they know the axis, else sharpness, else the metadata. Throws what the
/// source throws.
[[nodiscard]] AxisChoice choose_axis(const io::ScanSource& source, const geometry::CircularScan& scan,
                                     std::span<const int> views, const Resources& resources,
                                     const AxisSearch& how = {});

/// Bytes that it takes at least, with as small slabs as there are.
[[nodiscard]] std::size_t axis_bytes(const io::ScanSource& source, const geometry::CircularScan& scan,
                                     std::span<const int> views, const Resources& resources,
                                     const AxisSearch& how = {});

}  // namespace feldspar::recon
