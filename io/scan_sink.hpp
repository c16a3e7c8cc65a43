// Where the views of a scan go, whatever the format: what every writer of scans is behind.
#pragma once

#include <string>

#include "base/findings.hpp"
#include "geometry/scan.hpp"
#include "io/scan_source.hpp"

namespace feldspar::io {

/// Everything of a scan but its views.
struct ScanContent {
  geometry::CircularScan scan;         ///< the geometry, with an angle for every view
  CountType type = CountType::uint16;  ///< of the counts that write_view() gets
  References references;               ///< open-beam and dark counts
  ScanDescription description;         ///< facts for people
  Findings findings;                   ///< of the source: what was assumed there is assumed in the copy too
};

/// How a copy says what was found in its source, "was converted from a.nxs: ...": the same for a copy's copy.
[[nodiscard]] Finding finding_of_source(Finding finding);

/// A scan in the making, view by view.
class ScanSink {
 public:
  virtual ~ScanSink() = default;

  /// Writes the counts of one view, of the content's type: columns x rows, column 0 leftmost seen from the
  /// source, row 0 lowest. Holds no more than one image. Views may come in any order.
  virtual void write_view(int view, const void* counts) = 0;

  /// Completes the scan; before, nothing takes it for one. Throws Error(internal) unless every view was
  /// written.
  virtual void finish() = 0;
};

}  // namespace feldspar::io
