#include "kernels/cpu/merged_views.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace feldspar::kernels::cpu {
namespace {

constexpr double oversampling = 2;
constexpr int border = border_rows(ViewMerging::most_pixels_per_voxel);
constexpr int most_columns =
    MergeTask::most_columns;  // the shadow of the widest tile, twice as fine, and some
constexpr int row_step = MergeTask::row_step;
/// An odd number of cache lines: neighbouring columns do not crowd the same part of the cache.
constexpr std::ptrdiff_t stride = merged_line_floats;
static_assert(stride % 16 == 0 && stride / 16 % 2 == 1);
constexpr std::ptrdiff_t plane = stride * (most_columns + 2);

int round_down(double row) { return static_cast<int>(std::floor(row / row_step)) * row_step; }

ColumnView mean_of(std::span<const ColumnView> views) {
  ColumnView mean{};
  const double share = 1.0 / static_cast<double>(views.size());
  for (const ColumnView& view : views) {
    mean.u_i += share * view.u_i, mean.u_j += share * view.u_j, mean.u_0 += share * view.u_0;
    mean.w_i += share * view.w_i, mean.w_j += share * view.w_j, mean.w_0 += share * view.w_0;
    mean.v_i += share * view.v_i, mean.v_j += share * view.v_j, mean.v_0 += share * view.v_0;
    mean.v_k += share * view.v_k;
  }
  return mean;
}

/// Where the voxels of a region fall on a view.
struct Shadow {
  double lowest_u = 1e30, highest_u = -1e30, lowest_v = 1e30, highest_v = -1e30;
};

Shadow shadow_of(const ColumnView& view, const VoxelRegion& region) {
  Shadow s;
  for (const int i : {region.i.first, region.i.end - 1})
    for (const int j : {region.j.first, region.j.end - 1}) {
      const double scale = 1.0 / (view.w_i * i + view.w_j * j + view.w_0);
      const double u = (view.u_i * i + view.u_j * j + view.u_0) * scale;
      s.lowest_u = std::min(s.lowest_u, u), s.highest_u = std::max(s.highest_u, u);
      for (const int k : {region.k.first, region.k.end - 1}) {
        const double v = (view.v_i * i + view.v_j * j + view.v_0 + view.v_k * k) * scale;
        s.lowest_v = std::min(s.lowest_v, v), s.highest_v = std::max(s.highest_v, v);
      }
    }
  return s;
}

/// `v`, or as near to it as counts: further out all is zero.
double near_rows(double v, geometry::Range rows) {
  return std::clamp(v, rows.first - 2.0 * row_step, rows.end + 2.0 * row_step);
}

/// What the merged detector has to hold for a region.
struct MergedShape {
  ColumnView means[view_group];
  double first_u[view_group];
  int columns = 0;
  int first_row = 0, row_count = 0;

  [[nodiscard]] bool fits() const { return columns <= most_columns && row_count <= MergeTask::most_rows; }
};

MergedShape shape_of(const ViewGroups& groups, const VoxelRegion& region) {
  const ColumnLayout& layout = groups.layout;
  MergedShape shape;
  double lowest_v = 1e30, highest_v = -1e30;
  for (int g = 0; g < groups.count(); ++g) {
    shape.means[g] = mean_of(groups[g]);
    const Shadow shadow = shadow_of(shape.means[g], region);
    // Nothing is to be seen beside the detector, where the last column that is read has its zeros.
    const double first_u = std::clamp(shadow.lowest_u, -2.0, layout.columns + 1.0) - 0.5 / oversampling,
                 last_u = std::clamp(shadow.highest_u, -2.0, layout.columns + 1.0);
    shape.first_u[g] = first_u;
    shape.columns =
        std::max(shape.columns, static_cast<int>(std::ceil((last_u - first_u) * oversampling)) + 2);
    lowest_v = std::min(lowest_v, shadow.lowest_v), highest_v = std::max(highest_v, shadow.highest_v);
  }
  shape.first_row = round_down(near_rows(lowest_v, layout.rows) - 1);
  shape.row_count = round_down(near_rows(highest_v, layout.rows) + 3) + row_step - shape.first_row;
  return shape;
}

/// What the tasks of all groups have in common.
MergeTask common_task(const ColumnLayout& layout, const VoxelRegion& region, const MergedShape& shape) {
  MergeTask task{};
  task.column_count = layout.columns;
  task.column_stride = static_cast<std::ptrdiff_t>(layout.stride());
  task.held_first = layout.rows.first, task.held_count = layout.rows.count();
  task.border = layout.border;
  task.middle_i = 0.5 * (region.i.first + region.i.end - 1);
  task.middle_j = 0.5 * (region.j.first + region.j.end - 1);
  task.step_u = 1 / oversampling;
  task.columns = shape.columns;
  task.first_row = shape.first_row, task.row_count = shape.row_count;
  task.out_stride = stride;
  return task;
}

/// Zeros around the columns of a merged view, whose column -1 is at `pixels`.
void clear_around(const MergeTask& task, float* pixels) {
  const std::size_t column = sizeof(float) * static_cast<std::size_t>(stride);
  std::memset(pixels, 0, column);
  std::memset(pixels + (task.columns + 1) * stride, 0, column);
  for (int c = 0; c < task.columns; ++c)  // what a larger shadow left behind
    std::memset(task.out + c * stride + task.row_count, 0, sizeof(float) * 64);
}

/// The merged detector's own pixels in place of the views'.
ColumnView resampled(ColumnView view, double first_u, const float* columns) {
  view.u_i = oversampling * (view.u_i - first_u * view.w_i);
  view.u_j = oversampling * (view.u_j - first_u * view.w_j);
  view.u_0 = oversampling * (view.u_0 - first_u * view.w_0);
  view.columns = columns;
  return view;
}

ColumnTile tile_of_merged(const MergedViews& merged, const MergedShape& shape) {
  ColumnTile tile{};
  tile.views = merged.views, tile.view_count = merged.count;
  tile.column_count = shape.columns;
  tile.column_stride = stride;
  tile.first_row = shape.first_row, tile.row_count = shape.row_count;
  tile.border = border;
  return tile;
}

}  // namespace

std::size_t merged_floats() { return static_cast<std::size_t>(view_group * plane + MergeTask::line_floats); }

bool merge(const SimdKernels& simd, const ViewGroups& groups, const VoxelRegion& region, float* scratch,
           MergedViews& merged) {
  const MergedShape shape = shape_of(groups, region);
  merged.count = 0;
  if (!shape.fits()) return false;
  MergeTask task = common_task(groups.layout, region, shape);
  task.lines = scratch + view_group * plane;
  for (int g = 0; g < groups.count(); ++g) {
    float* const pixels = scratch + g * plane;  // column -1
    task.views = groups[g].data(), task.view_count = static_cast<int>(groups[g].size());
    task.mean = shape.means[g];
    task.first_u = shape.first_u[g];
    task.out = pixels + stride + border;
    simd.merge_views(task);
    clear_around(task, pixels);
    merged.views[merged.count++] = resampled(shape.means[g], shape.first_u[g], pixels);
  }
  merged.tile = tile_of_merged(merged, shape);
  return true;
}

}  // namespace feldspar::kernels::cpu
