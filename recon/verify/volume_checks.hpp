// Questions to the finished volume: does it cast what was measured at several heights, does it hold the mass
// that was measured. docs/trust.md derives the limits.
#pragma once

#include <span>

#include "recon/verify/mid_plane.hpp"
#include "recon/verify/verdict.hpp"

namespace feldspar::recon {

/// The rays at one height, as measured and as the volume casts them.
struct Level {
  Sinogram measured;  ///< of all views, or of some
  Sinogram lengths;   ///< of the rays within the volume's grid: 0 of those that miss it
  double noise = 0;   ///< standard deviation of a measured ray's

  /// A row is compared in means of a group of columns: what the grid can hold at all.
  ColumnGroups groups;
  Sinogram compared;  ///< those columns of `measured`
  Sinogram cast;      ///< the same rays
  double blur = 0;    ///< share that interpolation along z may take off the rays
};

/// Each view's rays against those that the volume casts.
[[nodiscard]] Check check_views(const Level& level);

/// How far each view lies from where its angle puts it among its neighbours: what it differs from the
/// volume's rays by, as a share of how these change with the angle.
[[nodiscard]] Check check_order(const Level& level);

/// All measured rays together against all that the volume casts, height by height.
[[nodiscard]] Check check_fit(std::span<const Level> levels);

/// The sum of the line integrals through the plane of the source against the sum of its voxels.
[[nodiscard]] Check check_mass(const Sinogram& measured, const Sinogram& lengths, const FdkSetup& setup,
                               const FinishedVolume& volume);

}  // namespace feldspar::recon
