// `feldspar center`: where the rotation axis stands, and which conventions hold, from the projections.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <numbers>

#include "base/error.hpp"
#include "base/log.hpp"
#include "cli/commands.hpp"
#include "cli/options.hpp"
#include "cli/report/center_strip.hpp"
#include "cli/report/findings.hpp"
#include "io/output_rule.hpp"
#include "recon/find/axis_choice.hpp"
#include "recon/find/conventions.hpp"
#include "run/resolve.hpp"

namespace feldspar::cli {
namespace {

constexpr double degree = std::numbers::pi / 180;

struct CenterOptions {
  RequestOptions request;
  std::filesystem::path picture;
  bool conventions = false;
  bool json = false, overwrite = false;
};

nlohmann::json rays_json(const recon::CentreEstimate& found) {
  if (!found.known) return {{"refused", found.doubt}};
  return {{"offset_mm", found.axis.offset},
          {"offset_uncertainty_mm", found.offset_uncertainty},
          {"roll_known", found.roll_known},
          {"roll_deg", found.axis.roll / degree},
          {"roll_uncertainty_deg", found.roll_known ? found.roll_uncertainty / degree : 0},
          {"rays", found.rays}};
}

nlohmann::json sharpness_json(const recon::SharpnessEstimate& found) {
  nlohmann::json slices = nlohmann::json::array();
  for (const recon::SliceTrials& slice : found.slices) {
    nlohmann::json curve = nlohmann::json::array();
    for (const recon::TrialSlice& trial : slice.trials) curve.push_back({trial.offset, trial.sharpness});
    slices.push_back({{"height_mm", slice.grid.origin.z},
                      {"peaked", slice.peaked},
                      {"offset_mm", slice.best},
                      {"contrast", slice.contrast},
                      {"curve", curve}});
  }
  return {{"known", found.known},
          {"offset_mm", found.axis.offset},
          {"offset_uncertainty_mm", found.offset_uncertainty},
          {"roll_known", found.roll_known},
          {"roll_deg", found.axis.roll / degree},
          {"slices", slices}};
}

nlohmann::json as_json(const recon::AxisChoice& found, const geometry::RotationAxis& stated) {
  return {{"metadata", {{"offset_mm", stated.offset}, {"roll_deg", stated.roll / degree}}},
          {"reverse_rays", rays_json(found.rays)},
          {"sharpness", sharpness_json(found.sharpness)},
          {"chosen",
           {{"method", found.method},
            {"offset_mm", found.axis.offset},
            {"roll_deg", found.axis.roll / degree},
            {"offset_uncertainty_mm", found.offset_uncertainty}}},
          {"pixel_mm", found.pixel},
          {"findings", json_of(found.findings)}};
}

std::string axis_line(const char* name, double offset, double uncertainty, double stated, double pixel) {
  return fmt::format("{:<13} offset {:.4f} +- {:.4f} mm ({:+.2f} +- {:.3f} pixels from the metadata)\n", name,
                     offset, uncertainty, (offset - stated) / pixel, uncertainty / pixel);
}

void print(const recon::AxisChoice& found, const geometry::RotationAxis& stated) {
  std::cout << fmt::format("metadata      offset {:.4f} mm, roll {:.3f} deg; a pixel is {:.4f} mm\n",
                           stated.offset, stated.roll / degree, found.pixel);
  const recon::CentreEstimate& rays = found.rays;
  if (rays.known)
    std::cout << axis_line("reverse rays", rays.axis.offset, rays.offset_uncertainty, stated.offset,
                           found.pixel);
  else
    std::cout << "reverse rays  cannot tell: " << rays.doubt << '\n';
  if (rays.roll_known)
    std::cout << fmt::format("              roll {:.3f} +- {:.3f} deg\n", rays.axis.roll / degree,
                             rays.roll_uncertainty / degree);
  else if (rays.known)
    std::cout << fmt::format("              roll unknown: {}\n", rays.doubt);
  const recon::SharpnessEstimate& sharp = found.sharpness;
  if (sharp.known)
    std::cout << axis_line("sharpness", sharp.axis.offset, sharp.offset_uncertainty, stated.offset,
                           found.pixel);
  else
    std::cout << "sharpness     no slice is clearly sharpest about one axis\n";
  if (sharp.roll_known)
    std::cout << fmt::format("              roll {:.3f} deg from 3 slices\n", sharp.axis.roll / degree);
  std::cout << fmt::format("to use        --axis-offset {:.5f}mm --axis-roll {:.4f}deg   (by {})\n",
                           found.axis.offset, found.axis.roll / degree, found.method);
}

std::string describe(const recon::Convention& convention) {
  return fmt::format("{}, {}", convention.reversed ? "turning the other way" : "turning as stated",
                     convention.negated ? "offsets negated" : "offsets as stated");
}

nlohmann::json verdict_json(const recon::ConventionVerdict& verdict) {
  nlohmann::json tried = nlohmann::json::array();
  for (const recon::Convention& c : verdict.tried)
    tried.push_back({{"rotation_reversed", c.reversed},
                     {"offset_negated", c.negated},
                     {"sharpness", c.sharpness},
                     {"slices", c.of_slices}});
  return {{"reverse_rays", rays_json(verdict.axis)},
          {"tried", tried},
          {"best", verdict.best},
          {"margin", verdict.margin},
          {"verdict", verdict.decided ? (verdict.best == 0 ? "as stated" : "contradicted") : "undecided"},
          {"reason", verdict.reason}};
}

void print_axis(const recon::ConventionVerdict& verdict, const geometry::CircularScan& scan) {
  const recon::CentreEstimate& found = verdict.axis;
  if (!found.known) {
    std::cout << "reverse rays  cannot tell the axis: " << found.doubt << '\n';
    return;
  }
  std::cout << axis_line("reverse rays", found.axis.offset, found.offset_uncertainty, scan.axis.offset,
                         found.pixel);
  if (verdict.is_other_sign(scan))
    std::cout << fmt::format("the axis is on the other side: use --axis-offset {:.5f}mm\n",
                             found.axis.offset);
}

/// `reverse_rotation`: as the scan was opened.
void print(const recon::ConventionVerdict& verdict, bool reverse_rotation) {
  for (const recon::Convention& convention : verdict.tried)
    std::cout << fmt::format("{:<44} sharpness {:.3f}\n", describe(convention), convention.sharpness);
  if (!verdict.decided) {
    std::cout << "undecided: " << verdict.reason << '\n';
    return;
  }
  const recon::Convention& best = verdict.tried[verdict.best];
  std::cout << fmt::format("the data support: {}, by a margin of {:.0f} %\n", describe(best),
                           100 * verdict.margin);
  if (best.reversed)
    std::cout << (reverse_rotation ? "leave out --reverse-rotation" : "use --reverse-rotation")
              << "; were the columns reversed instead, the volume is a mirror image\n";
  if (best.negated) std::cout << "use --axis-offset with the other sign\n";
}

void run_conventions(const io::ScanSource& source, const std::vector<int>& views,
                     const recon::Resources& resources, bool reverse_rotation, bool json) {
  const recon::ConventionVerdict verdict = recon::test_conventions(source, source.scan(), views, resources);
  if (verdict.decided && verdict.best != 0)
    log_warning("the projections contradict the stated conventions: " +
                describe(verdict.tried[verdict.best]) + " is sharper");
  if (json) {
    std::cout << verdict_json(verdict).dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
    return;
  }
  print_axis(verdict, source.scan());
  print(verdict, reverse_rotation);
}

void run(const CenterOptions& options) {
  const run::Request request = options.request.request();
  io::RunFiles files{.inputs = {}, .outputs = {}, .overwrite = options.overwrite};
  if (!options.picture.empty()) files.outputs.push_back({options.picture, io::Output::Kind::picture});
  const run::Opened opened = run::open(request, files);
  const io::ScanSource* const source = opened.source.get();
  const geometry::CircularScan& scan = source->scan();
  const std::vector<int> views =
      request.views.is_all() ? std::vector<int>{} : request.views.of(static_cast<int>(scan.angles.size()));
  for (const Finding& finding : source->findings()) log(finding);
  const recon::Resources resources = opened.shop.resources();
  const recon::AxisSearch how{.keep_slices = !options.picture.empty()};
  run::require_memory(*opened.shop.budget, recon::axis_bytes(*source, scan, views, resources, how),
                      "looking for the rotation axis");
  if (options.conventions)
    return run_conventions(*source, views, resources, request.open.reverse_rotation, options.json);
  const recon::AxisChoice found = recon::choose_axis(*source, scan, views, resources, how);
  for (const Finding& finding : found.findings) log(finding);
  if (options.json)
    std::cout << as_json(found, scan.axis).dump(2, ' ', false, nlohmann::json::error_handler_t::replace)
              << '\n';
  else
    print(found, scan.axis);
  if (options.picture.empty()) return;
  if (found.sharpness.slices.empty())
    throw Error(ErrorKind::unsupported,
                "--picture: no object stands out in the projections, so there is no slice to "
                "draw");
  const recon::SliceTrials& middle = found.sharpness.slices[found.sharpness.slices.size() / 2];
  const double chosen = found.axis.offset + std::tan(found.axis.roll) * middle.grid.origin.z;
  io::write_png(options.picture, draw_center_strip(middle, chosen, found.pixel), options.overwrite);
}

void add_own_options(CLI::App& command, CenterOptions& options) {
  command
      .add_option("--picture", options.picture,
                  "Also draw the slice about seven axes and the curve of its sharpness")
      ->type_name("OUT.png");
  command.add_flag("--conventions", options.conventions,
                   "Instead test the sense of rotation and the sign of the offset");
  command.add_flag("--overwrite", options.overwrite, "Replace an existing picture");
  command.add_flag("--json", options.json, "Print the result as JSON");
}

}  // namespace

void add_center_command(CLI::App& program) {
  auto options = std::make_shared<CenterOptions>();
  CLI::App* command = program.add_subcommand("center", "Find the rotation axis of a scan in its projections");
  command->footer(
      "Examples:\n  feldspar center Cell01.xtekct --picture axis.png\n  feldspar center Cell01.xtekct "
      "--conventions");
  options->request.add(*command, {run::Topic::input, run::Topic::machine}, {"sample"});
  command->get_option("--scan")->required();
  add_own_options(*command, *options);
  command->callback([options] { run(*options); });
}

}  // namespace feldspar::cli
