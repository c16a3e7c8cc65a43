// Coarse slices of powers of the line integrals, and the fit on them.
#include "recon/find/hardening.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <map>
#include <memory>
#include <mutex>

#include "recon/find/object_extent.hpp"
#include "recon/measure/projection_sample.hpp"

namespace feldspar::recon {
namespace {

constexpr int powers = 4, voxels_across = 128;
constexpr std::size_t slices_bytes =
    (powers + 4) * sizeof(float) * 3 * (voxels_across + 1) * (voxels_across + 1);
constexpr std::size_t most_views = 360, views_looked_at = 6, most_integrals = std::size_t{4} << 20;

/// What a run reconstructs, kept.
class KeptSlices final : public io::VolumeSink {
 public:
  explicit KeptSlices(std::vector<float>& values) : values_(values) {}
  void write(int, View3<const float> slab) override {
    values_.insert(values_.end(), slab.data, slab.data + slab.size());
  }

 private:
  std::vector<float>& values_;
};

/// A source whose pixels of one window are read once, for every power of the line integrals asks for them.
class HeldPixels final : public io::WrappedSource {
 public:
  /// Holds up to `most_bytes`.
  HeldPixels(const io::ScanSource& source, const DetectorRows& rows, std::size_t most_bytes,
             MemoryBudget& budget)
      : WrappedSource(source),
        window_(rows.source_window),
        view_bytes_(rows.source_pixels() * io::bytes_of(source.count_type())),
        most_views_(most_bytes / std::max<std::size_t>(1, view_bytes_)),
        room_(budget, std::min(most_views_, most_views) * view_bytes_, "pixels to tell hardening from") {}

  void read(std::span<const int> views, const geometry::PixelWindow& window, void* counts) const override {
    if (window.rows != window_.rows || window.columns != window_.columns)
      return inner().read(views, window, counts);
    auto* bytes = static_cast<std::byte*>(counts);
    for (std::size_t n = 0; n < views.size(); ++n) read_view(views.subspan(n, 1), bytes + n * view_bytes_);
  }

 private:
  void read_view(std::span<const int> view, std::byte* counts) const {
    {
      const std::scoped_lock lock(mutex_);
      if (const auto held = held_.find(view[0]); held != held_.end()) {
        std::ranges::copy(held->second, counts);
        return;
      }
    }
    inner().read(view, window_, counts);
    const std::scoped_lock lock(mutex_);
    if (held_.size() < std::min(most_views_, most_views))
      held_.emplace(view[0], std::vector(counts, counts + view_bytes_));
  }

