#include "recon/slabs/slab_plan.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/units.hpp"

namespace feldspar::recon {
namespace {

constexpr int slice_step = SlabPlan::slice_step;

std::size_t product(std::size_t a, std::size_t b, std::size_t c = 1) { return a * b * c; }

/// Sets the bytes at the peak: two slabs (one computed, one written) unless there is only one, two raw
/// batches (one read, one computed), their line integrals, the upright or cropped copy when there is one, the
/// back-projector's and what continues truncated rows. A device with memory of its own has all of
/// it there, and the slabs and raw batches on both sides.
void add_up_memory(SlabPlan& plan, const FdkSetup& setup, const geometry::VolumeGrid& grid,
                   const MemoryCosts& costs) {
  std::size_t slab = 0, batch = 0, raw_batch = 0, held = 0;
  const auto views = static_cast<std::size_t>(plan.views_per_batch);
  for (const Slab& s : plan.slabs) {
    slab = std::max(slab, product(grid.nx, grid.ny, s.slices.count()) * sizeof(float));
    const std::size_t raw = product(s.source_window.columns.count(), s.source_window.rows.count(), views);
    const std::size_t upright = product(setup.columns, s.rows.count(), views);
    std::size_t bytes =
        raw * sizeof(float) + costs.back_projector(setup.columns, s.rows.count(), plan.views_per_batch);
    if (costs.extension) bytes += costs.extension(s.rows.count());
    if (setup.rectification || costs.halo_rows > 0) bytes += upright * sizeof(float);
    batch = std::max(batch, bytes);
    held = std::max(held, product(costs.held_row_bytes, s.source_window.rows.count()));
    raw_batch = std::max(raw_batch, raw * costs.count_bytes);
  }
  const std::size_t kept = slab * (plan.slabs.size() > 1 ? 2 : 1),
                    devices = static_cast<std::size_t>(costs.devices);
  if (!costs.device_limit) {
    plan.memory = costs.fixed + devices * (2 * raw_batch + batch + kept + held);
  } else {
    plan.memory = costs.fixed + devices * (2 * raw_batch + kept + held);
    plan.device_memory = costs.device_fixed + 2 * raw_batch + batch + kept;
  }
}

bool fits(const SlabPlan& plan, std::size_t budget, const MemoryCosts& costs) {
  return plan.memory <= budget && (!costs.device_limit || plan.device_memory <= *costs.device_limit);
}

/// Views that are read at a time, the most first.
std::vector<int> batch_sizes(int unit, int view_count) {
  std::vector<int> sizes;
  for (const int units : {8, 6, 4, 3, 2, 1})
    if (units == 1 || (units * unit <= std::max(64, unit) && units * unit / 2 < view_count))
      sizes.push_back(units * unit);
  return sizes;
}

/// How much of the volume is wanted, and in which pieces.
struct Cut {
  geometry::Range slices;
  int slices_per_slab = 0;
  int views_per_batch = 0;
};

SlabPlan cut(const FdkSetup& setup, const geometry::VolumeGrid& grid, const Cut& wanted,
             const MemoryCosts& costs) {
  SlabPlan plan;
  plan.views_per_batch = wanted.views_per_batch;
  for (int first = wanted.slices.first; first < wanted.slices.end; first += wanted.slices_per_slab)
    plan.slabs.push_back(make_slab(setup, grid,
                                   {first, std::min(wanted.slices.end, first + wanted.slices_per_slab)},
                                   costs.merging.extra_rows(), costs.halo_rows));
  return plan;
}

}  // namespace

Slab make_slab(const FdkSetup& setup, const geometry::VolumeGrid& grid, geometry::Range slices,
               int extra_rows, int halo_rows) {
  Slab slab;
  slab.slices = slices;
  const auto part = geometry::slab_of(grid, slices.first, slices.count());
  geometry::Range rows = geometry::shadow_window(setup.views, part, setup.columns, setup.rows).rows;
  if (rows.empty()) rows = {0, std::min(2, setup.rows)};  // beside the detector: filtered, and never met
  rows = {std::max(0, rows.first - extra_rows), std::min(setup.rows, rows.end + extra_rows)};
  set_rows(slab, setup, rows, halo_rows);
  return slab;
}

void set_rows(Slab& slab, const FdkSetup& setup, geometry::Range rows, int halo_rows) {
  slab.rows = {rows.first / 2 * 2, std::min(setup.rows, (rows.end + 1) / 2 * 2)};
  const geometry::PixelWindow window{{0, setup.columns}, slab.rows};
  slab.source_window = setup.rectification ? geometry::source_window(*setup.rectification, window,
                                                                     setup.source_columns, setup.source_rows)
                                           : window;
  slab.source_window.columns = {0, setup.source_columns};
  geometry::Range& read = slab.source_window.rows;
  if (!read.empty())
    read = {std::max(0, read.first - halo_rows), std::min(setup.source_rows, read.end + halo_rows)};
}

namespace {

/// `plan` with slabs of whole blocks, higher ones if they fit and lower ones otherwise: a block that two
/// slabs share is computed twice. Slabs lower than a block stay as they are.
SlabPlan in_blocks(SlabPlan plan, const FdkSetup& setup, const geometry::VolumeGrid& grid, std::size_t budget,
                   const MemoryCosts& costs) {
  constexpr int block = SlabPlan::slice_block;
  const geometry::Range slices{plan.slabs.front().slices.first, plan.slabs.back().slices.end};
  const int height = plan.slabs.front().slices.count();
  if (plan.slabs.size() == 1 || height % block == 0) return plan;
  for (const int blocks : {height / block + 1, height / block}) {
    if (blocks == 0 || (slices.count() + blocks * block - 1) / (blocks * block) < costs.devices) continue;
    SlabPlan aligned = cut(setup, grid, {slices, blocks * block, plan.views_per_batch}, costs);
    add_up_memory(aligned, setup, grid, costs);
    if (fits(aligned, budget, costs)) return aligned;
  }
  return plan;
}

/// The lowest slabs and the smallest batches there are.
SlabPlan smallest(const FdkSetup& setup, const geometry::VolumeGrid& grid, geometry::Range slices,
                  const MemoryCosts& costs) {
  const int views = batch_sizes(costs.merging.batch_unit(), static_cast<int>(setup.views.size())).back();
  SlabPlan plan = cut(setup, grid, {slices, slice_step, views}, costs);
  add_up_memory(plan, setup, grid, costs);
  return plan;
}

}  // namespace

std::size_t least_memory(const FdkSetup& setup, const geometry::VolumeGrid& grid, const MemoryCosts& costs,
                         geometry::Range slices) {
  return smallest(setup, grid, slices.empty() ? geometry::Range{0, grid.nz} : slices, costs).memory;
}

SlabPlan plan_slabs(const FdkSetup& setup, const geometry::VolumeGrid& grid, std::size_t budget,
                    const MemoryCosts& costs, geometry::Range slices) {
  if (slices.empty()) slices = {0, grid.nz};
  const int view_count = static_cast<int>(setup.views.size());
  const int steps = (slices.count() + slice_step - 1) / slice_step;
  SlabPlan best;
  const std::vector<int> batches = batch_sizes(costs.merging.batch_unit(), view_count);
  for (const int batch : batches) {
    // The fewest slabs that fit; heights are made equal, so needing fewer slabs never costs more memory.
    for (int slabs = std::min(costs.devices, steps);
         slabs <= steps && (best.slabs.empty() || slabs < static_cast<int>(best.slabs.size()));
         slabs = slabs < 8 ? slabs + 1 : slabs + (slabs + 3) / 4) {
      const int height = (steps + slabs - 1) / slabs * slice_step;
      SlabPlan plan = cut(setup, grid, {slices, height, batch}, costs);
      add_up_memory(plan, setup, grid, costs);
      if (!fits(plan, budget, costs)) continue;
      best = std::move(plan);
      break;
    }
  }
  if (!best.slabs.empty())
    best = in_blocks(std::move(best), setup, grid, budget, costs);
  else {  // the last try
    best = smallest(setup, grid, slices, costs);
  }
  const auto refuse = [](const char* what, std::size_t limit, std::size_t needed, OptionName option) {
    throw Error(
        ErrorKind::out_of_memory,
        fmt::format("{} is {}, but this reconstruction needs at least {}", what, format_bytes(limit),
                    format_bytes(needed)),
        {{option, "", "raise"}, {"size", "", "make the volume smaller with"}, {"voxel-size", "", "with"}});
  };
  if (best.memory > budget) refuse("the memory budget", budget, best.memory, "memory");
  if (costs.device_limit && best.device_memory > *costs.device_limit)
    refuse("the GPU's free memory or budget", *costs.device_limit, best.device_memory, "gpu-memory");
  for (const Slab& slab : best.slabs)
    best.bytes_to_read +=
        product(slab.source_window.columns.count(), slab.source_window.rows.count(), setup.views.size()) *
        costs.count_bytes;
  return best;
}

}  // namespace feldspar::recon
