// Where the rotation axis stands, from the projections alone: every ray is measured again, the other way
// round, by a later view, and both agree only about the right axis.
#pragma once

#include <span>
#include <vector>

#include "base/findings.hpp"
#include "io/scan_source.hpp"
#include "recon/resources.hpp"

namespace feldspar::recon {

/// The axis at the height of one detector row.
struct RowCentre {
  int row = 0;             ///< of the detector
  double height = 0;       ///< mm at the axis, from the central ray
  double offset = 0;       ///< mm at the axis, as RotationAxis::offset
  double uncertainty = 0;  ///< one standard deviation, mm at the axis
};

/// The axis that rays and their reverses agree on.
struct CentreEstimate {
  geometry::RotationAxis axis;     ///< the scan's, with the offset, and the roll if known, that were found
  double offset_uncertainty = 0;   ///< one standard deviation, mm at the axis
  double roll_uncertainty = 0;     ///< one standard deviation, rad
  bool roll_known = false;         ///< false when fewer than three rows could be used; the scan's is kept
  double pixel = 0;                ///< mm at the axis that one column spans
  double metadata_difference = 0;  ///< found minus stated offset, in columns
  std::vector<RowCentre> rows;     ///< those that were used
  Findings findings;               ///< where it is not sure
};

/// Compares rays with their reverses on up to `row_count` rows near the mid-plane, reading only those rows.
/// A cone's reverse ray lies in another plane except in the mid-plane: rows beyond 5 degrees are not used.
/// No indices: all views. Row shifts of single views are ignored. Throws Error(unsupported) when the views
/// measure too few rays twice, or nothing in them tells where the axis is.
[[nodiscard]] CentreEstimate find_centre(const io::ScanSource& source, const geometry::CircularScan& scan,
                                         std::span<const int> view_indices, const Resources& resources,
                                         int row_count = 9);

/// Bytes that it takes with so many views.
[[nodiscard]] std::size_t centre_bytes(const io::ScanSource& source, std::size_t views);

}  // namespace feldspar::recon
