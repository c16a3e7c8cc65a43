#include "recon/find/centre.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <vector>

#include "base/parallel.hpp"
#include "base/units.hpp"
#include "recon/find/axis_fit.hpp"
#include "recon/find/axis_sample.hpp"

namespace feldspar::recon {
namespace {

constexpr double steepest = 0.0875;  ///< tangent of 5 degrees: rays of the first search climb no more
constexpr std::size_t search_rays = 8000, fit_rays = 100000;
constexpr double least_overlap = 0.1;  ///< of the columns must have their mirror on the detector
constexpr double worst_cost = 0.5;     ///< rays that agree no better are strangers
constexpr double clearly = 1.5;        ///< another axis must fit worse by this
constexpr int nearby = 3;              ///< coarse columns that are no other axis
constexpr double least_known = 0.25;   ///< columns: a larger error is no knowledge
constexpr double least_roll_known = 0.1 * radians_per_degree;
constexpr int least_columns = 16, least_rows = 4;

/// How well rays agree with their reverses about one axis.
struct Agreement {
  double cost = INFINITY;  ///< 0 for equal rays, 1 for strangers
  double pairs = 0;
};

Agreement agreement_about(const RayComparison& comparison, const std::vector<SampledRay>& rays,
                          const geometry::RotationAxis& axis) {
  const AxisPlane plane = comparison.about(axis);
  double difference = 0, sum = 0, square = 0, pairs = 0;
  for (const SampledRay& ray : rays) {
    RayPair pair;
    if (!comparison.compare(ray, plane, pair)) continue;
    const double off = pair.value - pair.reverse;
    difference += off * off, sum += pair.value + pair.reverse, pairs += 1;
    square += pair.value * pair.value + pair.reverse * pair.reverse;
  }
  const double scatter = square - sum * sum / std::max(1.0, 2 * pairs);
  return {scatter > 0 ? difference / scatter : INFINITY, pairs};
}

/// Pixels of all views in rows that are not steep, evenly spread.
std::vector<SampledRay> rays_to_search(const AxisSample& sample) {
  const geometry::CircularScan& scan = sample.scan;
  const geometry::Detector& d = scan.detector;
  std::vector<SampledRay> lines;
  for (int band = 0; band < static_cast<int>(sample.bands.size()); ++band) {
    const RowBand& rows = sample.bands[static_cast<std::size_t>(band)];
    for (int row = 0; row < rows.values.view().ny; ++row) {
      const double height = (rows.first + row - 0.5 * (d.rows - 1)) * d.row_pitch + d.row_offset;
      if (scan.beam == geometry::Beam::parallel ||
          std::abs(height) <= steepest * scan.source_detector_distance)
        lines.push_back({.band = band, .row = row});
    }
  }
  std::vector<SampledRay> rays;
  if (lines.empty()) return rays;
  const std::size_t columns = static_cast<std::size_t>(d.columns), views = scan.angles.size(),
                    all = columns * views * lines.size();
  const std::size_t stride = all <= search_rays ? 1 : (all / search_rays) | 1;
  for (std::size_t at = 0; at < all; at += stride) {
    SampledRay ray = lines[at / columns % lines.size()];
    ray.column = static_cast<int>(at % columns), ray.view = static_cast<int>(at / columns / lines.size());
    rays.push_back(ray);
  }
  return rays;
}

/// The best of the axes a coarse column apart.
struct Start {
  geometry::RotationAxis axis;
  double pairs = 0;
  std::string doubt;  ///< empty when it stands out
};

Start search(const RayComparison& comparison, const geometry::RotationAxis& stated, ThreadPool& pool) {
  const geometry::CircularScan& scan = comparison.sample().scan;
  const double pixel = scan.detector.column_pitch / scan.magnification(),
               middle = scan.detector.column_offset / scan.magnification();
  const int reach = static_cast<int>(0.5 * (1 - least_overlap) * scan.detector.columns);
  const std::vector<SampledRay> rays = rays_to_search(comparison.sample());
  std::vector<Agreement> tried(static_cast<std::size_t>(2 * reach + 1));
  const auto axis_of = [&](std::size_t n) {
    geometry::RotationAxis axis = stated;
    axis.offset = middle + (static_cast<double>(n) - reach) * pixel;
    return axis;
  };
  pool.for_each(static_cast<std::ptrdiff_t>(tried.size()), [&](std::ptrdiff_t n, int) {
    tried[static_cast<std::size_t>(n)] =
        agreement_about(comparison, rays, axis_of(static_cast<std::size_t>(n)));
  });
  Start start{stated, 0, {}};
  for (const Agreement& agreement : tried) start.pairs = std::max(start.pairs, agreement.pairs);
  const auto counts = [&](const Agreement& a) { return a.pairs > least_overlap * start.pairs; };
  std::size_t best = 0;
  for (std::size_t n = 0; n < tried.size(); ++n)
    if (counts(tried[n]) && (!counts(tried[best]) || tried[n].cost < tried[best].cost)) best = n;
  double other = INFINITY;
  for (std::size_t n = 0; n < tried.size(); ++n)
    if (counts(tried[n]) && std::max(n, best) - std::min(n, best) > nearby)
      other = std::min(other, tried[n].cost);
  start.axis = axis_of(best);
  if (!(tried[best].cost < worst_cost))
    start.doubt =
        "about no axis do rays agree with their reverses (no object, noise, or a wrong rotation sense)";
  else if (!(clearly * tried[best].cost < other))
    start.doubt = "rays agree with their reverses about more than one axis alike";
  return start;
}

void conclude(CentreEstimate& found, const geometry::CircularScan& scan, const AxisFit& fit, bool with_roll) {
  found.known = fit.offset_sigma < least_known * found.pixel;
  if (!found.known) {
    found.doubt = std::isfinite(fit.offset_sigma)
                      ? fmt::format("rays and their reverses tell the axis to {:.2f} columns only",
                                    fit.offset_sigma / found.pixel)
                      : "rays and their reverses agree best about no certain axis";
    return;
  }
  found.axis.offset = fit.axis.offset, found.offset_uncertainty = fit.offset_sigma;
  found.difference = (fit.axis.offset - scan.axis.offset) / found.pixel;
  if (!with_roll) return;
  found.roll_known = true;
  found.axis.roll = fit.axis.roll, found.roll_uncertainty = fit.roll_sigma;
  found.roll_difference = fit.axis.roll - scan.axis.roll;
}

}  // namespace

CentreEstimate::CentreEstimate() = default;
CentreEstimate::~CentreEstimate() = default;
CentreEstimate::CentreEstimate(const CentreEstimate&) = default;
CentreEstimate::CentreEstimate(CentreEstimate&&) noexcept = default;
CentreEstimate& CentreEstimate::operator=(const CentreEstimate&) = default;
CentreEstimate& CentreEstimate::operator=(CentreEstimate&&) noexcept = default;

CentreEstimate CentreEstimate::about(const geometry::RotationAxis& of_scan) const {
  CentreEstimate same = *this;
  if (known)
    same.difference = (axis.offset - of_scan.offset) / pixel;
  else
    same.axis.offset = of_scan.offset;
  if (roll_known)
    same.roll_difference = axis.roll - of_scan.roll;
  else
    same.axis.roll = of_scan.roll;
  return same;
}

geometry::RotationAxis CentreEstimate::to_use() const {
  geometry::RotationAxis used = axis;
  if (!(std::abs(roll_difference) > 3 * roll_uncertainty)) used.roll -= roll_difference;
  return used;
}

bool CentreEstimate::contradicts() const {
  constexpr double columns = 0.5, lean = 0.2 * radians_per_degree;
  return (known && std::abs(difference) > columns + 4 * offset_uncertainty / pixel) ||
         (roll_known && std::abs(roll_difference) > lean + 3 * roll_uncertainty);
}

bool states_axis(const io::ScanSource& source) {
  const auto& findings = source.findings();
  return std::none_of(findings.begin(), findings.end(), [](const Finding& finding) {
    return finding.code == "axis.unstated" || finding.code == "axis.unmeasured" ||
           finding.code == "axis.ambiguous";
  });
}

std::size_t centre_bytes(const io::ScanSource& source, std::size_t views) {
  constexpr std::size_t facts = 96;  // of a view, and of a ray that is fitted
  const geometry::Detector& d = source.scan().detector;
  const std::size_t rays = static_cast<std::size_t>(d.columns) * static_cast<std::size_t>(d.rows) * views;
  return axis_sample_bytes(source, views) + facts * (views + std::min(fit_rays, rays));
}

CentreEstimate find_centre(const io::ScanSource& source, const geometry::CircularScan& scan,
                           std::span<const int> view_indices, const Resources& resources,
                           const ProgressMonitor& monitor) {
  std::vector<int> all(view_indices.empty() ? scan.angles.size() : 0);
  std::iota(all.begin(), all.end(), 0);
  if (view_indices.empty()) view_indices = all;
  CentreEstimate found;
  found.axis = scan.axis, found.pixel = scan.detector.column_pitch / scan.magnification();
  found.offset_uncertainty = found.roll_uncertainty = INFINITY;
  const Reservation room(
      resources.budget,
      centre_bytes(source, view_indices.size()) - axis_sample_bytes(source, view_indices.size()),
      "looking for reverse rays");
  Progress progress(monitor);
  constexpr double of_sampling = 1, of_fitting = 0.3;
  progress.expect(of_sampling + of_fitting);
  const AxisSample sample = sample_for_axis(source, scan, view_indices, resources, progress);
  const std::string few = fmt::format("{} views of {} columns measure too few rays twice",
                                      view_indices.size(), scan.detector.columns);
  if (sample.bands.empty() || sample.scan.detector.columns < least_columns) {
    found.doubt = few;
    return found;
  }
  const RayComparison comparison(sample);
  ThreadPool pool(resources.threads);
  const Start start = search(comparison, scan.axis, pool);
  found.doubt = start.pairs < least_columns ? few : start.doubt;
  if (!found.doubt.empty()) return found;
  const std::vector<SampledRay> rays = rays_with_reverse(comparison, start.axis, fit_rays);
  found.rays = static_cast<double>(rays.size());
  const bool tall = sample.scan.detector.rows >= least_rows;
  AxisFit fit = tall ? fit_axis(comparison, rays, start.axis, true, pool) : AxisFit{};
  const bool with_roll = tall && fit.roll_sigma < least_roll_known;
  if (!with_roll) fit = fit_axis(comparison, rays, start.axis, false, pool);
  conclude(found, scan, fit, with_roll);
  if (found.known && !with_roll)
    found.doubt = tall ? "rays and their reverses do not tell how the axis leans"
                       : fmt::format("{} rows are too few to tell how the axis leans", scan.detector.rows);
  progress.advance(of_fitting, "finding the axis");
  return found;
}

}  // namespace feldspar::recon
