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
#include "kernels/rectifier.hpp"
#include "recon/slabs/conveyor.hpp"
#include "recon/slabs/device_array.hpp"
#include "recon/slabs/slab_worker.hpp"
#include "recon/slabs/slab_works.hpp"
#include "recon/truncation/extended_filter.hpp"

namespace feldspar::recon {
namespace {

/// The operators and the memory of one reconstruction: what turns raw counts into a slab.
class Works final : public SlabWorks {
 public:
  Works(const io::ScanSource& source, kernels::Backend& backend, const FdkSetup& setup, const SlabPlan& plan,
        const FdkOptions& options, FdkReport& report)
      : backend_(backend),
        setup_(setup),
        options_(options),
        report_(report),
        count_type_(source.count_type()),
        attenuation_(backend.make_attenuation({.columns = setup.source_columns,
                                               .rows = setup.source_rows,
                                               .white = source.references().white,
                                               .dark = source.references().dark,
                                               .saturation = source.references().saturation})),
        back_projector_(backend.make_back_projector(options.projector)) {
    const auto views = static_cast<std::size_t>(plan.views_per_batch);
    const std::size_t pixels = largest(plan, source_pixels) * views;
    line_integrals_.emplace(backend, pixels, "line integrals");
    if (options.extension)
      extended_filter_.emplace(backend, setup, *options.extension, options.ramp,
                               static_cast<int>(largest(plan, [](const Slab& s) { return s.rows.count(); })));
    else
      filter_ = backend.make_filter({.columns = setup.columns, .ramp = options.ramp});
    for (int slot = 0; slot < slots; ++slot) {
      done_.push_back(backend.make_marker());
      if (!backend.uses_host_memory())
        counts_.emplace_back(backend, pixels * io::bytes_of(count_type_), "raw counts");
    }
    if (options.corrections && !options.corrections->spec.empty())
      correction_ = backend.make_correction(options.corrections->spec);
    if (setup.rectification) rectifier_ = backend.make_rectifier();
    if (!setup.rectification && options.halo_rows() == 0) return;
    upright_.emplace(backend,
                     largest(plan, [&](const Slab& s) { return s.rows.count(); }) * views *
                         static_cast<std::size_t>(setup.columns),
                     "upright projections");
  }

  void bring(int slot, const void* raw, std::size_t bytes) override {
    if (counts_.empty()) return;
    at(done_, slot)->wait();
    backend_.upload_beside(raw, at(counts_, slot).view(1, 1, 1).data, bytes);
  }

  void add(const Slab& slab, geometry::Range batch, Counts counts,
           kernels::DeviceView3<float> volume) override {
    const auto stack = line_integrals(slab, batch, counts);
    {
      const Stopwatch time(report_.filter_s);
      filter(slab, batch, stack);
    }
    const Stopwatch time(report_.back_projection_s);
    back_projector_->accumulate(part(setup_.views, batch), slab.rows, stack, options_.grid, slab.slices,
                                volume);
    at(done_, counts.slot)->set();
    at(done_, (counts.slot + 1) % slots)->wait();
  }

  void finish() override {
    const Stopwatch time(report_.back_projection_s);
    backend_.wait();
  }

  kernels::DeviceView3<float> line_integrals(const Slab& slab, geometry::Range batch,
                                             Counts counts) override {
    const int columns = slab.source_window.columns.count(), rows = slab.source_window.rows.count();
    auto stack = line_integrals_->view(columns, rows, batch.count());
    {
      const Stopwatch time(report_.attenuation_s);
      attenuate(slab, stack, counts_.empty() ? counts.raw : at(counts_, counts.slot).view(1, 1, 1).data);
    }
    if (correction_) {
      const Stopwatch time(report_.correction_s);
      stack = correct(slab, batch, stack);
    }
    if (setup_.rectification) {
      const Stopwatch time(report_.rectification_s);
      const auto upright = upright_->view(setup_.columns, slab.rows.count(), batch.count());
      rectifier_->apply(part(setup_.rectification->homographies, batch), setup_.source_columns,
                        setup_.source_rows, slab.source_window, stack, {{0, setup_.columns}, slab.rows},
                        upright);
      stack = upright;
    }
    return stack;
  }

