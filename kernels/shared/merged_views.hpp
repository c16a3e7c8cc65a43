// Merging of neighbouring views on a GPU (kernels/view_merging.hpp has the idea), in three kernels: where the
// merged detectors' columns and rows lie in each view; the views resampled there and added up, as pairs; and
// the blocks of voxels back-projected from them.
//
// With N/W, V/W the shadow of a voxel (homogeneous in voxel indices), x(s) = middle + s e runs along the
// upright plane, e being perpendicular to the mean view's ray. A column u of the merged detector meets it at
// s = (N - u W)/(u We - Ne), all of the mean view; there a row v of the merged detector is the row
// alpha + gamma v of view k, and view k counts (W/W_k)^2 relative to the mean view.
#pragma once

#include <cmath>
#include <cstddef>

#include "kernels/shared/cubic_weights.hpp"
#include "kernels/shared/detector_pairs.hpp"
#include "kernels/shared/fdk_block.hpp"
#include "kernels/shared/linear_sampler.hpp"
#include "kernels/shared/parts.hpp"
#include "kernels/shared/view_matrix.hpp"

namespace feldspar::kernels {

/// A view along a tile's upright plane: N = n + s n_s, W = w + s w_s, V = v + s v_s + v_k k.
struct PlaneView {
  double n, n_s, w, w_s, v, v_s, v_k;
};

/// A tile of voxel columns and the merged detectors that its shadow falls on.
struct MergeTile {
  static constexpr int most_groups = 8;
  static constexpr double step_u = 0.5;  ///< columns of the views between those of a merged detector
  int first_i, first_j, end_i, end_j;
  int groups;                    ///< of views, each with its merged detector
  PairShape shape;               ///< of the merged detectors
  ViewMatrix view[most_groups];  ///< counts voxels from first_i, first_j
  PlaneView mean[most_groups];
  double first_u[most_groups];  ///< where column 0 lies on the mean view
};

/// A view's part in a merged detector.
struct MergeSource {
  PlaneView plane;
  int view;   ///< in the stack of projections; -1 for none
  int first;  ///< column, of those that are read
  int count;
};

/// A column of a merged detector in a source: four of the source's columns with their weights.
struct MergeColumn {
  int first;  ///< from the source's first
  float weight[4];
};

/// The rows of a merged detector in a column of a source: row v is v + shift + stretch v.
struct MergeRows {
  float shift;
  float stretch;
};

/// Where a column of the merged detector lies in a view, and the weight of the view there.
struct MergedPlace {
  double u;
  double ratio;
};

/// Column `u` of the mean view in view `plane`. Beyond the detector are zeros, four columns of which are
/// enough.
FELDSPAR_HOST_DEVICE inline MergedPlace place_in(const PlaneView& plane, const PlaneView& mean, double u,
                                                 int columns) {
  const double s = (mean.n - u * mean.w) / (u * mean.w_s - mean.n_s);
  const double inverse = 1.0 / (plane.w + s * plane.w_s);
  const double exact = (plane.n + s * plane.n_s) * inverse;
  return {std::fmin(std::fmax(exact, -3.0), columns + 2.0), (mean.w + s * mean.w_s) * inverse};
}

/// The sizes of a launch's tables: `slots` sources a tile, each with room for so many columns.
struct MergeSizes {
  int slots;
  int columns;           ///< most of any merged detector
  int sources;           ///< most of any source
  std::ptrdiff_t pairs;  ///< most of all merged detectors of one tile
  FELDSPAR_HOST_DEVICE int views_of_a_group() const { return slots / MergeTile::most_groups; }
};

/// Fills the tables of columns and rows: element n of slot `slot` of a tile.
struct MergePlacing {
  const MergeTile* tiles;
  const MergeSource* sources;
  MergeColumn* columns;
  MergeRows* rows;
  MergeSizes sizes;
  int detector_columns;

  FELDSPAR_HOST_DEVICE void operator()(int tile, int slot, int n) const {
    const std::ptrdiff_t at = static_cast<std::ptrdiff_t>(tile) * sizes.slots + slot;
    const MergeSource& source = sources[at];
    if (source.view < 0) return;
    const int group = slot / sizes.views_of_a_group();
    const PlaneView mean = tiles[tile].mean[group];
    if (n < tiles[tile].shape.columns) {
      const MergedPlace place =
          place_in(source.plane, mean, tiles[tile].first_u[group] + n * MergeTile::step_u, detector_columns);
      const Parts<double> parts = parts_of(place.u);
      MergeColumn& column = columns[at * sizes.columns + n];
      cubic_weights(static_cast<float>(parts.fraction), column.weight);
      const float ratio = static_cast<float>(place.ratio);
      for (float& weight : column.weight) weight *= ratio * ratio;
      const int first = static_cast<int>(parts.whole) - 1 - source.first;
      column.first = first < 0 ? 0 : first > source.count - 4 ? source.count - 4 : first;
    }
    if (n < source.count) rows[at * sizes.sources + n] = rows_of(source, mean, source.first + n);
  }

