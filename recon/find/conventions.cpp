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

}  // namespace

ConventionVerdict test_conventions(const io::ScanSource& source, const geometry::CircularScan& scan,
                                   std::span<const int> views, const Resources& resources) {
  std::vector<int> all(views.empty() ? scan.angles.size() : 0);
  std::iota(all.begin(), all.end(), 0);
  if (views.empty()) views = all;
  const bool turns = scan.beam == geometry::Beam::cone;
  const double pixel = scan.detector.column_pitch / scan.magnification();
  const double off = scan.axis.offset - scan.detector.column_offset / scan.magnification();
  const bool sided = std::abs(off) > least_offset * pixel;
  ConventionVerdict verdict;
  for (const bool reversed : {false, true})
    for (const bool negated : {false, true})
      if ((turns || !reversed) && (sided || !negated))
        verdict.tried.push_back({.reversed = reversed, .negated = negated});
  if (verdict.tried.size() == 1) {
    verdict.reason =
        "in a parallel beam about an axis in the detector's middle the other sense is a mirror image";
    return verdict;
  }
  for (const geometry::VolumeGrid& grid : small_slices(source, scan, views, resources)) {
    double sharpest = 0;
    for (Convention& convention : verdict.tried) {
      convention.of_slices.push_back(
          try_slice(source, changed(scan, convention), views, grid, resources).sharpness);
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
