#include "recon/fdk/fdk.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <optional>

#include "base/error.hpp"
#include "base/memory.hpp"
#include "kernels/back_projector.hpp"
#include "kernels/filter.hpp"
#include "recon/fdk/device_worker.hpp"
#include "recon/slabs/conveyor.hpp"
#include "recon/truncation/extended_filter.hpp"

namespace feldspar::recon {
namespace {

Findings judge(const kernels::AttenuationTally& tally) {
  Findings findings;
  const auto share = [&](std::int64_t count) {
    return 100.0 * static_cast<double>(count) / static_cast<double>(tally.pixels);
  };
  if (tally.not_finite > 0)
    findings.push_back(
        {"pixels.infinite",
         fmt::format("{} pixels are NaN or infinite and were taken as open beam", tally.not_finite)});
  if (tally.dead > 0)
    findings.push_back(
        {"pixels.dead",
         fmt::format("{:.3f} % of the pixels see no beam (white is not above dark)", share(tally.dead))});
  if (share(tally.floored) > 0.01)
    findings.push_back(
        {"pixels.starved",
         fmt::format("{:.3f} % of the pixels have no signal left and were taken as one count{}",
                     share(tally.floored),
                     share(tally.floored) > 20 ? ": the object starves the detector of photons" : "")});
  if (share(tally.saturated) > 0.01)
    findings.push_back(
        {"pixels.saturated",
         fmt::format("{:.3f} % of the pixels are saturated: attenuation there is underestimated",
                     share(tally.saturated))});
  return findings;
}

void add(FdkReport& sum, const FdkReport& part) {
  sum.read_s += part.read_s;
  sum.attenuation_s += part.attenuation_s;
  sum.correction_s += part.correction_s;
  sum.rectification_s += part.rectification_s;
  sum.filter_s += part.filter_s;
  sum.back_projection_s += part.back_projection_s;
  sum.write_s += part.write_s;
  sum.tally += part.tally;
  sum.findings.insert(sum.findings.end(), part.findings.begin(), part.findings.end());
}

/// The slices that no earlier run has stored; their work is told to `progress`.
std::vector<geometry::Range> slices_left(const SlabPlan& plan, const io::VolumeSink& sink, std::size_t views,
                                         Progress& progress) {
  std::vector<geometry::Range> wanted;
  double work = 0;
  for (const Slab& slab : plan.slabs) {
    if (sink.has(slab.slices)) continue;
    wanted.push_back(slab.slices);
    work += static_cast<double>(slab.slices.count()) * static_cast<double>(views);
  }
  progress.expect(work);
  return wanted;
}

/// What the devices did together, and what is to be said of it.
FdkReport report_of(const std::deque<DeviceWorker>& workers) {
  FdkReport report;
  for (const DeviceWorker& worker : workers) add(report, worker.report());
  const Findings judged = judge(report.tally);
  report.findings.insert(report.findings.end(), judged.begin(), judged.end());
  return report;
}

/// But for what devices have of their own beside the filter.
MemoryCosts costs_of_work(kernels::Backend& backend, const io::ScanSource& source, const FdkSetup& setup,
                          const FdkOptions& options) {
  const int width = options.extension ? options.extension->width(setup.columns) : setup.columns;
  const auto filter = backend.make_filter({.columns = width, .ramp = setup.ramp_of(options.ramp)});
  const std::shared_ptr<kernels::BackProjector> back_projector =
      backend.make_back_projector(options.projector);
  const Extension* extension = options.extension.get();
  const bool on_host = backend.uses_host_memory();
  return {.count_bytes = io::bytes_of(source.count_type()),
          .fixed = options.used_bytes + bytes_of(setup) +
                   LineIntegralStage::tables_bytes(source, options.correction_spec()).host +
                   options.source_bytes + (on_host ? filter->workspace_bytes() : 0),
          .device_fixed = on_host ? 0 : filter->workspace_bytes(),
          .halo_rows = options.halo_rows(),
          .held_row_bytes = options.held_row_bytes,
          .merging = options.projector.merging,
          .back_projector = [back_projector](
                                int columns, int rows,
                                int views) { return back_projector->workspace_bytes(columns, rows, views); },
          .extension =
              [extension, &setup](int rows) {
                return extension ? ExtendedFilter::workspace_bytes(setup, *extension, rows) : 0;
              }};
}

}  // namespace

double computed_voxels(const FdkOptions& options) {
  const geometry::VolumeGrid& grid = options.grid;
  double columns = 0;
  for (int j = 0; j < grid.ny; ++j)
    for (int i = 0; i < grid.nx; ++i) {
      const geometry::Vec3 voxel = grid.centre_of(i, j, 0);
      columns += std::hypot(voxel.x, voxel.y) <= options.projector.radius;
    }
  return columns * grid.nz;
}

MemoryCosts costs_on(std::span<kernels::Backend* const> backends, const io::ScanSource& source,
                     const FdkSetup& setup, const FdkOptions& options) {
  constexpr std::size_t tables = std::size_t{64} << 20;  // of the operators, and what a driver keeps
  MemoryCosts costs = costs_of_work(*backends.front(), source, setup, options);
  costs.devices = static_cast<int>(backends.size());
  if (backends.front()->uses_host_memory()) return costs;
  costs.device_fixed += tables + LineIntegralStage::tables_bytes(source, options.correction_spec()).device +
                        sizeof(float) * setup.column_weights.size();
  if (options.extension && options.extension->context)
    costs.device_fixed += options.extension->context->voxels().bytes();
  costs.device_limit = backends.front()->device_memory_left();
  for (const kernels::Backend* backend : backends)
    costs.device_limit = std::min(*costs.device_limit, backend->device_memory_left());
  return costs;
}

MemoryCosts costs_on(kernels::Backend& backend, const io::ScanSource& source, const FdkSetup& setup,
                     const FdkOptions& options) {
  kernels::Backend* const one = &backend;
  return costs_on(std::span(&one, 1), source, setup, options);
}

FdkReport reconstruct_fdk(const FdkJob& job, const SlabPlan& plan, io::VolumeSink& sink,
                          std::span<kernels::Backend* const> backends, Progress& progress) {
  const auto start = std::chrono::steady_clock::now();
  SlabTask task{.source = job.source,
                .sink = sink,
                .setup = job.setup,
                .plan = plan,
                .options = job.options,
                .progress = progress,
                .queue = SlabQueue(slices_left(plan, sink, job.setup.views.size(), progress),
                                   static_cast<int>(backends.size()))};
  std::deque<DeviceWorker> workers;
  for (kernels::Backend* backend : backends) workers.emplace_back(task, *backend);
  Conveyor devices;
  for (DeviceWorker& worker : workers) devices.start([&worker] { worker.serve(); });
  devices.finish();

  FdkReport report = report_of(workers);
  report.total_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return report;
}

FdkReport reconstruct_fdk(const FdkJob& job, const SlabPlan& plan, io::VolumeSink& sink,
                          kernels::Backend& backend, Progress& progress) {
  kernels::Backend* const one = &backend;
  return reconstruct_fdk(job, plan, sink, std::span(&one, 1), progress);
}

}  // namespace feldspar::recon
