// Questions to the measured rays alone: do opposite views agree, does each view follow its neighbours, does
// air transmit everything. docs/trust.md derives the limits.
#pragma once

#include "recon/verify/mid_plane.hpp"
#include "recon/verify/verdict.hpp"

namespace feldspar::recon {

/// How far the same rays, measured from both ends, are from agreeing.
struct OppositeRays {
  double pairs = 0;        ///< rays that have an opposite
  double misfit = 0;       ///< rms of their differences
  double reversed = 0;     ///< the same had the object turned the other way
  double shift = 0;        ///< columns that the axis' shadow is beside where the geometry puts it
  double shift_error = 0;  ///< one standard deviation
  double scale = 0;        ///< share by which the detector is nearer or further than the geometry says
  double scale_error = 0;  ///< one standard deviation
};

/// In the plane of the source alone are opposite rays the same line: `sinogram` should be near it.
[[nodiscard]] OppositeRays compare_opposite_rays(const Sinogram& sinogram);

[[nodiscard]] Check check_turn(const Sinogram& sinogram, const OppositeRays& rays);
[[nodiscard]] Check check_axis(const Sinogram& sinogram, const OppositeRays& rays);
[[nodiscard]] Check check_distances(const Sinogram& sinogram, const OppositeRays& rays);

/// How different views are that are neighbours in angle: a step that is twice as long as those beside it is
/// two steps, or one to a view that belongs elsewhere.
class ViewSteps {
 public:
  /// The views at one height; every height makes the answer surer. All of the same scan.
  void add(const Sinogram& sinogram, double noise);

  [[nodiscard]] Check check() const;

 private:
  struct Step {
    double squares = 0;   ///< of the difference, without the noise's share, as if over the usual angle
    double variance = 0;  ///< of `squares`
    int before = 0, after = 0;
    bool usable = false;
  };
  std::vector<Step> steps_;  ///< by angle; empty where views are too far apart
};

/// The level of the outermost columns, where they see air.
[[nodiscard]] Check check_air(const Sinogram& sinogram, double noise);

}  // namespace feldspar::recon
