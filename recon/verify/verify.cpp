#include "recon/verify/verify.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "recon/stopwatch.hpp"
#include "recon/verify/census.hpp"
#include "recon/verify/data_checks.hpp"
#include "recon/verify/spot_check.hpp"
#include "recon/verify/volume_checks.hpp"

namespace feldspar::recon {
namespace {

constexpr double floored_limit = 0.05, saturated_limit = 0.05, not_finite_limit = 0.01;

Check check_pixels(const kernels::AttenuationTally& tally) {
  const Check check{"pixels"};
  if (tally.pixels == 0) return check.not_applicable("no pixel was read");
  const auto share = [&](std::int64_t count) {
    return static_cast<double>(count) / static_cast<double>(tally.pixels);
  };
  const bool wrong = share(tally.floored) > floored_limit || share(tally.saturated) > saturated_limit ||
                     share(tally.not_finite) > not_finite_limit;
  return check.judged(
      wrong,
      fmt::format("{:.3f} % without signal (limit {:.0f} %), {:.3f} % saturated ({:.0f} %), {:.3f} % not "
                  "finite ({:.0f} %)",
                  100 * share(tally.floored), 100 * floored_limit, 100 * share(tally.saturated),
                  100 * saturated_limit, 100 * share(tally.not_finite), 100 * not_finite_limit));
}

/// mm above the plane of the source up to which the volume has to cast what was measured: a partial turn of a
/// cone beam is only reconstructed well near that plane.
double highest_of(const FdkSetup& setup) {
  constexpr double least_turn = 6.1, slope = 0.02;
  const geometry::View& view = setup.views.front();
  if (view.is_parallel() || setup.coverage.span > least_turn) return INFINITY;
  return slope * std::hypot(view.source.x, view.source.y);
}

/// Of the heights at which every ray stays within the volume, the one to look at every view at, and up to
/// four others, one in each fifth of them: there where slices have most structure. Where the plane of the
/// source has half of the most, it is the first. None where rays leave the volume above or below at all
/// heights. Not where there is next to nothing beside what other slices hold: what these cast upon it in a
/// cone beam is more than what is there.
std::vector<double> heights_to_cast(const Census& census, const FdkSetup& setup,
                                    const geometry::VolumeGrid& grid) {
  constexpr int parts = 5;
  constexpr double least = 0.2;  // of the variance of the slice that has most
  const double radius = census.radius(), highest = highest_of(setup);
  const auto structure = [&](int z) { return census.moments[static_cast<std::size_t>(z)].variance; };
  double most = 0;
  for (int z = 0; z < grid.nz; ++z) most = std::max(most, structure(z));
  std::vector<int> slices;
  for (int z = 0; z < grid.nz; ++z) {
    const double height = grid.origin.z + z * grid.spacing.z;
    if (std::abs(height) <= highest && structure(z) >= least * most &&
        can_be_cast(setup, grid, height, radius))
      slices.push_back(z);
  }
  const auto less = [&](int a, int b) { return structure(a) < structure(b); };
  std::vector<int> chosen;
  for (std::size_t part = 0; part < parts; ++part) {
    const auto first = slices.begin() + static_cast<std::ptrdiff_t>(part * slices.size() / parts),
               end = slices.begin() + static_cast<std::ptrdiff_t>((part + 1) * slices.size() / parts);
    if (first != end) chosen.push_back(*std::max_element(first, end, less));
  }
  std::sort(chosen.begin(), chosen.end(), [&](int a, int b) { return less(b, a); });
  std::vector<double> heights;
  const int middle = static_cast<int>(std::lround(-grid.origin.z / grid.spacing.z));
  const bool holds_it = can_be_cast(setup, grid, 0, radius) && middle >= 0 && middle < grid.nz;
  if (holds_it && 2 * structure(middle) >= structure(chosen.empty() ? middle : chosen.front()))
    heights.push_back(0);
  for (const int z : chosen)
    if (heights.size() < parts) heights.push_back(grid.origin.z + z * grid.spacing.z);
  return heights;
}

/// The height within the volume that is nearest to the plane of the source.
double nearest_height(const geometry::VolumeGrid& grid) {
  return std::clamp(0.0, grid.origin.z, grid.origin.z + (grid.nz - 1) * grid.spacing.z);
}

/// `most`: columns of a view to cast.
Level look(Sinogram measured, int most, const FinishedVolume& volume, const Resources& resources) {
  constexpr double lost_to_blur = 0.05;  // of spheres five voxels wide
  Level level;
  level.measured = std::move(measured);
  const double coarse = volume.grid.spacing.x / column_at_axis(level.measured);
  const int columns = level.measured.trusted.count();
  const int together = std::clamp(static_cast<int>(std::lround(2 * coarse)), 2, std::max(2, columns / 4));
  const int apart = (columns + most - 1) / most;
  level.groups = {level.measured.trusted.first, together, together * apart};
  level.compared = take(level.measured, level.groups);
  level.cast = cast(volume, level.compared, resources);
  level.lengths = lengths_within(volume.grid, level.measured);
  level.noise = noise_of(level.measured);
  level.blur = std::abs(level.measured.height) < volume.grid.spacing.z ? 0 : lost_to_blur;
  return level;
}

}  // namespace

Verdict verify_alone(const FinishedVolume& volume, MemoryBudget& budget) {
  Verdict verdict{.unverifiable = "the scan was not asked"};
  {
    const Stopwatch time(verdict.seconds);
    const Census census = take_census(volume, budget, 1, true);
    verdict.checks.push_back(check_numbers(census, volume.grid.nz));
    verdict.checks.push_back(check_layers(census, volume));
  }
  return verdict;
}

namespace {

/// The rays of all heights: measured, cast and their lengths, and what their noise is told from.
std::size_t sinograms_bytes(const FdkSetup& setup) {
  constexpr std::size_t kept = 16, judged_views = 512,
                        differences = 2;  // five heights of three, and the middle
  const auto columns = static_cast<std::size_t>(setup.columns);
  const std::size_t views = setup.views.size();
  return kept * views * (columns * sizeof(float) + sizeof(geometry::View)) +
         differences * std::min(views, judged_views) * columns * sizeof(double);
}

/// The checks that compare what was measured with what the volume casts.
void verify_projections(std::vector<Check>& checks, const FdkJob& job, const FinishedVolume& volume,
                        const Census& census, const Sinogram& central, const Resources& resources) {
  if (volume.clips_air()) {
    for (const CheckId id :
         {CheckId("re-projection"), CheckId("every-view"), CheckId("view-order"), CheckId("mass")})
      checks.push_back(Check{id}.not_applicable(
          "the volume stores no negative values: noise around 0 no longer averages out"));
    return;
  }
  checks.push_back(check_mass(central, lengths_within(volume.grid, central), job.setup, volume));
  std::vector<double> heights = heights_to_cast(census, job.setup, volume.grid);
  if (heights.empty()) heights.push_back(nearest_height(volume.grid));
  constexpr int enough = 64, enough_columns = 128;  // at all heights but the first
  const int every = std::max(1, static_cast<int>(job.setup.views.size()) / enough);
  std::vector<Level> levels;
  for (const double height : heights) {
    const bool first = levels.empty();
    levels.push_back(look(height == 0 ? central : measure_sinogram(job, height, resources, first ? 1 : every),
                          first ? job.setup.columns : enough_columns, volume, resources));
  }
  checks.push_back(check_fit(levels));
  checks.push_back(check_views(levels.front()));
  checks.push_back(check_order(levels.front()));
}

/// Half a turn of a parallel beam measures no ray twice: there the object's mass may tell.
void judge_axis(std::vector<Check>& checks, const Sinogram& central) {
  const auto at = std::find_if(checks.begin(), checks.end(),
                               [](const Check& check) { return check.id == CheckId("rotation-axis"); });
  if (at == checks.end()) return checks.push_back(check_axis_by_mass(central));
  if (at->outcome != Check::Outcome::not_applicable) return;
  if (Check by_mass = check_axis_by_mass(central); by_mass.outcome != Check::Outcome::not_applicable)
    *at = std::move(by_mass);
}

void verify_into(std::vector<Check>& checks, const FdkJob& job, const FinishedVolume& volume,
                 const Resources& resources, const VerifyOptions& options) {
  const Census census = take_census(volume, resources.budget,
                                    resources.threads_with(census_bytes(volume.grid)), options.survey);
  checks.push_back(check_numbers(census, volume.grid.nz));
  checks.push_back(check_layers(census, volume));
  if (!census.unreadable.empty()) return;  // nothing more can be asked of it
  if (options.tally) checks.push_back(check_pixels(*options.tally));
  checks.push_back(check_spots(recompute_spots(job, volume, options.seed, resources),
                               job.options.projector.merging, volume.quantum, census.rms()));

  const Reservation room(resources.budget, sinograms_bytes(job.setup), "projections to verify with");
  const Sinogram central = measure_sinogram(job, 0, resources);
  const OppositeRays rays = compare_opposite_rays(central, resources.threads);
  checks.push_back(check_air(central, noise_of(central)));
  judge_axis(checks, central);
  checks.push_back(check_distances(central, rays, job.setup.rectification.has_value()));
  verify_projections(checks, job, volume, census, central, resources);
}

}  // namespace

std::size_t verification_bytes(const FdkJob& job) {
  const std::size_t at_once = std::max(measuring_bytes(job), casting_bytes(job.setup, job.options.grid));
  return std::max(spots_bytes(job), sinograms_bytes(job.setup) + at_once);
}

Verdict verify(const FdkJob& job, const FinishedVolume& volume, const Resources& resources,
               const VerifyOptions& options) {
  Verdict verdict{.checks = options.of_scan, .stated = options.stated};
  {
    const Stopwatch time(verdict.seconds);
    verify_into(verdict.checks, job, volume, resources, options);
  }
  return verdict;
}

}  // namespace feldspar::recon
