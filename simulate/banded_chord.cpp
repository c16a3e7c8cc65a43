// Two ways to the same integral: piece by piece for one ray, by prefix sums for a column of rays.
#include "simulate/banded_chord.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace feldspar::simulate {
namespace {

/// A path on which the height changes less than this many mm counts as level: the band of its middle is exact
/// but for that length.
constexpr double level = 1e-12;

}  // namespace

int Bands::band_at(double z) const {
  return static_cast<int>(std::upper_bound(heights.begin(), heights.end(), z) - heights.begin()) - 1;
}

double integrate(const Bands& bands, const PlanChord& chord, Slope slope) {
  const double stretch = std::sqrt(1 + slope.rise * slope.rise);
  double sum = 0;
  for (std::size_t n = 0; n < chord.profiles.size(); ++n) {
    double low = slope.at_zero + slope.rise * chord.cuts[n],
           high = slope.at_zero + slope.rise * chord.cuts[n + 1];
    const double plan = chord.cuts[n + 1] - chord.cuts[n];
    if (low > high) std::swap(low, high);
    if (high - low < level) {
      const int band = bands.band_at(0.5 * (low + high));
      if (band >= 0 && band < bands.count()) sum += bands.attenuation(chord.profiles[n], band) * plan;
      continue;
    }
    for (int band = std::max(0, bands.band_at(low)); band < bands.count(); ++band) {
      const auto k = static_cast<std::size_t>(band);
      if (bands.heights[k] >= high) break;
      const double inside = std::min(high, bands.heights[k + 1]) - std::max(low, bands.heights[k]);
      sum += bands.attenuation(chord.profiles[n], band) * plan * inside / (high - low);
    }
  }
  return sum * stretch;
}

ChordSums::ChordSums(const Bands& bands, const PlanChord& chord)
    : bands_(bands), chord_(chord), sums_(static_cast<std::size_t>(bands.count()) * chord.cuts.size()) {
  for (int band = 0; band < bands.count(); ++band) {
    double* sums = sums_.data() + static_cast<std::size_t>(band) * chord.cuts.size();
    for (std::size_t n = 0; n < chord.profiles.size(); ++n)
      sums[n + 1] =
          sums[n] + bands.attenuation(chord.profiles[n], band) * (chord.cuts[n + 1] - chord.cuts[n]);
  }
}

double ChordSums::sum_until(int band, double place) const {
  const auto& cuts = chord_.cuts;
  const auto next = std::upper_bound(cuts.begin() + 1, cuts.end() - 1, place) - cuts.begin();
  const auto n = static_cast<std::size_t>(next - 1);
  return sums_[static_cast<std::size_t>(band) * cuts.size() + n] +
         bands_.attenuation(chord_.profiles[n], band) * (place - cuts[n]);
}

double ChordSums::integrate(Slope slope) const {
  if (chord_.profiles.empty()) return 0;
  const double first = chord_.cuts.front(), last = chord_.cuts.back();
  const double stretch = std::sqrt(1 + slope.rise * slope.rise);
  if (std::abs(slope.rise) * (last - first) < level) {
    const int band = bands_.band_at(slope.at_zero + slope.rise * 0.5 * (first + last));
    if (band < 0 || band >= bands_.count()) return 0;
    return (sum_until(band, last) - sum_until(band, first)) * stretch;
  }
  const double z_first = slope.at_zero + slope.rise * first, z_last = slope.at_zero + slope.rise * last;
  const double top = std::max(z_first, z_last);
  double sum = 0;
  for (int band = std::max(0, bands_.band_at(std::min(z_first, z_last))); band < bands_.count(); ++band) {
    const auto k = static_cast<std::size_t>(band);
    if (bands_.heights[k] >= top) break;
    double enter = (bands_.heights[k] - slope.at_zero) / slope.rise;
    double leave = (bands_.heights[k + 1] - slope.at_zero) / slope.rise;
    if (enter > leave) std::swap(enter, leave);
    enter = std::clamp(enter, first, last);
    leave = std::clamp(leave, first, last);
    if (leave > enter) sum += sum_until(band, leave) - sum_until(band, enter);
  }
  return sum * stretch;
}

}  // namespace feldspar::simulate
