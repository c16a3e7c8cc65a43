#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/error.hpp"
#include "kernels/cpu/operators.hpp"

namespace feldspar::kernels::cpu {
namespace {

constexpr std::ptrdiff_t tile_floats = std::ptrdiff_t{tile_width} * tile_width * tile_stride;

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
  for (const auto& [m] : views) {
    const double depth_change = std::abs(m[10]) * grid.nz, column_change = std::abs(m[2]) * grid.nz;
    double lowest_w = m[11];
    for (const int i : {0, grid.nx - 1})
      for (const int j : {0, grid.ny - 1}) lowest_w = std::min(lowest_w, m[8] * i + m[9] * j + m[11]);
    if (!(lowest_w > nearest) || column_change > negligible || depth_change > negligible * 1e-3 ||
        !(m[6] > 0))
      return {.fits = false, .largest_step = 0};
    fitness.largest_step = std::max(fitness.largest_step, m[6] / lowest_w);
  }
  fitness.fits = fitness.largest_step < 1000;
  return fitness;
}

ColumnView column_view(const ExactViewMatrix& view, const float* columns) {
  const double* m = view.m;
  return {m[0], m[1], m[3], m[8], m[9], m[11], m[4], m[5], m[7], m[6], columns};
}

/// One projection with its columns contiguous: column -1 and the one past the last are zeros, and `border`
/// zeros stand before and after each.
void transpose(View3<const float> projection, int border, std::ptrdiff_t stride, float* out) {
  constexpr int tile = 16;
  const int columns = projection.nx, rows = projection.ny;
  for (int column = -1; column <= columns; ++column) {
    float* to = out + (column + 1) * stride;
    const bool inside = column >= 0 && column < columns;
    std::memset(to, 0, sizeof(float) * static_cast<std::size_t>(inside ? border : stride));
    if (inside)
      std::memset(to + border + rows, 0, sizeof(float) * static_cast<std::size_t>(stride - border - rows));
  }
  for (int first_row = 0; first_row < rows; first_row += tile)
    for (int first_column = 0; first_column < columns; first_column += tile) {
      const int end_row = std::min(rows, first_row + tile),
                end_column = std::min(columns, first_column + tile);
      for (int column = first_column; column < end_column; ++column) {
        float* to = out + (column + 1) * stride + border;
        const float* from = projection.data + column;
        for (int row = first_row; row < end_row; ++row)
          to[row] = from[static_cast<std::ptrdiff_t>(row) * columns];
      }
    }
}

class CpuBackProjector final : public BackProjector {
 public:
  explicit CpuBackProjector(Machine& machine) : machine_(machine) {}

  [[nodiscard]] std::size_t workspace_bytes(int columns, int rows, int views) const override {
    constexpr double coarse_voxels = 4;
    const int border = border_rows(coarse_voxels);
    return sizeof(float) *
           (stack_floats(columns, rows, views, border) + scratch_floats(rows, border) * machine_.pool.size());
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
    if (fitness.fits)
      accumulate_columns(matrices, border_rows(fitness.largest_step), rows, on_host(projections), slices,
                         on_host(volume));
    else
      accumulate_general(machine_, matrices, rows, on_host(projections), slices, on_host(volume));
  }

 private:
  static std::size_t column_stride(int rows, int border) {
    return static_cast<std::size_t>((rows + 2 * border + 15) / 16 * 16);
  }
  static std::size_t stack_floats(int columns, int rows, int views, int border) {
    return column_stride(rows, border) * static_cast<std::size_t>(columns + 2) *
               static_cast<std::size_t>(views) +
           64;
  }
  static std::size_t line_floats(int rows, int border) { return column_stride(rows, border); }
  static std::size_t scratch_floats(int rows, int border) {
    return tile_floats + view_group * line_floats(rows, border);
  }

