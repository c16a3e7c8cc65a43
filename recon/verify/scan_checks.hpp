// Questions to the projections alone, at all heights and before any volume: are all views there, in their
// order and at their angles, does the object turn as stated, does it stand still. docs/trust.md derives the
// limits.
#pragma once

#include <optional>

#include "recon/find/centre.hpp"
#include "recon/verify/strips.hpp"
#include "recon/verify/verdict.hpp"

namespace feldspar::recon {

/// Asks all of them. `scan` is the source's, with the axis and the shifts that the job has; `centre` is what
/// find_centre() says of it, if it was asked already. Throws what reading throws, and Error(cancelled).
[[nodiscard]] std::vector<Check> check_scan(const FdkJob& job, const geometry::CircularScan& scan,
                                            const std::optional<CentreEstimate>& centre,
                                            const Resources& resources, Progress& progress);

/// Of one view against its opposite rays: sums of differences d, of changes along the angle and along the
/// columns, and of what d would be had the object turned the other way.
struct OppositeSums {
  double rays = 0, d = 0, dd = 0;                    ///< of all heights
  double reversed = 0, reversed_d = 0;               ///< rays of the same that have both partners: squares
  double level_rays = 0, level_d = 0, level_dd = 0;  ///< of heights whose rays are nearly level
  double along = 0, along_2 = 0, d_along = 0;        ///< change per rad, at those
  double across = 0, across_2 = 0, d_across = 0;     ///< change per column, at those

  /// Adds another's.
  OppositeSums& operator+=(const OppositeSums& other);
};

/// One a view; `strips` as smoothed() leaves them.
[[nodiscard]] std::vector<OppositeSums> compare_opposites(const Strips& strips, int threads);

/// Averages every three columns by 1, 2, 1, and takes off each view's mean, which is returned.
[[nodiscard]] std::vector<double> smooth(Strips& strips);

/// The standard deviation of a value's noise, from second differences from view to view.
[[nodiscard]] double noise_of(const Strips& strips);

/// Is every view another one than its neighbours, and is it between them. `repeated`: views that equal the
/// one before them bit by bit.
[[nodiscard]] Check check_neighbours(const Strips& strips, const std::vector<double>& levels,
                                     const std::vector<int>& repeated,
                                     const std::vector<OppositeSums>& opposites);
/// Does the object turn the way that is stated.
[[nodiscard]] Check check_sense(const Strips& strips, const std::vector<OppositeSums>& opposites);
/// Are views lost, or angles stretched.
[[nodiscard]] Check check_turn(const Strips& strips, const std::vector<OppositeSums>& opposites,
                               double noise);
/// Is the axis of the scan where rays and their reverses have it.
[[nodiscard]] Check check_axis(const CentreEstimate& found);
/// Did the object stand still.
[[nodiscard]] Check check_motion(const Strips& strips, const std::vector<OppositeSums>& opposites,
                                 double noise);

}  // namespace feldspar::recon
