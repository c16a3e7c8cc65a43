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
#include "cli/job.hpp"
#include "io/hdf5/volume_file.hpp"
#include "recon/fdk/time_estimate.hpp"

namespace feldspar::cli {
namespace {

using nlohmann::json;

struct InfoOptions {
  JobOptions job;
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

json describe_json(const Job& job, bool has_pixels, const recon::TimeEstimate& time) {
  const geometry::CircularScan& scan = job.source->scan();
  const geometry::Detector& d = scan.detector;
  const io::ScanDescription& about = job.source->description();
  const geometry::VolumeGrid& grid = job.fdk.grid;
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
      {"angular_span_deg", job.setup.coverage.span / radians_per_degree},
      {"complete_turn", job.setup.coverage.complete},
      {"volume",
       {{"size", {grid.nx, grid.ny, grid.nz}},
        {"voxel_size_mm", grid.spacing.x},
        {"bytes", grid.voxels() * sizeof(float)}}},
      {"plan",
       {{"device", job.shop.backend->name()},
        {"slabs", job.plan.slabs.size()},
        {"memory_bytes", job.plan.memory},
        {"bytes_to_read", job.plan.bytes_to_read},
        {"estimated_seconds", time.total_s()}}},
      {"findings", job.findings},
      {"fields", fields_json(*job.source)}};
}

std::string describe_scan(const Job& job) {
  const geometry::CircularScan& scan = job.source->scan();
  const geometry::Detector& d = scan.detector;
  const io::ScanDescription& about = job.source->description();
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
  text +=
      fmt::format("views     {} over {:.3f} degrees, mean step {:.4f}\n", job.setup.views.size(),
                  job.setup.coverage.span / radians_per_degree,
                  job.setup.coverage.span / radians_per_degree / static_cast<double>(job.setup.views.size()));
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
void describe_source(const InfoOptions& options, const std::string& reason) {
  io::OpenOptions open = options.job.open;
  open.headers_only = true;
  const auto source = io::open_scan(options.job.scan, open);
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
                      {"refused", reason},
                      {"findings", source->findings()},
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
  for (const std::string& finding : source->findings())
    if (finding != reason) std::cout << "odd       " << finding << '\n';
  if (options.fields) print_fields(*source);
}

/// The job, and whether the scan's projections are there: without them the geometry is still worth showing.
Job open_even_without_pixels(JobOptions options, bool& has_pixels, std::string& reason) {
  try {
    has_pixels = true;
    return prepare_job(options);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::bad_file && error.kind() != ErrorKind::io) throw;
    reason = error.what();
  }
  has_pixels = false;
  options.open.headers_only = true;
  Job job = prepare_job(options);
  const auto said = std::find(job.findings.begin(), job.findings.end(), reason);
  if (said != job.findings.end()) job.findings.erase(said);
  job.findings.push_back("this scan cannot be reconstructed: " + reason);
  return job;
}

void describe(const InfoOptions& options) {
  bool has_pixels = false;
  std::string reason;
  const Job job = open_even_without_pixels(options.job, has_pixels, reason);
  const recon::TimeEstimate time = recon::estimate_time(*job.shop.backend, job.setup, job.plan, job.fdk);
  if (options.json) {
    std::cout
        << describe_json(job, has_pixels, time).dump(2, ' ', false, nlohmann::json::error_handler_t::replace)
        << '\n';
    return;
  }
  std::cout << describe_scan(job) << describe_plan(job);
  std::cout << fmt::format(
      "time      about {}, by a short measurement, plus what reading and writing cannot overlap\n",
      format_seconds(time.total_s()));
  if (has_pixels)
    std::cout << fmt::format("beam      air at {:.3f} of white, darkest transmission {:.4f}\n",
                             job.inspection.air_level, job.inspection.lowest_transmission);
  std::cout << (job.findings.empty() ? "odd       nothing\n" : "");
  for (const std::string& finding : job.findings) std::cout << "odd       " << finding << '\n';
  if (options.fields) print_fields(*job.source);
  write_rings_map(options.job.corrections, job, false);
}

/// What `recon --config` takes to make the volume again.
void print_configuration(const InfoOptions& options) {
  const std::string text = io::VolumeReader(options.job.scan).text("reconstruction/configuration");
  if (text.empty())
    throw Error(ErrorKind::bad_file,
                options.job.scan.string() + ": does not say how it was made (reconstruction/configuration)");
  std::cout << text;
}

/// A volume that feldspar has made is no scan, but has much to say.
bool describe_volume(const InfoOptions& options) {
  std::error_code failed;
  if (options.job.scan.extension() != ".h5" || !std::filesystem::is_regular_file(options.job.scan, failed))
    return false;
  std::optional<io::VolumeReader> volume;
  try {
    volume.emplace(options.job.scan);
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
  if (options.config) return print_configuration(options);
  if (describe_volume(options)) return;
  try {
    describe(options);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::unsupported) throw;
    try {
      describe_source(options, error.what());
    } catch (const Error&) {
      throw error;  // no reader knows it at all
    }
  }
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
  add_job_options(*command, options->job);
  command->add_flag("--fields", options->fields, "Also everything the source says, and what became of it");
  command->add_flag("--config", options->config,
                    "Only the options that a volume was made with, as `recon --config` takes them");
  command->add_flag("--json", options->json, "Print as JSON");
  command->callback([options] { run(*options); });
}

}  // namespace feldspar::cli
