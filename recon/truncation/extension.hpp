// Truncated projections: how rows that end inside the object are continued beyond the detector before they
// are filtered. Without it the ramp filter takes the cut for an edge of the object, and everything reads too
// high.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "kernels/fdk_weights.hpp"
#include "kernels/row_extender.hpp"
#include "recon/setup/fdk_setup.hpp"
#include "recon/truncation/context.hpp"
#include "recon/truncation/outline.hpp"

namespace feldspar::recon {

/// The continuation of one scan's rows.
struct Extension {
  kernels::RowExtension rows;               ///< how each row goes on
  int model_step = 1;                       ///< pixels between the samples of what is expected
  geometry::Range model_columns;            ///< columns that they span, a multiple of the step
  Outline outline;                          ///< what is expected: a uniform cylinder, scaled to the edges,
  std::shared_ptr<const Context> context;   ///< or this
  std::vector<kernels::FdkWeight> weights;  ///< of the continued rows, one a view
  std::vector<float> column_weights;  ///< of the continued rows, or empty; beyond the detector its edges'

  /// Columns of a continued row, where the detector has `columns`.
  [[nodiscard]] int width(int columns) const { return rows.left + columns + rows.right; }
};

/// Rows continued by the chords of a cylinder, each side scaled to its edge. Throws Error(usage) when the
/// outline reaches to a source.
[[nodiscard]] Extension extend_by_outline(const FdkSetup& setup, const Outline& outline);

/// Rows continued by the line integrals of a wider reconstruction.
[[nodiscard]] Extension extend_by_context(const FdkSetup& setup, std::shared_ptr<const Context> context);

/// The radius of the cylinder about the rotation axis that explains how high line integrals still are where
/// the detector ends: `edge_share` of their mean over the detector, which reaches `half_width` mm from the
/// axis. At most nine times as far, which is all that nearly level rows say.
[[nodiscard]] double radius_from_edges(double edge_share, double half_width);

}  // namespace feldspar::recon
