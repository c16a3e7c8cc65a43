// The projections of a scan at several heights: rows averaged by a few, all views, sampled by their distance
// from the axis' shadow, so that shifted views agree.
#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

#include "recon/fdk/fdk.hpp"

namespace feldspar::recon {

/// Views x heights x columns, columns fastest: those that every view reaches.
struct Strips {
  int columns = 0;                   ///< of a strip
  int views = 0;                     ///< that take part, in the order in which they were taken
  std::vector<double> heights = {};  ///< mm on the axis, one a strip
  std::vector<double> fans = {};  ///< of each column: angle to the ray to the axis, or mm of a parallel beam
  std::vector<double> azimuths =
      {};                           ///< of each view: where the rays come from, rad, not brought into a turn
  bool parallel = false;            ///< beam
  double bin = 1;                   ///< detector columns a column
  std::vector<double> slopes = {};  ///< of each height's rays through the axis, rise over run
  /// Of each height: what a ray and its reverse differ by (rms), for they cross what is off the axis at other
  /// heights.
  std::vector<double> tilts = {};
  std::vector<float> values = {};  ///< line integrals

  /// Number of heights.
  [[nodiscard]] int count() const { return static_cast<int>(heights.size()); }
  /// Values of a view: all heights.
  [[nodiscard]] std::size_t size() const { return static_cast<std::size_t>(columns) * heights.size(); }
  /// Those of one view.
  [[nodiscard]] const float* view(int n) const {
    return values.data() + static_cast<std::size_t>(n) * size();
  }
  /// The same, to be changed.
  [[nodiscard]] float* view(int n) { return values.data() + static_cast<std::size_t>(n) * size(); }
};

/// Reads them: some four rows at up to twelve heights that all views see. Throws what the source throws.
[[nodiscard]] Strips read_strips(const FdkJob& job, const Resources& resources, Progress& progress);

/// Bytes of them.
[[nodiscard]] std::size_t strips_bytes(const FdkSetup& setup);
/// Bytes of reading them with one thread, beside them.
[[nodiscard]] std::size_t strip_reading_bytes(const FdkJob& job);

}  // namespace feldspar::recon
