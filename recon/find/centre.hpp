// Where the rotation axis stands, from the projections alone: every ray is measured again, the other way
// round, by a later view, and both agree only about the right axis.
#pragma once

#include <span>
#include <string>

#include "base/progress.hpp"
#include "io/scan_source.hpp"
#include "recon/resources.hpp"

namespace feldspar::recon {

/// The axis that rays and their reverses agree on, with errors that are meant: over many scans 95 % of the
/// true axes lie within two standard deviations.
struct CentreEstimate {
  geometry::RotationAxis axis;    ///< the scan's, with the offset and the roll that are known
  bool known = false;             ///< the projections tell the offset
  bool roll_known = false;        ///< and the roll; else the scan's is kept
  std::string doubt;              ///< why one of them is not known, for people
  double offset_uncertainty = 0;  ///< one standard deviation, mm at the axis; infinite where not known
  double roll_uncertainty = 0;    ///< one standard deviation, rad; infinite where not known
  double pixel = 0;               ///< mm at the axis that one column spans
  double difference = 0;          ///< found minus the scan's offset, in columns; 0 where not known
  double roll_difference = 0;     ///< found minus the scan's roll, rad; 0 where not known
  double rays = 0;                ///< that were compared with their reverses

  CentreEstimate();
  ~CentreEstimate();
  CentreEstimate(const CentreEstimate&);                 ///< copies
  CentreEstimate(CentreEstimate&&) noexcept;             ///< moves
  CentreEstimate& operator=(const CentreEstimate&);      ///< copies
  CentreEstimate& operator=(CentreEstimate&&) noexcept;  ///< moves

  /// The same of a scan whose axis is `axis`.
  [[nodiscard]] CentreEstimate about(const geometry::RotationAxis& axis) const;
  /// `axis`, but with the scan's roll where the other one is not significant (three standard deviations): to
  /// lean means to resample.
  [[nodiscard]] geometry::RotationAxis to_use() const;
  /// The projections contradict the scan's axis: by more than half a column and four standard deviations, or
  /// by more than 0.2 degrees and three.
  [[nodiscard]] bool contradicts() const;
};

constexpr std::size_t most_centre_views = 720;  ///< that are read

/// Compares line integrals with their reverses about the axis of `scan`, whose shifts of single views are
/// taken into account, and about others. Of the views up to 720 are read, of the rows eight bands with
/// structure in them, in pixels of at least a 512th of the detector's width: seconds, whatever the size of
/// the scan. No indices: all views. Throws what the source throws, and Error(cancelled).
[[nodiscard]] CentreEstimate find_centre(const io::ScanSource& source, const geometry::CircularScan& scan,
                                         std::span<const int> view_indices, const Resources& resources,
                                         const ProgressMonitor& monitor = {});

/// False when the axis of `source`'s scan is a guess, as its findings say: nobody stated or measured it.
[[nodiscard]] bool states_axis(const io::ScanSource& source);

/// Bytes that it takes with so many views.
[[nodiscard]] std::size_t centre_bytes(const io::ScanSource& source, std::size_t views);

}  // namespace feldspar::recon
