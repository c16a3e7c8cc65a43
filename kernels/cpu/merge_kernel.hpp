// Merging of neighbouring views for a tile of voxel columns (kernels/view_merging.hpp has the idea).
//
// With N/W, V/W the shadow of a voxel (homogeneous in voxel indices), x(s) = middle + s e runs along the
// upright plane, e being perpendicular to the mean view's ray. A column u of the merged detector meets it at
// s = (N - u W)/(u We - Ne), all of the mean view; there a row v of the merged detector is the row
// alpha + gamma v of view k, and view k counts (W/W_k)^2 relative to the mean view.
// Included only by simd_kernels.cpp, inside its namespace for the instruction set.

/// Keys' cubic convolution weights (1981, a = -1/2) of the samples -1, 0, 1, 2 at `f` behind sample 0.
inline void cubic_weights(float f, float scale, float (&weight)[4]) {
  const float f2 = f * f, f3 = f2 * f;
  weight[0] = scale * (-0.5f * f + f2 - 0.5f * f3);
  weight[1] = scale * (1.0f - 2.5f * f2 + 1.5f * f3);
  weight[2] = scale * (0.5f * f + 2.0f * f2 - 1.5f * f3);
  weight[3] = scale * (-0.5f * f2 + 0.5f * f3);
}

/// Shadows along the tile's upright plane, coefficient by coefficient: value + s * slope.
struct PlaneViews {
  double n[MergeTask::most_views], n_s[MergeTask::most_views];
  double w[MergeTask::most_views], w_s[MergeTask::most_views];
  double v[MergeTask::most_views], v_s[MergeTask::most_views], v_k[MergeTask::most_views];
};

/// Where one column of the merged detector lies in every view.
struct ColumnPlaces {
  double u[MergeTask::most_views], alpha[MergeTask::most_views], gamma[MergeTask::most_views];
  double scale[MergeTask::most_views];
};

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

inline Plane fill_plane(const MergeTask& task, PlaneViews& views) {
  const ColumnView& mean = task.mean;
  const double i = task.middle_i, j = task.middle_j;
  const double u = (mean.u_i * i + mean.u_j * j + mean.u_0) / (mean.w_i * i + mean.w_j * j + mean.w_0);
  const double e_i = mean.u_i - u * mean.w_i, e_j = mean.u_j - u * mean.w_j;
  for (int n = 0; n < MergeTask::most_views; ++n) {
    const Plane p = along_plane(task.views[n < task.view_count ? n : 0], i, j, e_i, e_j);
    views.n[n] = p.n, views.n_s[n] = p.n_s;
    views.w[n] = p.w, views.w_s[n] = p.w_s;
    views.v[n] = p.v, views.v_s[n] = p.v_s, views.v_k[n] = p.v_k;
  }
  return along_plane(mean, i, j, e_i, e_j);
}

inline void place_column(const Plane& mean, const PlaneViews& views, int count, double u, ColumnPlaces& at) {
  const double s = (mean.n - u * mean.w) / (u * mean.w_s - mean.n_s);
  const double w = mean.w + s * mean.w_s, v = mean.v + s * mean.v_s;
  for (int n = 0; n < count; ++n) {
    const double inverse = 1.0 / (views.w[n] + s * views.w_s[n]), height = views.v_k[n] / mean.v_k;
    at.u[n] = (views.n[n] + s * views.n_s[n]) * inverse;
    at.gamma[n] = w * height * inverse;
    at.alpha[n] = (views.v[n] + s * views.v_s[n] - v * height) * inverse;
    at.scale[n] = w * inverse;
  }
}

/// One view's column, cubically interpolated in u: read at four rows for every step of rows.
struct MergeLine {
  const float* samples;
  int offset[MergeTask::most_rows / MergeTask::row_step];
  float weight[4][MergeTask::most_rows / MergeTask::row_step];
};

