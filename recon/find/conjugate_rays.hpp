// How well rays agree with the same rays measured the other way round, about an axis that is supposed.
#pragma once

#include <span>
#include <vector>

#include "geometry/scan.hpp"

namespace feldspar::recon {

/// Line integrals of one detector row in all views, views x columns, columns fastest.
struct RowSinogram {
  int columns = 0;            ///< of a row
  std::vector<float> values;  ///< of all views
  /// The columns of a view.
  [[nodiscard]] const float* row(std::size_t view) const {
    return values.data() + view * static_cast<std::size_t>(columns);
  }
};

/// Columns averaged in groups of `bin`.
[[nodiscard]] RowSinogram binned(const RowSinogram& fine, int bin);

/// How well rays agree with their reverses.
struct Agreement {
  double cost = 1;   ///< sum of squared differences over the sum of squares: 0 for equal rays
  double pairs = 0;  ///< rays that were compared
};

/// Which view measures the reverse of a ray. Of a ray at angle g from the beam and an axis that stands at
/// angle d, the reverse is at 2 d - g in the view turned further by pi + 2 (g - d); in a parallel beam at
/// the mirrored column, half a turn on.
class ConjugateRays {
 public:
  /// `angles` of the views of the sinograms; the scan's own are not used. `row` of the detector.
  ConjugateRays(const geometry::CircularScan& scan, std::vector<double> angles, int row);

  /// For the axis at `offset` mm. Looks at every `stride`-th of the views that can have reverses;
  /// `bin` is how many columns were averaged.
  [[nodiscard]] Agreement compare(const RowSinogram& sinogram, int bin, double offset, int stride) const;

  /// Views of which some ray may have its reverse.
  [[nodiscard]] std::size_t views() const { return candidates_.size(); }

 private:
  struct Partner {
    int first = -1, second = -1;  ///< views on both sides; -1 where none is near
    double share = 0;             ///< of the second; negative beyond the first
  };
  [[nodiscard]] Partner at(double angle) const;
  /// Half a turn of a parallel beam ends a step before its first view's reverse: continued in a straight
  /// line.
  [[nodiscard]] Partner beyond(std::size_t low, std::size_t high, double before, double after) const;
  [[nodiscard]] double position(double column) const;  ///< angle from the beam, or mm of a parallel beam
  [[nodiscard]] double column_at(double position) const;
  [[nodiscard]] double mirror(double offset) const;

  bool parallel_ = false;
  double distance_ = 0;  ///< source to axis
  geometry::Vec3 first_pixel_, step_;
  std::vector<double> angles_;
  std::vector<double> sorted_;  ///< angles within a turn
  std::vector<int> order_;      ///< their views
  std::vector<int> start_;      ///< of each small sector, the first sorted angle in or after it
  double step_angle_ = 0;       ///< typical, between neighbouring views
  std::vector<int> candidates_;
};

}  // namespace feldspar::recon
