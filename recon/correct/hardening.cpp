// Coarse slices of powers of the line integrals, and the fit on them.
#include "recon/correct/hardening.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "recon/object_extent.hpp"
#include "recon/projection_sample.hpp"

namespace feldspar::recon {
namespace {

constexpr int powers = 4, most_views = 360, voxels_across = 128;

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

/// Every n-th of the views that take part.
struct FewViews {
  std::vector<int> views;      ///< of the source
  std::vector<float> offsets;  ///< the corrections', when they have some
};

FewViews few_views(const FdkSetup& setup, const FdkOptions& options) {
  const std::size_t all = setup.view_indices.size(), step = (all + most_views - 1) / most_views;
  const std::vector<float> none,
      &offsets = options.corrections ? options.corrections->spec.view_offset : none;
  FewViews few;
  for (std::size_t n = 0; n < all; n += step) {
    few.views.push_back(setup.view_indices[n]);
    if (!offsets.empty()) few.offsets.push_back(offsets[n]);
  }
  return few;
}

/// One slice at each of three heights of the object, with air around it.
std::vector<geometry::VolumeGrid> coarse_slices(const io::ScanSource& source,
                                                const geometry::CircularScan& scan, const FdkSetup& setup,
                                                double radius) {
  const geometry::VolumeGrid whole = geometry::default_grid(scan);
  const geometry::Vec3 middle =
      whole.centre_of(0.5 * (whole.nx - 1), 0.5 * (whole.ny - 1), 0.5 * (whole.nz - 1));
  const Box box =
      find_object(source, scan, setup.view_indices)
          .value_or(Box{{-radius, -radius, whole.origin.z}, {radius, radius, 2 * middle.z - whole.origin.z}});
  const double air = 1.3, x = 0.5 * (box.lowest.x + box.highest.x), y = 0.5 * (box.lowest.y + box.highest.y),
               extent = air * std::max(box.highest.x - box.lowest.x, box.highest.y - box.lowest.y),
               spacing = std::max(whole.spacing.x, extent / voxels_across);
  const int across = std::max(8, static_cast<int>(extent / spacing));
  std::vector<geometry::VolumeGrid> slices;
  for (const double height : {0.3, 0.5, 0.7})
    slices.push_back(geometry::centred_grid(across, across, 1, spacing,
                                            {x, y, box.lowest.z + height * (box.highest.z - box.lowest.z)}));
  return slices;
}

/// Mean over the pixels behind the object, and what hardly any pixel exceeds.
void measure_line_integrals(const io::ScanSource& source, const std::vector<int>& views,
                            HardeningEstimate& estimate) {
  constexpr std::size_t looked_at = 6;
  constexpr double rarely = 0.999, faintest = 0.05;
  constexpr float starved = 1e-5F;  // of the open beam: less than a count
  std::vector<float> integrals;
  std::size_t saturated = 0;
  const std::size_t count = std::min(looked_at, views.size());
  for (std::size_t n = 0; n < count; ++n)
    for (const float transmission : transmissions(source, views[n * views.size() / count], saturated))
      integrals.push_back(-std::log(std::max(transmission, starved)));
  const auto at =
      integrals.begin() + static_cast<std::ptrdiff_t>(rarely * static_cast<double>(integrals.size() - 1));
  std::nth_element(integrals.begin(), at, integrals.end());
  estimate.highest = *at;
  double sum = 0, pixels = 0;
  for (const float p : integrals)
    if (p > faintest * estimate.highest) sum += p, pixels += 1;
  estimate.reference = pixels > 0 ? sum / pixels : 0;
}

}  // namespace

HardeningEstimate estimate_hardening(const io::ScanSource& source, const geometry::CircularScan& scan,
                                     const FdkSetup& setup, const FdkOptions& options,
                                     kernels::Backend& backend, Progress& progress) {
  const FewViews few = few_views(setup, options);
  const FdkSetup coarse = prepare_fdk(scan, few.views);
  HardeningEstimate estimate;
  measure_line_integrals(source, few.views, estimate);
  if (!(estimate.reference > 0)) {
    estimate.fit.reason = "the projections show no object";
    return estimate;
  }

  const double fine = geometry::default_grid(scan).spacing.x;
  PowerSlices slices{.powers = std::vector<std::vector<float>>(powers)};
  for (const geometry::VolumeGrid& grid : coarse_slices(source, scan, setup, options.projector.radius)) {
    slices.columns = grid.nx, slices.rows = grid.ny;
    for (int j = 0; j < grid.ny; ++j)
      for (int i = 0; i < grid.nx; ++i) {
        const geometry::Vec3 voxel = grid.centre_of(i, j, 0);
        slices.computed.push_back(std::hypot(voxel.x, voxel.y) <= options.projector.radius);
      }
    for (int power = 1; power <= powers; ++power) {
      Corrections corrections;
      if (options.corrections) corrections = *options.corrections;
      corrections.spec.patches.clear();  // single values of single views, of which few take part
      corrections.spec.view_offset = few.offsets;
      corrections.spec.columns = source.scan().detector.columns;
      corrections.spec.rows = source.scan().detector.rows;
      corrections.spec.polynomial.assign(static_cast<std::size_t>(power) + 1, 0.0F);
      corrections.spec.polynomial.back() = 1;
      FdkOptions run = options;
      run.grid = grid;
      run.ramp = {.window = kernels::RampWindow::hann, .cutoff = std::min(1.0, fine / grid.spacing.x)};
      run.projector.merging = {};
      run.corrections = std::make_shared<const Corrections>(std::move(corrections));
      KeptSlices sink(slices.powers[static_cast<std::size_t>(power) - 1]);
      const SlabPlan plan = plan_slabs(coarse, grid, options.memory, costs_on(backend, source, coarse, run));
      (void)reconstruct_fdk(source, sink, backend, coarse, plan, run, progress);
    }
  }
  estimate.fit = fit_hardening(slices, estimate.reference, estimate.highest);
  return estimate;
}

}  // namespace feldspar::recon
