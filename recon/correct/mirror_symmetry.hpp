// What does not belong to the object in the mean of a full turn: the mirror symmetry that it breaks.
#pragma once

#include <cstdint>
#include <span>

#include "base/memory.hpp"
#include "base/parallel.hpp"
#include "geometry/coverage.hpp"
#include "recon/correct/pixel_statistics.hpp"

namespace feldspar::recon {

/// The mean of the views of a full turn shows the object averaged around the axis, which looks the same
/// from both sides of the plane through source and axis: a mirror for any object and any cone.
class Mirror {
 public:
  /// Of a valid scan.
  explicit Mirror(const geometry::CircularScan& scan);

  /// Where the mirror image of a pixel lies (columns and rows of the detector).
  [[nodiscard]] geometry::DetectorPoint of(int column, int row) const;
  /// Columns that the mirror stands further right than the scan says.
  double shift = 0;

 private:
  geometry::View view_;
  geometry::Vec3 normal_;  ///< of the mirror
};

/// The mean of all views, and half the difference of the means of both halves: its noise.
struct MeanOfTurn {
  View3<float> mean, noise;  ///< line integrals, columns x rows
};

/// Writes `map` as the mirror shows it, for `rows`, interpolated by Catmull-Rom splines; NaN where the image
/// lies beside the detector.
void reflect(const Mirror& mirror, View3<const float> map, geometry::Range rows, View3<float> result);

/// Share of a wave that the interpolation keeps, squared: `part` of a pixel beyond the first, `radians` of
/// the wave a pixel.
[[nodiscard]] double interpolation_response(double part, double radians);

/// What the mean has that its mirror image has not, beyond the noise.
struct Asymmetry {
  double variance = 0;  ///< of one pixel's line integral; 0 when it does not rise above noise, is not alike
                        ///< at coarse and fine scales, or hangs together with the object
  double noise = 0;     ///< variance of the mean's noise, high-passed
};

/// Moves `mirror` to where the mean is most symmetric, within 1.2 columns, and measures what is left, in
/// blocks of 8 x 8 pixels without their means along columns and rows. Where the object shows least counts
/// most.
[[nodiscard]] Asymmetry measure_asymmetry(const MeanOfTurn& turn, Mirror& mirror, ThreadPool& pool);

}  // namespace feldspar::recon
