#include "recon/fdk_setup.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "base/error.hpp"
#include "base/units.hpp"
#include "kernels/redundancy.hpp"

namespace feldspar::recon {
namespace {

constexpr double turn = 2 * std::numbers::pi;

/// The scan of only the chosen views.
geometry::CircularScan chosen(const geometry::CircularScan& scan, std::span<const int> indices) {
  geometry::CircularScan part = scan;
  part.angles.clear();
  part.shifts.clear();
  for (const int n : indices) {
    if (n < 0 || n >= static_cast<int>(scan.angles.size()))
      throw Error(ErrorKind::usage, fmt::format("view {} was asked for, but the scan has views 0 to {}", n,
                                                scan.angles.size() - 1));
    part.angles.push_back(scan.angles[static_cast<std::size_t>(n)]);
    if (!scan.shifts.empty()) part.shifts.push_back(scan.shifts[static_cast<std::size_t>(n)]);
  }
  return part;
}

/// The largest distance in pixels between a real and its virtual pixel, over the detector's corners.
double largest_move(const geometry::Rectification& r) {
  double largest = 0;
  const auto& h = r.homographies.front();
  const double shift_u = h[2] / h[8], shift_v = h[5] / h[8];
  for (const int column : {0, r.columns - 1})
    for (const int row : {0, r.rows - 1}) {
      const double w = h[6] * column + h[7] * row + h[8];
      largest = std::max(largest, std::hypot((h[0] * column + h[1] * row + h[2]) / w - column - shift_u,
                                             (h[3] * column + h[4] * row + h[5]) / w - row - shift_v));
    }
  return largest;
}

void weigh(const geometry::CircularScan& part, FdkSetup& setup) {
  setup.coverage = geometry::angular_coverage(part.angles);
  constexpr double widest_gap = 60 * radians_per_degree;  // no window of views can bridge more
  if (setup.coverage.full_turn && part.angles.size() > 12 && setup.coverage.largest_gap > widest_gap)
    throw Error(
        ErrorKind::bad_file,
        fmt::format("the views reach around a full turn but leave {:.1f} degrees of it without a view; "
                    "give the missing projections, or choose views that follow each other with --views",
                    setup.coverage.largest_gap / radians_per_degree));
  for (std::size_t n = 0; n < setup.views.size(); ++n)
    setup.weights.push_back(kernels::make_fdk_weight(setup.views[n], setup.coverage.steps[n]));
  const double span = setup.coverage.span / radians_per_degree;
  if (!setup.coverage.full_turn) {
    setup.column_weights = kernels::parker_weights(setup.views, setup.columns, part.angles);
    setup.findings.push_back(
        fmt::format("the views cover {:.2f} degrees, not a full turn: Parker's weights are applied", span));
  } else if (std::abs(setup.coverage.span - turn) > 1.5 * turn / static_cast<double>(part.angles.size())) {
    setup.findings.push_back(
        fmt::format("the views cover {:.2f} degrees: directions seen twice share their weight", span));
  }
  const double mean_gap = turn / static_cast<double>(part.angles.size());
  if (setup.coverage.full_turn && setup.coverage.largest_gap > 2.5 * mean_gap)
    setup.findings.push_back(
        fmt::format("the largest gap between views is {:.2f} degrees, the mean {:.2f}: streaks may show",
                    setup.coverage.largest_gap / radians_per_degree, mean_gap / radians_per_degree));
}

}  // namespace

FdkSetup prepare_fdk(const geometry::CircularScan& scan, std::span<const int> view_indices) {
  geometry::validate(scan);
  FdkSetup setup;
  setup.view_indices.assign(view_indices.begin(), view_indices.end());
  if (setup.view_indices.empty()) {
    setup.view_indices.resize(scan.angles.size());
    std::iota(setup.view_indices.begin(), setup.view_indices.end(), 0);
  }
  const geometry::CircularScan part = chosen(scan, setup.view_indices);
  setup.source_columns = setup.columns = scan.detector.columns;
  setup.source_rows = setup.rows = scan.detector.rows;
  setup.views = geometry::make_views(part);
  if (!geometry::is_aligned(setup.views, setup.columns, setup.rows)) {
    setup.rectification = geometry::make_rectification(setup.views, setup.columns, setup.rows);
    setup.columns = setup.rectification->columns;
    setup.rows = setup.rectification->rows;
    setup.views = setup.rectification->views;
    setup.findings.push_back(
        fmt::format("the detector or the axis leans: projections are resampled onto an upright detector "
                    "(pixels move by up to {:.1f})",
                    largest_move(*setup.rectification)));
  }
  weigh(part, setup);
  return setup;
}

}  // namespace feldspar::recon
