#include "recon/find/conventions.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "recon/find/slice_sharpness.hpp"

namespace feldspar::recon {
namespace {

constexpr double least_margin = 0.05;  ///< several times what noise does to a slice's mean fourth power
constexpr double least_offset = 0.5;   ///< columns from which on a sign matters

geometry::CircularScan changed(geometry::CircularScan scan, const Convention& convention) {
  if (convention.reversed)
    for (double& angle : scan.angles) angle = -angle;
  if (convention.negated) {
    scan.axis.offset = -scan.axis.offset;
    scan.detector.column_offset = -scan.detector.column_offset;
  }
  return scan;
}

void judge(ConventionVerdict& verdict) {
  std::size_t next = verdict.tried.size();
  for (std::size_t n = 0; n < verdict.tried.size(); ++n)
    if (verdict.tried[n].sharpness > verdict.tried[verdict.best].sharpness) verdict.best = n;
  for (std::size_t n = 0; n < verdict.tried.size(); ++n)
    if (n != verdict.best &&
        (next == verdict.tried.size() || verdict.tried[n].sharpness > verdict.tried[next].sharpness))
      next = n;
  const Convention& best = verdict.tried[verdict.best];
  verdict.margin = best.sharpness / std::max(verdict.tried[next].sharpness, 1e-300) - 1;
  const bool everywhere = std::all_of(best.of_slices.begin(), best.of_slices.end(),
                                      [](double relative) { return relative == 1; });
  verdict.decided = everywhere && verdict.margin >= least_margin;
  if (!verdict.decided)
    verdict.reason = everywhere ? "the slices are about equally sharp" : "the slices do not agree";
}

/// Columns that the axis stands beside the middle of the detector, in mm at the object.
double beside_middle(const geometry::CircularScan& scan, const geometry::RotationAxis& axis) {
  return axis.offset - scan.detector.column_offset / scan.magnification();
}

CentreEstimate axis_in_either_sense(const io::ScanSource& source, const geometry::CircularScan& scan,
                                    std::span<const int> views, const Resources& resources) {
  CentreEstimate found = find_centre(source, scan, views, resources);
  if (found.known || scan.beam == geometry::Beam::parallel) return found;
  CentreEstimate other = find_centre(source, changed(scan, {.reversed = true}), views, resources);
  return other.known ? other : found;
}

}  // namespace

bool ConventionVerdict::is_other_sign(const geometry::CircularScan& stated) const {
  const double said = beside_middle(stated, stated.axis), is = beside_middle(stated, axis.axis);
  return axis.known && std::abs(said) > least_offset * axis.pixel &&
         std::abs(is + said) < std::abs(is - said);
}

ConventionVerdict test_conventions(const io::ScanSource& source, const geometry::CircularScan& scan,
                                   std::span<const int> views, const Resources& resources) {
  std::vector<int> all(views.empty() ? scan.angles.size() : 0);
  std::iota(all.begin(), all.end(), 0);
  if (views.empty()) views = all;
  const bool turns = scan.beam == geometry::Beam::cone;
  ConventionVerdict verdict;
  verdict.axis = axis_in_either_sense(source, scan, views, resources);
  geometry::CircularScan about = scan;
  if (verdict.axis.known) about.axis = verdict.axis.to_use();
  const bool sided =
      !verdict.axis.known && std::abs(beside_middle(scan, scan.axis)) > least_offset * verdict.axis.pixel;
  for (const bool reversed : {false, true})
    for (const bool negated : {false, true})
      if ((turns || !reversed) && (sided || !negated))
        verdict.tried.push_back({.reversed = reversed, .negated = negated});
  if (verdict.tried.size() == 1) {
    verdict.reason = "in a parallel beam the other sense is a mirror image";
    return verdict;
  }
  for (const geometry::VolumeGrid& grid : small_slices(source, about, views, resources)) {
    double sharpest = 0;
    for (Convention& convention : verdict.tried) {
      convention.of_slices.push_back(
          try_slice(source, changed(about, convention), views, grid, resources).sharpness);
      sharpest = std::max(sharpest, convention.of_slices.back());
    }
    for (Convention& convention : verdict.tried) convention.of_slices.back() /= std::max(sharpest, 1e-300);
  }
  for (Convention& convention : verdict.tried)
    convention.sharpness = std::accumulate(convention.of_slices.begin(), convention.of_slices.end(), 0.0) /
                           static_cast<double>(convention.of_slices.size());
  judge(verdict);
  return verdict;
}

}  // namespace feldspar::recon