  geometry::PixelWindow window_;
  std::size_t view_bytes_, most_views_;
  Reservation room_;
  mutable std::mutex mutex_;
  mutable std::map<int, std::vector<std::byte>> held_;
};

/// Every n-th of the views that take part.
struct FewViews {
  std::vector<int> views;      ///< of the source
  std::vector<float> offsets;  ///< the corrections', when they have some
};

std::size_t step_of(std::size_t all, HardeningSearch search) {
  const std::size_t most = search == HardeningSearch::thorough ? most_views : most_views / 3;
  return (all + most - 1) / most;
}

FewViews few_views(const FdkSetup& setup, const FdkOptions& options, HardeningSearch search) {
  const std::size_t all = setup.view_indices.size(), step = step_of(all, search);
  const std::vector<float> none,
      &offsets = options.corrections ? options.corrections->spec.view_offset : none;
  FewViews few;
  for (std::size_t n = 0; n < all; n += step) {
    few.views.push_back(setup.view_indices[n]);
    if (!offsets.empty()) few.offsets.push_back(offsets[n]);
  }
  return few;
}

/// One slice at each of three heights of the object, or in its middle only, with air around it.
std::vector<geometry::VolumeGrid> coarse_slices(const geometry::CircularScan& scan,
                                                const std::optional<Box>& found, double radius,
                                                HardeningSearch search) {
  const geometry::VolumeGrid whole = geometry::default_grid(scan);
  const geometry::Vec3 middle =
      whole.centre_of(0.5 * (whole.nx - 1), 0.5 * (whole.ny - 1), 0.5 * (whole.nz - 1));
  const Box box = found.value_or(
      Box{{-radius, -radius, whole.origin.z}, {radius, radius, 2 * middle.z - whole.origin.z}});
  const double air = 1.3, x = 0.5 * (box.lowest.x + box.highest.x), y = 0.5 * (box.lowest.y + box.highest.y),
               extent = air * std::max(box.highest.x - box.lowest.x, box.highest.y - box.lowest.y),
               spacing = std::max(whole.spacing.x, extent / voxels_across);
  const int across = std::max(8, static_cast<int>(extent / spacing));
  std::vector<geometry::VolumeGrid> slices;
  const std::vector<double> heights =
      search == HardeningSearch::thorough ? std::vector{0.3, 0.5, 0.7} : std::vector{0.5};
  slices.reserve(heights.size());
  for (const double height : heights)
    slices.push_back(geometry::centred_grid(across, across, 1, spacing,
                                            {x, y, box.lowest.z + height * (box.highest.z - box.lowest.z)}));
  return slices;
}

std::size_t integrals_bytes(const io::ScanSource& source) {
  return std::min(views_looked_at * (pixels_of(source) + 1), most_integrals + views_looked_at) *
         sizeof(float);
}

/// Mean over the pixels behind the object, and what hardly any pixel exceeds.
void measure_line_integrals(const io::ScanSource& source, const std::vector<int>& views,
                            const Resources& resources, HardeningEstimate& estimate) {
  constexpr double rarely = 0.999, faintest = 0.05;
  constexpr float starved = 1e-5F;  // of the open beam: less than a count
  std::vector<float> integrals;
  std::size_t saturated = 0;
  const std::size_t count = std::min(views_looked_at, views.size()), pixels = pixels_of(source),
                    step = (count * pixels + most_integrals - 1) / most_integrals;
  const Reservation kept(resources.budget, integrals_bytes(source), "line integrals to tell hardening from");
  integrals.reserve(count * (pixels / step + 1));
  for (std::size_t n = 0; n < count; ++n) {
    const Array3<float> image =
        transmissions(source, views[n * views.size() / count], saturated, resources.budget);
    for (std::size_t i = 0; i < pixels; i += step)
      integrals.push_back(-std::log(std::max(image.data()[i], starved)));
  }
  const auto at =
      integrals.begin() + static_cast<std::ptrdiff_t>(rarely * static_cast<double>(integrals.size() - 1));
  std::nth_element(integrals.begin(), at, integrals.end());
  estimate.highest = *at;
  double sum = 0, behind = 0;
  for (const float p : integrals)
    if (p > faintest * estimate.highest) sum += p, behind += 1;
  estimate.reference = behind > 0 ? sum / behind : 0;
}

/// How a slice of a power of the line integrals is reconstructed.
FdkOptions options_of(const io::ScanSource& source, const FdkOptions& options, const FewViews& few,
                      const geometry::VolumeGrid& grid, int power, std::size_t used) {
  Corrections corrections;
  if (options.corrections) corrections = *options.corrections;
  corrections.spec.patches.clear();  // single values of single views, of which few take part
  corrections.spec.view_offset = few.offsets;
  corrections.spec.columns = source.scan().detector.columns;
  corrections.spec.rows = source.scan().detector.rows;
  corrections.spec.polynomial.assign(static_cast<std::size_t>(power) + 1, 0.0F);
  corrections.spec.polynomial.back() = 1;
  const double fine = geometry::default_grid(source.scan()).spacing.x;
  FdkOptions run = options;
  run.used_bytes = used;
  run.grid = grid;
  run.ramp = {.window = kernels::RampWindow::hann, .cutoff = std::min(1.0, fine / grid.spacing.x)};
  run.projector.merging = {};
  run.corrections = std::make_shared<const Corrections>(std::move(corrections));
  run.source_bytes += kernels::bytes_of(run.corrections->spec);
  return run;
}

/// A coarse slice, and the views that it is made from.
struct SliceJob {
  const io::ScanSource& source;
  const FdkSetup& setup;
  const FdkOptions& options;  // of the whole run
  const FewViews& few;
  const geometry::VolumeGrid& grid;
};

/// Appends the slice of each power to what stands in `kept`.
void reconstruct_powers(const SliceJob& job, std::vector<std::vector<float>>& kept,
                        const Resources& resources, Progress& progress) {
  const auto run_of = [&](int power) {
    return options_of(job.source, job.options, job.few, job.grid, power, resources.budget.used());
  };
  const SlabPlan plan = plan_slabs(job.setup, job.grid, resources.memory(),
                                   costs_on(resources.backend, job.source, job.setup, run_of(powers)));
  const HeldPixels held(job.source, plan.slabs.front(), resources.memory() - plan.memory, resources.budget);
  for (int power = 1; power <= powers; ++power) {
    const FdkOptions run = run_of(power);
    KeptSlices sink(kept[static_cast<std::size_t>(power) - 1]);
    (void)reconstruct_fdk({held, job.setup, run}, plan, sink, resources.backend, progress);
  }
}

}  // namespace

std::size_t hardening_views(std::size_t all, HardeningSearch search) {
  const std::size_t step = std::max<std::size_t>(1, step_of(all, search));
  return (all + step - 1) / step;
}

std::size_t hardening_bytes(const io::ScanSource& source, const geometry::CircularScan& scan,
                            const FdkSetup& setup, const FdkOptions& options, kernels::Backend& backend) {
  const FewViews few = few_views(setup, options, HardeningSearch::thorough);
  const FdkSetup coarse = prepare_fdk(scan, few.views);
  std::size_t most =
      std::max(transmissions_bytes(source) + integrals_bytes(source), find_object_bytes(source));
  for (const geometry::VolumeGrid& grid :
       coarse_slices(scan, std::nullopt, options.projector.radius, HardeningSearch::thorough)) {
    const FdkOptions run = options_of(source, options, few, grid, powers, slices_bytes);
    most = std::max(most, least_memory(coarse, grid, costs_on(backend, source, coarse, run)));
  }
  return most;
}

HardeningEstimate estimate_hardening(const FdkJob& job, const geometry::CircularScan& scan,
                                     const Resources& resources, Progress& progress, HardeningSearch search) {
  const auto& [source, setup, options] = job;
  const FewViews few = few_views(setup, options, search);
  const FdkSetup coarse = prepare_fdk(scan, few.views);
  HardeningEstimate estimate;
  measure_line_integrals(source, few.views, resources, estimate);
  if (!(estimate.reference > 0)) {
    estimate.fit.reason = "the projections show no object";
    return estimate;
  }

  const Reservation kept(resources.budget, slices_bytes, "slices to tell hardening from");
  PowerSlices slices{.powers = std::vector<std::vector<float>>(powers)};
  const auto box = find_object(source, scan, setup.view_indices, resources);
  for (const geometry::VolumeGrid& grid : coarse_slices(scan, box, options.projector.radius, search)) {
    slices.columns = grid.nx, slices.rows = grid.ny;
    for (int j = 0; j < grid.ny; ++j)
      for (int i = 0; i < grid.nx; ++i) {
        const geometry::Vec3 voxel = grid.centre_of(i, j, 0);
        slices.computed.push_back(std::hypot(voxel.x, voxel.y) <= options.projector.radius);
      }
    reconstruct_powers({source, coarse, options, few, grid}, slices.powers, resources, progress);
  }
  estimate.fit = fit_hardening(slices, estimate.reference, estimate.highest);
  return estimate;
}

}  // namespace feldspar::recon
