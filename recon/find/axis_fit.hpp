// Offset and roll of the rotation axis in one robust fit of all rays to their reverses, with errors that are
// meant.
#pragma once

#include <vector>

#include "base/parallel.hpp"
#include "recon/find/axis_sample.hpp"
#include "recon/find/reverse_rays.hpp"

namespace feldspar::recon {

/// A pixel of a sample whose ray is measured twice.
struct SampledRay {
  int view = 0;    ///< of the sample
  int band = 0;    ///< of the sample
  int row = 0;     ///< of the band
  int column = 0;  ///< of the coarse detector
};

/// A ray, its reverse about some axis, and where they are.
struct RayPair {
  double value = 0, reverse = 0;  ///< line integrals
  double steepness = 0;           ///< both slopes' (ReverseRay) sum of p's change a row; 0 of a parallel beam
  double direction = 0;           ///< rad of the line in the object, of half a turn
  double from_axis = 0;           ///< coarse columns between both, halved
};

/// Looks up rays and their reverses in a sample, which must outlive it. Thread-safe.
class RayComparison {
 public:
  /// Of the rays of `sample`.
  explicit RayComparison(const AxisSample& sample);

  /// The plane of an axis, for compare().
  [[nodiscard]] AxisPlane about(const geometry::RotationAxis& axis) const { return rays_.about(axis); }
  /// False where the reverse was not measured or not read.
  bool compare(const SampledRay& ray, const AxisPlane& plane, RayPair& pair) const;
  /// The sample.
  [[nodiscard]] const AxisSample& sample() const { return sample_; }

 private:
  struct Shift {
    double columns = 0, rows = 0;
  };
  [[nodiscard]] Shift shift_of(int view) const;
  bool look(const RowBand& band, int view, const ReverseRay& at, double& value, double& slope) const;

  const AxisSample& sample_;
  ViewsOfTurn views_;
  ReverseRays rays_;
};

/// About `most` rays that have reverses about `axis`, evenly out of all bands.
[[nodiscard]] std::vector<SampledRay> rays_with_reverse(const RayComparison& comparison,
                                                        const geometry::RotationAxis& axis, std::size_t most);

/// What the fit says.
struct AxisFit {
  geometry::RotationAxis axis;  ///< fitted
  double offset_sigma = 0;      ///< mm; infinite where the fit did not settle
  double roll_sigma = 0;        ///< rad; infinite where it was not fitted
};

/// Fits offset and, if `with_roll`, roll of `start`. Gauss-Newton with Cauchy's weights; in a partial turn
/// of a cone the rays' heights before and behind the axis are nuisance parameters. The errors are the largest
/// of those that noise and rays that err together (of one direction, of one height, at one distance from the
/// axis) explain.
[[nodiscard]] AxisFit fit_axis(const RayComparison& comparison, const std::vector<SampledRay>& rays,
                               const geometry::RotationAxis& start, bool with_roll, ThreadPool& pool);

}  // namespace feldspar::recon
