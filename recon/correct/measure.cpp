#include "recon/correct/measure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "base/error.hpp"
#include "recon/correct/bad_pixels.hpp"
#include "recon/correct/drift.hpp"
#include "recon/correct/pixel_gain.hpp"
#include "recon/correct/pixel_statistics.hpp"
#include "recon/correct/zingers.hpp"

namespace feldspar::recon {
namespace {

/// A mean of M of N views that is taken from each leaves a pixel's mean of all with noise of
/// sigma sqrt(1/M - 1/N), which a reconstruction shows as rings of noise around the axis: with half of the
/// views as much as there was before, which is what independent noise would have there.
StatisticsViews views_for_statistics(std::span<const int> view_indices, bool rings) {
  StatisticsViews views;  // whose mean has a sixteenth of a view's noise
  if (rings) views.summed = std::max(views.summed, static_cast<int>(view_indices.size() / 2));
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
              fmt::format("--correct: '{}' in '{}' is no correction; write auto, off, or some of zingers, "
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

Corrections measure_corrections(const io::ScanSource& source, std::span<const int> view_indices,
                                const CorrectionChoice& choice, ThreadPool& pool, MemoryBudget* budget,
                                double air) {
  Corrections result;
  kernels::CorrectionSpec& spec = result.spec;
  spec.columns = source.scan().detector.columns, spec.rows = source.scan().detector.rows;
  std::vector<CorrectionStep>& steps = result.steps;
  if (choice.bad_pixels || choice.rings) {
    const PixelStatistics seen =
        gather(source, view_indices, views_for_statistics(view_indices, choice.rings), pool, budget);
    if (choice.bad_pixels) {
      BadPixels bad = find_bad_pixels(LineIntegralReader(source, budget), seen);
      spec.bad_pixels = std::move(bad.pixels);
      steps.push_back(std::move(bad.step));
    }
    if (choice.rings) {
      PixelGain gain = measure_pixel_gain(seen, spec.bad_pixels, pool);
      spec.pixel_offset = std::move(gain.pixel_offset);
      steps.push_back(std::move(gain.step));
    }
  }
  if (choice.zingers) {
    Zingers zingers = find_zingers(source, view_indices, spec.bad_pixels, pool, budget);
    spec.patches = std::move(zingers.patches);
    steps.push_back(std::move(zingers.step));
    std::ranges::rotate(steps, steps.end() - 1);  // they are the first to be corrected
  }
  if (choice.drift) {
    Drift drift = measure_drift(source, view_indices, budget, air);
    spec.view_offset = std::move(drift.view_offset);
    steps.push_back(std::move(drift.step));
  }
  return result;
}

}  // namespace feldspar::recon
