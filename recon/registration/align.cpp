// Starts are tried on a copy of some ten thousand voxels; those that are nearly as good as the best go on to
// finer copies together, since an object that looks alike from many sides shows only there which turn is
// right.
#include "recon/registration/align.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/error.hpp"
#include "base/units.hpp"
#include "recon/registration/fit.hpp"

namespace feldspar::recon::registration {
namespace {

using geometry::Similarity;
using geometry::Vec3;

constexpr std::size_t search_places = 30'000, most_places = 400'000;
constexpr double turn = 2 * std::numbers::pi;
constexpr int turns = 36;           // starts around the axis
constexpr std::size_t go_on = 6;    // starts that are refined
constexpr double as_good = 1.1;     // of the best misfit, one minus the correlation,
constexpr double no_matter = 1e-4;  // or as near to it as interpolation makes of the same volumes
constexpr double same_turn = 5 * radians_per_degree;

/// Copies of one size of both volumes, smoothed.
struct Pair {
  CoarseVolume first, second;
};

double turn_of(const Fit& fit) { return geometry::upright_parts(fit.to_moving.rotation).turn; }

double between(double a, double b) { return std::abs(std::remainder(a - b, turn)); }

Vec3 centre_of_mass(const CoarseVolume& volume) { return make_level(volume, volume, search_places).centre; }

/// From coarse to fine. The volumes of one pair are blurred by the same length.
std::vector<Pair> pyramid(CoarseVolume first, CoarseVolume second, ThreadPool& pool) {
  std::vector<Pair> pairs;
  pairs.push_back({std::move(first), std::move(second)});
  const auto can_be_halved = [](const CoarseVolume& v) {
    return v.voxels.size() > search_places && std::min({v.grid.nx, v.grid.ny, v.grid.nz}) >= 24;
  };
  while (can_be_halved(pairs.back().first) && can_be_halved(pairs.back().second)) {
    Pair next{halved(pairs.back().first, pool), halved(pairs.back().second, pool)};
    pairs.push_back(std::move(next));
  }
  for (Pair& pair : pairs) {
    const double sigma = std::max(pair.first.grid.spacing.x, pair.second.grid.spacing.x);
    smooth(pair.first, sigma, pool);
    smooth(pair.second, sigma, pool);
  }
  std::reverse(pairs.begin(), pairs.end());
  return pairs;
}

/// The best of every turn, with the volumes lying as they were stored and with their centres of mass
/// together.
std::vector<Similarity> starts_of(const Pair& pair, const FitLevel& level, ThreadPool& pool) {
  const Vec3 first = level.centre, second = centre_of_mass(pair.second);
  std::vector<Fit> tried;
  for (int n = 0; n < turns; ++n) {
    const geometry::Rotation r = geometry::rotation_about({0, 0, n * turn / turns});
    tried.push_back(evaluate(level, {1, r, second - r * first}, pool));
    tried.push_back(evaluate(level, {1, r, {}}, pool));
  }
  std::vector<Similarity> starts;
  for (std::size_t n : {0u, 1u})  // not turned at all is what a return to the same stage gives
    if (tried[n].correlation > 0) starts.push_back(tried[n].to_moving);
  std::ranges::sort(tried, std::greater{}, &Fit::correlation);
  for (const Fit& fit : tried)
    if (starts.size() < 2 + go_on && fit.correlation > 0) starts.push_back(fit.to_moving);
  return starts;
}

/// Refines every start, and drops those that are clearly worse than the best or have become another one.
std::vector<Fit> refined(const FitLevel& level, const std::vector<Similarity>& starts, bool rigid,
                         ThreadPool& pool) {
  std::vector<Fit> fits;
  fits.reserve(starts.size());
  for (const Similarity& start : starts) fits.push_back(refine(level, start, rigid, pool));
  std::ranges::sort(fits, std::greater{}, &Fit::correlation);
  std::vector<Fit> kept;
  for (const Fit& fit : fits) {
    const bool worse = 1 - fit.correlation > as_good * (1 - fits.front().correlation) + no_matter;
    const bool known = std::ranges::any_of(
        kept, [&](const Fit& other) { return between(turn_of(fit), turn_of(other)) < same_turn; });
    if (!worse && !known) kept.push_back(fit);
  }
  return kept;
}

/// The best, or of several that are as good the one that turns least, which is said.
Fit decide(const std::vector<Fit>& fits, Findings& findings) {
  const auto least =
      std::ranges::min_element(fits, {}, [](const Fit& fit) { return between(turn_of(fit), 0); });
  if (fits.size() == 1) return fits.front();
  std::string others;
  for (const Fit& fit : fits)
    if (&fit != &*least)
      others += fmt::format("{}{:.0f}", others.empty() ? "" : ", ", -turn_of(fit) / radians_per_degree);
  findings.push_back({"alignment.ambiguous",
                      fmt::format("the turn about z is not sure: turns by {} degrees fit as well as the one "
                                  "by {:.1f}, which is taken because it is the least",
                                  others, -turn_of(*least) / radians_per_degree),
                      "",
                      {{"start", "", "to choose another, give"}}});
  return *least;
}

void check(const Fit& fit, Findings& findings) {
  if (fit.correlation <= 0)
    throw Error(
        ErrorKind::usage,
        "the volumes cannot be aligned: there is no place where they overlap by a quarter and are alike",
        {{"start", "", "check that both show the same object, or say where to begin with"}});
  if (fit.correlation < 0.7)
    findings.push_back({"alignment.unlike", fmt::format("the volumes are not much alike (correlation "
                                                        "{:.2f}): look at the pictures before you trust this",
                                                        fit.correlation)});
  if (fit.overlap < 0.8)
    findings.push_back(
        {"alignment.overlap", fmt::format("only {:.0f} % of the first volume's object lies within the second",
                                          100 * fit.overlap)});
}

}  // namespace

Alignment align(CoarseVolume first, CoarseVolume second, const AlignOptions& options, ThreadPool& pool) {
  Alignment result;
  result.voxel = first.grid.spacing.x;
  const std::vector<Pair> pairs = pyramid(std::move(first), std::move(second), pool);
  std::vector<Fit> fits;
  for (std::size_t n = 0; n < pairs.size(); ++n) {
    const FitLevel level = make_level(pairs[n].first, pairs[n].second, n == 0 ? search_places : most_places,
                                      options.densest ? 0.5 : 0.05);
    std::vector<Similarity> starts;
    if (n == 0)
      starts = options.start ? std::vector{inverse(*options.start)} : starts_of(pairs[n], level, pool);
    for (const Fit& fit : fits) starts.push_back(fit.to_moving);
    fits = refined(level, starts, options.rigid, pool);
    if (fits.empty()) break;
  }
  const Fit fit = fits.empty() ? Fit{} : decide(fits, result.findings);
  check(fit, result.findings);
  result.transform = inverse(fit.to_moving);
  result.scale_error = result.transform.scale * fit.scale_error / fit.to_moving.scale;
  result.turn_error = fit.turn_error, result.shift_error = fit.shift_error;
  result.gain = fit.gain, result.offset = fit.offset;
  result.correlation = fit.correlation, result.overlap = fit.overlap;
  return result;
}

}  // namespace feldspar::recon::registration