  [[nodiscard]] kernels::AttenuationTally tally() const override { return attenuation_->tally(); }

 private:
  template <class T>
  static T& at(std::vector<T>& of_slots, int slot) {
    return of_slots[static_cast<std::size_t>(slot)];
  }

  template <class T>
  static std::span<const T> part(const std::vector<T>& all, geometry::Range batch) {
    return std::span(all).subspan(static_cast<std::size_t>(batch.first),
                                  static_cast<std::size_t>(batch.count()));
  }

  void filter(const Slab& slab, geometry::Range batch, kernels::DeviceView3<float> stack) {
    if (extended_filter_) return extended_filter_->apply(batch, slab.rows, stack);
    const auto width = static_cast<std::size_t>(setup_.columns);
    const std::span<const float> all(setup_.column_weights);
    filter_->apply(part(setup_.weights, batch),
                   all.empty() ? all : all.subspan(width * batch.first, width * batch.count()),
                   slab.rows.first, stack);
  }

  /// Leaves the rows that are filtered next: all of them to a rectification, which finds its own.
  kernels::DeviceView3<float> correct(const Slab& slab, geometry::Range batch,
                                      kernels::DeviceView3<float> stack) {
    const geometry::Range read = slab.source_window.rows, kept = setup_.rectification ? read : slab.rows;
    const auto corrected = kept == read ? stack : upright_->view(stack.nx, kept.count(), stack.nz);
    correction_->apply(batch.first, read, stack, kept, corrected);
    return corrected;
  }

  void attenuate(const Slab& slab, kernels::DeviceView3<float> stack, void* raw) {
    if (count_type_ == io::CountType::uint16)
      attenuation_->apply(kernels::DeviceView3<const std::uint16_t>{static_cast<const std::uint16_t*>(raw),
                                                                    stack.nx, stack.ny, stack.nz},
                          slab.source_window, stack);
    else
      attenuation_->apply(
          kernels::DeviceView3<const float>{static_cast<const float*>(raw), stack.nx, stack.ny, stack.nz},
          slab.source_window, stack);
  }

