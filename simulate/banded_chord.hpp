// Line integrals through objects that change along z only at a few heights.
//
// Such an object is a floor plan in x and y, and for every kind of place on the plan (a profile) a list of
// attenuations, one for each band of heights. A ray's way over the plan does not depend on its slope, so
// rays of one upright plane through the source share it: cut once, integrate for every row.
#pragma once

#include <span>
#include <vector>

namespace feldspar::simulate {

/// Heights and what each profile attenuates between them.
struct Bands {
  std::vector<double> heights;  ///< mm, rising; band k lies between heights k and k + 1, outside is nothing
  std::vector<double> attenuations;  ///< 1/mm, profiles x bands, bands fastest

  [[nodiscard]] int count() const { return static_cast<int>(heights.size()) - 1; }
  [[nodiscard]] double attenuation(int profile, int band) const {
    return attenuations[static_cast<std::size_t>(profile) * static_cast<std::size_t>(count()) +
                        static_cast<std::size_t>(band)];
  }
  /// The band of height z; -1 below and count() above all of them.
  [[nodiscard]] int band_at(double z) const;
};

/// The way of a ray over the plan: profile n from cuts[n] to cuts[n + 1], mm along the plan.
struct PlanChord {
  std::vector<double> cuts;
  std::vector<int> profiles;
};

/// A height that changes linearly along the plan.
struct Slope {
  double at_zero = 0;  ///< mm, where the plan's path coordinate is 0
  double rise = 0;     ///< mm per mm of plan
};

/// The integral along one ray, piece by piece.
[[nodiscard]] double integrate(const Bands& bands, const PlanChord& chord, Slope slope);

/// The integrals along many rays of different slope: sums over the pieces are prepared once.
class ChordSums {
 public:
  /// Borrows both arguments.
  ChordSums(const Bands& bands, const PlanChord& chord);
  [[nodiscard]] double integrate(Slope slope) const;

 private:
  [[nodiscard]] double sum_until(int band, double place) const;

  const Bands& bands_;
  const PlanChord& chord_;
  std::vector<double> sums_;  ///< bands x cuts: of attenuation times plan length, from the first cut
};

}  // namespace feldspar::simulate