/// Prepares the line of view n in `buffer`. False when it lies beside the detector.
inline bool make_merge_line(const MergeTask& task, const ColumnPlaces& at, int n, float* buffer,
                            MergeLine& line) {
  const double u = at.u[n];
  if (!(at.scale[n] > 0) || !(u > -1) || !(u < task.column_count)) return false;
  constexpr double half_step = 0.5 * (MergeTask::row_step - 1);
  const double lowest = task.held_first - task.border + 8, highest = task.held_first + task.held_count + 2;
  const int steps = task.row_count / MergeTask::row_step;
  for (int step = 0; step < steps; ++step) {
    // Rows change by gamma, which is 1 within a per mille: over half a step that is nothing.
    const double row = task.first_row + step * MergeTask::row_step + half_step;
    const double v = at.alpha[n] + at.gamma[n] * row - half_step, base = __builtin_floor(v);
    const double raised = base < lowest ? lowest : base, held = raised > highest ? highest : raised;
    float weight[4];
    cubic_weights(static_cast<float>(v - base), 1.0f, weight);
    for (int tap = 0; tap < 4; ++tap) line.weight[tap][step] = weight[tap];
    line.offset[step] = static_cast<int>(held) - task.held_first - 1;
  }
  line.samples = buffer + task.border;

  const double left = __builtin_floor(u);
  float weight[4];
  cubic_weights(static_cast<float>(u - left), static_cast<float>(at.scale[n] * at.scale[n]), weight);
  Floats factor[4];
  const float* column[4];
  for (int tap = 0; tap < 4; ++tap) {
    // Beyond the detector are zeros, of which one column on either side is held.
    const int wanted = static_cast<int>(left) - 1 + tap;
    const int there = wanted < -1 ? -1 : wanted > task.column_count ? task.column_count : wanted;
    column[tap] = task.views[n].columns + (there + 1) * task.column_stride + task.border;
    factor[tap] = broadcast(weight[tap]);
  }
  const int end = line.offset[steps - 1] + MergeTask::row_step + 3, most = task.held_count + task.border;
  float* samples = buffer + task.border;
  for (int row = line.offset[0] & -lanes; row < (end < most ? end : most); row += lanes)
    store(samples + row, (factor[0] * load(column[0] + row) + factor[1] * load(column[1] + row)) +
                             (factor[2] * load(column[2] + row) + factor[3] * load(column[3] + row)));
  return true;
}

/// Adds a line to its four taps' sums, for `lanes` rows of a step from `part`.
inline void add_taps(const MergeLine& line, int step, int part, Floats (&sum)[4]) {
  const int offset = line.offset[step] + part;
#if defined(__AVX512F__) && defined(__AVX512DQ__)
  // Two registers from a half cache line on and four permutations: four loads across lines take longer.
  const float* samples = line.samples + (offset & -8);
  const __m512 low = _mm512_loadu_ps(samples), high = _mm512_loadu_ps(samples + 16);
  const __m512i first = _mm512_add_epi32(
      _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), _mm512_set1_epi32(offset & 7));
  for (int tap = 0; tap < 4; ++tap) {
    const __m512i index = _mm512_add_epi32(first, _mm512_set1_epi32(tap));
    sum[tap] = _mm512_fmadd_ps(_mm512_set1_ps(line.weight[tap][step]),
                               _mm512_permutex2var_ps(low, index, high), sum[tap]);
  }
#else
  for (int tap = 0; tap < 4; ++tap)
    sum[tap] += broadcast(line.weight[tap][step]) * load(line.samples + offset + tap);
#endif
}

void merge_views(const MergeTask& task) {
  PlaneViews views;
  ColumnPlaces at;
  MergeLine lines[MergeTask::most_views];
  const Plane mean = fill_plane(task, views);
  const int padded = task.view_count <= 8 ? 8 : MergeTask::most_views;
  for (int column = 0; column < task.columns; ++column) {
    if (padded == 8)
      place_column(mean, views, 8, task.first_u + column * task.step_u, at);
    else
      place_column(mean, views, MergeTask::most_views, task.first_u + column * task.step_u, at);
    int count = 0;
    for (int n = 0; n < task.view_count; ++n)
      if (make_merge_line(task, at, n, task.lines + n * task.line_stride, lines[count])) ++count;
    float* out = task.out + column * task.out_stride;
    for (int step = 0; step < task.row_count / MergeTask::row_step; ++step)
      for (int part = 0; part < MergeTask::row_step; part += lanes) {
        Floats sum[4] = {};
        for (int n = 0; n < count; ++n) add_taps(lines[n], step, part, sum);
        store(out + step * MergeTask::row_step + part, (sum[0] + sum[1]) + (sum[2] + sum[3]));
      }
  }
}