  void accumulate_columns(std::span<const ExactViewMatrix> matrices, int border, geometry::Range rows,
                          View3<const float> stack, geometry::Range slices, View3<float> volume) {
    const std::size_t stride = column_stride(stack.ny, border),
                      plane = stride * static_cast<std::size_t>(stack.nx + 2);
    float* columns =
        room(columns_, stack_floats(stack.nx, stack.ny, stack.nz, border), "transposed projections");
    const std::size_t scratch_size = scratch_floats(stack.ny, border);
    float* scratch = room(scratch_, scratch_size * machine_.pool.size(), "voxel tiles");
    machine_.pool.for_each(stack.nz, [&](std::ptrdiff_t n, int) {
      transpose(stack.planes(static_cast<int>(n), 1), border, static_cast<std::ptrdiff_t>(stride),
                columns + n * plane);
    });
    std::vector<ColumnView> views;
    for (std::size_t n = 0; n < matrices.size(); ++n)
      views.push_back(column_view(matrices[n], columns + n * plane));

    ColumnTile common{};
    common.views = views.data();
    common.view_count = stack.nz;
    common.column_count = stack.nx;
    common.column_stride = static_cast<std::ptrdiff_t>(stride);
    common.first_row = rows.first;
    common.row_count = stack.ny;
    common.border = border;
    common.line_stride = static_cast<std::ptrdiff_t>(line_floats(stack.ny, border));
    const int across = (volume.nx + tile_width - 1) / tile_width,
              deep = (volume.ny + tile_width - 1) / tile_width;
    const int first_block = slices.first / block_slices,
              blocks = (slices.end - 1) / block_slices - first_block + 1;
    machine_.pool.for_each(
        static_cast<std::ptrdiff_t>(across) * deep * blocks, [&](std::ptrdiff_t job, int worker) {
          ColumnTile tile = common;
          tile.first_i = static_cast<int>(job % across) * tile_width;
          tile.first_j = static_cast<int>(job / across % deep) * tile_width;
          tile.count_i = std::min(tile_width, volume.nx - tile.first_i);
          tile.count_j = std::min(tile_width, volume.ny - tile.first_j);
          tile.block = (first_block + static_cast<int>(job / across / deep)) * block_slices;
          tile.first_k = std::max(tile.block, slices.first);
          tile.end_k = std::min(tile.block + block_slices, slices.end);
          tile.sums = scratch + scratch_size * worker;
          tile.lines = tile.sums + tile_floats;
          load(tile, slices.first, volume);
          machine_.simd->back_project_tile(tile);
          save(tile, slices.first, volume);
        });
  }

  static void load(const ColumnTile& tile, int first_slice, View3<float> volume) {
    std::memset(tile.sums, 0, sizeof(float) * tile_floats);
    for (int k = tile.first_k; k < tile.end_k; ++k)
      for (int j = 0; j < tile.count_j; ++j) {
        const float* from = volume.row(tile.first_j + j, k - first_slice) + tile.first_i;
        float* to = tile.sums + static_cast<std::ptrdiff_t>(j) * tile_width * tile_stride + (k - tile.block);
        for (int i = 0; i < tile.count_i; ++i) to[i * tile_stride] = from[i];
      }
  }

  static void save(const ColumnTile& tile, int first_slice, View3<float> volume) {
    for (int k = tile.first_k; k < tile.end_k; ++k)
      for (int j = 0; j < tile.count_j; ++j) {
        float* to = volume.row(tile.first_j + j, k - first_slice) + tile.first_i;
        const float* from =
            tile.sums + static_cast<std::ptrdiff_t>(j) * tile_width * tile_stride + (k - tile.block);
        for (int i = 0; i < tile.count_i; ++i) to[i] = from[i * tile_stride];
      }
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
  Block columns_;
  Block scratch_;
};

}  // namespace

std::unique_ptr<BackProjector> make_back_projector(Machine& machine) {
  return std::make_unique<CpuBackProjector>(machine);
}

}  // namespace feldspar::kernels::cpu
