// Up to which frequency two reconstructions of one object say the same: their Fourier shell correlation.
#pragma once

#include <vector>

#include "base/parallel.hpp"
#include "base/view3.hpp"

namespace feldspar::recon::measure {

/// How far two images agree, by frequency.
struct ShellCorrelation {
  double step = 0;              ///< of frequency, cycles a voxel
  std::vector<double> values;   ///< from frequency 0 up to Nyquist's, 1/2, a shell each
  std::vector<double> halfbit;  ///< where a volume of both halves carries half a bit of information a voxel

  /// The lowest frequency, cycles a voxel, at which the correlation falls below the half-bit curve; 1/2 when
  /// it does not. The first three shells, which the windowing fills, do not count.
  [[nodiscard]] double resolved_frequency() const;
};

/// Of two cubes whose side is a power of two from 16 to 512, as reconstructed from odd and from even views.
/// Their borders are tapered to 0 over an eighth of the side. The half-bit curve is van Heel and Schatz's
/// (2005), with half of a shell's frequencies, since the others are their conjugates. Needs 8 bytes a voxel.
/// Patterns that both halves share, as rings, correlate too. Throws Error(usage) for other sizes.
[[nodiscard]] ShellCorrelation shell_correlation(View3<const float> odd, View3<const float> even,
                                                 ThreadPool& pool);

}  // namespace feldspar::recon::measure