  kernels::Backend& backend_;
  const FdkSetup& setup_;
  const FdkOptions& options_;
  FdkReport& report_;
  io::CountType count_type_;
  std::unique_ptr<kernels::Attenuation> attenuation_;
  std::unique_ptr<kernels::Correction> correction_;
  std::unique_ptr<kernels::Rectifier> rectifier_;
  std::unique_ptr<kernels::Filter> filter_;
  std::optional<ExtendedFilter> extended_filter_;  ///< instead of filter_ when rows are continued
  std::unique_ptr<kernels::BackProjector> back_projector_;
  std::optional<DeviceArray3<float>> line_integrals_,
      upright_;                                         ///< the latter rectified, or without the halo
  std::vector<DeviceArray3<std::byte>> counts_;         ///< by slot; none where operators read host memory
  std::vector<std::unique_ptr<kernels::Marker>> done_;  ///< by slot: the batch added from it
};

Findings judge(const kernels::AttenuationTally& tally) {
  Findings findings;
  const auto share = [&](std::int64_t count) {
    return 100.0 * static_cast<double>(count) / static_cast<double>(tally.pixels);
  };
  if (tally.not_finite > 0)
    findings.push_back(
        fmt::format("{} pixels are NaN or infinite and were taken as open beam", tally.not_finite));
  if (tally.dead > 0)
    findings.push_back(
        fmt::format("{:.3f} % of the pixels see no beam (white is not above dark)", share(tally.dead)));
  if (share(tally.floored) > 0.01)
    findings.push_back(fmt::format(
        "{:.3f} % of the pixels have no signal left and were taken as one count{}", share(tally.floored),
        share(tally.floored) > 20 ? ": the object starves the detector of photons" : ""));
  if (share(tally.saturated) > 0.01)
    findings.push_back(fmt::format(
        "{:.3f} % of the pixels are saturated: attenuation there is underestimated", share(tally.saturated)));
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

}  // namespace

std::unique_ptr<SlabWorks> make_slab_works(const io::ScanSource& source, kernels::Backend& backend,
                                           const FdkSetup& setup, const SlabPlan& plan,
                                           const FdkOptions& options, FdkReport& report) {
  return std::make_unique<Works>(source, backend, setup, plan, options, report);
}

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

MemoryCosts costs_on(kernels::Backend& backend, const io::ScanSource& source, const FdkSetup& setup,
                     const FdkOptions& options) {
  const int width = options.extension ? options.extension->width(setup.columns) : setup.columns;
  const auto filter = backend.make_filter({.columns = width, .ramp = options.ramp});
  const std::shared_ptr<kernels::BackProjector> back_projector =
      backend.make_back_projector(options.projector);
  const Extension* extension = options.extension.get();
  // Operators have their own of both, and tables made of the corrections.
  const std::size_t references = bytes_of(source.references()),
                    corrections = options.corrections ? 2 * kernels::bytes_of(options.corrections->spec) : 0;
  return {.count_bytes = io::bytes_of(source.count_type()),
          .fixed = options.used_bytes + bytes_of(setup) + references + corrections + options.source_bytes +
                   filter->workspace_bytes(),
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

MemoryCosts costs_on(std::span<kernels::Backend* const> backends, const io::ScanSource& source,
                     const FdkSetup& setup, const FdkOptions& options) {
  constexpr std::size_t tables = std::size_t{64} << 20;  // of the operators, and what a driver keeps
  MemoryCosts costs = costs_on(*backends.front(), source, setup, options);
  costs.devices = static_cast<int>(backends.size());
  if (backends.front()->uses_host_memory()) return costs;
  costs.device_fixed = tables + bytes_of(source.references()) + sizeof(float) * setup.column_weights.size();
  if (options.extension && options.extension->context)
    costs.device_fixed += options.extension->context->voxels().bytes();
  if (options.corrections) costs.device_fixed += kernels::bytes_of(options.corrections->spec);
  costs.device_limit = backends.front()->device_memory_left();
  for (const kernels::Backend* backend : backends)
    costs.device_limit = std::min(*costs.device_limit, backend->device_memory_left());
  return costs;
}

// NOLINTNEXTLINE(readability-function-size): one parameter more than six
FdkReport reconstruct_fdk(const io::ScanSource& source, io::VolumeSink& sink,
                          std::span<kernels::Backend* const> backends, const FdkSetup& setup,
                          const SlabPlan& plan, const FdkOptions& options, Progress& progress) {
  const auto start = std::chrono::steady_clock::now();
  std::vector<geometry::Range> wanted;  // slices that no earlier run has stored
  double work = 0;
  for (const Slab& slab : plan.slabs) {
    if (sink.has(slab.slices)) continue;
    wanted.push_back(slab.slices);
    work += static_cast<double>(slab.slices.count()) * static_cast<double>(setup.views.size());
  }
  progress.expect(work);
  SlabTask task{.source = source,
                .sink = sink,
                .setup = setup,
                .plan = plan,
                .options = options,
                .progress = progress,
                .queue = SlabQueue(wanted, static_cast<int>(backends.size()))};
  std::deque<SlabWorker> workers;
  for (kernels::Backend* backend : backends) workers.emplace_back(task, *backend);
  Conveyor devices;
  for (SlabWorker& worker : workers) devices.start([&worker] { worker.serve(); });
  devices.finish();

  FdkReport report;
  for (const SlabWorker& worker : workers) add(report, worker.report());
  const Findings judged = judge(report.tally);
  report.findings.insert(report.findings.end(), judged.begin(), judged.end());
  report.total_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return report;
}

// NOLINTNEXTLINE(readability-function-size): one parameter more than six
FdkReport reconstruct_fdk(const io::ScanSource& source, io::VolumeSink& sink, kernels::Backend& backend,
                          const FdkSetup& setup, const SlabPlan& plan, const FdkOptions& options,
                          Progress& progress) {
  kernels::Backend* const one = &backend;
  return reconstruct_fdk(source, sink, std::span(&one, 1), setup, plan, options, progress);
}

}  // namespace feldspar::recon
