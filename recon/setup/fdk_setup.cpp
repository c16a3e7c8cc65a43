#include "recon/setup/fdk_setup.hpp"

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
      largest =
          std::max(largest, std::hypot((h[0] * column + h[1] * row + h[2]) / w - column / r.finer - shift_u,
                                       (h[3] * column + h[4] * row + h[5]) / w - row - shift_v));
    }
  return largest;
}

void refuse_holes(const geometry::AngularCoverage& coverage, std::size_t views) {
  constexpr double widest_gap = 60 * radians_per_degree;  // no window of views can bridge more
  const bool half_turn = coverage.period < turn;
  if (views > 12 && coverage.largest_gap > widest_gap && (half_turn || coverage.complete))
    throw Error(ErrorKind::bad_file,
                fmt::format("the views {} but leave {:.1f} degrees of it without a view",
                            half_turn ? "of a parallel beam need a half turn," : "reach around a full turn",
                            coverage.largest_gap / radians_per_degree),
                {{"views", "", "give the missing projections, or choose views that follow each other with"}});
}

/// What is worth saying of how the views are spread.
void describe(const geometry::AngularCoverage& coverage, std::size_t views, Findings& findings) {
  const double span = coverage.span / radians_per_degree, period = coverage.period / radians_per_degree;
  const double mean_gap = period / static_cast<double>(views),
               gap = coverage.largest_gap / radians_per_degree;
  const bool half_turn = coverage.period < turn;
  if (half_turn && !coverage.complete)
    findings.push_back(
        {"coverage.limited",
         fmt::format("the views cover {:.2f} of the 180 degrees that a parallel beam needs: edges along the "
                     "missing directions are lost, and attenuation reads up to {:.0f} % too low",
                     span, 100 * (1 - span / period))});
  else if (!coverage.complete)
    findings.push_back(
        {"coverage.short",
         fmt::format("the views cover {:.2f} degrees, not a full turn: Parker's weights are applied", span)});
  else if (std::abs(span - period) > 1.5 * mean_gap)
    findings.push_back(
        {"coverage.redundant",
         fmt::format("the views cover {:.2f} degrees: directions seen twice share their weight", span)});
  if (coverage.complete && gap > 2.5 * mean_gap)
    findings.push_back(
        {"coverage.gap",
         fmt::format("the largest gap between views is {:.2f} degrees, the mean {:.2f}: streaks may show",
                     gap, mean_gap)});
}

/// Columns of the filtered detector between which every row of every view was measured.
struct Measured {
  double first, last;
};

Measured measured_columns(const std::vector<geometry::View>& real, const FdkSetup& setup) {
  Measured measured{-1e300, 1e300};
  for (std::size_t n = 0; n < real.size(); ++n)
    for (const int row : {0, setup.source_rows - 1}) {
      const auto column = [&](int pixel) {
        return project(setup.views[n], from_pixel(real[n], pixel, row).pixel_origin).column;
      };
      measured.first = std::max(measured.first, column(0));
      measured.last = std::min(measured.last, column(setup.source_columns - 1));
    }
  return measured;
}

/// Gives the shorter side of a displaced detector as many columns as the longer one has.
void make_symmetric(const std::vector<geometry::View>& real, FdkSetup& setup) {
  if (!setup.rectification)
    setup.rectification = geometry::make_rectification(real, setup.columns, setup.rows, 1);
  double left = 0, right = 0;  // columns that are missing, in any view
  for (const geometry::View& view : setup.rectification->views) {
    const double axis = project(view, {0, 0, 0}).column, last = setup.rectification->columns - 1;
    left = std::max(left, last - 2 * axis), right = std::max(right, 2 * axis - last);
  }
  const auto whole = [](double columns) {
    return columns > 0 ? static_cast<int>(std::ceil(columns)) + 2 : 0;
  };
  setup.rectification = geometry::widened(std::move(*setup.rectification), whole(left), whole(right));
  setup.columns = setup.rectification->columns;
  setup.rows = setup.rectification->rows;
  setup.views = setup.rectification->views;
}

