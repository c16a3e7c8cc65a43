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

/// Resamples and adds up the views of a group, some rows at a time. Neighbouring threads are neighbouring
/// columns, and each goes down its column with what does not change there at hand.
struct Merging {
  static constexpr int lanes = 32;                   ///< columns, or rows, side by side
  static constexpr int strands = 4;                  ///< of threads that share the rows of a column
  static constexpr int turns = 8;                    ///< rows of a thread
  static constexpr int most_rows = strands * turns;  ///< at once
  static constexpr float far = 1e6f;                 ///< more rows than there are
  const MergeTile* tiles;
  const MergeSource* sources;
  const MergeColumn* columns;
  const MergeRows* rows;
  MergeSizes sizes;
  LinearStack stack;
  FloatPair* pairs;
  int rows_at_once;  ///< up to most_rows

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
    each_strand(shape.columns, team, [&](int column, int strand) {
      each_row(strand, [&](int row) { memory.sums[row * sum_pitch() + column] = 0.0f; });
    });
    for (int member = 0; member < each; ++member) {
      const std::ptrdiff_t slot = static_cast<std::ptrdiff_t>(tile) * sizes.slots +
                                  static_cast<std::ptrdiff_t>(group) * each + member;
      const MergeSource& source = sources[slot];
      if (source.view < 0) break;
      resample(source, pinned(rows + slot * sizes.sources), first_row, memory, team);
      add(pinned(columns + slot * sizes.columns), shape.columns, memory, team);
    }
    store(shape, first, memory, pairs + tile * sizes.pairs + group * shape.plane(), team);
  }

 private:
  /// step(column, strand) for all columns and strands.
  template <class Team, class Step>
  FELDSPAR_HOST_DEVICE static void each_strand(int count, const Team& team, const Step& step) {
    team((count + lanes - 1) / lanes * (lanes * strands), [&](int n) {
      const auto m = static_cast<unsigned>(n);  // which is cheaper to divide
      const auto column = static_cast<int>(m / (lanes * strands) * lanes + m % lanes);
      if (column < count) step(column, static_cast<int>(m / lanes % strands));
    });
  }

  /// step(row) for the rows of a strand.
  template <class Step>
  FELDSPAR_HOST_DEVICE void each_row(int strand, const Step& step) const {
    if (rows_at_once == most_rows) {
      FELDSPAR_UNROLL
      for (int turn = 0; turn < turns; ++turn) step(strand + turn * strands);
    } else {
      for (int row = strand; row < rows_at_once; row += strands) step(row);
    }
  }

  /// Rows of the merged detector, from `first_row` on, in each column of a source.
  template <class Team>
  FELDSPAR_HOST_DEVICE void resample(const MergeSource& source, const MergeRows* places, int first_row,
                                     const Memory& memory, const Team& team) const {
    const float* view =
        pinned(stack.pixels + static_cast<std::ptrdiff_t>(source.view) * stack.rows * stack.columns);
    const int first_column = source.first;
    each_strand(source.count, team, [&, first_column, view](int column, int strand) {
      const int u = first_column + column;
      const bool is_column = u >= 0 && u < stack.columns;
      const float* pixels = pinned(is_column ? view + u : view);
      const MergeRows place = is_column ? places[column] : MergeRows{far, 0.0f};
      each_row(strand, [&](int row) {
        memory.lines[row * line_pitch() + column] = resampled(pixels, place, first_row + row);
      });
    });
  }

  /// Row `row` of the merged detector in the column of a source that begins with `pixels`.
  FELDSPAR_HOST_DEVICE float resampled(const float* pixels, const MergeRows& at, int row) const {
    const float shift = std::fmin(std::fmax(at.shift + at.stretch * static_cast<float>(row), -far), far);
    const Parts<float> parts = parts_of(shift);
    const int first = row + static_cast<int>(parts.whole) - 1 - stack.first_row;
    const auto pitch = static_cast<std::uint32_t>(stack.columns),
               start = static_cast<std::uint32_t>(first) * pitch;
    float value[4], weight[4];
    if (first >= 0 && first <= stack.rows - 4) {
      const float* pixel = pixels + start;
      FELDSPAR_UNROLL
      for (int tap = 0; tap < 4; ++tap, pixel += pitch) value[tap] = *pixel;
    } else {
      FELDSPAR_UNROLL
      for (int tap = 0; tap < 4; ++tap) {
        const bool is_row = first + tap >= 0 && first + tap < stack.rows;
        value[tap] = is_row ? pixels[start + static_cast<std::uint32_t>(tap) * pitch] : 0.0f;
      }
    }
    cubic_weights(parts.fraction, weight);
    float sum = 0.0f;
    FELDSPAR_UNROLL
    for (int tap = 0; tap < 4; ++tap) sum += weight[tap] * value[tap];
    return sum;
  }

  /// A view's lines to the sums of all columns.
  template <class Team>
  FELDSPAR_HOST_DEVICE void add(const MergeColumn* places, int count, const Memory& memory,
                                const Team& team) const {
    each_strand(count, team, [&](int column, int strand) {
      const MergeColumn from = places[column];
      each_row(strand, [&](int row) {
        const float* line = memory.lines + (row * line_pitch() + from.first);
        memory.sums[row * sum_pitch() + column] += from.weight[0] * line[0] + from.weight[1] * line[1] +
                                                   from.weight[2] * line[2] + from.weight[3] * line[3];
      });
    });
  }

  /// The sums of rows `first` .. of the stride as pairs.
  template <class Team>
  FELDSPAR_HOST_DEVICE void store(const PairShape& shape, int first, const Memory& memory, FloatPair* to,
                                  const Team& team) const {
    static_assert(most_rows <= lanes);
    team(lanes * (shape.columns + 1), [&](int n) {
      const int column = n / lanes, row = n % lanes, place = first + row;
      if (row >= rows_at_once || place >= shape.stride()) return;
      const bool is_row = place >= PairShape::border && place < PairShape::border + shape.rows;
      const float* sum = &memory.sums[row * sum_pitch() + column];
      to[static_cast<std::ptrdiff_t>(column) * shape.stride() + place] = FloatPair::of(
          is_row && column > 0 ? sum[-1] : 0.0f, is_row && column < shape.columns ? sum[0] : 0.0f);
    });
  }
};

/// The part of a slab, `all`, that a tile's merged detectors are back-projected into.
FELDSPAR_HOST_DEVICE inline BlockTarget merged_target(BlockTarget all, const MergeTile& tile) {
  all.first_i = tile.first_i, all.end_i = tile.end_i;
  all.first_j = tile.first_j, all.end_j = tile.end_j;
  return all;
}

}  // namespace feldspar::kernels
