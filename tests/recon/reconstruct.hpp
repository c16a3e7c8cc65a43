// From a scan in memory to a volume in memory, and what tests ask of that volume.
#pragma once

#include <cmath>
#include <string>

#include "recon/fdk/fdk.hpp"
#include "tests/support/virtual_scan.hpp"

namespace feldspar::testing {

constexpr std::size_t plenty = std::size_t{4} << 30;

/// How a volume is made.
struct Making {
  std::string device = "cpu";
  std::size_t memory = plenty;
  kernels::RampOptions ramp = {};
  kernels::BackProjectorSpec projector = {};
  int readers = 1;
};

inline VolumeInMemory reconstruct(const io::ScanSource& source, const recon::FdkSetup& setup,
                                  const geometry::VolumeGrid& grid, const Making& how = {}) {
  MemoryBudget budget(how.memory);
  const auto backend = kernels::open_backend(how.device, {.threads = 2, .budget = &budget});
  const recon::FdkOptions options{.grid = grid,
                                  .ramp = how.ramp,
                                  .projector = how.projector,
                                  .readers = how.readers,
                                  .memory = how.memory};
  const recon::SlabPlan plan =
      plan_slabs(setup, grid, how.memory, costs_on(*backend, source, setup, options));
  VolumeInMemory volume(grid.nx, grid.ny, grid.nz);
  Progress progress;
  (void)reconstruct_fdk({source, setup, options}, plan, volume, *backend, progress);
  return volume;
}

inline VolumeInMemory reconstruct(const io::ScanSource& source, const geometry::VolumeGrid& grid,
                                  const Making& how = {}) {
  return reconstruct(source, recon::prepare_fdk(source.scan()), grid, how);
}

/// Mean over the voxels whose centre lies within `radius` of `centre`, in a slab of +-`half` mm.
inline double mean_within(const VolumeInMemory& volume, const geometry::VolumeGrid& grid,
                          geometry::Vec3 centre, double radius, double half) {
  double sum = 0;
  int count = 0;
  for (int k = 0; k < grid.nz; ++k)
    for (int j = 0; j < grid.ny; ++j)
      for (int i = 0; i < grid.nx; ++i) {
        const geometry::Vec3 r = grid.centre_of(i, j, k) - centre;
        if (std::hypot(r.x, r.y) > radius || std::abs(r.z) > half) continue;
        sum += volume.at(i, j, k), ++count;
      }
  return sum / count;
}

}  // namespace feldspar::testing