void weigh_displaced(const geometry::CircularScan& part, const std::vector<geometry::View>& real,
                     FdkSetup& setup) {
  setup.coverage = geometry::angular_coverage(part.angles);
  if (!setup.coverage.complete)
    throw Error(ErrorKind::bad_file,
                fmt::format("the rotation axis is off the detector's middle by more than a tenth of its "
                            "width, which needs a full turn, but the views cover {:.2f} degrees",
                            setup.coverage.span / radians_per_degree),
                {{"axis-offset", "", "check the axis, and state it with"}});
  refuse_holes(setup.coverage, part.angles.size());
  make_symmetric(real, setup);
  for (std::size_t n = 0; n < setup.views.size(); ++n)
    setup.weights.push_back(kernels::make_fdk_weight(setup.views[n], setup.coverage.steps[n]));
  const Measured measured = measured_columns(real, setup);
  setup.displaced = true;
  setup.column_weights =
      kernels::displaced_weights(setup.views, setup.columns, measured.first, measured.last);
  const geometry::FieldOfView seen = geometry::field_of_view(part);
  setup.findings.push_back(
      {"detector.displaced",
       fmt::format(
           "the detector is displaced: the full turn sees {:.2f} mm around the axis, where a centred one of "
           "this width would see less; opposite rays within {:.2f} mm share their weight (Wang)",
           seen.outer_radius, seen.inner_radius)});
  describe(setup.coverage, part.angles.size(), setup.findings);
}

void weigh(const geometry::CircularScan& part, FdkSetup& setup) {
  const bool half_turn = part.beam == geometry::Beam::parallel;
  setup.coverage = geometry::angular_coverage(part.angles, half_turn ? 0.5 * turn : turn);
  refuse_holes(setup.coverage, part.angles.size());
  for (std::size_t n = 0; n < setup.views.size(); ++n)
    setup.weights.push_back(kernels::make_fdk_weight(setup.views[n], setup.coverage.steps[n]));
  if (!setup.coverage.complete && !half_turn) {
    setup.partial_turn = part.angles;
    setup.column_weights = kernels::parker_weights(setup.views, setup.columns, part.angles);
  }
  describe(setup.coverage, part.angles.size(), setup.findings);
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
  const std::vector<geometry::View> real = geometry::make_views(part);
  setup.views = real;
  if (!geometry::is_aligned(setup.views, setup.columns, setup.rows)) {
    setup.rectification = geometry::make_rectification(setup.views, setup.columns, setup.rows);
    setup.columns = setup.rectification->columns;
    setup.rows = setup.rectification->rows;
    setup.views = setup.rectification->views;
    setup.findings.push_back(
        {"detector.leaning", fmt::format("the detector or the axis leans: projections are resampled onto an "
                                         "upright detector (pixels move by up to {:.1f})",
                                         largest_move(*setup.rectification))});
  }
  if (geometry::is_displaced(part))
    weigh_displaced(part, real, setup);
  else
    weigh(part, setup);
  const Measured measured = measured_columns(real, setup);
  constexpr double rounding = 1e-3;  // pixels
  setup.measured = {std::max(0, static_cast<int>(std::ceil(measured.first - rounding))),
                    std::min(setup.columns, static_cast<int>(std::floor(measured.last + rounding)) + 1)};
  return setup;
}

std::size_t bytes_of(const FdkSetup& setup) {
  return setup.views.size() * (sizeof(geometry::View) + sizeof(kernels::FdkWeight) + sizeof(int)) +
         (setup.rectification
              ? setup.rectification->homographies.size() * sizeof(setup.rectification->homographies.front())
              : 0) +
         setup.column_weights.size() * sizeof(float);
}

}  // namespace feldspar::recon
