// Back-projection by voxel columns parallel to the rotation axis. Along such a column u and the weight are
// constant and v is linear: two detector columns are blended once into a line, and the voxels read the line
// at evenly spaced places (Chen et al., ICS 2021, describe the layout).
// Included only by simd_kernels.cpp, inside its namespace for the instruction set.

constexpr int block_chunks = block_slices / lanes;

/// One view's contribution to one voxel column of a block: a line of samples and where each chunk of
/// `lanes` voxels begins in it.
struct Line {
  const float* samples[block_chunks];  ///< null where the chunk's shadow misses the rows
  float fraction[block_chunks];
  Floats lane_step;
  bool narrow;
};

/// Prepares the line of `view` for column (i, j) in `buffer`. False when the shadow misses the detector.
inline bool make_line(const ColumnTile& tile, const ColumnView& view, int i, int j, float* buffer, Line& line) {
  const double scale = 1.0 / (view.w_i * i + view.w_j * j + view.w_0);
  const double u = (view.u_i * i + view.u_j * j + view.u_0) * scale;
  if (!(scale > 0) || !(u > -1) || !(u < tile.column_count)) return false;

  // Chunks at multiples of `lanes` in the whole volume: v is the same number whatever slab asks for it.
  const double start = (view.v_i * i + view.v_j * j + view.v_0) * scale, step = view.v_k * scale;
  const int first_chunk = (tile.first_k - tile.block) / lanes, end_chunk = (tile.end_k - tile.block + lanes - 1) / lanes;
  const double span = step * (lanes - 1) + 2;
  const double first_v = start + step * tile.first_k, last_v = start + step * (tile.end_k - 1);
  if (!(last_v > tile.first_row - 1) || !(first_v < tile.first_row + tile.row_count)) return false;

  // Rows that the chunks read, counted from the first row held.
  const double lowest = start + step * (tile.block + first_chunk * lanes) - tile.first_row - 1;
  const double highest = start + step * (tile.block + (end_chunk - 1) * lanes) + span - tile.first_row + 2 * lanes + 1;
  const int from = lowest > -tile.border ? static_cast<int>(lowest) - 1 : -tile.border;
  const int to = highest < tile.row_count + tile.border ? static_cast<int>(highest) + 1 : tile.row_count + tile.border;

  const int left = static_cast<int>(__builtin_floor(u));
  const float blend = static_cast<float>(u - left), weight = static_cast<float>(scale * scale);
  const float* a = view.columns + (left + 1) * tile.column_stride + tile.border;
  const float* b = a + tile.column_stride;
  const Floats weight_a = broadcast(weight * (1.0f - blend)), weight_b = broadcast(weight * blend);
  float* samples = buffer + tile.border;
  for (int row = from; row < to; row += lanes) store(samples + row, weight_a * load(a + row) + weight_b * load(b + row));

  line.lane_step = ramp(static_cast<float>(step));
  line.narrow = step < narrow_step;
  for (int chunk = first_chunk; chunk < end_chunk; ++chunk) {
    const double v = start + step * (tile.block + chunk * lanes), base = __builtin_floor(v);
    const bool touches = base + span > tile.first_row - 1 && base < tile.first_row + tile.row_count;
    line.samples[chunk] = touches ? samples + static_cast<int>(base - tile.first_row) : nullptr;
    line.fraction[chunk] = static_cast<float>(v - base);
  }
  return true;
}

inline void add_lines(const ColumnTile& tile, const Line* lines, int count, float* sums) {
  const int first_chunk = (tile.first_k - tile.block) / lanes, end_chunk = (tile.end_k - tile.block + lanes - 1) / lanes;
  for (int chunk = first_chunk; chunk < end_chunk; ++chunk) {
    Floats sum{};
    for (int n = 0; n < count; ++n) {
      const Line& line = lines[n];
      if (!line.samples[chunk]) continue;
      const Floats t = line.lane_step + line.fraction[chunk];
      sum = line.narrow ? add_interpolated(sum, line.samples[chunk], t) : add_gathered(sum, line.samples[chunk], t);
    }
    store(sums + chunk * lanes, load(sums + chunk * lanes) + sum);
  }
}

void back_project_tile(const ColumnTile& tile) {
  Line lines[view_group];
  for (int first = 0; first < tile.view_count; first += view_group) {
    const int group = tile.view_count - first < view_group ? tile.view_count - first : view_group;
    for (int j = 0; j < tile.count_j; ++j)
      for (int i = 0; i < tile.count_i; ++i) {
        int count = 0;
        for (int n = 0; n < group; ++n)
          count += make_line(tile, tile.views[first + n], tile.first_i + i, tile.first_j + j,
                             tile.lines + n * tile.line_stride, lines[count]);
        add_lines(tile, lines, count, tile.sums + (j * tile_width + i) * tile_stride);
      }
  }
}
