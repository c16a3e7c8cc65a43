// Where a wide volume has to lie, and how much its attenuation must be scaled, to agree with an interior
// scan's projections.
#pragma once

#include <span>

#include "io/scan_source.hpp"
#include "recon/resources.hpp"
#include "recon/truncation/context.hpp"

namespace feldspar::recon {

/// How well a context explains what was measured.
struct ContextMatch {
  double gain = 1;      ///< least squares over what both see
  double mismatch = 0;  ///< root mean square of what is left, as a share of the line integrals'
  double varies = 0;    ///< standard deviation of the line integrals, as a share of the same
};

/// Projects the context onto the real detector of up to `count` views, spread evenly, and compares blocks of
/// pixels as large as its voxels. `scan` is the source's, with the axis that the reconstruction uses. Throws
/// Error(bad_file) when nothing of the context is on the detector or the gain is beyond a factor of two.
[[nodiscard]] ContextMatch match_context(const io::ScanSource& source, const geometry::CircularScan& scan,
                                         std::span<const int> view_indices, const Resources& resources,
                                         const Context& context, int count = 12);

/// Where projections put a context.
struct ContextPlace {
  Placement placement;      ///< the context's own, or a better one
  bool moved = false;       ///< the latter
  geometry::Vec3 away;      ///< mm, how far the given place is off
  double turned = 0;        ///< rad, the same of the turn
  ContextMatch given, now;  ///< at the context's own place, and at `placement`
};

/// Looks for the place at which the context explains the scan: first on a lattice of places up to two fields
/// aside in x and y, then by least squares of shift and turn (Gauss-Newton), each held to the given place
/// where the projections do not say. The answer is fitted to every other view, and taken when the views
/// between, which it has not seen, agree better by a tenth. Errors as match_context.
[[nodiscard]] ContextPlace place_context(const io::ScanSource& source, const geometry::CircularScan& scan,
                                         std::span<const int> view_indices, const Resources& resources,
                                         const Context& context, int count = 24);

}  // namespace feldspar::recon
