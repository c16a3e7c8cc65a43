#include "recon/correct/find_corrections.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "base/error.hpp"
#include "recon/correct/bad_pixels.hpp"
#include "recon/correct/drift.hpp"
#include "recon/correct/pixel_gain.hpp"
#include "recon/correct/pixel_statistics.hpp"
#include "recon/correct/zingers.hpp"
#include "recon/measure/projection_sample.hpp"

namespace feldspar::recon {
namespace {

/// A mean of M of N views that is taken from each leaves a pixel's mean of all with noise of
/// sigma sqrt(1/M - 1/N), which a reconstruction shows as rings of noise around the axis: with half of the
/// views as much as there was before, which is what independent noise would have there.
StatisticsViews views_for_statistics(std::span<const int> view_indices, bool rings) {
  StatisticsViews views;  // whose mean has a sixteenth of a view's noise
  const int all = static_cast<int>(view_indices.size());
  if (rings) views.averaged = all < 2 * views.averaged ? all : all / 2;
  return views;
}

void set(CorrectionChoice& choice, const std::string& name, bool wanted, const std::string& text) {
  if (name == "zingers" || name == "all") choice.zingers = wanted;
  if (name == "bad-pixels" || name == "all") choice.bad_pixels = wanted;
  if (name == "rings" || name == "all") choice.rings = wanted;
  if (name == "drift" || name == "all") choice.drift = wanted;
  for (const char* known : {"zingers", "bad-pixels", "rings", "drift", "all"})
    if (name == known) return;
  throw Error(ErrorKind::usage,
              fmt::format("'{}' in '{}' is no correction; write auto, off, or some of zingers, "
                          "bad-pixels, rings, drift and all, as auto,zingers or no-rings",
                          name, text));
}

}  // namespace

CorrectionChoice parse_corrections(const std::string& text) {
  constexpr CorrectionChoice none{false, false, false, false};
  CorrectionChoice choice = text.starts_with("no-") ? CorrectionChoice{} : none;
  std::istringstream names(text);
  bool first = true;
  for (std::string name; std::getline(names, name, ','); first = false) {
    if (first && name == "auto")
      choice = {};
    else if (first && name == "off")
      choice = none;
    else if (name.starts_with("no-"))
      set(choice, name.substr(3), false, text);
    else
      set(choice, name, true, text);
  }
  if (first || text.ends_with(",")) set(choice, "", true, text);
  return choice;
}

std::size_t corrections_bytes(const io::ScanSource& source, const CorrectionChoice& choice, int threads) {
  constexpr std::size_t statistics = 5, gathering = 3, near = 3;  // maps, and views beside each other
  const std::size_t map = sizeof(float) * pixels_of(source), view = transmissions_bytes(source);
  std::size_t most = 0;
  if (choice.bad_pixels || choice.rings)
    most = statistics * map + std::max(gathering * map + view,
                                       choice.rings ? pixel_gain_bytes(source.scan().detector, threads) : 0);
  if (choice.zingers) most = std::max(most, (near + (choice.rings ? 1 : 0)) * map + view);
  return std::max(most, choice.drift ? view : 0);
}

Corrections find_corrections(const io::ScanSource& source, const geometry::CircularScan& scan,
                             std::span<const int> view_indices, const CorrectionChoice& choice,
                             const Resources& resources, const KnownAir& air) {
  ThreadPool pool(resources.threads);
  MemoryBudget* const budget = &resources.budget;
  Corrections result;
  kernels::CorrectionSpec& spec = result.spec;
  spec.columns = source.scan().detector.columns, spec.rows = source.scan().detector.rows;
  std::vector<CorrectionStep>& steps = result.steps;
  const auto add = [&steps](CorrectionStep step, std::size_t views) {
    step.views = static_cast<int>(views);
    steps.push_back(std::move(step));
  };
  if (choice.bad_pixels || choice.rings) {
    const StatisticsViews most = views_for_statistics(view_indices, choice.rings);
    PixelStatistics seen = gather(source, view_indices, most, pool, budget);
    if (choice.bad_pixels) {
      BadPixels bad = find_bad_pixels(LineIntegralReader(source, budget), seen);
      spec.bad_pixels = std::move(bad.pixels);
      add(std::move(bad.step), std::min(view_indices.size(), static_cast<std::size_t>(most.judged)));
    }
    if (choice.rings) {
      const Reservation room(resources.budget, pixel_gain_bytes(scan.detector, resources.threads),
                             "maps of the pixels' gain");
      PixelGain gain = measure_pixel_gain(seen, scan, spec.bad_pixels, pool);
      spec.pixel_offset = std::move(gain.pixel_offset);
      add(std::move(gain.step), static_cast<std::size_t>(seen.views));
    }
  }
  if (choice.zingers) {
    Zingers zingers = find_zingers(source, view_indices, spec.bad_pixels, pool, budget);
    spec.patches = std::move(zingers.patches);
    add(std::move(zingers.step), view_indices.size());
    std::ranges::rotate(steps, steps.end() - 1);  // they are the first to be corrected
  }
  if (choice.drift) {
    Drift drift = measure_drift(source, view_indices, budget, air);
    spec.view_offset = std::move(drift.view_offset);
    add(std::move(drift.step), view_indices.size());
  }
  return result;
}

}  // namespace feldspar::recon
