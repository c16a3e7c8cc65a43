#include "recon/verify/verify.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "recon/stopwatch.hpp"
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

/// The height within the volume that is nearest to the plane of the source.
double nearest_height(const geometry::VolumeGrid& grid) {
  return std::clamp(0.0, grid.origin.z, grid.origin.z + (grid.nz - 1) * grid.spacing.z);
}

}  // namespace

Verdict verify_alone(const FinishedVolume& volume, MemoryBudget& budget) {
  Verdict verdict;
  {
    const Stopwatch time(verdict.seconds);
    const Census census = take_census(volume, budget, true);
    verdict.checks.push_back(check_numbers(census, volume.grid.nz));
    verdict.checks.push_back(check_layers(census, volume));
  }
  return verdict;
}

namespace {

/// Central, measured, cast and lengths, and what their noise is told from.
std::size_t sinograms_bytes(const FdkSetup& setup) {
  constexpr std::size_t kept = 4, judged_views = 512, differences = 2;
  const auto columns = static_cast<std::size_t>(setup.columns);
  const std::size_t views = setup.views.size();
  return kept * views * (columns * sizeof(float) + sizeof(geometry::View)) +
         differences * std::min(views, judged_views) * columns * sizeof(double);
}

/// The checks that compare what was measured with what the volume casts.
void verify_projections(std::vector<Check>& checks, const FdkJob& job, const FinishedVolume& volume,
                        const Sinogram& central, double noise, const Resources& resources) {
  if (volume.clips_air()) {
    for (const CheckId id :
         {CheckId("re-projection"), CheckId("every-view"), CheckId("view-order"), CheckId("mass")})
      checks.push_back(Check{id}.not_applicable(
          "the volume stores no negative values: noise around 0 no longer averages out"));
    return;
  }
  const double height = nearest_height(volume.grid);
  const bool holds_it = std::abs(height) < 0.5 * volume.grid.spacing.z;
  const Sinogram measured = holds_it ? central : measure_sinogram(job, height, resources);
  const Sinogram shadow = cast(volume, measured, resources);
  const Sinogram lengths = lengths_within(volume.grid, measured);
  checks.push_back(check_fit(measured, shadow, lengths, noise));
  checks.push_back(check_views(measured, shadow, lengths, noise));
  checks.push_back(check_order(measured, shadow, lengths, noise));
  checks.push_back(check_mass(measured, lengths, job.setup, volume));
}

void verify_into(std::vector<Check>& checks, const FdkJob& job, const FinishedVolume& volume,
                 const Resources& resources, const VerifyOptions& options) {
  const Census census = take_census(volume, resources.budget, options.survey);
  checks.push_back(check_numbers(census, volume.grid.nz));
  checks.push_back(check_layers(census, volume));
  if (!census.unreadable.empty()) return;  // nothing more can be asked of it
  if (options.tally) checks.push_back(check_pixels(*options.tally));
  checks.push_back(check_spots(recompute_spots(job, volume, options.seed, resources),
                               job.options.projector.merging, volume.quantum));

  const Reservation room(resources.budget, sinograms_bytes(job.setup), "projections to verify with");
  const Sinogram central = measure_sinogram(job, 0, resources);
  const double noise = noise_of(central);
  const OppositeRays rays = compare_opposite_rays(central);
  checks.push_back(check_air(central, noise));
  checks.push_back(check_turn(central, rays));
  checks.push_back(check_axis(central, rays));
  checks.push_back(check_distances(central, rays, job.setup.rectification.has_value()));
  verify_projections(checks, job, volume, central, noise, resources);
}

}  // namespace

std::size_t verification_bytes(const FdkJob& job) {
  const std::size_t at_once = std::max(measuring_bytes(job), casting_bytes(job.setup, job.options.grid));
  return std::max(spots_bytes(job), sinograms_bytes(job.setup) + at_once);
}

Verdict verify(const FdkJob& job, const FinishedVolume& volume, const Resources& resources,
               const VerifyOptions& options) {
  Verdict verdict;
  {
    const Stopwatch time(verdict.seconds);
    verify_into(verdict.checks, job, volume, resources, options);
  }
  return verdict;
}

}  // namespace feldspar::recon