 private:
  FELDSPAR_HOST_DEVICE static MergeRows rows_of(const MergeSource& source, const PlaneView& mean, int u) {
    const PlaneView& view = source.plane;
    const double s = (view.n - u * view.w) / (u * view.w_s - view.n_s);
    const double inverse = 1.0 / (view.w + s * view.w_s), height = view.v_k / mean.v_k;
    const double gamma = (mean.w + s * mean.w_s) * height * inverse;
    const double alpha = (view.v + s * view.v_s - (mean.v + s * mean.v_s) * height) * inverse;
    return {static_cast<float>(alpha), static_cast<float>(gamma - 1.0)};
  }
};

/// Resamples and adds up the views of a group, some rows at a time.
struct Merging {
  const MergeTile* tiles;
  const MergeSource* sources;
  const MergeColumn* columns;
  const MergeRows* rows;
  MergeSizes sizes;
  LinearStack stack;
  FloatPair* pairs;
  int rows_at_once;

  /// Of a team, which works on `rows_at_once` rows.
  struct Memory {
    float* lines;  ///< rows_at_once * line_pitch()
    float* sums;   ///< rows_at_once * sum_pitch()
  };
  /// Odd, so that neighbouring rows are in different banks.
  FELDSPAR_HOST_DEVICE int line_pitch() const { return sizes.sources | 1; }
  FELDSPAR_HOST_DEVICE int sum_pitch() const { return sizes.columns | 1; }

  /// Rows `part` * rows_at_once .. of a group's merged detector and the zeros around it.
  template <class Team>
  FELDSPAR_HOST_DEVICE void operator()(int tile, int group, int part, const Memory& memory,
                                       const Team& team) const {
    const MergeTile& task = tiles[tile];
    const PairShape shape = task.shape;
    const int first = part * rows_at_once;  // of the stride
    if (group >= task.groups || first >= shape.stride()) return;
    const int each = sizes.views_of_a_group();
    const int first_row = shape.first_row - PairShape::border + first;
    team(rows_at_once * shape.columns,
         [&](int n) { memory.sums[n / shape.columns * sum_pitch() + n % shape.columns] = 0.0f; });
    for (int member = 0; member < each; ++member) {
      const int slot = group * each + member;
      const std::ptrdiff_t at = static_cast<std::ptrdiff_t>(tile) * sizes.slots + slot;
      const MergeSource& source = sources[at];
      if (source.view < 0) break;
      team(rows_at_once * source.count, [&](int n) {
        const int column = n % source.count, row = n / source.count;
        memory.lines[row * line_pitch() + column] =
            resampled(source, rows[at * sizes.sources + column], source.first + column, first_row + row);
      });
      team(rows_at_once * shape.columns, [&](int n) {
        const int column = n % shape.columns, row = n / shape.columns;
        const MergeColumn from = columns[at * sizes.columns + column];
        const float* line = &memory.lines[row * line_pitch() + from.first];
        memory.sums[row * sum_pitch() + column] += from.weight[0] * line[0] + from.weight[1] * line[1] +
                                                   from.weight[2] * line[2] + from.weight[3] * line[3];
      });
    }
    FloatPair* to = pairs + tile * sizes.pairs + group * shape.plane();
    team(rows_at_once * (shape.columns + 1), [&](int n) {
      const int column = n / rows_at_once, row = n % rows_at_once, place = first + row;
      if (place >= shape.stride()) return;
      const bool is_row = place >= PairShape::border && place < PairShape::border + shape.rows;
      const float* sum = &memory.sums[row * sum_pitch() + column];
      to[static_cast<std::ptrdiff_t>(column) * shape.stride() + place] = FloatPair::of(
          is_row && column > 0 ? sum[-1] : 0.0f, is_row && column < shape.columns ? sum[0] : 0.0f);
    });
  }

 private:
  /// Row `row` of the merged detector in column `u` of a source.
  FELDSPAR_HOST_DEVICE float resampled(const MergeSource& source, const MergeRows& at, int u, int row) const {
    if (u < 0 || u >= stack.columns) return 0.0f;
    const float far = 1e6f;  // more rows than there are; NaN becomes one of the two
    const float shift = std::fmin(std::fmax(at.shift + at.stretch * static_cast<float>(row), -far), far);
    const Parts<float> parts = parts_of(shift);
    float weight[4];
    cubic_weights(parts.fraction, weight);
    const int first = row + static_cast<int>(parts.whole) - 1 - stack.first_row;
    const float* column =
        stack.pixels + static_cast<std::ptrdiff_t>(source.view) * stack.rows * stack.columns + u;
    float sum = 0.0f;
    FELDSPAR_UNROLL
    for (int tap = 0; tap < 4; ++tap) {
      const int from = first + tap;
      if (from >= 0 && from < stack.rows)
        sum += weight[tap] * column[static_cast<std::ptrdiff_t>(from) * stack.columns];
    }
    return sum;
  }
};

/// The part of a slab, `all`, that a tile's merged detectors are back-projected into.
FELDSPAR_HOST_DEVICE inline BlockTarget merged_target(BlockTarget all, const MergeTile& tile) {
  all.first_i = tile.first_i, all.end_i = tile.end_i;
  all.first_j = tile.first_j, all.end_j = tile.end_j;
  return all;
}

}  // namespace feldspar::kernels
