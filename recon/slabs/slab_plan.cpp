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
void add_up_memory(SlabPlan& plan, const UprightDetector& detector, const geometry::VolumeGrid& grid,
                   const MemoryCosts& costs) {
  std::size_t slab = 0, batch = 0, raw_batch = 0, held = 0;
  for (const Slab& s : plan.slabs) {
    slab = std::max(slab, product(grid.nx, grid.ny, s.slices.count()) * sizeof(float));
    const LineIntegralRoom room{s.source_pixels(), s.rows.count(), plan.views_per_batch};
    std::size_t bytes = LineIntegralStage::buffer_bytes(detector, costs.halo_rows, room) +
                        costs.back_projector(detector.columns, room.rows, room.views);
    if (costs.extension) bytes += costs.extension(s.rows.count());
    batch = std::max(batch, bytes);
    held = std::max(held, product(costs.held_row_bytes, s.source_window.rows.count()));
    raw_batch = std::max(raw_batch, product(room.source_pixels, room.views, costs.count_bytes));
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

/// The fewest slabs to plan with: one for each device. One with memory of its own works on a slab while the
/// one before is brought to the host and written, so there are to be four and two for each, and up to eight
/// where two of them would be many GiB of pinned memory; but none that is lower than a block of the kernel.
/// The rows that slabs share are read and filtered for each of them, so more would cost more than they gain.
int fewest_slabs(const geometry::VolumeGrid& grid, geometry::Range slices, const MemoryCosts& costs) {
  constexpr int block = SlabPlan::slice_block;
  constexpr std::size_t pinned = std::size_t{16} << 30;  // of a device
  const int count = slices.count(), steps = (count + slice_step - 1) / slice_step;
  if (!costs.device_limit) return std::min(costs.devices, steps);
  const int least = std::max(4, 2 * costs.devices), most = std::max(8, 2 * costs.devices);
  const std::size_t pair = 2 * product(grid.nx, grid.ny, sizeof(float));
  const int bound = static_cast<int>(std::min<std::size_t>(pinned / pair, grid.nz)),
            high = std::min((count - 1) / (least - 1), bound) / block * block,
            low = ((count + most - 1) / most + block - 1) / block * block;
  const int height = std::max(high, low);
  return std::min(std::max(costs.devices, (count + height - 1) / height), steps);
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

SlabPlan cut(const UprightDetector& detector, const geometry::VolumeGrid& grid, const Cut& wanted,
             const MemoryCosts& costs) {
  SlabPlan plan;
  plan.views_per_batch = wanted.views_per_batch;
  for (int first = wanted.slices.first; first < wanted.slices.end; first += wanted.slices_per_slab)
    plan.slabs.push_back(make_slab(detector, grid,
                                   {first, std::min(wanted.slices.end, first + wanted.slices_per_slab)},
                                   costs.merging.extra_rows(), costs.halo_rows));
  return plan;
}

}  // namespace

Slab make_slab(const UprightDetector& detector, const geometry::VolumeGrid& grid, geometry::Range slices,
               int extra_rows, int halo_rows) {
  const auto part = geometry::slab_of(grid, slices.first, slices.count());
  geometry::Range rows = geometry::shadow_window(detector.views, part, detector.columns, detector.rows).rows;
  if (rows.empty()) rows = {0, std::min(2, detector.rows)};  // beside the detector: filtered, and never met
  rows = {std::max(0, rows.first - extra_rows), std::min(detector.rows, rows.end + extra_rows)};
  return {rows_of(detector, rows, halo_rows), slices};
}

LineIntegralRoom SlabPlan::room() const {
  LineIntegralRoom most{.views = views_per_batch};
  for (const Slab& slab : slabs) {
    most.source_pixels = std::max(most.source_pixels, slab.source_pixels());
    most.rows = std::max(most.rows, slab.rows.count());
  }
  return most;
}

namespace {

/// `plan` with slabs of whole blocks, higher ones if they fit and lower ones otherwise: a block that two
/// slabs share is computed twice. Slabs lower than a block stay as they are.
SlabPlan in_blocks(SlabPlan plan, const UprightDetector& detector, const geometry::VolumeGrid& grid,
                   std::size_t budget, const MemoryCosts& costs) {
  constexpr int block = SlabPlan::slice_block;
  const geometry::Range slices{plan.slabs.front().slices.first, plan.slabs.back().slices.end};
  const int height = plan.slabs.front().slices.count();
  if (plan.slabs.size() == 1 || height % block == 0) return plan;
  for (const int blocks : {height / block + 1, height / block}) {
    if (blocks == 0 || (slices.count() + blocks * block - 1) / (blocks * block) < costs.devices) continue;
    SlabPlan aligned = cut(detector, grid, {slices, blocks * block, plan.views_per_batch}, costs);
    add_up_memory(aligned, detector, grid, costs);
    if (fits(aligned, budget, costs)) return aligned;
  }
  return plan;
}

/// The lowest slabs and the smallest batches there are.
SlabPlan smallest(const UprightDetector& detector, const geometry::VolumeGrid& grid, geometry::Range slices,
                  const MemoryCosts& costs) {
  const int views = batch_sizes(costs.merging.batch_unit(), static_cast<int>(detector.views.size())).back();
  SlabPlan plan = cut(detector, grid, {slices, slice_step, views}, costs);
  add_up_memory(plan, detector, grid, costs);
  return plan;
}

}  // namespace

std::size_t least_memory(const UprightDetector& detector, const geometry::VolumeGrid& grid,
                         const MemoryCosts& costs, geometry::Range slices) {
  return smallest(detector, grid, slices.empty() ? geometry::Range{0, grid.nz} : slices, costs).memory;
}

SlabPlan plan_slabs(const UprightDetector& detector, const geometry::VolumeGrid& grid, std::size_t budget,
                    const MemoryCosts& costs, geometry::Range slices) {
  if (slices.empty()) slices = {0, grid.nz};
  const int view_count = static_cast<int>(detector.views.size());
  const int steps = (slices.count() + slice_step - 1) / slice_step;
  const int fewest = fewest_slabs(grid, slices, costs);
  SlabPlan best;
  const std::vector<int> batches = batch_sizes(costs.merging.batch_unit(), view_count);
  for (const int batch : batches) {
    // The first number of slabs that fits; heights are made equal.
    for (int slabs = fewest;
         slabs <= steps && (best.slabs.empty() || slabs < static_cast<int>(best.slabs.size()));
         slabs = slabs < 8 ? slabs + 1 : slabs + (slabs + 3) / 4) {
      const int height = (steps + slabs - 1) / slabs * slice_step;
      SlabPlan plan = cut(detector, grid, {slices, height, batch}, costs);
      add_up_memory(plan, detector, grid, costs);
      if (!fits(plan, budget, costs)) continue;
      best = std::move(plan);
      break;
    }
  }
  if (!best.slabs.empty())
    best = in_blocks(std::move(best), detector, grid, budget, costs);
  else {  // the last try
    best = smallest(detector, grid, slices, costs);
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
    best.bytes_to_read += product(slab.source_pixels(), detector.views.size(), costs.count_bytes);
  return best;
}

}  // namespace feldspar::recon
