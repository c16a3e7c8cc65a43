// Moments in double precision, the variance about a mean found first.
#include "recon/measure/noise.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "base/error.hpp"

namespace feldspar::recon::measure {
namespace {

/// Of value(n) for all n that count.
void require_mask(std::span<const unsigned char> mask, std::size_t size) {
  if (!mask.empty() && mask.size() != size)
    throw Error(ErrorKind::usage,
                fmt::format("statistics: the mask has {} voxels, the sample {}", mask.size(), size));
}

template <class Value>
Statistics moments(std::size_t size, std::span<const unsigned char> mask, const Value& value) {
  require_mask(mask, size);
  Statistics found;
  double sum = 0, squares = 0;
  for (std::size_t n = 0; n < size; ++n)
    if (mask.empty() || mask[n] != 0) {
      sum += value(n);
      ++found.count;
    }
  if (found.count < 2)
    throw Error(
        ErrorKind::usage,
        fmt::format("statistics: {} voxels; at least 2 are needed, choose a larger region", found.count));
  found.mean = sum / static_cast<double>(found.count);
  for (std::size_t n = 0; n < size; ++n)
    if (mask.empty() || mask[n] != 0) squares += (value(n) - found.mean) * (value(n) - found.mean);
  found.deviation = std::sqrt(squares / static_cast<double>(found.count - 1));
  return found;
}

}  // namespace

Statistics statistics_of(std::span<const float> values, std::span<const unsigned char> mask) {
  return moments(values.size(), mask, [&](std::size_t n) { return double{values[n]}; });
}

double noise_of_halves(std::span<const float> odd, std::span<const float> even,
                       std::span<const unsigned char> mask) {
  if (odd.size() != even.size())
    throw Error(
        ErrorKind::usage,
        fmt::format(
            "noise: the odd views' volume has {} voxels, the even views' {}; reconstruct both on one grid",
            odd.size(), even.size()),
        {{"like", "VOLUME", "take the grid of one for the other with"}});
  return moments(odd.size(), mask, [&](std::size_t n) { return 0.5 * (double{odd[n]} - double{even[n]}); })
      .deviation;
}

double contrast_to_noise(const Statistics& first, const Statistics& second) {
  const double noise =
      std::sqrt(0.5 * (first.deviation * first.deviation + second.deviation * second.deviation));
  return contrast_to_noise(first.mean, second.mean, noise);
}

double contrast_to_noise(double first_mean, double second_mean, double noise) {
  return noise > 0 ? std::abs(first_mean - second_mean) / noise : std::numeric_limits<double>::infinity();
}

double bias(const Statistics& measured, double truth) { return measured.mean - truth; }

}  // namespace feldspar::recon::measure
