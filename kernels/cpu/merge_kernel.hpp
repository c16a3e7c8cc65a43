// Merging of neighbouring views for a tile of voxel columns (kernels/view_merging.hpp has the idea).
//
// With N/W, V/W the shadow of a voxel (homogeneous in voxel indices), x(s) = middle + s e runs along the
// upright plane, e being perpendicular to the mean view's ray. A column u of the merged detector meets it at
// s = (N - u W)/(u We - Ne), all of the mean view; there a row v of the merged detector is the row
// alpha + gamma v of view k, and view k counts (W/W_k)^2 relative to the mean view.
// Included only by simd_kernels.cpp, inside its namespace for the instruction set.

/// A view along the tile's upright plane: N = n + s n_s and so on.
struct Plane {
  double n, n_s, w, w_s, v, v_s, v_k;
};

inline Plane along_plane(const ColumnView& view, double i, double j, double e_i, double e_j) {
  return {view.u_i * i + view.u_j * j + view.u_0,
          view.u_i * e_i + view.u_j * e_j,
          view.w_i * i + view.w_j * j + view.w_0,
          view.w_i * e_i + view.w_j * e_j,
          view.v_i * i + view.v_j * j + view.v_0,
          view.v_i * e_i + view.v_j * e_j,
          view.v_k};
}

/// The columns of the merged detector in one view: four of its columns with their weights for each.
struct MergedColumns {
  int first[MergeTask::most_columns];  ///< of the four
  float weight[4][MergeTask::most_columns];
};

inline void place_columns(const MergeTask& task, const Plane& mean, const Plane& view, MergedColumns& at) {
  constexpr int block = 8;
  for (int column = 0; column < task.columns; column += block) {
    double u[block], scale[block], left[block];
    for (int c = 0; c < block; ++c) {
      const double out_u = task.first_u + (column + c) * task.step_u;
      const double s = (mean.n - out_u * mean.w) / (out_u * mean.w_s - mean.n_s);
      const double inverse = 1.0 / (view.w + s * view.w_s), ratio = (mean.w + s * mean.w_s) * inverse;
      const double exact = (view.n + s * view.n_s) * inverse;
      // Beyond the detector are zeros, four columns of which are enough.
      const double raised = exact > -3.0 ? exact : -3.0;
      u[c] = raised < task.column_count + 2.0 ? raised : task.column_count + 2.0;
      scale[c] = ratio * ratio;
    }
    for (int c = 0; c < block; ++c) left[c] = __builtin_floor(u[c]);
    for (int c = 0; c < block; ++c) {
      float weight[4];
      cubic_weights(static_cast<float>(u[c] - left[c]), weight);
      for (int tap = 0; tap < 4; ++tap)
        at.weight[tap][column + c] = static_cast<float>(scale[c]) * weight[tap];
    }
    for (int c = 0; c < block; ++c) at.first[column + c] = static_cast<int>(left[c]) - 1;
  }
}

/// Where the rows of the merged detector lie in one column of a view: four of its rows with their weights for
/// every step of rows, which share one shift. Rows change by gamma, which is 1 within a per mille: over half
/// a step that is nothing.
struct MergedRows {
  static constexpr int steps = MergeTask::most_rows / MergeTask::row_step;
  int first[steps];  ///< of the four, from the first row held
  float weight[4][steps];
};

inline void place_rows(const MergeTask& task, double alpha, double gamma, MergedRows& at) {
  constexpr int block = 8;
  static_assert(MergedRows::steps % block == 0);
  typedef double Doubles8 __attribute__((vector_size(block * sizeof(double))));
  typedef float Floats8 __attribute__((vector_size(block * sizeof(float))));
  typedef int Ints8 __attribute__((vector_size(block * sizeof(int))));
  constexpr double half_step = 0.5 * (MergeTask::row_step - 1);
  const double lowest = far_below + task.held_first - task.border + 8,
               highest = far_below + task.held_first + task.held_count + 2;
  const int origin = static_cast<int>(far_below) + task.held_first + 1;
  Doubles8 order;
  for (int step = 0; step < block; ++step) order[step] = step * MergeTask::row_step;
  for (int step = 0; step * MergeTask::row_step < task.row_count; step += block) {
    const Doubles8 row = order + (task.first_row + step * MergeTask::row_step + half_step);
    const Doubles8 v = (alpha + (far_below - half_step)) + gamma * row;
    const Doubles8 raised = v < lowest ? lowest - Doubles8{} : v,
                   held = raised > highest ? highest - Doubles8{} : raised;
    const Ints8 base = __builtin_convertvector(held, Ints8);
    Floats8 weight[4];
    cubic_weights<Floats8>(__builtin_convertvector(held - __builtin_convertvector(base, Doubles8), Floats8),
                           weight);
    const Ints8 first = base - origin;
    __builtin_memcpy(at.first + step, &first, sizeof first);
    for (int tap = 0; tap < 4; ++tap)
      __builtin_memcpy(at.weight[tap] + step, &weight[tap], sizeof weight[tap]);
  }
}

