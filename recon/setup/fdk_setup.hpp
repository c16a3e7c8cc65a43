// Everything FDK needs to know of a scan before any pixel is read: views of an aligned detector, the way
// there from the real one, and the weights.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "base/findings.hpp"
#include "geometry/coverage.hpp"
#include "geometry/rectification.hpp"
#include "geometry/scan.hpp"
#include "kernels/fdk_weights.hpp"
#include "kernels/ramp.hpp"

namespace feldspar::recon {

/// The detector that is worked on, upright, and the way there from the real one.
struct UprightDetector {
  std::vector<int> view_indices;                         ///< views of the source that take part, in order
  int source_columns = 0, source_rows = 0;               ///< of the real detector
  int columns = 0, rows = 0;                             ///< of the upright one: virtual when rectified
  std::vector<geometry::View> views;                     ///< of that detector, one a view that takes part
  std::optional<geometry::Rectification> rectification;  ///< when the real detector leans or is displaced
  geometry::Range measured;  ///< its columns that every row of every view was measured in
};

/// A scan as FDK works from it, whatever the volume.
struct FdkSetup : UprightDetector {
  bool displaced = false;  ///< the detector reaches further on one side, and the shorter one is filled up
  geometry::AngularCoverage coverage;       ///< of the turn by these views
  std::vector<kernels::FdkWeight> weights;  ///< one a view that takes part
  std::vector<double> partial_turn;         ///< angles of the views that cover less than a turn (Parker), rad
  std::vector<float> column_weights;  ///< empty, or columns x views for a partial turn or a displaced one
  Findings findings;                  ///< what was recognised and how it is treated

  /// The ramp for these columns whose cutoff is a fraction of the real pixels' Nyquist frequency.
  [[nodiscard]] kernels::RampOptions ramp_of(kernels::RampOptions ramp) const {
    if (rectification) ramp.cutoff /= rectification->finer;
    return ramp;
  }
};

/// Bytes that it holds.
[[nodiscard]] std::size_t bytes_of(const FdkSetup& setup);

/// Throws Error(bad_file) when the scan is impossible or covers too little of the turn, Error(usage) when
/// an index is out of range. `view_indices` empty takes every view.
[[nodiscard]] FdkSetup prepare_fdk(const geometry::CircularScan& scan,
                                   std::span<const int> view_indices = {});

}  // namespace feldspar::recon
