// Noise, contrast and bias of a volume, from samples of its voxels.
#pragma once

#include <cstddef>
#include <span>

namespace feldspar::recon::measure {

/// Of some voxels.
struct Statistics {
  double mean = 0;        ///< 1/mm
  double deviation = 0;   ///< standard deviation of one voxel, 1/mm
  std::size_t count = 0;  ///< voxels
};

/// Of the values whose mask is not 0, or of all when `mask` is empty. Throws Error(usage) with fewer than two
/// values, and when sizes differ.
[[nodiscard]] Statistics statistics_of(std::span<const float> values,
                                       std::span<const unsigned char> mask = {});

/// Standard deviation of the noise that a reconstruction from all views has, in 1/mm, from those of its odd
/// and of its even views: that of half their difference, in which the object cancels. Valid while the halves
/// do not alias. Arguments as of statistics_of().
[[nodiscard]] double noise_of_halves(std::span<const float> odd, std::span<const float> even,
                                     std::span<const unsigned char> mask = {});

/// |first - second| over the root mean square of their deviations; infinite without noise.
[[nodiscard]] double contrast_to_noise(const Statistics& first, const Statistics& second);

/// The same with the noise known, for materials in layers so thin that their own deviation is structure.
[[nodiscard]] double contrast_to_noise(double first_mean, double second_mean, double noise);

/// Mean minus the true attenuation, 1/mm.
[[nodiscard]] double bias(const Statistics& measured, double truth);

}  // namespace feldspar::recon::measure
