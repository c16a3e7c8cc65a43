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

/// The views of a group, coefficient by coefficient, so that one instruction serves all of them. Views that
/// a last, smaller group lacks have their shadow beside the detector.
struct Group {
  double u_i[view_group], u_j[view_group], u_0[view_group];
  double w_i[view_group], w_j[view_group], w_0[view_group];
  double v_i[view_group], v_j[view_group], v_0[view_group], v_k[view_group];
  const float* columns[view_group];
};

inline void fill_group(const ColumnTile& tile, int first, Group& group) {
  for (int n = 0; n < view_group; ++n) {
    const bool there = first + n < tile.view_count;
    const ColumnView view =
        there ? tile.views[first + n] : ColumnView{0, 0, -2, 0, 0, 1, 0, 0, 0, 0, nullptr};
    group.u_i[n] = view.u_i, group.u_j[n] = view.u_j, group.u_0[n] = view.u_0;
    group.w_i[n] = view.w_i, group.w_j[n] = view.w_j, group.w_0[n] = view.w_0;
    group.v_i[n] = view.v_i, group.v_j[n] = view.v_j, group.v_0[n] = view.v_0, group.v_k[n] = view.v_k;
    group.columns[n] = view.columns;
  }
}

/// Where the shadows of one voxel column fall: u, and v = start + step * k.
struct Places {
  double scale[view_group], u[view_group], start[view_group], step[view_group];
};

inline void place(const Group& group, double i, double j, Places& at) {
  for (int n = 0; n < view_group; ++n) {
    at.scale[n] = 1.0 / (group.w_i[n] * i + group.w_j[n] * j + group.w_0[n]);
    at.u[n] = (group.u_i[n] * i + group.u_j[n] * j + group.u_0[n]) * at.scale[n];
    at.start[n] = (group.v_i[n] * i + group.v_j[n] * j + group.v_0[n]) * at.scale[n];
    at.step[n] = group.v_k[n] * at.scale[n];
  }
}

/// Prepares the line of the n-th view of a group in `buffer`. False when the shadow misses the detector.
inline bool make_line(const ColumnTile& tile, const Group& group, const Places& at, int n, Chunks chunks,
                      float* buffer, Line& line) {
  const double u = at.u[n], start = at.start[n], step = at.step[n];
  if (!(at.scale[n] > 0) || !(u > -1) || !(u < tile.column_count)) return false;
  const double reach = step * (lanes - 1) + 2;  // rows beyond a chunk's first that it reads, gathered
  const double first_v = start + step * (tile.block + chunks.first * lanes);
  const double last_v = start + step * (tile.block + chunks.end * lanes) + reach;
  if (!(last_v > tile.first_row - 1) || !(first_v < tile.first_row + tile.row_count)) return false;

  // Chunks at multiples of `lanes` in the whole volume: v is the same number whatever slab asks for it. One
  // whose shadow misses the rows held reads zeros of the border.
  const double lowest = tile.first_row - tile.border + 8, highest = tile.first_row + tile.row_count + 1;
  for (int chunk = 0; chunk < block_chunks; ++chunk) {
    const double v = start + step * static_cast<double>(tile.block + chunk * lanes),
                 base = __builtin_floor(v);
    const double raised = base < lowest ? lowest : base, held = raised > highest ? highest : raised;
    line.fraction[chunk] = static_cast<float>(v - base);
    line.offset[chunk] = static_cast<int>(held) - tile.first_row;
  }
  line.step = static_cast<float>(step);
  line.samples = buffer + tile.border;

  const double left = __builtin_floor(u);
  const float blend = static_cast<float>(u - left), weight = static_cast<float>(at.scale[n] * at.scale[n]);
  const float* a = group.columns[n] + (static_cast<int>(left) + 1) * tile.column_stride + tile.border;
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
  Group group;
  Places at;
  const Chunks chunks = chunks_of(tile);
  for (int first = 0; first < tile.view_count; first += view_group) {
    fill_group(tile, first, group);
    for (int j = 0; j < tile.count_j; ++j)
      for (int i = 0; i < tile.count_i; ++i) {
        place(group, tile.first_i + i, tile.first_j + j, at);
        int count = 0;
        float steepest = 0;
        for (int n = 0; n < view_group; ++n)
          if (make_line(tile, group, at, n, chunks, tile.lines + n * tile.line_stride, lines[count])) {
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
