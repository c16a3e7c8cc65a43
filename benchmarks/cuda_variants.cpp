// The ways to back-project on a GPU against each other (kernels/cuda/operators.hpp names them). GUPS are
// 10^9 voxel updates a second.
#include <benchmark/benchmark.h>

#include <cmath>
#include <numbers>
#include <vector>

#include "kernels/cuda/cuda_backend.hpp"
#include "kernels/cuda/operators.hpp"

namespace feldspar::kernels {
namespace {

constexpr int view_count = 64;

struct Variant {
  const char* name;
  cuda::Method method;
  ViewMerging merging;
};

constexpr Variant variants[] = {{"blocks", cuda::Method::blocks, {}},
                                {"blocks_merged_by_8", cuda::Method::blocks, {.views = 8, .tile = 64}},
                                {"half_blocks", cuda::Method::half_blocks, {}},
                                {"columns", cuda::Method::columns, {}},
                                {"texture", cuda::Method::texture, {}}};

void back_projection(benchmark::State& state, int device, const Variant& variant, int size) {
  const geometry::CircularScan scan = [size] {
    geometry::CircularScan made{
        .source_object_distance = 300,
        .source_detector_distance = 1000,
        .detector = {.columns = size, .rows = size, .column_pitch = 204.8 / size, .row_pitch = 204.8 / size},
        .axis = {},
        .angles = {},
        .shifts = {}};
    for (int n = 0; n < view_count; ++n) made.angles.push_back(0.6 + 2 * std::numbers::pi * n / 3176);
    return made;
  }();
  const std::vector<geometry::View> views = geometry::make_views(scan);
  const geometry::VolumeGrid grid = geometry::default_grid(scan);
  std::vector<float> values(static_cast<std::size_t>(size) * size * view_count);
  for (std::size_t n = 0; n < values.size(); ++n)
    values[n] = 1 + std::sin(0.37f * static_cast<float>(n % 9973));

  const auto queue = std::make_shared<const cuda::Queue>(device, 0);
  const cuda::DeviceMemory projections(*queue, values.size() * sizeof(float), "projections");
  const cuda::DeviceMemory volume(*queue, grid.voxels() * sizeof(float), "a volume");
  cuda::check(cudaMemcpy(projections.data(), values.data(), projections.bytes(), cudaMemcpyHostToDevice),
              "cudaMemcpy");
  cuda::check(cudaMemset(volume.data(), 0, volume.bytes()), "cudaMemset");
  cuda::check(cudaDeviceSynchronize(),
              "cudaDeviceSynchronize");  // the queue does not wait for the default stream
  const auto projector = cuda::make_back_projector(queue, variant.method, {.merging = variant.merging});
  for (auto _ : state) {
    projector->accumulate(views, {0, size}, {projections.as<float>(), size, size, view_count}, grid,
                          {0, grid.nz}, {volume.as<float>(), grid.nx, grid.ny, grid.nz});
    queue->wait();
  }
  state.counters["GUPS"] = benchmark::Counter(1e-9 * static_cast<double>(grid.voxels()) * view_count,
                                              benchmark::Counter::kIsIterationInvariantRate);
}

void register_all() {
  const std::vector<DeviceInfo> devices = cuda_devices();
  for (std::size_t n = 0; n < devices.size(); ++n) {
    if (!devices[n].unavailable.empty()) continue;
    for (const int size : {512, 1024, 2000})
      for (const Variant& variant : variants)
        benchmark::RegisterBenchmark(
            (std::string(variant.name) + "/" + devices[n].name + "/" + std::to_string(size)).c_str(),
            [=, device = static_cast<int>(n), &variant](benchmark::State& state) {
              back_projection(state, device, variant, size);
            })
            ->Unit(benchmark::kMillisecond)
            ->UseRealTime();
  }
}

}  // namespace
}  // namespace feldspar::kernels

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  feldspar::kernels::register_all();
  benchmark::RunSpecifiedBenchmarks();
}
