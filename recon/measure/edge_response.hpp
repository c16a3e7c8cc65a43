// Sharpness from the edge of a round body, by the method of ASTM E1695: the edge's profile over many
// azimuths, oversampled, its derivative, and that one's Fourier transform.
#pragma once

#include <span>
#include <vector>

#include "base/view3.hpp"

namespace feldspar::recon::measure {

/// A circle in a slice, in voxels from the centre of voxel (0, 0), and the ring around it to look at.
struct RoundEdge {
  double x = 0, y = 0, radius = 0;  ///< centre and radius
  double half_width = 6;            ///< voxels inside and outside the radius; the body is uniform so far
};

/// Values over the distance from the circle, outwards, in bins of `step` voxels from -half_width. Throws
/// Error(usage) when the ring leaves the slice or a bin stays empty.
struct EdgeResponse {
  double first = 0;            ///< distance of the first bin, voxels
  double step = 0;             ///< voxels
  std::vector<double> values;  ///< 1/mm, one a bin
};
/// Of the ring around `edge` in `slice`.
[[nodiscard]] EdgeResponse edge_response(View3<const float> slice, const RoundEdge& edge,
                                         double step = 0.125);

/// Puts the circle where the slice has its edge: the steepest fall along rays from the given centre, then
/// least squares (Kasa 1976). Throws Error(usage) when too few rays stay within the slice.
[[nodiscard]] RoundEdge fit_edge(View3<const float> slice, const RoundEdge& guess);

/// How much of each frequency an image keeps.
struct Modulation {
  double step = 0;             ///< of frequency, cycles a voxel
  std::vector<double> values;  ///< from frequency 0, where it is 1, to Nyquist's, 1/2
  double width = 0;            ///< full width at half maximum of the line spread, voxels

  /// The lowest frequency at which the modulation has fallen to `level`, cycles a voxel; 1/2 when it does
  /// not fall so far.
  [[nodiscard]] double frequency_at(double level) const;
};

/// The line spread's outer quarters are tapered to 0, and the bin's and the difference's own sinc divided
/// out.
[[nodiscard]] Modulation modulation_of(const EdgeResponse& edge);

/// Of an edge that is no step: what is left of the truth's own spectrum, both binned alike. Meant for a wall
/// thinner than its blur. Normalised by the Gaussian that fits it best between 0.05 and 0.25 cycles a voxel,
/// so that attenuation that reads wrong as a whole does not count; `width` is that of the Gaussian with the
/// same frequency_at(0.5). Throws Error(usage) for other bins and a truth without an edge.
[[nodiscard]] Modulation modulation_against(const EdgeResponse& edge, const EdgeResponse& truth);

/// The outside of the steepest fall and its mirror image: the edge of a wall's outside, not reached by the
/// inside's if the wall is thicker than the blur.
[[nodiscard]] EdgeResponse outer_half(const EdgeResponse& edge);

}  // namespace feldspar::recon::measure
