// `feldspar recon`: a scan becomes a volume in 1/mm.
#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <iostream>
#include <memory>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/units.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/options.hpp"
#include "cli/report/findings.hpp"
#include "cli/report/rings_map.hpp"
#include "cli/report/verdict.hpp"
#include "io/export/volume_format.hpp"
#include "io/hdf5/volume_file.hpp"
#include "io/partial_file.hpp"
#include "recon/fdk/time_estimate.hpp"
#include "run/reconstruct.hpp"
#include "run/record.hpp"
#include "run/resolve.hpp"

namespace feldspar::cli {
namespace {

struct ReconOptions {
  RequestOptions request;
  std::filesystem::path config, save_config, rings_map;
  bool overwrite = false;
  bool resume = false;
  bool dry_run = false;
  bool json = false;
};

std::string printed(const nlohmann::json& json) {
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

void print_result(const run::Outcome& outcome, bool json) {
  const run::Reconstruction& work = *outcome.work;
  const recon::FdkReport& report = outcome.report;
  const double gups = run::updates(work) / report.back_projection_s * 1e-9;
  if (!json) {
    log_info(fmt::format("{} in {} ({:.2f} billion voxel updates a second in back-projection)",
                         format_bytes(work.fdk.grid.voxels() * sizeof(float)), format_seconds(report.total_s),
                         gups));
    std::cout << outcome.output.string() << '\n';
    return;
  }
  nlohmann::json result{{"output", outcome.output.string()},
                        {"size", {work.fdk.grid.nx, work.fdk.grid.ny, work.fdk.grid.nz}},
                        {"voxel_size_mm", work.plan.grid.spacing.x},
                        {"device", work.shop.backend->name()},
                        {"merged_views", work.fdk.projector.merging.views},
                        {"slabs", work.slabs.slabs.size()},
                        {"seconds", report.total_s},
                        {"read_s", report.read_s},
                        {"attenuation_s", report.attenuation_s},
                        {"correction_s", report.correction_s},
                        {"rectification_s", report.rectification_s},
                        {"filter_s", report.filter_s},
                        {"back_projection_s", report.back_projection_s},
                        {"write_s", report.write_s},
                        {"gups", gups},
                        {"clipped_voxels", outcome.clipped},
                        {"findings", json_of(work.plan.findings)}};
  if (outcome.verdict) result["verification"] = json_of(*outcome.verdict);
  std::cout << printed(result);
}

/// The plan for programs: what a cluster must be asked for.
std::string plan_json(const run::Reconstruction& work) {
  const int slices = work.share.slices.count();
  const recon::TimeEstimate time = recon::estimate_time(*work.shop.backend, work.setup, work.slabs, work.fdk);
  return printed({{"memory_bytes", std::max(work.slabs.memory, work.least_memory)},
                  {"bytes_to_read", work.slabs.bytes_to_read},
                  {"bytes_to_write", work.fdk.grid.voxels() / work.fdk.grid.nz * slices * sizeof(float)},
                  {"estimated_seconds", time.filter_s + time.back_projection_s * slices / work.fdk.grid.nz}});
}

/// The files that were asked for beside the volume.
io::RunFiles files_beside(const ReconOptions& options) {
  io::RunFiles files{.inputs = {options.config}, .outputs = {}};
  if (!options.save_config.empty()) files.outputs.push_back({options.save_config});
  if (!options.rings_map.empty()) files.outputs.push_back({options.rings_map, io::Output::Kind::picture});
  return files;
}

/// Of a volume that an earlier run finished, only those files that it left out.
void write_beside(const ReconOptions& options, const run::Request& request, const run::Outcome& outcome) {
  const auto wanted = [&](const std::filesystem::path& file) {
    std::error_code ignored;
    return !file.empty() && !(outcome.was_finished && std::filesystem::exists(file, ignored));
  };
  if (wanted(options.save_config))
    io::write_file(options.save_config, run::configuration_of(request), options.overwrite);
  if (!wanted(options.rings_map)) return;
  if (outcome.work) {
    write_rings_map(options.rings_map, outcome.work->plan, options.overwrite);
  } else if (const auto stored = io::read_plan(outcome.output)) {
    write_rings_map(options.rings_map, run::restore(*stored, outcome.output), options.overwrite);
  }
}

void check(const ReconOptions& options, const run::Request& request) {
  if (request.scan.empty()) throw Error(ErrorKind::usage, "which scan? name its file or folder");
  if (request.output.empty() && !options.dry_run)
    throw Error(ErrorKind::usage, "where shall the volume go? give -o OUT.h5");
  std::error_code ignored;  // what is there is judged by what it is
  if (io::volume_format_like(request.output) && !exists(symlink_status(request.output, ignored))) {
    const auto volume = std::filesystem::path(request.output).replace_extension(".h5");
    throw Error(
        ErrorKind::usage,
        fmt::format("{}: volumes are written as HDF5; give -o {}, then `feldspar export {} {}`",
                    request.output.string(), volume.string(), volume.string(), request.output.string()));
  }
  if (!options.rings_map.empty()) check_rings_map(request);
}

void print_plan(const ReconOptions& options, const run::Request& request, const run::Plan* plan) {
  const run::Reconstruction work =
      run::resolve(run::open(request), {console_progress, plan, request.verify && request.share.is_whole()});
  for (const Finding& finding : work.plan.findings) log(finding);
  std::cout << (options.json ? plan_json(work) : run::describe(work));
}

void run(CLI::App& command, ReconOptions& options) {
  const Configuration config = apply_config(command, options.config);
  catch_interrupts();
  const run::Request request = options.request.request(config.request);
  check(options, request);
  const run::Plan* const plan = plan_for(request, config);
  if (options.dry_run) return print_plan(options, request, plan);
  const run::Outcome outcome = run::reconstruct(request, {.overwrite = options.overwrite,
                                                          .resume = options.resume,
                                                          .watch = console_progress,
                                                          .plan = plan,
                                                          .files = files_beside(options),
                                                          .planned = [](const run::Reconstruction& work) {
                                                            for (const Finding& finding : work.plan.findings)
                                                              log(finding);
                                                            log_info(run::describe(work));
                                                            warn_of(work.of_scan);
                                                          }});
  write_beside(options, request, outcome);
  if (outcome.was_finished) {
    log_info("the volume is complete already");
    std::cout << outcome.output.string() << '\n';
    if (request.share.is_whole()) repeat_stored_verdict(outcome.output);
    return;
  }
  print_result(outcome, options.json);
  if (outcome.verdict) log_info(describe(*outcome.verdict));
  if (outcome.verdict) run::insist(*outcome.verdict, outcome.output);
}

}  // namespace

void add_recon_command(CLI::App& program) {
  auto options = std::make_shared<ReconOptions>();
  CLI::App* command =
      program.add_subcommand("recon", "Reconstruct a scan into a volume of attenuation in 1/mm (HDF5)");
  command->footer("Example: feldspar recon Cell01.xtekct -o cell.h5 --memory 8GiB");
  using run::Topic;
  options->request.add(*command, {Topic::input, Topic::region, Topic::geometry, Topic::corrections,
                                  Topic::filter, Topic::output, Topic::machine});
  const std::string input = run::name_of(Topic::input), output = run::name_of(Topic::output);
  command
      ->add_option(
          "--config", options->config,
          "Options from a TOML file, or those of a volume (.h5) and its plan, by which nothing is looked for "
          "again; the command line wins")
      ->group(input);
  command
      ->add_option("--save-config", options->save_config,
                   "Also write the options in effect to a file that --config takes (`feldspar info --config "
                   "VOLUME` prints them later)")
      ->group(output);
  command
      ->add_option("--rings-map", options->rings_map,
                   "Also write what the gain map changes at every pixel as a picture (.png)")
      ->group(output);
  command->add_flag("--overwrite", options->overwrite, "Replace an existing output")->group(output);
  command
      ->add_flag("--resume", options->resume,
                 "Go on with what an interrupted run of the same command left behind (not with --compress)")
      ->group(output);
  command->add_flag("--dry-run", options->dry_run, "Print the plan and stop");
  command->add_flag("--json", options->json, "Print the result as JSON");
  command->callback([command, options] { run(*command, *options); });
}

}  // namespace feldspar::cli
