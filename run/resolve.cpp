#include "run/resolve.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "base/error.hpp"
#include "base/units.hpp"
#include "io/hdf5/volume_file.hpp"
#include "recon/measure/plateau.hpp"
#include "recon/verify/scan_checks.hpp"
#include "run/memory_needs.hpp"
#include "run/searches.hpp"
#include "run/transform.hpp"

namespace feldspar::run {
namespace {

void append(Findings& all, const Findings& more) { all.insert(all.end(), more.begin(), more.end()); }

/// Throws Error(usage) for a volume of which no view sees anything; one that is seen in part is a finding.
void check_region(const geometry::VolumeGrid& grid, const geometry::CircularScan& scan, Findings& findings) {
  const geometry::VolumeGrid field = geometry::default_grid(scan);
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
    throw Error(ErrorKind::usage, text + "nothing of it",
                {{"center", "", "correct"}, {"size", "", ""}, {"like", "", ""}, {"transform", "", ""}});
  findings.push_back({"region.outside", text + "what lies outside stays empty", "size"});
}

void set_up_fdk(Planning& planning) {
  const Request& request = planning.request();
  Reconstruction& work = planning.work;
  Plan& plan = work.plan;
  work.fdk = {.grid = request.transform ? unmoved(*request.transform, plan.grid) : plan.grid,
              .ramp = request.ramp,
              .projector = plan.projector};
  work.fdk.memory = work.shop.budget->limit();
  work.fdk.readers = std::max(1, work.shop.threads / static_cast<int>(work.shop.devices().size()));
  work.fdk.used_bytes = work.shop.budget->used();
  if (planning.known) return;
  plan.projector = make_projector(request, work.scan, work.setup, work.fdk.grid, *work.shop.backend);
  work.fdk.projector = plan.projector;
  check_region(work.fdk.grid, work.scan, planning.findings.region);
}

void gather_findings(Planning& planning, const Findings& of_inspection) {
  if (planning.known) return;
  const PlanFindings& found = planning.findings;
  Findings& all = planning.work.plan.findings;
  all = planning.work.source->findings();
  const Findings* const sets[] = {
      &found.axis,    &found.motion,     &found.region,      &planning.work.setup.findings,
      &of_inspection, &found.truncation, &found.corrections, &found.hardening};
  for (const Findings* more : sets) append(all, *more);
}

/// The edges beyond which no other view sees the object.
recon::OuterEdges outer_edges(const recon::FdkSetup& setup, const geometry::CircularScan& scan) {
  if (!setup.displaced) return recon::OuterEdges::both;
  const double axis = project(geometry::make_views(scan).front(), {0, 0, 0}).column;
  return axis < 0.5 * (scan.detector.columns - 1) ? recon::OuterEdges::right : recon::OuterEdges::left;
}

void correct_intensities(Planning& planning, Findings& of_inspection) {
  Reconstruction& work = planning.work;
  if (planning.request().open.headers_only) return;
  if (!planning.known) {
    work.plan.inspection = recon::inspect(*work.source, work.setup.view_indices, planning.resources(),
                                          outer_edges(work.setup, work.scan));
    planning.looks_at(recon::inspected_views, "the beam");
    planning.looks_at(work.setup.view_indices.size(), "repeats (a row)");
    of_inspection = std::move(work.plan.inspection.findings);
    work.plan.inspection.findings.clear();
  }
  if (const double level = work.plan.inspection.saturation_level; level > 0)
    work.source = recon::saturating_at(std::move(work.source), level, *work.shop.budget);
  extend_rows(planning);
  require_slabs(work);
  correct(planning);
  linearize(planning);
}

/// What the projections alone can say of the volume to come is asked before an hour's work, not after it.
void ask_projections(Planning& planning, bool verified) {
  Reconstruction& work = planning.work;
  if (!asks_projections(planning.request(), planning.known, verified)) return;
  Progress progress(planning.monitor());
  work.of_scan = recon::check_scan({*work.source, work.setup, work.fdk}, work.scan, work.centre,
                                   work.shop.resources(), progress);
}

}  // namespace

std::vector<int> chosen_views(const Request& request, const geometry::CircularScan& scan) {
  return request.views.of(static_cast<int>(scan.angles.size()));
}

geometry::VolumeGrid planned_grid(const Request& request, const geometry::CircularScan& scan) {
  if (!request.like.empty()) return io::VolumeReader(request.like).grid();
  geometry::VolumeGrid grid = geometry::default_grid(scan, request.voxel_size.value_or(0));
  const geometry::Vec3 middle = grid.centre_of(0.5 * (grid.nx - 1), 0.5 * (grid.ny - 1), 0.5 * (grid.nz - 1));
  const std::array<int, 3> size = request.size.value_or(std::array{grid.nx, grid.ny, grid.nz});
  return geometry::centred_grid(size[0], size[1], size[2], grid.spacing.x, request.center.value_or(middle));
}

kernels::BackProjectorSpec make_projector(const Request& request, const geometry::CircularScan& scan,
                                          const recon::FdkSetup& setup, const geometry::VolumeGrid& grid,
                                          const kernels::Backend& backend) {
  kernels::BackProjectorSpec spec;
  const geometry::FieldOfView seen = geometry::field_of_view(scan);
  spec.radius = geometry::is_displaced(scan) ? seen.outer_radius : seen.inner_radius;
  const Merging& merging = request.merging;
  const bool given = merging.kind == Merging::Kind::given;
  if (merging.kind == Merging::Kind::off || (!given && !backend.merges_views())) return spec;
  if (!backend.merges_views())
    throw Error(ErrorKind::unsupported, fmt::format("{} cannot merge views", backend.name()),
                {{"fast", "off"}});
  spec.merging = given ? kernels::merging_of(merging.views, setup.views, grid, spec.radius)
                       : kernels::choose_merging(setup.views, grid, spec.radius);
  return spec;
}

std::unique_ptr<io::ScanSource> open_source(const Request& request, io::RunFiles files) {
  std::ranges::move(inputs_of(request), std::back_inserter(files.inputs));
  files.more_inputs = true;
  io::check_outputs(files);
  files.more_inputs = false;
  auto source = io::open_scan(request.scan, request.open);
  if (files.outputs.empty()) return source;
  std::ranges::move(source->files(), std::back_inserter(files.inputs));
  for (const std::filesystem::path& volume : {request.like, request.context})
    if (!volume.empty())
      std::ranges::move(io::VolumeReader(volume).files(), std::back_inserter(files.inputs));
  io::check_outputs(files);
  return source;
}

Opened open(const Request& request, io::RunFiles files) {
  validate(request);
  Opened opened{{}, request, open_source(request, std::move(files))};
  opened.shop = open_workshop(request.machine);
  opened.shop.budget->reserve(recon::bytes_of(opened.source->references()), "open-beam and dark images");
  return opened;
}

Reconstruction resolve(Opened opened, const ResolveOptions& options) {
  Reconstruction work;
  if (options.plan) work.plan = *options.plan;
  work.shop = std::move(opened.shop);
  work.source = std::move(opened.source);
  work.plan.request = std::move(opened.request);
  work.scan = work.source->scan();
  const Request& request = work.request();
  Planning planning{work, options.watch, options.plan != nullptr};
  work.least_memory = foresee_memory(work, planning.known, options.verified);
  take_off_scatter(planning);
  place_axis(planning);
  place_views(planning);
  if (request.transform) turn(*request.transform, work.scan);
  work.setup = recon::prepare_fdk(work.scan, chosen_views(request, work.scan));
  cut_region(planning);
  geometry::validate(work.plan.grid);
  set_up_fdk(planning);
  work.share = share_of(request.share, work.fdk.grid.nz);
  Findings of_inspection;
  correct_intensities(planning, of_inspection);
  if (request.transform && leans(*request.transform)) lean(*request.transform, work.setup, work.fdk);
  work.fdk.used_bytes = work.shop.budget->used();
  work.slabs = recon::plan_slabs(work.setup, work.fdk.grid, work.fdk.memory,
                                 recon::costs_on(work.shop.devices(), *work.source, work.setup, work.fdk),
                                 work.share.slices);
  ask_projections(planning, options.verified);
  gather_findings(planning, of_inspection);
  return work;
}

double updates(const Reconstruction& work) {
  const double share = static_cast<double>(work.share.slices.count()) / work.fdk.grid.nz;
  return share * recon::computed_voxels(work.fdk) * static_cast<double>(work.setup.views.size());
}

}  // namespace feldspar::run
