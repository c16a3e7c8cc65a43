// How much the attenuation in a wide volume must be scaled to agree with an interior scan's projections.
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
};

/// Projects the context onto the real detector of up to `count` views, spread evenly, and compares blocks of
/// pixels as large as its voxels. `scan` is the source's, with the axis that the reconstruction uses. Throws
/// Error(bad_file) when nothing of the context is on the detector or the gain is beyond a factor of two.
[[nodiscard]] ContextMatch match_context(const io::ScanSource& source, const geometry::CircularScan& scan,
                                         std::span<const int> view_indices, const Resources& resources,
                                         const Context& context, int count = 12);

}  // namespace feldspar::recon
