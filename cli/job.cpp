#include "cli/job.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numbers>
#include <numeric>

#include "base/error.hpp"
#include "base/units.hpp"
#include "cli/job_memory.hpp"
#include "cli/options.hpp"
#include "cli/transform.hpp"
#include "io/hdf5/volume_file.hpp"
#include "recon/find/motion.hpp"

namespace feldspar::cli {
namespace {

/// The whole grid of another volume, so that both can be compared voxel by voxel.
geometry::VolumeGrid grid_like(const JobOptions& options) {
  const bool chosen = !options.voxel_size.empty() || !options.size.empty() || !options.center.empty();
  if (chosen || options.roi != "full")
    throw Error(ErrorKind::usage,
                "--like excludes --voxel-size, --size, --center and --roi auto: it takes all of them from " +
                    options.like.string());
  return io::VolumeReader(options.like).grid();
}

}  // namespace

std::vector<int> chosen_views(const JobOptions& options, const geometry::CircularScan& scan) {
  std::vector<int> views = parse_views(options.views, static_cast<int>(scan.angles.size()));
  if (!views.empty()) return views;
  views.resize(scan.angles.size());
  std::iota(views.begin(), views.end(), 0);
  return views;
}

geometry::VolumeGrid planned_grid(const JobOptions& options, const geometry::CircularScan& scan) {
  if (!options.like.empty()) return grid_like(options);
  const double spacing = options.voxel_size.empty() ? 0 : parse_length_mm(options.voxel_size, "--voxel-size");
  if (!options.voxel_size.empty() && !(spacing > 0))
    throw Error(ErrorKind::usage,
                fmt::format("--voxel-size: '{}' is not a positive length", options.voxel_size));
  geometry::VolumeGrid grid = geometry::default_grid(scan, spacing);
  geometry::Vec3 centre = grid.centre_of(0.5 * (grid.nx - 1), 0.5 * (grid.ny - 1), 0.5 * (grid.nz - 1));
  if (!options.center.empty()) {
    const auto parts = split_list(options.center, 3, "--center");
    centre = {parse_length_mm(parts[0], "--center"), parse_length_mm(parts[1], "--center"),
              parse_length_mm(parts[2], "--center")};
  }
  int counts[3] = {grid.nx, grid.ny, grid.nz};
  if (!options.size.empty()) {
    const auto parts = split_list(options.size, 3, "--size");
    for (std::size_t n = 0; n < 3; ++n) {
      double count = 0;
      if (!parse_number(parts[n], count) || count < 1 || count > 1e6 || count != static_cast<int>(count))
        throw Error(
            ErrorKind::usage,
            fmt::format("--size: '{}' is not a number of voxels; write for example 512,512,400", parts[n]));
      counts[n] = static_cast<int>(count);
    }
  }
  return geometry::centred_grid(counts[0], counts[1], counts[2], grid.spacing.x, centre);
}

void add_job_options(CLI::App& command, JobOptions& options) {
  command.add_option("scan,--scan", options.scan, "The scan: its file (.xtekct, .txrm, .nxs) or folder")
      ->required();
  add_open_options(command, options.open);
  add_resource_options(command, options.resources);
  command.add_option("--voxel-size", options.voxel_size, "As 36um; default: detector pitch / magnification");
  command.add_option("--size", options.size, "Voxels as NX,NY,NZ; default: what the detector covers");
  command.add_option("--center", options.center,
                     "Middle of the volume as X,Y,Z from the axis at the central ray's height: 0,0,4.5mm");
  command.add_option("--like", options.like, "The same voxels as those of this volume (.h5), place and size");
  command.add_option(
      "--transform", options.transform,
      "Where this scan's object lies among the voxels: the transform.toml of `feldspar compare`, "
      "or SCALE,RX,RY,RZ,X,Y,Z (rotation vector, shift)");
  command
      .add_option("--roi", options.roi, "Region: full, or auto (the box around the object, from a few views)")
      ->check(CLI::IsMember({"full", "auto"}))
      ->capture_default_str();
  command.add_option("--window", options.window, "Filter: ram-lak, shepp-logan, cosine, hamming, hann")
      ->capture_default_str();
  command.add_option("--cutoff", options.cutoff, "Filter cutoff, a fraction of the Nyquist frequency")
      ->capture_default_str();
  command.add_option("--views", options.views, "Only these views, as first:end:step");
  command
      .add_option("--fast", options.fast,
                  "Merge neighbouring views in back-projection: off, auto, or how many (2 to 16)")
      ->capture_default_str();
  command.add_option("--slabs", options.slabs,
                     "Only share K of N of the volume's slabs, as 3/16, into a part for `feldspar join`");
  command.add_option(
      "--axis-offset", options.axis_offset,
      "Rotation axis to the right of the central ray, at the object, as 0.12mm or 1.5px; metadata "
      "(default), or auto to find it and its roll in the projections");
  command.add_option("--axis-roll", options.axis_roll,
                     "Rotation axis leaning to the right seen from the source, as 0.1deg");
  command
      .add_option("--motion", options.motion,
                  "Shifts of single views while the scan was taken: off (only what the file states), or auto "
                  "to find them by re-projection")
      ->check(CLI::IsMember({"off", "auto"}))
      ->capture_default_str();
  add_correction_options(command, options.corrections);
  add_hardening_options(command, options.hardening);
  add_truncation_options(command, options.truncation);
}

/// The grid cut to the object, if that is wanted, and a finding that says what became of it.
geometry::VolumeGrid make_region(const JobOptions& options, const Job& job,
                                 const geometry::CircularScan& scan, geometry::VolumeGrid grid,
                                 Findings& findings) {
  if (options.roi == "full") return grid;
  if (!options.size.empty() || !options.center.empty())
    throw Error(ErrorKind::usage,
                "--roi auto and --size or --center exclude each other: both choose the region");
  const auto box = recon::find_object(*job.source, scan, job.setup.view_indices, job.shop.resources());
  if (!box) {
    findings.push_back(
        "--roi auto: no object stands out in the projections; the whole field of view is kept");
    return grid;
  }
  const geometry::VolumeGrid part = recon::cut_to(grid, *box);
  findings.push_back(
      fmt::format("--roi auto: the object fills x {:.2f} to {:.2f}, y {:.2f} to {:.2f}, z {:.2f} to "
                  "{:.2f} mm: {} x {} x {} voxels instead of {} x {} x {}",
                  box->lowest.x, box->highest.x, box->lowest.y, box->highest.y, box->lowest.z, box->highest.z,
                  part.nx, part.ny, part.nz, grid.nx, grid.ny, grid.nz));
  return part;
}

kernels::BackProjectorSpec make_projector(const JobOptions& options, const geometry::CircularScan& scan,
                                          const recon::FdkSetup& setup, const geometry::VolumeGrid& grid,
                                          const kernels::Backend& backend) {
  kernels::BackProjectorSpec spec;
  const geometry::FieldOfView seen = geometry::field_of_view(scan);
  spec.radius = geometry::is_displaced(scan) ? seen.outer_radius : seen.inner_radius;
  if (options.fast == "off" || (options.fast == "auto" && !backend.merges_views())) return spec;
  if (!backend.merges_views())
    throw Error(ErrorKind::unsupported,
                fmt::format("--fast: {} cannot merge views; use --fast off", backend.name()));
  double count = 0;
  if (options.fast == "auto") {
    spec.merging = kernels::choose_merging(setup.views, grid, spec.radius);
  } else if (parse_number(options.fast, count) && count == static_cast<int>(count)) {
    spec.merging = kernels::merging_of(static_cast<int>(count), setup.views, grid, spec.radius);
  } else {
    throw Error(ErrorKind::usage,
                fmt::format("--fast: '{}' is not off, auto or a number of views", options.fast));
  }
  return spec;
}

/// Puts the axis where the projections have it, and keeps what was found for the plan.
void find_axis(const JobOptions& options, Job& job, geometry::CircularScan& scan) {
  if (options.open.headers_only)
    throw Error(ErrorKind::usage, "--axis-offset auto needs the projections, and only headers are read");
  const std::vector<int> views = parse_views(options.views, static_cast<int>(scan.angles.size()));
  job.center = recon::choose_axis(*job.source, scan, views, job.shop.resources());
  job.findings.insert(job.findings.end(), job.center->findings.begin(), job.center->findings.end());
  scan.axis = job.center->axis;
  if (!options.axis_roll.empty()) scan.axis.roll = parse_angle_rad(options.axis_roll, "--axis-roll");
}

/// Puts the views where they were when they were taken.
void find_motion(const JobOptions& options, Job& job, geometry::CircularScan& scan) {
  if (!scan.shifts.empty()) job.motion = "as the file states";
  if (options.motion == "off") return;
  if (options.open.headers_only)
    throw Error(ErrorKind::usage, "--motion auto needs the projections, and only headers are read");
  const std::vector<int> views = chosen_views(options, scan);
  recon::MotionEstimate found = recon::estimate_motion(*job.source, scan, views, job.shop.resources());
  scan.shifts = std::move(found.shifts);
  job.motion = found.text;
  job.findings.push_back("motion: " + found.text);
}

/// The transform, if it can be had together with the other options.
std::optional<geometry::Similarity> chosen_transform(const JobOptions& options) {
  const auto transform = parse_transform(options.transform, "--transform");
  if (!transform) return transform;
  if (options.roi != "full")
    throw Error(ErrorKind::usage,
                "--transform and --roi auto exclude each other; choose the voxels with --like or --size");
  if (!options.truncation.outline.empty() || !options.truncation.context.empty())
    throw Error(ErrorKind::unsupported,
                "--transform cannot be had with --outline or --context, which say where things are in the "
                "scan's own place; reconstruct without --transform");
  if (leans(*transform) && options.fast != "off" && options.fast != "auto")
    throw Error(ErrorKind::unsupported,
                "--transform leans the axis, and merged views need it upright; use --fast off");
  return transform;
}

/// Throws Error(usage) for a volume of which no view sees anything; one that is seen in part is a finding.
void check_region(Job& job, const geometry::CircularScan& scan) {
  const geometry::VolumeGrid &grid = job.fdk.grid, field = geometry::default_grid(scan);
  const geometry::Vec3 low = grid.centre_of(-0.5, -0.5, -0.5),
                       high = grid.centre_of(grid.nx - 0.5, grid.ny - 0.5, grid.nz - 0.5),
                       bottom = field.centre_of(-0.5, -0.5, -0.5),
                       top = field.centre_of(field.nx - 0.5, field.ny - 0.5, field.nz - 0.5);
  const geometry::FieldOfView view = geometry::field_of_view(scan);
  const double radius = geometry::is_displaced(scan) ? view.outer_radius : view.inner_radius;
  const double voxel = std::max(grid.spacing.z, field.spacing.z);
  // Behind the axis a cone of rays is higher than at it.
  const double more = scan.beam == geometry::Beam::parallel
                          ? 0
                          : 0.5 * (top.z - bottom.z) * radius / scan.source_object_distance;
  const bool missed =
      std::hypot(std::max({0.0, low.x, -high.x}), std::max({0.0, low.y, -high.y})) >= radius ||
      low.z >= top.z + more || high.z <= bottom.z - more;
  const bool beyond = std::max({high.x, high.y, -low.x, -low.y}) > top.x + voxel || high.z > top.z + voxel ||
                      low.z < bottom.z - voxel;
  if (!missed && !beyond) return;
  const std::string text = fmt::format(
      "the volume spans x {:.4g} to {:.4g}, y {:.4g} to {:.4g} and z {:.4g} to {:.4g} mm, but the scan sees "
      "{:.4g} mm about the axis and z {:.4g} to {:.4g} mm: ",
      low.x, high.x, low.y, high.y, low.z, high.z, radius, bottom.z, top.z);
  if (missed)
    throw Error(ErrorKind::usage, text + "nothing of it; correct --center, --size, --like or --transform");
  job.findings.push_back(text + "what lies outside stays empty");
}

/// The scan as the source and the options state it, before anything is looked for.
geometry::CircularScan stated_scan(const JobOptions& options, const io::ScanSource& source) {
  geometry::CircularScan scan = source.scan();
  if (!options.axis_offset.empty() && options.axis_offset != "metadata" && options.axis_offset != "auto")
    scan.axis.offset = parse_length_or_pixels(options.axis_offset, "--axis-offset")
                           .in_mm(scan.detector.column_pitch / scan.magnification());
  if (!options.axis_roll.empty()) scan.axis.roll = parse_angle_rad(options.axis_roll, "--axis-roll");
  return scan;
}

recon::FdkOptions fdk_options(const JobOptions& options, const Job& job, const geometry::CircularScan& scan) {
  recon::FdkOptions fdk{
      .grid = job.transform ? unmoved(*job.transform, job.written) : job.written,
      .ramp = {.window = kernels::parse_ramp_window(options.window), .cutoff = options.cutoff},
      .projector = {}};
  kernels::validate(fdk.ramp);
  fdk.memory = job.shop.budget->limit();
  fdk.used_bytes = job.shop.budget->used();
  fdk.projector = make_projector(options, scan, job.setup, fdk.grid, *job.shop.backend);
  return fdk;
}

Job prepare_job(const JobOptions& options, io::RunFiles files) {
  check(options.corrections);
  for (const std::filesystem::path& input :
       {options.scan, options.like, options.truncation.context, std::filesystem::path(options.transform)})
    if (!input.empty()) files.inputs.push_back(input);
  if (!options.corrections.rings_map.empty())
    files.outputs.push_back({options.corrections.rings_map, io::Output::Kind::picture});
  files.more_inputs = true;
  io::check_outputs(files);
  files.more_inputs = false;
  Job job;
  job.transform = chosen_transform(options);
  Findings hardening;
  job.source = io::open_scan(options.scan, options.open);
  std::ranges::move(job.source->files(), std::back_inserter(files.inputs));
  for (const std::filesystem::path& volume : {options.like, options.truncation.context})
    if (!volume.empty() && !files.outputs.empty())
      std::ranges::move(io::VolumeReader(volume).files(), std::back_inserter(files.inputs));
  io::check_outputs(files);
  job.shop = open_workshop(options.resources);
  job.shop.budget->reserve(recon::bytes_of(job.source->references()), "open-beam and dark images");
  geometry::CircularScan scan = stated_scan(options, *job.source);
  job.least_memory = foresee_memory(options, job, scan);
  if (!options.open.headers_only)
    job.source = take_off_scatter(options.hardening, job.shop.resources(), std::move(job.source), hardening);
  if (options.axis_offset == "auto") find_axis(options, job, scan);
  find_motion(options, job, scan);
  if (job.transform) turn(*job.transform, scan);
  job.setup = recon::prepare_fdk(scan, parse_views(options.views, static_cast<int>(scan.angles.size())));
  job.written = make_region(options, job, scan, planned_grid(options, scan), job.findings);
  geometry::validate(job.written);
  job.fdk = fdk_options(options, job, scan);
  check_region(job, scan);
  job.share = parse_share(options.slabs, job.fdk.grid.nz);
  Findings truncation, corrected;
  if (!options.open.headers_only) {
    job.inspection = recon::inspect(*job.source, job.setup.view_indices, job.shop.resources());
    job.fdk.extension = make_extension(
        options.truncation, {*job.source, scan, job.setup, job.inspection, job.shop.resources()}, truncation);
    require_slabs(options, job);
    corrected = correct(options.corrections, job);
    job.fdk.corrections = with_hardening(
        options.hardening, {*job.source, scan, job.setup, job.inspection, job.fdk, job.shop.resources()},
        hardening);
  }
  if (job.transform && leans(*job.transform)) lean(*job.transform, job.setup, job.fdk);
  job.fdk.used_bytes = job.shop.budget->used();
  job.plan = recon::plan_slabs(job.setup, job.fdk.grid, job.fdk.memory,
                               recon::costs_on(job.shop.devices(), *job.source, job.setup, job.fdk),
                               job.share.slices);

  job.findings.insert(job.findings.begin(), job.source->findings().begin(), job.source->findings().end());
  job.findings.insert(job.findings.end(), job.setup.findings.begin(), job.setup.findings.end());
  job.findings.insert(job.findings.end(), job.inspection.findings.begin(), job.inspection.findings.end());
  job.findings.insert(job.findings.end(), truncation.begin(), truncation.end());
  job.findings.insert(job.findings.end(), corrected.begin(), corrected.end());
  job.findings.insert(job.findings.end(), hardening.begin(), hardening.end());
  return job;
}

std::string describe_plan(const Job& job) {
  const geometry::VolumeGrid& grid = job.written;
  const geometry::Vec3 first = grid.centre_of(-0.5, -0.5, -0.5),
                       last = grid.centre_of(grid.nx - 0.5, grid.ny - 0.5, grid.nz - 0.5);
  std::string text;
  text += fmt::format("volume    {} x {} x {} voxels of {} (x, y, z), {}\n", grid.nx, grid.ny, grid.nz,
                      format_length_mm(grid.spacing.x), format_bytes(grid.voxels() * sizeof(float)));
  text += fmt::format("          x {:.4g} to {:.4g}, y {:.4g} to {:.4g}, z {:.4g} to {:.4g} mm\n", first.x,
                      last.x, first.y, last.y, first.z, last.z);
  if (job.transform) text += fmt::format("moved     {}\n", describe(*job.transform));
  if (job.center)
    text += fmt::format("axis      offset {:.4f} +- {:.4f} mm, roll {:.3f} deg, by {}\n",
                        job.center->axis.offset, job.center->offset_uncertainty,
                        job.center->axis.roll * 180 / std::numbers::pi, job.center->method);
  if (!job.motion.empty()) text += fmt::format("motion    {}\n", job.motion);
  if (!job.share.is_whole())
    text += fmt::format("share     {}: slices {} to {}\n", job.share.text(), job.share.slices.first,
                        job.share.slices.end - 1);
  text += fmt::format("device    {}", job.shop.backend->name());
  for (const auto& other : job.shop.more_backends) text += ", " + other->name();
  text += "\n";
  text += fmt::format("filter    {}, cutoff {} of Nyquist\n", kernels::name_of(job.fdk.ramp.window),
                      job.fdk.ramp.cutoff);
  text += describe_corrections(job);
  if (job.fdk.extension)
    text += fmt::format("rows      continued from {} to {} columns\n", job.setup.columns,
                        job.fdk.extension->width(job.setup.columns));
  const kernels::ViewMerging& merging = job.fdk.projector.merging;
  if (merging.views > 1)
    text += fmt::format(
        "merging   {} neighbouring views in tiles of {} voxels; displaces by {:.2f} voxel at most\n",
        merging.views, merging.tile, merging.displacement);
  text += fmt::format("plan      {} slab{} of up to {} slices, {} views at a time; reads {}\n",
                      job.plan.slabs.size(), job.plan.slabs.size() == 1 ? "" : "s",
                      job.plan.slabs.front().slices.count(), job.plan.views_per_batch,
                      format_bytes(job.plan.bytes_to_read));
  text += fmt::format("memory    {} of at most {}\n", format_bytes(job.plan.memory),
                      format_bytes(job.fdk.memory));
  if (job.plan.device_memory > 0) text += fmt::format("GPU       {}\n", format_bytes(job.plan.device_memory));
  return text;
}

}  // namespace feldspar::cli
