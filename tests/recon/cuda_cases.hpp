// Whole reconstructions that a CUDA device and the CPU must agree on.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "recon/truncation/extension.hpp"
#include "tests/recon/reconstruct.hpp"
#include "tests/support/scans.hpp"

namespace feldspar::testing {

struct CudaCase {
  std::string name;
  VirtualScan source;
  recon::FdkOptions options;
  double tolerance;
  recon::FdkSetup setup = recon::prepare_fdk(source.scan());

  struct Result {
    std::vector<float> values;
    recon::FdkReport report;
    recon::SlabPlan plan;
  };
  [[nodiscard]] Result on(const std::vector<kernels::Backend*>& devices) const {
    const auto& grid = options.grid;
    Result result;
    result.plan = plan_slabs(setup, grid, plenty, costs_on(devices, source, setup, options));
    VolumeInMemory volume(grid.nx, grid.ny, grid.nz);
    Progress progress;
    result.report = reconstruct_fdk({source, setup, options}, result.plan, volume, devices, progress);
    result.values = std::move(volume.values);
    return result;
  }
  /// On devices as kernels::open_backends() takes them.
  [[nodiscard]] Result on(std::string_view names) const {
    const auto backends = kernels::open_backends(names, {.threads = 2});
    std::vector<kernels::Backend*> devices;
    for (const auto& backend : backends) devices.push_back(backend.get());
    return on(devices);
  }
};

/// Entries of matrices and places are rounded to 2^-24 of the largest index, on both sides, and four such
/// roundings meet in a voxel, as in column_tolerance() of the kernels' tests; a filtered pixel, up to three
/// times the largest voxel's share of it, has those of log2(128) stages, twice, as in
/// FilterConvolvesWithTheRamp.
constexpr double rounding = 2 * 4 * 0x1p-24 * 64 + 2 * 3 * 24 * 0x1p-24;

inline CudaCase cuda_case(const char* name, geometry::CircularScan scan, double tolerance = rounding) {
  return {
      .name = name,
      .source = {std::move(scan), {{{1, -2, 1}, {5, 4, 6}, 0.3, 0.05, false}}},
      .options = {.grid = geometry::centred_grid(32, 32, 48, 0.5), .ramp = {}, .projector = {}, .memory = 0},
      .tolerance = tolerance};
}

inline geometry::CircularScan small_scan(int views = 40) {
  geometry::CircularScan scan = plain_scan(views);
  scan.detector.columns = 60, scan.detector.rows = 64;
  return scan;
}

inline CudaCase rolled_case() {
  geometry::CircularScan scan = small_scan();
  scan.detector.roll = 0.01;
  return cuda_case("rolled", std::move(scan));
}

inline CudaCase extended_case() {
  geometry::CircularScan scan = small_scan();
  scan.detector.columns = 24;
  CudaCase made = cuda_case("extended", std::move(scan));
  made.options.extension = std::make_shared<recon::Extension>(extend_by_outline(made.setup, {7, 1, -2}));
  return made;
}

/// Bad pixels, single events, offsets and a polynomial.
inline CudaCase corrected_case() {
  CudaCase made = cuda_case("corrected", small_scan());
  const auto& detector = made.source.scan().detector;
  auto corrections = std::make_shared<recon::Corrections>();
  kernels::CorrectionSpec& spec = corrections->spec;
  spec.columns = detector.columns, spec.rows = detector.rows;
  for (int n = 0; n < 40; ++n) spec.view_offset.push_back(1e-3f * static_cast<float>(n % 5));
  for (int n = 0; n < detector.columns * detector.rows; ++n)
    spec.pixel_offset.push_back(1e-3f * static_cast<float>(n % 7));
  spec.bad_pixels = {30, 31, 1500, 1501, 1560, 3000};
  spec.patches = {{3, 1700, 0.2f}, {30, 2000, 0.1f}};
  spec.polynomial = {0, 0.9f, 0.1f};
  made.options.corrections = std::move(corrections);
  return made;
}

/// The CPU moves sixteen rows of merged views by one distance: cuda_merging_test derives the first bound.
inline CudaCase merged_case() {
  CudaCase made = cuda_case("merged", small_scan(320), 2.8e-4 + rounding);
  made.options.projector.merging =
      kernels::merging_of(4, made.setup.views, made.options.grid, made.options.projector.radius);
  return made;
}

inline std::vector<CudaCase> cuda_cases() {
  std::vector<CudaCase> all{cuda_case("plain", small_scan())};
  for (CudaCase& made : std::vector{rolled_case(), extended_case(), corrected_case(), merged_case()})
    all.push_back(std::move(made));
  return all;
}

}  // namespace feldspar::testing