/// Resamples `lanes` rows of a step, from `part` on.
inline Floats resample(const MergedRows& at, const float* column, int step, int part) {
  const int first = at.first[step] + part;
  Floats sum{};
#if defined(__AVX512F__) && defined(__AVX512DQ__)
  // Two registers from a half cache line on and four permutations: four loads across lines take longer.
  const float* samples = column + (first & -8);
  const __m512 low = _mm512_loadu_ps(samples), high = _mm512_loadu_ps(samples + 16);
  const __m512i index = _mm512_add_epi32(
      _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), _mm512_set1_epi32(first & 7));
  for (int tap = 0; tap < 4; ++tap)
    sum = _mm512_fmadd_ps(_mm512_set1_ps(at.weight[tap][step]),
                          _mm512_permutex2var_ps(low, _mm512_add_epi32(index, _mm512_set1_epi32(tap)), high),
                          sum);
#else
  for (int tap = 0; tap < 4; ++tap)
    sum = multiply_add(broadcast(at.weight[tap][step]), load(column + first + tap), sum);
#endif
  return sum;
}

/// Columns are fetched this early: they are too far apart for the processor to foresee them.
constexpr int columns_ahead = 4;

/// Resamples column `u` of a view onto the merged detector's rows.
inline void resample_column(const MergeTask& task, const Plane& mean, const Plane& view, const float* columns,
                            int u, float* out) {
  if (u < 0 || u >= task.column_count) {
    for (int row = 0; row < task.row_count; row += lanes) store(out + row, Floats{});
    return;
  }
  const double s = (view.n - u * view.w) / (u * view.w_s - view.n_s);
  const double inverse = 1.0 / (view.w + s * view.w_s), height = view.v_k / mean.v_k;
  const double gamma = (mean.w + s * mean.w_s) * height * inverse;
  const double alpha = (view.v + s * view.v_s - (mean.v + s * mean.v_s) * height) * inverse;
  MergedRows rows;
  place_rows(task, alpha, gamma, rows);
  const float* column = columns + (u + 1) * task.column_stride + task.border;
  const int last_step = task.row_count / MergeTask::row_step - 1;
  const float* const ahead = column + columns_ahead * task.column_stride;
  if (u + columns_ahead < task.column_count)
    for (int row = rows.first[0]; row < rows.first[last_step] + MergeTask::row_step + 16; row += 16)
      __builtin_prefetch(ahead + row);
  for (int step = 0; step * MergeTask::row_step < task.row_count; ++step) {
    const int row = step * MergeTask::row_step;
    for (int part = 0; part < MergeTask::row_step; part += lanes)
      store(out + row + part, resample(rows, column, step, part));
  }
}

/// Adds the four columns at `taps`, `stride` floats apart, with weights to `out`, or stores their sum there.
template <bool first>
inline void add_columns(const float* taps, std::ptrdiff_t stride, const float (&weight)[4], int row_count,
                        float* out) {
  const Floats factor[4] = {broadcast(weight[0]), broadcast(weight[1]), broadcast(weight[2]),
                            broadcast(weight[3])};
#pragma GCC unroll 2
  for (int row = 0; row < row_count; row += lanes) {
    Floats sum = first ? Floats{} : load(out + row);
    for (int tap = 0; tap < 4; ++tap) sum = multiply_add(factor[tap], load(taps + tap * stride + row), sum);
    store(out + row, sum);
  }
}

void merge_views(const MergeTask& task) {
  const ColumnView& view = task.mean;
  const double i = task.middle_i, j = task.middle_j;
  const double u = (view.u_i * i + view.u_j * j + view.u_0) / (view.w_i * i + view.w_j * j + view.w_0);
  const double e_i = view.u_i - u * view.w_i, e_j = view.u_j - u * view.w_j;
  const Plane mean = along_plane(view, i, j, e_i, e_j);
  const std::ptrdiff_t stride = task.row_count | 16;  // an odd number of cache lines
  MergedColumns at;
  for (int n = 0; n < task.view_count; ++n) {
    const Plane plane = along_plane(task.views[n], i, j, e_i, e_j);
    place_columns(task, mean, plane, at);
    int lowest = at.first[0], highest = at.first[0];
    for (int column = 1; column < task.columns; ++column) {
      lowest = at.first[column] < lowest ? at.first[column] : lowest;
      highest = at.first[column] > highest ? at.first[column] : highest;
    }
    if (highest > lowest + MergeTask::most_columns) highest = lowest + MergeTask::most_columns;
    for (int c = lowest; c < highest + 4; ++c)
      resample_column(task, mean, plane, task.views[n].columns, c, task.lines + (c - lowest) * stride);
    for (int column = 0; column < task.columns; ++column) {
      const int first = at.first[column] < highest ? at.first[column] : highest;
      const float weight[4] = {at.weight[0][column], at.weight[1][column], at.weight[2][column],
                               at.weight[3][column]};
      const float* taps = task.lines + (first - lowest) * stride;
      float* const out = task.out + column * task.out_stride;
      if (n == 0)
        add_columns<true>(taps, stride, weight, task.row_count, out);
      else
        add_columns<false>(taps, stride, weight, task.row_count, out);
    }
  }
}
