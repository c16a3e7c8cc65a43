#include "recon/fdk.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>

#include "base/error.hpp"
#include "base/memory.hpp"
#include "kernels/back_projector.hpp"
#include "kernels/filter.hpp"
#include "kernels/rectifier.hpp"
#include "recon/conveyor.hpp"
#include "recon/device_array.hpp"
#include "recon/extended_filter.hpp"

namespace feldspar::recon {
namespace {

constexpr std::size_t process_bytes = std::size_t{96} << 20;  // code, libraries, stacks, the writer's chunks

/// Adds the time it lives to a sum of seconds.
class Stopwatch {
 public:
  explicit Stopwatch(double& seconds) : seconds_(seconds) {}
  ~Stopwatch() {
    seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

 private:
  double& seconds_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// The largest number of values that `count` gives for any slab.
template <class Count>
std::size_t largest(const SlabPlan& plan, Count count) {
  std::size_t values = 0;
  for (const Slab& slab : plan.slabs) values = std::max(values, static_cast<std::size_t>(count(slab)));
  return values;
}

std::size_t source_pixels(const Slab& slab) {
  return static_cast<std::size_t>(slab.source_window.columns.count()) *
         static_cast<std::size_t>(slab.source_window.rows.count());
}

/// The operators and the memory of one reconstruction: what turns raw counts into a slab.
class Works {
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
    if (!backend.uses_host_memory())
      counts_.emplace(backend, pixels * io::bytes_of(count_type_), "raw counts");
    if (!setup.rectification) return;
    rectifier_ = backend.make_rectifier();
    upright_.emplace(backend,
                     largest(plan, [&](const Slab& s) { return s.rows.count(); }) * views *
                         static_cast<std::size_t>(setup.columns),
                     "rectified projections");
  }

  /// Adds a batch of views, whose raw counts stand in host memory, into the slab's volume.
  void add(const Slab& slab, geometry::Range batch, void* raw, kernels::DeviceView3<float> volume) {
    const int columns = slab.source_window.columns.count(), rows = slab.source_window.rows.count();
    auto stack = line_integrals_->view(columns, rows, batch.count());
    {
      const Stopwatch time(report_.attenuation_s);
      attenuate(slab, stack, raw);
    }
    if (setup_.rectification) {
      const Stopwatch time(report_.rectification_s);
      const auto upright = upright_->view(setup_.columns, slab.rows.count(), batch.count());
      rectifier_->apply(part(setup_.rectification->homographies, batch), setup_.source_columns,
                        setup_.source_rows, slab.source_window, stack, {{0, setup_.columns}, slab.rows},
                        upright);
      stack = upright;
    }
    {
      const Stopwatch time(report_.filter_s);
      filter(slab, batch, stack);
    }
    const Stopwatch time(report_.back_projection_s);
    back_projector_->accumulate(part(setup_.views, batch), slab.rows, stack, options_.grid, slab.slices,
                                volume);
    backend_.wait();
  }

  [[nodiscard]] kernels::AttenuationTally tally() const { return attenuation_->tally(); }

 private:
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

  void attenuate(const Slab& slab, kernels::DeviceView3<float> stack, void* raw) {
    if (counts_) {
      counts_->upload(raw, stack.size() * io::bytes_of(count_type_));
      raw = counts_->view(1, 1, 1).data;
    }
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
  std::unique_ptr<kernels::Rectifier> rectifier_;
  std::unique_ptr<kernels::Filter> filter_;
  std::optional<ExtendedFilter> extended_filter_;  ///< instead of filter_ when rows are continued
  std::unique_ptr<kernels::BackProjector> back_projector_;
  std::optional<DeviceArray3<float>> line_integrals_, upright_;
  std::optional<DeviceArray3<std::byte>> counts_;
};

/// Raw counts of one batch on their way from the reader.
struct RawBatch {
  Block* block;
  std::size_t slab;
  geometry::Range views;
};

/// A finished slab on its way to the writer.
struct FinishedSlab {
  std::size_t buffer;
  std::size_t slab;
};

/// Sets the voxels further than `radius` from the rotation axis to 0.
void clear_outside(View3<float> slab, const geometry::VolumeGrid& grid, double radius) {
  for (int j = 0; j < slab.ny; ++j) {
    const double y = grid.origin.y + j * grid.spacing.y, reach = radius * radius - y * y;
    int first = slab.nx, end = slab.nx;  // of the voxels within
    if (reach >= 0) {
      const double half = std::sqrt(reach), count = slab.nx;
      first = static_cast<int>(std::clamp(std::ceil((-half - grid.origin.x) / grid.spacing.x), 0.0, count));
      end = static_cast<int>(std::clamp(std::floor((half - grid.origin.x) / grid.spacing.x) + 1, 0.0, count));
    }
    for (int k = 0; k < slab.nz; ++k) {
      float* row = slab.row(j, k);
      std::fill(row, row + first, 0.0f);
      std::fill(row + std::max(first, end), row + slab.nx, 0.0f);
    }
  }
}

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

MemoryCosts costs_on(kernels::Backend& backend, const io::ScanSource& source, const FdkSetup& setup,
                     const FdkOptions& options) {
  const int width = options.extension ? options.extension->width(setup.columns) : setup.columns;
  const auto filter = backend.make_filter({.columns = width, .ramp = options.ramp});
  const std::shared_ptr<kernels::BackProjector> back_projector =
      backend.make_back_projector(options.projector);
  const std::size_t references =
      sizeof(float) * 2 * (source.references().white.size() + source.references().dark.size());
  const Extension* extension = options.extension.get();
  const std::size_t context = extension && extension->context ? extension->context->voxels().bytes() : 0;
  return {.count_bytes = io::bytes_of(source.count_type()),
          .fixed = process_bytes + references + context + filter->workspace_bytes(),
          .merging = options.projector.merging,
          .back_projector = [back_projector](
                                int columns, int rows,
                                int views) { return back_projector->workspace_bytes(columns, rows, views); },
          .extension =
              [extension, &setup](int rows) {
                return extension ? ExtendedFilter::workspace_bytes(setup, *extension, rows) : 0;
              }};
}

FdkReport reconstruct_fdk(const io::ScanSource& source, io::VolumeSink& sink, kernels::Backend& backend,
                          const FdkSetup& setup, const SlabPlan& plan, const FdkOptions& options,
                          Progress& progress, MemoryBudget* budget) {
  FdkReport report;
  const auto start = std::chrono::steady_clock::now();
  const int view_count = static_cast<int>(setup.views.size());
  const std::size_t slab_voxels = largest(plan, [&](const Slab& s) {
    return static_cast<std::size_t>(options.grid.nx) * static_cast<std::size_t>(options.grid.ny) *
           s.slices.count();
  });
  double work = 0;
  std::vector<std::size_t> wanted;  // slabs that no earlier run has stored
  for (std::size_t s = 0; s < plan.slabs.size(); ++s) {
    if (sink.has(plan.slabs[s].slices)) continue;
    wanted.push_back(s);
    work += static_cast<double>(plan.slabs[s].slices.count()) * view_count;
  }
  progress.expect(work);

  Works works(source, backend, setup, plan, options, report);
  const std::size_t raw_bytes =
      largest(plan, source_pixels) * plan.views_per_batch * io::bytes_of(source.count_type());
  Block raw[2] = {Block(raw_bytes, "raw projections", budget), Block(raw_bytes, "raw projections", budget)};
  const std::size_t buffers = plan.slabs.size() > 1 ? 2 : 1;
  std::vector<DeviceArray3<float>> volumes;
  std::vector<Block> copies;  // of finished slabs, where the device's memory is not the host's
  for (std::size_t n = 0; n < buffers; ++n)
    if (n == 0 || backend.uses_host_memory()) volumes.emplace_back(backend, slab_voxels, "the slab");
  if (!backend.uses_host_memory())
    for (std::size_t n = 0; n < buffers; ++n)
      copies.emplace_back(slab_voxels * sizeof(float), "the finished slab", budget);

  Conveyor conveyor;
  Conveyor::Queue<Block*> empty_raw(conveyor);
  Conveyor::Queue<RawBatch> full_raw(conveyor);
  Conveyor::Queue<std::size_t> empty_slabs(conveyor);
  Conveyor::Queue<FinishedSlab> full_slabs(conveyor);
  for (Block& block : raw) empty_raw.push(&block);
  for (std::size_t n = 0; n < buffers; ++n) empty_slabs.push(n);

  conveyor.start([&] {  // read
    for (const std::size_t s : wanted)
      for (int first = 0; first < view_count; first += plan.views_per_batch) {
        const auto block = empty_raw.pop();
        if (!block) return;
        const geometry::Range batch{first, std::min(view_count, first + plan.views_per_batch)};
        {
          const Stopwatch time(report.read_s);
          source.read(std::span(setup.view_indices)
                          .subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(batch.count())),
                      plan.slabs[s].source_window, (*block)->data());
        }
        full_raw.push({*block, s, batch});
      }
    full_raw.close();
  });
  conveyor.start([&] {  // write
    while (const auto done = full_slabs.pop()) {
      const geometry::Range slices = plan.slabs[done->slab].slices;
      float* values = copies.empty() ? volumes[done->buffer].host_view(1, 1, 1).data
                                     : static_cast<float*>(copies[done->buffer].data());
      const Stopwatch time(report.write_s);
      const View3<float> slab{values, options.grid.nx, options.grid.ny, slices.count()};
      if (std::isfinite(options.projector.radius))
        clear_outside(slab, options.grid, options.projector.radius);
      sink.write(slices.first, slab);
      empty_slabs.push(done->buffer);
    }
  });
  try {  // compute
    for (const std::size_t s : wanted) {
      const Slab& slab = plan.slabs[s];
      const auto buffer = empty_slabs.pop();
      if (!buffer) break;
      DeviceArray3<float>& volume = volumes[copies.empty() ? *buffer : 0];
      const auto view = volume.view(options.grid.nx, options.grid.ny, slab.slices.count());
      volume.fill_zero(view.size());
      for (int done = 0; done < view_count;) {
        const auto batch = full_raw.pop();
        if (!batch) break;
        works.add(slab, batch->views, batch->block->data(), view);
        empty_raw.push(batch->block);
        done = batch->views.end;
        progress.advance(static_cast<double>(batch->views.count()) * slab.slices.count(), "reconstructing");
      }
      if (!copies.empty()) volume.download(copies[*buffer].data(), view.size()), backend.wait();
      full_slabs.push({*buffer, s});
    }
    full_slabs.close();
  } catch (...) {
    conveyor.stop(std::current_exception());
  }
  conveyor.finish();
  report.tally = works.tally();
  report.findings = judge(report.tally);
  report.total_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return report;
}

}  // namespace feldspar::recon
