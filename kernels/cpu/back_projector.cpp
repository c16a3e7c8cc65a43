#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/error.hpp"
#include "kernels/cpu/merged_views.hpp"
#include "kernels/cpu/operators.hpp"

namespace feldspar::kernels::cpu {
namespace {

/// What the column kernel needs of a geometry: u and w free of k, v growing with it, voxels well before
/// the source. `largest_step` is the most detector rows between neighbouring voxels of a column.
struct ColumnFitness {
  bool fits = true;
  double largest_step = 0;
};

ColumnFitness examine(std::span<const ExactViewMatrix> views, const geometry::VolumeGrid& grid) {
  constexpr double nearest = 0.02;  // of the distance to the axis; closer voxels would need unbounded steps
  constexpr double negligible = 1e-6;
  ColumnFitness fitness;
  for (const auto& [u, v, w] : views) {
    const double depth_change = std::abs(w.k) * grid.nz, column_change = std::abs(u.k) * grid.nz;
    double lowest_w = w.constant;
    for (const int i : {0, grid.nx - 1})
      for (const int j : {0, grid.ny - 1}) lowest_w = std::min(lowest_w, w.at(i, j));
    if (!(lowest_w > nearest) || column_change > negligible || depth_change > negligible * 1e-3 || !(v.k > 0))
      return {.fits = false, .largest_step = 0};
    fitness.largest_step = std::max(fitness.largest_step, v.k / lowest_w);
  }
  fitness.fits = fitness.largest_step < 1000;
  return fitness;
}

/// A slab that projections are added into.
struct Slab {
  const geometry::VolumeGrid& grid;
  geometry::Range slices;
  View3<float> volume;
};

class CpuBackProjector final : public BackProjector {
 public:
  CpuBackProjector(Machine& machine, const BackProjectorSpec& spec) : machine_(machine), spec_(spec) {}

  [[nodiscard]] std::size_t workspace_bytes(int columns, int rows, int views) const override {
    constexpr double coarse_voxels = 4;
    const ColumnLayout layout{columns, {0, rows}, border_rows(coarse_voxels)};
    return sizeof(float) * (layout.plane() * static_cast<std::size_t>(views) + 64 +
                            scratch_floats(layout) * static_cast<std::size_t>(machine_.pool.size()));
  }

  void accumulate(std::span<const geometry::View> views, geometry::Range rows,
                  DeviceView3<const float> projections, const geometry::VolumeGrid& grid,
                  geometry::Range slices, DeviceView3<float> volume) override {
    expects(views.size() == static_cast<std::size_t>(projections.nz) && rows.count() == projections.ny,
            "views, rows and projections have different sizes");
    expects(volume.nx == grid.nx && volume.ny == grid.ny && volume.nz == slices.count(),
            "the slab is not the grid's");
    std::vector<ExactViewMatrix> matrices;
    for (const geometry::View& view : views) matrices.push_back(make_exact_view_matrix(view, grid));
    const ColumnFitness fitness = examine(matrices, grid);
    const View3<const float> stack = on_host(projections);
    if (!fitness.fits) {
      accumulate_general(machine_, matrices, rows, stack, slices, on_host(volume));
      return;
    }
    const ColumnLayout layout{stack.nx, rows, border_rows(fitness.largest_step)};
    float* columns = room(columns_, layout.plane() * views.size(), "transposed projections");
    transpose(machine_.pool, stack, layout, columns);
    std::vector<ColumnView> column_views;
    for (std::size_t n = 0; n < matrices.size(); ++n)
      column_views.push_back(column_view(matrices[n], columns + n * layout.plane()));
    const Slab slab{grid, slices, on_host(volume)};
    if (spec_.merging.views > 1)
      add_merged(column_views, layout, slab);
    else
      add_directly(column_views, layout, slab);
  }

 private:
  /// Of one worker: sums, lines, and merged views.
  [[nodiscard]] std::size_t scratch_floats(const ColumnLayout& layout) const {
    if (spec_.merging.views == 1) return tile_floats + view_group * layout.stride();
    return tile_floats + view_group * merged_line_floats + merged_floats();
  }

