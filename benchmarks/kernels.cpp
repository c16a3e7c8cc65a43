// How fast each operator is on each device, in the units of the field: GUPS (10^9 voxel updates a second) for
// back-projection, Mpixel/s for what works on projections. `--benchmark_format=json` prints JSON,
// `--benchmark_filter=avx512` picks.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include "geometry/coverage.hpp"
#include "kernels/attenuation.hpp"
#include "kernels/back_projector.hpp"
#include "kernels/backend.hpp"
#include "kernels/filter.hpp"

namespace feldspar {
namespace {

constexpr int view_count = 32;

/// `size` x `size` pixels into `size`^3 voxels at SOD 300, SDD 1000 mm; `count` views of a turn of `turn`.
geometry::CircularScan scan_of(int size, int turn = 600, int count = view_count) {
  geometry::CircularScan scan{
      .source_object_distance = 300,
      .source_detector_distance = 1000,
      .detector = {.columns = size, .rows = size, .column_pitch = 204.8 / size, .row_pitch = 204.8 / size},
      .axis = {},
      .angles = {},
      .shifts = {}};
  for (int n = 0; n < count; ++n) scan.angles.push_back(2 * std::numbers::pi * n / turn);
  return scan;
}

/// A device's block of values, filled from the host.
template <class T>
class Values {
 public:
  Values(kernels::Backend& backend, const std::vector<T>& values)
      : buffer_(backend.allocate(values.size() * sizeof(T), "benchmark")) {
    backend.upload(values.data(), buffer_->data(), values.size() * sizeof(T));
  }
  [[nodiscard]] kernels::DeviceView3<T> view(int nx, int ny, int nz) const {
    return {static_cast<T*>(buffer_->data()), nx, ny, nz};
  }

