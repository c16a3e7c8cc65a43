// `feldspar simulate`: writes a virtual scan in any format there is a writer for, of which the truth is known
// exactly.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/memory.hpp"
#include "base/parallel.hpp"
#include "base/progress.hpp"
#include "base/units.hpp"
#include "base/version.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "geometry/volume_grid.hpp"
#include "io/create_scan.hpp"
#include "io/hdf5/volume_file.hpp"
#include "simulate/presets.hpp"
#include "simulate/scatter.hpp"
#include "simulate/virtual_scan.hpp"

namespace feldspar::cli {
namespace {

/// What was typed; empty or 0 keeps the preset's.
struct SimulateOptions {
  std::string preset, folder, format = "nikon", name, scale, truth;
  int views = 0, columns = 0, rows = 0, threads = 0, sub_rays = 0, sub_angles = 0;
  std::string pitch, sod, sdd, exposure, axis_offset, axis_roll, axis_tilt, detector_offset;
  std::string spectrum;
  double scatter = 0;
  bool no_noise = false, no_blur = false, overwrite = false;
  std::uint64_t seed = 1;
};

/// "1/4", "0.25" or "2".
double parse_scale(const std::string& text) {
  const auto slash = text.find('/');
  double above = 0, below = 1;
  if (!parse_number(text.substr(0, slash), above) ||
      (slash != std::string::npos && !parse_number(text.substr(slash + 1), below)) || above <= 0 ||
      below <= 0)
    throw Error(ErrorKind::usage, fmt::format("--scale is '{}'; write 1/4, 0.25 or the like", text));
  return above / below;
}

/// Lengths and angles of the geometry that were given replace the preset's.
void apply_geometry(const SimulateOptions& options, geometry::CircularScan& scan) {
  const auto length = [](const std::string& text, const char* what, double& value) {
    if (!text.empty()) value = parse_length_mm(text, what);
  };
  length(options.sod, "--sod", scan.source_object_distance);
  length(options.sdd, "--sdd", scan.source_detector_distance);
  length(options.axis_offset, "--axis-offset", scan.axis.offset);
  length(options.detector_offset, "--detector-offset", scan.detector.column_offset);
  length(options.pitch, "--pitch", scan.detector.column_pitch);
  length(options.pitch, "--pitch", scan.detector.row_pitch);
  if (!options.axis_roll.empty()) scan.axis.roll = parse_angle_rad(options.axis_roll, "--axis-roll");
  if (!options.axis_tilt.empty()) scan.axis.tilt = parse_angle_rad(options.axis_tilt, "--axis-tilt");
  if (options.columns > 0) scan.detector.columns = options.columns;
  if (options.rows > 0) scan.detector.rows = options.rows;
  if (!options.scale.empty()) simulate::scale_detector(scan.detector, parse_scale(options.scale));
  if (options.views > 0) scan.angles = simulate::full_turn(options.views);
}

simulate::VirtualScan virtual_scan_of(const SimulateOptions& options) {
  simulate::VirtualScan made = simulate::preset(options.preset);
  apply_geometry(options, made.scan);
  if (!options.exposure.empty() &&
      (!parse_number(options.exposure, made.notes.exposure_s) || made.notes.exposure_s <= 0))
    throw Error(ErrorKind::usage,
                fmt::format("--exposure is '{}'; write seconds, like 0.534", options.exposure));
  if (!options.scale.empty())
    made.sampling.rays =
        std::max(made.sampling.rays, simulate::rays_of_scale(made, parse_scale(options.scale)));
  if (options.sub_rays > 0) made.sampling.rays = options.sub_rays;
  if (options.sub_angles > 0) made.sampling.sub_angles = options.sub_angles;
  if (options.no_blur) made.blur_mm = 0, made.sampling.sub_angles = 1;
  simulate::settle(made);
  if (options.no_noise)
    made.detector = {.white_level = made.detector.white_level, .blur = made.detector.blur};
  made.detector.seed = options.seed;
  geometry::validate(made.scan);
  return made;
}

/// The object itself on the grid that the scan would be reconstructed on: mean attenuation of each voxel.
io::VolumeRecord record_of_truth(const std::string& name) {
  io::VolumeRecord record;
  record.title = name + ", the truth";
  record.reconstruction = {{"program", "feldspar"},
                           {"version", feldspar::version},
                           {"algorithm", "none: means of the object over each voxel"}};
  return record;
}

void write_truth(const SimulateOptions& options, const simulate::VirtualScan& made, ThreadPool& pool) {
  constexpr int slices_at_once = 16, samples = 4;
  const geometry::VolumeGrid grid = geometry::default_grid(made.scan);
  io::VolumeWriter writer(options.truth, grid, {.overwrite = options.overwrite});
  const Array3<float> slab(grid.nx, grid.ny, slices_at_once, "a slab of the truth");
  Progress progress(console_progress());
  progress.expect(grid.nz);
  for (int first = 0; first < grid.nz; first += slices_at_once) {
    const int count = std::min(slices_at_once, grid.nz - first);
    const View3<float> part = slab.view().planes(0, count);
    simulate::voxel_means(*made.object, geometry::slab_of(grid, first, count), samples, part, pool);
    writer.write(first, part);
    progress.advance(count, "writing the truth");
  }
  writer.finish(record_of_truth(made.name));
  std::cout << fmt::format("{}\n", options.truth);
}

io::ScanTarget target_of(const SimulateOptions& options) {
  return {options.format, options.folder, options.name, options.overwrite};
}

void check_outputs(const SimulateOptions& options) {
  io::RunFiles files{
      .inputs = {}, .outputs = io::outputs_of(target_of(options)), .overwrite = options.overwrite};
  if (!options.truth.empty())
    std::ranges::move(io::volume_outputs(options.truth), std::back_inserter(files.outputs));
  io::check_outputs(files);
}

std::unique_ptr<io::ScanSink> make_sink(const SimulateOptions& options, const simulate::VirtualScan& made) {
  if (!options.name.empty() && options.format != "nikon")
    throw Error(ErrorKind::usage, "--name is for the files of a Nikon scan; others are named by -o");
  const io::ScanNotes& notes = made.notes;
  io::ScanContent content{.scan = made.scan,
                          .type = io::CountType::uint16,
                          .references = {{static_cast<float>(notes.white_level)}, {}, 65535},
                          .description = {},
                          .findings = {}};
  content.description.name = made.name;
  content.description.instrument = "feldspar simulate";
  content.description.voltage_kv = notes.voltage_kv;
  content.description.current_ua = notes.current_ua;
  content.description.exposure_s = notes.exposure_s;
  if (!notes.filter_material.empty())
    content.description.filter = fmt::format("{:g} mm {}", notes.filter_mm, notes.filter_material);
  return io::create_scan(target_of(options), content);
}

void run_simulate(const SimulateOptions& options) {
  check_outputs(options);
  simulate::VirtualScan made = virtual_scan_of(options);
  const simulate::Illumination illumination =
      options.spectrum.empty() ? simulate::monochromatic(made.object)
                               : simulate::put_before(simulate::parse_beam(options.spectrum), made);
  if (options.no_noise) made.detector.photons = 0;
  const geometry::Detector& d = made.scan.detector;
  const int views = static_cast<int>(made.scan.angles.size());
  const std::unique_ptr<io::ScanSink> sink = make_sink(options, made);
  log_info(fmt::format(
      "{}: {} views of {} x {} pixels, voxels of {}, {}", made.name, views, d.columns, d.rows,
      format_length_mm(d.column_pitch / made.scan.magnification()),
      options.no_noise ? "no noise" : fmt::format("{:.3g} photons a pixel", made.detector.photons)));
  ThreadPool pool(options.threads);
  const Array3<float> beam(d.columns, d.rows, 1, "the simulated view");
  const Array3<std::uint16_t> counts(d.columns, d.rows, 1, "the simulated counts");
  Progress progress(console_progress());
  progress.expect(views);
  for (int view = 0; view < views; ++view) {
    simulate::transmission(illumination, made.scan, view, made.sampling, beam.view(), pool);
    simulate::add_scatter({.share = options.scatter}, made.scan, beam.view(), pool);
    simulate::blur(made.detector, beam.view(), pool);
    simulate::detect(made.detector, view, beam.view(), counts.view(), pool);
    sink->write_view(view, counts.data());
    progress.advance(1, "simulating");
  }
  sink->finish();
  std::cout << fmt::format("{}\n", options.folder);
  if (!options.truth.empty()) write_truth(options, made, pool);
}

std::string footer() {
  std::string text = "Presets:\n";
  for (const auto& [name, summary] : simulate::presets()) text += fmt::format("  {:<17}{}\n", name, summary);
  return text +
         "\nExamples:\n"
         "  feldspar simulate shepp-logan -o head --no-noise\n"
         "  feldspar simulate mj1-160s -o cell --scale 1/4 --axis-offset 120um\n"
         "  feldspar simulate mj1-160s -o hard --scale 1/8 --spectrum 205kV,1mmCu --scatter 0.1\n"
         "  feldspar simulate versa-10um -o cell.txrm --format zeiss --scale 1/4";
}

void add_options(CLI::App& command, SimulateOptions& o) {
  command.add_option("preset,--preset", o.preset, "What to scan and how; see the list below")->required();
  command
      .add_option("-o,--output", o.folder,
                  "Folder (or file, by --format) to write the scan to; it must be absent or empty")
      ->required();
  command
      .add_option("--format", o.format,
                  "nikon or tiff (folders), zeiss (.txrm), nxtomo (.nxs) or dxchange (.h5)")
      ->check(CLI::IsMember(io::scan_formats()))
      ->capture_default_str();
  command.add_option("--name", o.name, "Name of the scan's files (default: the preset's)");
  command.add_option("--truth", o.truth,
                     "Also write the object itself as a volume (.h5) on the scan's own grid");
  command.add_flag("--overwrite", o.overwrite, "Replace an earlier scan of this name in the folder");
  command.add_option("--scale", o.scale,
                     "Pixels along each side of the same detector, relative to the preset: 1/4");
  command.add_option("--views", o.views, "Views in the full turn")->check(CLI::PositiveNumber);
  command.add_option("--columns", o.columns, "Detector columns")->check(CLI::PositiveNumber);
  command.add_option("--rows", o.rows, "Detector rows")->check(CLI::PositiveNumber);
  command.add_option("--pitch", o.pitch, "Distance of neighbouring pixels: 200um");
  command.add_option("--sod", o.sod, "Source to rotation axis: 176.9mm");
  command.add_option("--sdd", o.sdd, "Source to detector: 983mm");
  command.add_option("--exposure", o.exposure, "Seconds a view, which sets the noise");
  command.add_option("--axis-offset", o.axis_offset,
                     "Rotation axis to the right seen from the source: 120um");
  command.add_option("--axis-roll", o.axis_roll, "Top of the rotation axis leans to the right: 0.1deg");
  command.add_option("--axis-tilt", o.axis_tilt, "Top of the rotation axis leans to the detector: 0.1deg");
  command.add_option("--detector-offset", o.detector_offset,
                     "Detector to the right seen from the source: 1.5mm");
  command
      .add_option(
          "--rays", o.sub_rays,
          "Rays a pixel along each side (default 1, of a cell more where --scale makes pixels larger)")
      ->check(CLI::Range(1, 16));
  command.add_option("--sub-angles", o.sub_angles, "Poses averaged in a view while the object turns")
      ->check(CLI::Range(1, 64));
  command.add_option("--spectrum", o.spectrum,
                     "A beam of many energies, by tube voltage and filters: 205kV or 205kV,1mmCu "
                     "(default: one energy, 91 keV)");
  command
      .add_option("--scatter", o.scatter,
                  "Share of what the object scatters once that goes on forwards: 0.1 (default: none)")
      ->check(CLI::Range(0.0, 1.0));
  command.add_flag("--no-noise", o.no_noise, "No photon or electronic noise, no gain pattern");
  command.add_flag("--no-blur", o.no_blur,
                   "A point source, sharp pixels, and an object that stands in each view");
  command.add_option("--seed", o.seed, "Another number, other noise (default 1)");
  command.add_option("--threads", o.threads, "Processors to use (default: all)")->check(CLI::PositiveNumber);
}

}  // namespace

void add_simulate_command(CLI::App& program) {
  CLI::App* command = program.add_subcommand(
      "simulate", "Write a virtual scan in a format of choice: exact line integrals of a known object");
  const auto options = std::make_shared<SimulateOptions>();
  add_options(*command, *options);
  command->footer(footer());
  command->callback([options] { run_simulate(*options); });
}

}  // namespace feldspar::cli
