// Back-projection by voxel columns parallel to the rotation axis. Along such a column u and the weight are
// constant and v is linear: two detector columns are blended once into a line, and the voxels read the line
// at evenly spaced places (Chen et al., ICS 2021, describe the layout).
// Included only by simd_kernels.cpp, inside its namespace for the instruction set.

constexpr int block_chunks = block_slices / lanes;

/// One view's contribution to one voxel column of a block: where each chunk of `lanes` voxels begins in the
/// line of samples.
struct Line {
  const float* samples;  ///< of the first row held
  int offset[block_chunks];
  float fraction[block_chunks];
  float step;
};

/// The chunks of a block that a slab has voxels in.
struct Chunks {
  int first, end;
};
inline Chunks chunks_of(const ColumnTile& tile) {
  return {(tile.first_k - tile.block) / lanes, (tile.end_k - tile.block + lanes - 1) / lanes};
}

/// Blends two detector columns from row `from` to row `to`, outwards to whole registers.
inline void blend_columns(const float* a, const float* b, float weight_a, float weight_b, int from, int to,
                          float* samples) {
  const Floats factor_a = broadcast(weight_a), factor_b = broadcast(weight_b);
  for (int row = from & -lanes; row < to; row += lanes)
    store(samples + row, factor_a * load(a + row) + factor_b * load(b + row));
}

/// Prepares the line of `view` for column (i, j) in `buffer`. False when the shadow misses the detector.
inline bool make_line(const ColumnTile& tile, const ColumnView& view, Chunks chunks, int i, int j,
                      float* buffer, Line& line) {
  const double scale = 1.0 / (view.w_i * i + view.w_j * j + view.w_0);
  const double u = (view.u_i * i + view.u_j * j + view.u_0) * scale;
  if (!(scale > 0) || !(u > -1) || !(u < tile.column_count)) return false;

  // Chunks at multiples of `lanes` in the whole volume: v is the same number whatever slab asks for it.
  const double start = (view.v_i * i + view.v_j * j + view.v_0) * scale, step = view.v_k * scale;
  const double reach = step * (lanes - 1) + 2;  // rows beyond a chunk's first that it reads, gathered
  const double first_v = start + step * (tile.block + chunks.first * lanes);
  const double last_v = start + step * (tile.block + chunks.end * lanes) + reach;
  if (!(last_v > tile.first_row - 1) || !(first_v < tile.first_row + tile.row_count)) return false;

  // A chunk whose shadow misses the rows held reads zeros of the border.
  const double lowest = tile.first_row - tile.border + 8, highest = tile.first_row + tile.row_count + 1;
  for (int chunk = 0; chunk < block_chunks; ++chunk) {
    const double v = start + step * (tile.block + chunk * lanes), base = __builtin_floor(v);
    line.fraction[chunk] = static_cast<float>(v - base);
    const double held = base < lowest ? lowest : base > highest ? highest : base;
    line.offset[chunk] = static_cast<int>(held) - tile.first_row;
  }
  line.step = static_cast<float>(step);
  line.samples = buffer + tile.border;

  const int left = static_cast<int>(__builtin_floor(u));
  const float blend = static_cast<float>(u - left), weight = static_cast<float>(scale * scale);
  const float* a = view.columns + (left + 1) * tile.column_stride + tile.border;
  const int span = (reach < 2 * lanes ? 2 * lanes : static_cast<int>(reach)) + 2;
  const int end = line.offset[chunks.end - 1] + span, most = tile.row_count + tile.border;
  blend_columns(a, a + tile.column_stride, weight * (1.0f - blend), weight * blend, line.offset[chunks.first],
                end < most ? end : most, buffer + tile.border);
  return true;
}

template <bool narrow>
inline void add_lines(Chunks chunks, const Line* lines, int count, float* sums) {
  const Floats lane = ramp(1.0f);
  for (int chunk = chunks.first; chunk < chunks.end; ++chunk) {
    Floats sum{};
    for (int n = 0; n < count; ++n) {
      const Line& line = lines[n];
      const Floats t = lane * line.step + line.fraction[chunk];
      const float* samples = line.samples + line.offset[chunk];
      sum = narrow ? add_interpolated(sum, samples, t) : add_gathered(sum, samples, t);
    }
    store(sums + chunk * lanes, load(sums + chunk * lanes) + sum);
  }
}

void back_project_tile(const ColumnTile& tile) {
  Line lines[view_group];
  const Chunks chunks = chunks_of(tile);
  for (int first = 0; first < tile.view_count; first += view_group) {
    const int group = tile.view_count - first < view_group ? tile.view_count - first : view_group;
    for (int j = 0; j < tile.count_j; ++j)
      for (int i = 0; i < tile.count_i; ++i) {
        int count = 0;
        float steepest = 0;
        for (int n = 0; n < group; ++n)
          if (make_line(tile, tile.views[first + n], chunks, tile.first_i + i, tile.first_j + j,
                        tile.lines + n * tile.line_stride, lines[count])) {
            steepest = lines[count].step > steepest ? lines[count].step : steepest;
            ++count;
          }
        float* sums = tile.sums + (j * tile_width + i) * tile_stride;
        if (steepest < static_cast<float>(narrow_step))
          add_lines<true>(chunks, lines, count, sums);
        else
          add_lines<false>(chunks, lines, count, sums);
      }
  }
}
