#include "recon/fdk/time_estimate.hpp"

#include <algorithm>
#include <chrono>

#include "kernels/back_projector.hpp"
#include "kernels/filter.hpp"
#include "recon/device_array.hpp"
#include "recon/truncation/extended_filter.hpp"

namespace feldspar::recon {
namespace {

template <class Work>
double seconds(kernels::Backend& backend, Work work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  backend.wait();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// A piece of `whole` around its middle, at most `count` long.
geometry::Range middle(int whole, int count) {
  const int size = std::min(whole, count), first = (whole - size) / 2;
  return {first, first + size};
}

}  // namespace

TimeEstimate estimate_time(kernels::Backend& backend, const FdkSetup& setup, const SlabPlan& plan,
                           const FdkOptions& options) {
  const int unit = options.projector.merging.batch_unit();
  const int views = std::min(static_cast<int>(setup.views.size()), std::max(16, unit));
  geometry::VolumeGrid grid = options.grid;
  const geometry::Range x = middle(grid.nx, 256), y = middle(grid.ny, 256), z = middle(grid.nz, 64);
  grid.origin = grid.centre_of(x.first, y.first, 0);
  grid.nx = x.count(), grid.ny = y.count();
  const Slab sample = make_slab(setup, grid, z, options.projector.merging.extra_rows());
  const auto some_views = std::span(setup.views).first(static_cast<std::size_t>(views));
  const auto some_weights = std::span(setup.weights).first(static_cast<std::size_t>(views));

  DeviceArray3<float> stack(backend, static_cast<std::size_t>(setup.columns) * sample.rows.count() * views,
                            "a sample");
  DeviceArray3<float> volume(backend, static_cast<std::size_t>(grid.nx) * grid.ny * z.count(), "a sample");
  const auto pixels = stack.view(setup.columns, sample.rows.count(), views);
  const auto voxels = volume.view(grid.nx, grid.ny, z.count());
  stack.fill_zero(pixels.size());
  volume.fill_zero(voxels.size());
  const auto filter = backend.make_filter({.columns = setup.columns, .ramp = setup.ramp_of(options.ramp)});
  std::optional<ExtendedFilter> extended;
  if (options.extension)
    extended.emplace(backend, setup, *options.extension, setup.ramp_of(options.ramp), sample.rows.count());
  const auto projector = backend.make_back_projector(options.projector);

  TimeEstimate best{1e30, 1e30};
  for (int run = 0; run < 3; ++run) {  // the first one warms up
    best.filter_s = std::min(best.filter_s, seconds(backend, [&] {
                               if (extended)
                                 extended->apply({0, views}, sample.rows, pixels);
                               else
                                 filter->apply(some_weights, {}, 0, pixels);
                             }));
    best.back_projection_s = std::min(
        best.back_projection_s,
        seconds(backend, [&] { projector->accumulate(some_views, sample.rows, pixels, grid, z, voxels); }));
  }
  double rows = 0;
  for (const Slab& slab : plan.slabs) rows += slab.rows.count();
  const double all_views = static_cast<double>(setup.views.size());
  // Attenuation costs about half of what filtering does (measured on the CPU backend).
  best.filter_s *= 1.5 * rows * all_views / (static_cast<double>(sample.rows.count()) * views);
  best.back_projection_s *=
      computed_voxels(options) * all_views / (static_cast<double>(voxels.size()) * views);
  return best;
}

}  // namespace feldspar::recon
