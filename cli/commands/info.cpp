// `feldspar info`: what a scan is, what reconstructing it takes, and what is odd about it.
#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <iostream>
#include <memory>
#include <optional>

#include "base/error.hpp"
#include "base/units.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/options.hpp"
#include "cli/report/findings.hpp"
#include "cli/report/rings_map.hpp"
#include "cli/report/verdict.hpp"
#include "io/hdf5/volume_file.hpp"
#include "recon/fdk/time_estimate.hpp"
#include "run/resolve.hpp"

namespace feldspar::cli {
namespace {

using nlohmann::json;

struct InfoOptions {
  RequestOptions request;
  std::filesystem::path rings_map;
  bool json = false;
  bool fields = false;
  bool config = false;
};

json fields_json(const io::ScanSource& source) {
  json fields = json::array();
  for (const io::SourceField& f : source.fields())
    fields.push_back({{"section", f.section},
                      {"name", f.name},
                      {"value", f.value},
                      {"use", io::name_of(f.use)},
                      {"note", f.note}});
  return fields;
}

json describe_json(const run::Reconstruction& work, bool has_pixels, const recon::TimeEstimate& time) {
  const geometry::CircularScan& scan = work.source->scan();
  const geometry::Detector& d = scan.detector;
  const io::ScanDescription& about = work.source->description();
  const geometry::VolumeGrid& grid = work.fdk.grid;
  return {
      {"format", about.format},
      {"name", about.name},
      {"has_pixels", has_pixels},
      {"voltage_kv", about.voltage_kv},
      {"current_ua", about.current_ua},
      {"exposure_s", about.exposure_s},
      {"beam", scan.beam == geometry::Beam::parallel ? "parallel" : "cone"},
      {"source_object_distance_mm", scan.source_object_distance},
      {"source_detector_distance_mm", scan.source_detector_distance},
      {"magnification", scan.magnification()},
      {"detector",
       {{"columns", d.columns},
        {"rows", d.rows},
        {"column_pitch_mm", d.column_pitch},
        {"row_pitch_mm", d.row_pitch},
        {"column_offset_mm", d.column_offset},
        {"row_offset_mm", d.row_offset}}},
      {"axis", {{"offset_mm", scan.axis.offset}, {"roll_rad", scan.axis.roll}, {"tilt_rad", scan.axis.tilt}}},
      {"views", scan.angles.size()},
      {"angular_span_deg", work.setup.coverage.span / radians_per_degree},
      {"complete_turn", work.setup.coverage.complete},
      {"volume",
       {{"size", {grid.nx, grid.ny, grid.nz}},
        {"voxel_size_mm", grid.spacing.x},
        {"bytes", grid.voxels() * sizeof(float)}}},
      {"plan",
       {{"device", work.shop.backend->name()},
        {"slabs", work.slabs.slabs.size()},
        {"memory_bytes", work.slabs.memory},
        {"bytes_to_read", work.slabs.bytes_to_read},
        {"looked_at", work.looks},
        {"estimated_seconds", time.total_s()}}},
      {"findings", json_of(work.plan.findings)},
      {"checks", json_of(work.of_scan)},
      {"fields", fields_json(*work.source)}};
}

std::string describe_scan(const run::Reconstruction& work) {
  const geometry::CircularScan& scan = work.source->scan();
  const geometry::Detector& d = scan.detector;
  const io::ScanDescription& about = work.source->description();
  const auto seen = geometry::field_of_view(scan);
  std::string text = fmt::format("scan      {} ({})\n", about.name, about.format);
  if (about.voltage_kv > 0)
    text += fmt::format("x-rays    {:g} kV, {:g} uA{}\n", about.voltage_kv, about.current_ua,
                        about.filter.empty() ? "" : ", " + about.filter);
  if (about.exposure_s > 0) text += fmt::format("exposure  {:.4g} s a view\n", about.exposure_s);
  if (scan.beam == geometry::Beam::parallel)
    text += "geometry  parallel beam\n";
  else
    text += fmt::format(
        "geometry  source to object {:.3f} mm, source to detector {:.3f} mm, magnification {:.4f}\n",
        scan.source_object_distance, scan.source_detector_distance, scan.magnification());
  text += fmt::format("detector  {} x {} pixels of {:g} x {:g} mm; offset {:g}, {:g} mm\n", d.columns, d.rows,
                      d.column_pitch, d.row_pitch, d.column_offset + 0.0, d.row_offset + 0.0);
  text += fmt::format(
      "axis      offset {:.4f} mm at the object ({:+.2f} columns), roll {:.4f} deg, tilt {:.4f} deg\n",
      scan.axis.offset + 0.0, scan.axis.offset * scan.magnification() / d.column_pitch + 0.0,
      scan.axis.roll / radians_per_degree + 0.0, scan.axis.tilt / radians_per_degree + 0.0);
  text += fmt::format(
      "views     {} over {:.3f} degrees, mean step {:.4f}\n", work.setup.views.size(),
      work.setup.coverage.span / radians_per_degree,
      work.setup.coverage.span / radians_per_degree / static_cast<double>(work.setup.views.size()));
  text += fmt::format("seen      by every view: a cylinder of {:.4g} mm radius\n", seen.inner_radius);
  return text;
}

void print_fields(const io::ScanSource& source) {
  std::cout << "\nwhat the source says, and what became of it\n";
  for (const io::SourceField& f : source.fields())
    std::cout << fmt::format("  {:<12} {}/{} = {}{}\n", io::name_of(f.use), f.section, f.name,
                             f.value.substr(0, 60), f.note.empty() ? "" : "  -- " + f.note);
}

/// A file that a reader knows but nothing can reconstruct: a single image, another kind of beam.
void describe_source(const InfoOptions& options, const Error& refusal) {
  const std::string reason = with_flags(refusal.what(), refusal.remedies());
  run::Request request = options.request.request();
  request.open.headers_only = true;
  const auto source = run::open_source(request);
  const io::ScanDescription& about = source->description();
  const geometry::CircularScan& scan = source->scan();
  if (options.json) {
    std::cout << json{{"format", about.format},
                      {"name", about.name},
                      {"voltage_kv", about.voltage_kv},
                      {"current_ua", about.current_ua},
                      {"exposure_s", about.exposure_s},
                      {"beam", scan.beam == geometry::Beam::cone ? "cone" : "parallel"},
                      {"detector",
                       {{"columns", scan.detector.columns},
                        {"rows", scan.detector.rows},
                        {"column_pitch_mm", scan.detector.column_pitch},
                        {"row_pitch_mm", scan.detector.row_pitch}}},
                      {"views", scan.angles.size()},
                      {"refused", refusal.what()},
                      {"remedies", json_of(refusal.remedies())},
                      {"findings", json_of(source->findings())},
                      {"fields", fields_json(*source)}}
                     .dump(2, ' ', false, nlohmann::json::error_handler_t::replace)
              << '\n';
    return;
  }
  const auto [first, last] = std::minmax_element(scan.angles.begin(), scan.angles.end());
  std::cout << fmt::format("scan      {} ({})\n", about.name, about.format)
            << fmt::format("detector  {} x {} pixels of {:g} x {:g} mm, {} beam\n", scan.detector.columns,
                           scan.detector.rows, scan.detector.column_pitch, scan.detector.row_pitch,
                           scan.beam == geometry::Beam::cone ? "cone" : "parallel")
            << fmt::format("images    {}, from {:.3f} to {:.3f} degrees\n", scan.angles.size(),
                           *first / radians_per_degree, *last / radians_per_degree);
  if (about.exposure_s > 0) std::cout << fmt::format("exposure  {:g} s\n", about.exposure_s);
  std::cout << "refused   " << reason << '\n';
  for (const Finding& finding : source->findings())
    if (!(finding.code == "scan.unreadable")) std::cout << "odd       " << shown(finding) << '\n';
  if (options.fields) print_fields(*source);
}

/// The plan, and whether the scan's projections are there: without them the geometry is still worth showing.
run::Reconstruction open_even_without_pixels(const InfoOptions& options, bool& has_pixels) {
  std::optional<Error> refusal;
  run::Request request = options.request.request();
  io::RunFiles files;
  if (!options.rings_map.empty()) files.outputs.push_back({options.rings_map, io::Output::Kind::picture});
  try {
    has_pixels = true;
    return run::resolve(run::open(request, files), {.watch = console_progress});
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::bad_file && error.kind() != ErrorKind::io) throw;
    refusal = error;
  }
  has_pixels = false;
  request.open.headers_only = true;
  run::Reconstruction work = run::resolve(run::open(request, files), {.watch = console_progress});
  Findings& findings = work.plan.findings;
  std::erase_if(findings, [](const Finding& finding) { return finding.code == "scan.unreadable"; });
  findings.push_back({"scan.unreadable", std::string("this scan cannot be reconstructed: ") + refusal->what(),
                      "", refusal->remedies()});
  return work;
}

void describe(const InfoOptions& options) {
  bool has_pixels = false;
  if (!options.rings_map.empty()) check_rings_map(options.request.request());
  const run::Reconstruction work = open_even_without_pixels(options, has_pixels);
  const recon::TimeEstimate time = recon::estimate_time(*work.shop.backend, work.setup, work.slabs, work.fdk);
  if (options.json) {
    std::cout
        << describe_json(work, has_pixels, time).dump(2, ' ', false, nlohmann::json::error_handler_t::replace)
        << '\n';
    return;
  }
  std::cout << describe_scan(work) << run::describe(work);
  std::cout << fmt::format(
      "time      about {}, by a short measurement, plus what reading and writing cannot overlap\n",
      format_seconds(time.total_s()));
  if (has_pixels)
    std::cout << fmt::format("beam      air at {:.3f} of white, darkest transmission {:.4f}\n",
                             work.plan.inspection.air_level, work.plan.inspection.lowest_transmission);
  std::cout << (work.plan.findings.empty() ? "odd       nothing\n" : "");
  for (const Finding& finding : work.plan.findings) std::cout << "odd       " << shown(finding) << '\n';
  std::cout << cli::describe(work.of_scan);
  if (options.fields) print_fields(*work.source);
  if (!options.rings_map.empty()) write_rings_map(options.rings_map, work.plan, false);
}

/// What `recon --config` takes to make the volume again.
void print_configuration(const std::filesystem::path& scan) {
  const std::string text = io::VolumeReader(scan).text("reconstruction/configuration");
  if (text.empty())
    throw Error(ErrorKind::bad_file,
                scan.string() + ": does not say how it was made (reconstruction/configuration)");
  std::cout << text;
}

/// A volume that feldspar has made is no scan, but has much to say.
bool describe_volume(const InfoOptions& options) {
  const std::filesystem::path scan = options.request.request().scan;
  std::error_code failed;
  if (scan.extension() != ".h5" || !std::filesystem::is_regular_file(scan, failed)) return false;
  std::optional<io::VolumeReader> volume;
  try {
    volume.emplace(scan);
  } catch (const Error&) {
    return false;  // a scan, or an error that the readers of scans word better
  }
  const geometry::VolumeGrid& grid = volume->grid();
  if (options.json) {
    json groups{{"size", {grid.nx, grid.ny, grid.nz}},
                {"voxel_size_mm", grid.spacing.x},
                {"origin_mm", {grid.origin.x, grid.origin.y, grid.origin.z}}};
    for (const char* name : {"sample", "verification", "reconstruction", "instrument", "scan"}) {
      groups[name] = json::object();
      for (const auto& [key, value] : volume->record(name)) groups[name][key] = value;
    }
    std::cout << groups.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
    return true;
  }
  std::cout << fmt::format("volume    {}: {} x {} x {} voxels of {:.6g} mm\n", volume->title(), grid.nx,
                           grid.ny, grid.nz, grid.spacing.x);
  for (const char* name : {"sample", "verification", "reconstruction"}) {
    if (!options.fields && std::string(name) == "reconstruction") continue;
    for (const auto& [key, value] : volume->record(name))
      std::cout << fmt::format("{:<10}{}: {}\n", std::string(name).substr(0, 9), key, value);
  }
  return true;
}

void run(const InfoOptions& options) {
  const std::filesystem::path scan = options.request.request().scan;
  if (options.config) return print_configuration(scan);
  if (describe_volume(options)) return;
  try {
    describe(options);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::unsupported) throw;
    try {
      describe_source(options, error);
    } catch (const Error&) {
      throw error;  // no reader knows it at all
    }
  }
}

void add_own_options(CLI::App& command, InfoOptions& options) {
  command.add_option("--rings-map", options.rings_map,
                     "Write what the gain map changes at every pixel as a picture (.png)");
  command.add_flag("--fields", options.fields, "Also everything the source says, and what became of it");
  command.add_flag("--config", options.config,
                   "Only the options that a volume was made with, as `recon --config` takes them");
  command.add_flag("--json", options.json, "Print as JSON");
}

}  // namespace

void add_info_command(CLI::App& program) {
  auto options = std::make_shared<InfoOptions>();
  CLI::App* command = program.add_subcommand(
      "info",
      "Show what a scan is, what reconstructing it takes, and what is odd about it; or what a volume is");
  command->footer(
      "Examples:\n  feldspar info Cell01.xtekct --fields\n  feldspar info cell.h5\n"
      "  feldspar info cell.h5 --config > cell.toml");
  using run::Topic;
  options->request.add(
      *command,
      {Topic::input, Topic::region, Topic::geometry, Topic::corrections, Topic::filter, Topic::machine},
      {"sample"});
  command->get_option("--scan")->required();
  add_own_options(*command, *options);
  command->callback([options] { run(*options); });
}

}  // namespace feldspar::cli