 private:
  std::unique_ptr<kernels::Buffer> buffer_;
};

/// Neither zeros nor anything a processor could guess.
std::vector<float> ripples(std::size_t count) {
  std::vector<float> values(count);
  for (std::size_t n = 0; n < count; ++n) values[n] = 1 + std::sin(0.37f * static_cast<float>(n % 9973));
  return values;
}

void set_rate(benchmark::State& state, const char* name, double per_iteration) {
  state.counters[name] = benchmark::Counter(per_iteration, benchmark::Counter::kIsIterationInvariantRate);
}

void back_projection(benchmark::State& state, const std::string& device, int size) {
  const auto backend = kernels::open_backend(device);
  const auto scan = scan_of(size);
  const auto views = geometry::make_views(scan);
  const auto grid = geometry::default_grid(scan);
  const Values<float> stack(*backend, ripples(std::size_t(size) * size * view_count));
  const Values<float> volume(*backend, std::vector<float>(grid.voxels()));
  const auto projector = backend->make_back_projector({});
  for (auto _ : state) {
    projector->accumulate(views, {0, size}, stack.view(size, size, view_count), grid, {0, grid.nz},
                          volume.view(grid.nx, grid.ny, grid.nz));
    backend->wait();
  }
  set_rate(state, "GUPS", 1e-9 * double(grid.voxels()) * view_count);
}

/// As densely sampled as scans of this size are (1.6 views a column): 128 slices about the mid-plane of the
/// field of view, view by view or merged as the automatic choice has it. GUPS counts every view.
void dense_back_projection(benchmark::State& state, const std::string& device, int size, bool merge) {
  constexpr int count = 128, slices = 128;
  const auto backend = kernels::open_backend(device);
  const auto scan = scan_of(size, size * 8 / 5, count);
  const auto views = geometry::make_views(scan);
  const auto grid = geometry::default_grid(scan);
  kernels::BackProjectorSpec spec{.radius = geometry::field_of_view(scan).inner_radius, .merging = {}};
  if (merge) spec.merging = kernels::choose_merging(views, grid, spec.radius);
  const int lowest = (grid.nz - slices) / 2 / slices * slices;
  const geometry::Range slab{lowest, lowest + slices};
  const geometry::Range rows{std::max(0, size / 2 - slices * 3 / 2),
                             std::min(size, size / 2 + slices * 3 / 2)};
  const Values<float> stack(*backend, ripples(std::size_t(size) * rows.count() * count));
  const Values<float> volume(*backend, std::vector<float>(std::size_t(grid.nx) * grid.ny * slices));
  const auto projector = backend->make_back_projector(spec);
  for (auto _ : state) {
    projector->accumulate(views, rows, stack.view(size, rows.count(), count), grid, slab,
                          volume.view(grid.nx, grid.ny, slices));
    backend->wait();
  }
  double columns = 0;
  for (int j = 0; j < grid.ny; ++j)
    for (int i = 0; i < grid.nx; ++i) {
      const geometry::Vec3 at = grid.centre_of(i, j, 0);
      columns += std::hypot(at.x, at.y) <= spec.radius;
    }
  set_rate(state, "GUPS", 1e-9 * columns * slices * count);
  state.counters["merged_views"] = spec.merging.views;
}

void filtering(benchmark::State& state, const std::string& device, int columns) {
  const auto backend = kernels::open_backend(device);
  constexpr int rows = 256;
  std::vector<kernels::FdkWeight> weights;
  for (const auto& view : geometry::make_views(scan_of(columns)))
    weights.push_back(kernels::make_fdk_weight(view, 0.01));
  const Values<float> stack(*backend, ripples(std::size_t(columns) * rows * view_count));
  const auto filter = backend->make_filter({.columns = columns, .ramp = {}});
  for (auto _ : state) {
    filter->apply(weights, {}, 0, stack.view(columns, rows, view_count));
    backend->wait();
  }
  set_rate(state, "Mpixel", 1e-6 * columns * rows * view_count);
}

void attenuation(benchmark::State& state, const std::string& device, int size) {
  const auto backend = kernels::open_backend(device);
  std::vector<std::uint16_t> raw;
  for (const float value : ripples(std::size_t(size) * size * view_count))
    raw.push_back(static_cast<std::uint16_t>(20000 * value + 1));
  const Values<std::uint16_t> counts(*backend, raw);
  const Values<float> out(*backend, std::vector<float>(raw.size()));
  const auto operation = backend->make_attenuation(
      {.columns = size, .rows = size, .white = {60000}, .dark = {}, .saturation = 65535});
  for (auto _ : state) {
    operation->apply(counts.view(size, size, view_count), {{0, size}, {0, size}},
                     out.view(size, size, view_count));
    backend->wait();
  }
  set_rate(state, "Mpixel", 1e-6 * size * size * view_count);
}

void register_all() {
  for (const auto& device : kernels::list_devices()) {
    if (!device.unavailable.empty() || device.name == "reference" || device.name == "cpu") continue;
    const auto add = [&](const char* name, auto body, int size) {
      benchmark::RegisterBenchmark(
          (std::string(name) + "/" + device.name + "/" + std::to_string(size)).c_str(),
          [=, name_of_device = device.name](benchmark::State& state) { body(state, name_of_device, size); })
          ->Unit(benchmark::kMillisecond)
          ->UseRealTime();
    };
    for (const int size : {128, 256, 512}) add("back_projection", back_projection, size);
    for (const int size : {256, 512, 1024, 2048}) {
      add(
          "dense_view_by_view",
          [](auto& state, auto& on, int n) { dense_back_projection(state, on, n, false); }, size);
      if (kernels::open_backend(device.name)->merges_views())
        add(
            "dense_merged", [](auto& state, auto& on, int n) { dense_back_projection(state, on, n, true); },
            size);
    }
    for (const int columns : {512, 1000, 2000, 4000}) add("filtering", filtering, columns);
    add("attenuation", attenuation, 1000);
  }
}

}  // namespace
}  // namespace feldspar

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  feldspar::register_all();
  benchmark::RunSpecifiedBenchmarks();
}
