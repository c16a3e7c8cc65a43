#include "cli/corrections.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "cli/job.hpp"
#include "io/png/png_file.hpp"
#include "recon/correct/find_corrections.hpp"
#include "recon/correct/stripe_free_source.hpp"

namespace feldspar::cli {
namespace {

constexpr std::pair<const char*, recon::StripeMethod> stripe_methods[] = {
    {"sorting", recon::StripeMethod::sorting},
    {"all", recon::StripeMethod::all},
    {"wavelet", recon::StripeMethod::wavelet}};

/// Grey is no change; black and white are four standard deviations down and up.
void draw_map(const std::filesystem::path& file, const kernels::CorrectionSpec& spec, bool overwrite) {
  double sum2 = 0;
  for (const float value : spec.pixel_offset) sum2 += static_cast<double>(value) * static_cast<double>(value);
  const double most = 4 * std::sqrt(sum2 / static_cast<double>(spec.pixel_offset.size()));
  io::GreyPicture picture{.width = spec.columns, .height = spec.rows, .pixels = {}};
  for (int row = spec.rows - 1; row >= 0; --row)
    for (int column = 0; column < spec.columns; ++column) {
      const float value = spec.pixel_offset[static_cast<std::size_t>(row) * spec.columns + column];
      picture.pixels.push_back(static_cast<std::uint8_t>(
          std::clamp(127.5 + 127.5 * static_cast<double>(value) / most, 0.0, 255.0)));
    }
  io::write_png(file, picture, overwrite);
  log_info(fmt::format("{}: what is added to every pixel's line integrals, {:+.4f} black to {:+.4f} white",
                       file.string(), -most, most));
}

/// As many as leave three quarters of the memory to the slabs.
int stripe_threads(const Job& job) {
  const std::size_t sinogram =
      recon::StripeFreeSource::bytes_a_thread(*job.source, job.setup.view_indices.size());
  return job.shop.resources().threads_with(4 * sinogram);
}

/// Gives the job a source that holds the rows of a slab in all views, corrected so far and free of stripes.
void free_of_stripes(const CorrectionOptions& options, recon::Corrections& corrections, Job& job) {
  const auto* const method =
      std::ranges::find(stripe_methods, options.rings, [](const auto& known) { return known.first; });
  const int columns = corrections.spec.columns, rows = corrections.spec.rows;
  auto source = std::make_unique<recon::StripeFreeSource>(
      std::move(job.source), job.setup.view_indices,
      recon::StripeFreeSource::Options{.method = method->second,
                                       .spec = std::move(corrections.spec),
                                       .threads = stripe_threads(job),
                                       .held = static_cast<int>(job.shop.devices().size()),
                                       .budget = job.shop.budget.get()});
  job.fdk.held_row_bytes = source->bytes_a_row();
  job.fdk.source_bytes = source->working_bytes();
  job.source = std::move(source);
  corrections.spec = {.columns = columns, .rows = rows};
  corrections.steps.push_back(
      {fmt::format("rings: stripes are removed from every sinogram ({})", options.rings), true});
}

}  // namespace

void add_correction_options(CLI::App& command, CorrectionOptions& options) {
  command
      .add_option(
          "--correct", options.correct,
          "Intensities: off, auto, or some of zingers, bad-pixels, rings, drift, all; auto,zingers adds "
          "one, no-rings leaves one out")
      ->capture_default_str();
  command
      .add_option("--rings", options.rings,
                  "How: gain (of single pixels), or in sinograms sorting, all (dead and large stripes too), "
                  "wavelet")
      ->check(CLI::IsMember({"gain", "sorting", "all", "wavelet"}))
      ->capture_default_str();
  command.add_option("--rings-map", options.rings_map,
                     "Write what the gain map changes at every pixel as a picture (.png)");
}

void check(const CorrectionOptions& options) {
  const recon::CorrectionChoice choice = recon::parse_corrections(options.correct);
  if (!choice.rings && options.rings != "gain")
    throw Error(ErrorKind::usage,
                fmt::format("--rings {} asks for what --correct {} leaves out; add rings there",
                            options.rings, options.correct));
  if (!options.rings_map.empty() && (!choice.rings || options.rings != "gain"))
    throw Error(ErrorKind::usage, "--rings-map shows the gain map, which only --rings gain makes");
}

Findings correct(const CorrectionOptions& options, Job& job) {
  Findings found;
  recon::CorrectionChoice choice = recon::parse_corrections(options.correct);
  if (!choice.any()) return found;
  const bool stripes = choice.rings && options.rings != "gain";
  if (stripes) choice.rings = false;
  const auto corrections = std::make_shared<recon::Corrections>(
      recon::find_corrections(*job.source, job.setup.view_indices, choice, job.shop.resources(),
                              job.fdk.extension ? 0 : job.inspection.air_line_integral));
  if (stripes) free_of_stripes(options, *corrections, job);
  for (const recon::CorrectionStep& step : corrections->steps)
    if (step.notable) found.push_back(step.text);
  job.of_corrections = Reservation(*job.shop.budget, kernels::bytes_of(corrections->spec), "corrections");
  job.fdk.corrections = corrections;
  return found;
}

void write_rings_map(const CorrectionOptions& options, const Job& job, bool overwrite) {
  if (options.rings_map.empty()) return;
  if (job.fdk.corrections && !job.fdk.corrections->spec.pixel_offset.empty())
    draw_map(options.rings_map, job.fdk.corrections->spec, overwrite);
  else
    log_info(
        fmt::format("--rings-map: no gain map was needed; {} is not written", options.rings_map.string()));
}

std::string describe_corrections(const Job& job) {
  std::string text;
  if (!job.fdk.corrections) return text;
  for (const recon::CorrectionStep& step : job.fdk.corrections->steps)
    text += fmt::format("correct   {}\n", step.text);
  return text;
}

}  // namespace feldspar::cli
