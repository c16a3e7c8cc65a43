// The inner loops that are compiled once for every instruction set and chosen at run time. Their sources
// include only plain headers: an inline library function compiled for AVX-512 must not become the copy
// that the linker keeps for an older processor.
#pragma once

#include <cstddef>
#include <cstdint>

namespace feldspar::kernels::cpu {

/// Voxel columns are processed in blocks of this many slices, at multiples of it in the whole volume.
constexpr int block_slices = 128;
/// Tiles are this many voxels wide and deep.
constexpr int tile_width = 16;
/// Floats from one voxel column of a tile to the next; not a power of two, which would crowd the cache.
constexpr std::ptrdiff_t tile_stride = block_slices + 16;
/// Views that are added together before the sum reaches the volume.
constexpr int view_group = 8;
/// One view of the column kernel: homogeneous shadow (u, v, w) of voxel (i, j, k), where u and w do not
/// depend on k, and its projection with columns contiguous.
struct ColumnView {
  double u_i, u_j, u_0;
  double w_i, w_j, w_0;
  double v_i, v_j, v_0, v_k;
  const float* columns;  ///< column -1 (zeros), 0, 1 ... count (zeros), `column_stride` floats apart
};

struct ColumnTile {
  const ColumnView* views;
  int view_count;
  int column_count;  ///< of the detector
  std::ptrdiff_t column_stride;
  int first_row, row_count;  ///< detector rows held by `columns`, after `border` zeros
  int border;                ///< zeros before and after each column: border_rows() or more
  int first_i, count_i;      ///< voxels of the tile, indices of the whole volume
  int first_j, count_j;
  int block;                   ///< first slice of the block, a multiple of block_slices
  int first_k, end_k;          ///< slices of the slab within the block
  float* sums;                 ///< tile_width * tile_width columns of tile_stride floats, updated
  float* lines;                ///< scratch: view_group * line_stride floats
  std::ptrdiff_t line_stride;  ///< row_count + 2 * border or more
};
// Columns, lines and strides are multiples of 16 floats, so that vectors never straddle a cache line.

/// Zeros that vectors need around a detector column when neighbouring voxels of a column are at most
/// `largest_step` rows apart: twice as far as 16 lanes reach.
constexpr int border_rows(double largest_step) { return 64 + 16 * static_cast<int>(1 + largest_step); }

/// One upright detector that stands for several neighbouring views of a tile of voxel columns: the sum of
/// the views, resampled through the upright plane that faces the mean view in the tile's middle.
struct MergeTask {
  static constexpr int most_views = 16;
  static constexpr int row_step = 16;  ///< rows that share one shift: first_row and row_count are multiples
  static constexpr int most_rows = 24 * row_step;
  static constexpr int most_columns = 416;  ///< a multiple of 8
  const ColumnView* views;
  int view_count;
  int column_count;  ///< of the views' detector, as in ColumnTile
  std::ptrdiff_t column_stride;
  int held_first, held_count;  ///< detector rows held by the views' columns
  int border;
  ColumnView mean;            ///< its shadow is that of the merged detector, in pixels of the views' one
  double middle_i, middle_j;  ///< of the tile, in voxels
  double first_u, step_u;     ///< columns of the merged detector
  int columns;
  int first_row, row_count;  ///< rows of the merged detector, at the views' rows
  float* out;                ///< column 0, first_row; `out_stride` floats from column to column
  std::ptrdiff_t out_stride;
  float* lines;  ///< scratch: line_floats

  /// One view's columns, resampled.
  static constexpr std::ptrdiff_t line_floats = std::ptrdiff_t{most_columns + 4} * (most_rows + 16);
};

/// What the row filter needs besides the rows.
struct RowFilterPlan {
  int columns;
  int length;             ///< of the transform, a power of two
  const float* response;  ///< `length` values in the transform's own order, the inverse's 1/length in them
  const float* twiddles;  ///< see make_twiddles
};

/// Up to 2 * lanes rows of one view, `row_stride` floats apart, weighted and filtered in place.
struct RowBlock {
  float* rows;
  std::ptrdiff_t row_stride;
  int row_count;
  int first_row;                                                 ///< index of rows[0] on the detector
  float ray[3], column_step[3], row_step[3], to_axis[3], scale;  ///< FdkWeight
  const float* column_weights;                                   ///< null, or one a column
  float* scratch;                                                ///< 2 * lanes * length floats
};

struct PixelRun {
  std::ptrdiff_t count;
  const float* white;  ///< null for `white_value`
  const float* dark;   ///< null for `dark_value`
  float white_value, dark_value, saturation;
  float* line_integrals;
};
struct PixelTally {
  std::int64_t floored, saturated, dead, not_finite;
};

/// A ray through planes of voxels, at a0 + p a1 and b0 + p b1 of plane p; from plane to plane it moves a
/// voxel at most.
struct RayRun {
  static constexpr std::ptrdiff_t largest_stride = std::ptrdiff_t{1} << 27;  ///< 15 of them fit an int
  const float* voxels;  ///< that of plane plane_first, 0 along a, b_first along b
  std::ptrdiff_t plane_stride, a_stride, b_stride;
  int plane_first, a_last, b_first, b_last;  ///< the last voxels have no neighbour behind them
  int first, end;  ///< planes; narrowed to those in which the ray is between four voxels
  float a0, a1, b0, b1;
};

struct SimdKernels {
  const char* name;
  int lanes;
  /// Fills a tile's sums from the volume, whose voxel (first_i, first_j, first_k) is at `voxels`, and back.
  void (*load_sums)(const ColumnTile& tile, const float* voxels, std::ptrdiff_t row, std::ptrdiff_t slice);
  void (*save_sums)(const ColumnTile& tile, float* voxels, std::ptrdiff_t row, std::ptrdiff_t slice);
  void (*back_project_tile)(const ColumnTile& tile);
  void (*merge_views)(const MergeTask& task);
  void (*filter_rows)(const RowFilterPlan& plan, const RowBlock& block);
  void (*line_integrals_u16)(const PixelRun& run, const std::uint16_t* counts, PixelTally& tally);
  void (*line_integrals_f32)(const PixelRun& run, const float* counts, PixelTally& tally);
  /// The sum over the planes that `run` is narrowed to of the voxels interpolated there.
  float (*sum_along_ray)(RayRun& run);
};

extern const SimdKernels simd_baseline;
#ifdef FELDSPAR_X86
extern const SimdKernels simd_avx2;
extern const SimdKernels simd_avx512;
#endif

}  // namespace feldspar::kernels::cpu