  void add_directly(std::span<const ColumnView> views, const ColumnLayout& layout, const Slab& slab) {
    const std::size_t own = scratch_floats(layout);
    float* const scratch = room(scratch_, own * machine_.pool.size(), "voxel tiles");
    ColumnTile common{};
    common.views = views.data(), common.view_count = static_cast<int>(views.size());
    common.column_count = layout.columns;
    common.column_stride = common.line_stride = static_cast<std::ptrdiff_t>(layout.stride());
    common.first_row = layout.rows.first, common.row_count = layout.rows.count();
    common.border = layout.border;
    const Regions regions(slab.grid, slab.slices, tile_width);
    machine_.pool.for_each(regions.count(), [&](std::ptrdiff_t n, int worker) {
      if (is_outside(regions[n], slab.grid, spec_.radius)) return;
      ColumnTile tile = tile_of(regions[n], common);
      tile.sums = scratch + own * static_cast<std::size_t>(worker);
      tile.lines = tile.sums + tile_floats;
      add_to_tile(tile, slab);
    });
  }

  void add_merged(std::span<const ColumnView> views, const ColumnLayout& layout, const Slab& slab) {
    const std::size_t own = scratch_floats(layout), size = own * machine_.pool.size();
    const bool fresh = scratch_.bytes() < size * sizeof(float);
    float* const scratch = room(scratch_, size, "voxel tiles and merged views");
    if (fresh) std::memset(scratch, 0, scratch_.bytes());  // merge() relies on it
    const Regions regions(slab.grid, slab.slices, spec_.merging.tile);
    const auto unit = static_cast<std::size_t>(spec_.merging.batch_unit());
    for (std::size_t first = 0; first < views.size(); first += unit)
      machine_.pool.for_each(regions.count(), [&](std::ptrdiff_t n, int worker) {
        add_merged(views.subspan(first, std::min(unit, views.size() - first)), layout, regions[n], slab,
                   scratch + own * static_cast<std::size_t>(worker));
      });
  }

  /// Adds one batch unit of views to a region, in halves if its shadow is too large for the scratch.
  void add_merged(std::span<const ColumnView> views, const ColumnLayout& layout, const VoxelRegion& region,
                  const Slab& slab, float* scratch) const {
    if (is_outside(region, slab.grid, spec_.radius)) return;
    float* const lines = scratch + tile_floats;
    MergedViews merged;
    if (!merge(*machine_.simd, {views, spec_.merging.views, layout}, region,
               lines + view_group * merged_line_floats, merged)) {
      for (const VoxelRegion& half : halves_of(region)) add_merged(views, layout, half, slab, scratch);
      return;
    }
    for (const VoxelRegion& part : tiles_of(region)) {
      if (is_outside(part, slab.grid, spec_.radius)) continue;
      ColumnTile tile = tile_of(part, merged.tile);
      tile.sums = scratch;
      tile.lines = lines, tile.line_stride = merged_line_floats;
      add_to_tile(tile, slab);
    }
  }

  void add_to_tile(const ColumnTile& tile, const Slab& slab) const {
    const View3<float>& volume = slab.volume;
    const std::ptrdiff_t row = volume.nx, slice = row * volume.ny;
    float* const voxels = volume.row(tile.first_j, tile.first_k - slab.slices.first) + tile.first_i;
    machine_.simd->load_sums(tile, voxels, row, slice);
    machine_.simd->back_project_tile(tile);
    machine_.simd->save_sums(tile, voxels, row, slice);
  }

  /// A block of at least `floats`, kept between calls.
  float* room(Block& block, std::size_t floats, const char* purpose) {
    if (block.bytes() < floats * sizeof(float)) {
      block = Block();
      block = Block(floats * sizeof(float), purpose, machine_.budget);
    }
    return static_cast<float*>(block.data());
  }

  Machine& machine_;
  BackProjectorSpec spec_;
  Block columns_;
  Block scratch_;
};

}  // namespace

std::unique_ptr<BackProjector> make_back_projector(Machine& machine, const BackProjectorSpec& spec) {
  return std::make_unique<CpuBackProjector>(machine, spec);
}

}  // namespace feldspar::kernels::cpu
