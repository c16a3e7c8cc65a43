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

/// Two neighbouring detector columns, and what each counts.
struct ColumnPair {
  const float* a;
  const float* b;
  float weight_a, weight_b;
};

/// Blends `count` rows of the two, a multiple of `lanes`, from row `from` on.
inline void blend(const ColumnPair& pair, int from, int count, float* samples) {
  const Floats factor_a = broadcast(pair.weight_a), factor_b = broadcast(pair.weight_b);
  const float *a = pair.a + from, *b = pair.b + from;
  samples += from;
#pragma GCC unroll 4
  for (int row = 0; row < count; row += lanes)
    store(samples + row, multiply_add(factor_a, load(a + row), factor_b * load(b + row)));
}

/// The views of a group, coefficient by coefficient, so that one instruction serves all of them. Views that
/// a last, smaller group lacks have their shadow beside the detector.
struct Group {
  double u_i[view_group], u_j[view_group], u_0[view_group];
  double w_i[view_group], w_j[view_group], w_0[view_group];
  double v_i[view_group], v_j[view_group], v_0[view_group], v_k[view_group];
  const float* columns[view_group];
  double steepest;  ///< the most rows between neighbouring voxels of a column of the tile
  int rows;         ///< to be blended for any column; one number for all, which the processor can foresee
};

inline void fill_group(const ColumnTile& tile, int first, Chunks chunks, Group& group) {
  for (int n = 0; n < view_group; ++n) {
    const bool there = first + n < tile.view_count;
    const ColumnView view =
        there ? tile.views[first + n] : ColumnView{0, 0, -2, 0, 0, 1, 0, 0, 0, 0, nullptr};
    group.u_i[n] = view.u_i, group.u_j[n] = view.u_j, group.u_0[n] = view.u_0;
    group.w_i[n] = view.w_i, group.w_j[n] = view.w_j, group.w_0[n] = view.w_0;
    group.v_i[n] = view.v_i, group.v_j[n] = view.v_j, group.v_0[n] = view.v_0, group.v_k[n] = view.v_k;
    group.columns[n] = view.columns;
  }
  group.steepest = 0;
  for (int corner = 0; corner < 4; ++corner)
    for (int n = 0; n < view_group; ++n) {
      const double i = tile.first_i + (corner & 1 ? tile.count_i - 1 : 0),
                   j = tile.first_j + (corner & 2 ? tile.count_j - 1 : 0);
      const double step = group.v_k[n] / (group.w_i[n] * i + group.w_j[n] * j + group.w_0[n]);
      group.steepest = step > group.steepest ? step : group.steepest;
    }
  const int reach = static_cast<int>(group.steepest * ((chunks.end - chunks.first) * lanes) + 3) + lanes;
  const int wanted = (reach + lanes - 1) / lanes * lanes,
            held = (tile.row_count + 2 * tile.border) / lanes * lanes;
  group.rows = wanted < held ? wanted : held;
}

/// Where the shadows of one voxel column fall, in every view of a group: v = start + step * k, and u between
/// the columns left and left + 1, which count weight_a and weight_b. Vectorised, u is computed more than
/// once: all of them are one number, and left and the weights of one floor, because nothing is contracted
/// (CMakeLists.txt). Then u - left is in [0, 1], for rounding is monotonic, and neither weight is below 0 or
/// above scale squared.
struct Places {
  double scale[view_group], u[view_group], start[view_group], step[view_group];
  int left[view_group];
  float weight_a[view_group], weight_b[view_group];
};

inline void place(const Group& group, double i, double j, Places& at) {
  for (int n = 0; n < view_group; ++n) {
    at.scale[n] = 1.0 / (group.w_i[n] * i + group.w_j[n] * j + group.w_0[n]);
    at.u[n] = (group.u_i[n] * i + group.u_j[n] * j + group.u_0[n]) * at.scale[n];
    at.start[n] = (group.v_i[n] * i + group.v_j[n] * j + group.v_0[n]) * at.scale[n];
    at.step[n] = group.v_k[n] * at.scale[n];
  }
  double left[view_group], share[view_group];
  for (int n = 0; n < view_group; ++n) {
    left[n] = __builtin_floor(at.u[n]);
    share[n] = (at.u[n] - left[n]) * (at.scale[n] * at.scale[n]);
  }
  for (int n = 0; n < view_group; ++n) {
    at.left[n] = static_cast<int>(left[n]);
    at.weight_b[n] = static_cast<float>(share[n]);
    at.weight_a[n] = static_cast<float>(at.scale[n] * at.scale[n] - share[n]);
  }
}

/// Rows are counted from here while they are split into whole rows and fractions, so that all are positive,
/// whatever rows are held, and the same row has the same fraction.
constexpr double far_below = 1 << 20;

constexpr int chunk_step = block_chunks < 8 ? block_chunks : 8;
typedef double ChunkDoubles __attribute__((vector_size(chunk_step * sizeof(double))));
typedef float ChunkFloats __attribute__((vector_size(chunk_step * sizeof(float))));
typedef int ChunkInts __attribute__((vector_size(chunk_step * sizeof(int))));

/// Where the chunks of a block that are asked for begin in the line. Chunks are at multiples of `lanes` in
/// the whole volume: v is the same number whatever slab asks for it. One whose shadow misses the rows held
/// reads zeros of the border.
inline void place_chunks(const ColumnTile& tile, double start, double step, Chunks chunks, Line& line) {
  const double lowest = far_below + tile.first_row - tile.border + 8,
               highest = far_below + tile.first_row + tile.row_count + 1;
  const int origin = static_cast<int>(far_below) + tile.first_row;
  ChunkDoubles order;
  for (int chunk = 0; chunk < chunk_step; ++chunk) order[chunk] = chunk * lanes;
  for (int first = chunks.first / chunk_step * chunk_step; first < chunks.end; first += chunk_step) {
    const ChunkDoubles v =
        (start + far_below) + step * (order + static_cast<double>(tile.block + first * lanes));
    const ChunkDoubles raised = v < lowest ? lowest - ChunkDoubles{} : v,
                       held = raised > highest ? highest - ChunkDoubles{} : raised;
    const ChunkInts row = __builtin_convertvector(held, ChunkInts);
    const ChunkFloats fraction =
        __builtin_convertvector(held - __builtin_convertvector(row, ChunkDoubles), ChunkFloats);
    const ChunkInts offset = row - origin;
    __builtin_memcpy(line.offset + first, &offset, sizeof offset);
    __builtin_memcpy(line.fraction + first, &fraction, sizeof fraction);
  }
}

/// Prepares the line of the n-th view of a group in the tile's n-th. False when the shadow misses the
/// detector.
inline bool make_line(const ColumnTile& tile, const Group& group, const Places& at, int n, Chunks chunks,
                      Line& line) {
  const double start = at.start[n], step = at.step[n];
  if (!(at.scale[n] > 0) || !(at.u[n] > -1) || !(at.u[n] < tile.column_count)) return false;
  const double reach = step * (lanes - 1) + 2;  // rows beyond a chunk's first that it reads
  const double first_v = start + step * (tile.block + chunks.first * lanes);
  const double last_v = start + step * (tile.block + chunks.end * lanes) + reach;
  if (!(last_v > tile.first_row - 1) || !(first_v < tile.first_row + tile.row_count)) return false;

  place_chunks(tile, start, step, chunks, line);
  line.step = static_cast<float>(step);
  float* const samples = tile.lines + n * tile.line_stride + tile.border;
  line.samples = samples;
  const float* a = group.columns[n] + (at.left[n] + 1) * tile.column_stride + tile.border;
  const int from = line.offset[chunks.first] & -lanes, last = tile.row_count + tile.border - group.rows;
  blend({a, a + tile.column_stride, at.weight_a[n], at.weight_b[n]}, from < last ? from : last, group.rows,
        samples);
  return true;
}

/// How far apart the samples of a chunk are: within one register, within two, or anywhere.
enum class Spread { tight, narrow, wide };

/// Adds one chunk of a line to its sum.
template <Spread spread>
inline Floats add_chunk(Floats sum, const Line& line, int chunk) {
  const Floats t = multiply_add(ramp(1.0f), broadcast(line.step), broadcast(line.fraction[chunk]));
  const float* samples = line.samples + line.offset[chunk];
  if (spread == Spread::tight) return add_tight(sum, samples, t);
  return spread == Spread::narrow ? add_interpolated(sum, samples, t) : add_gathered(sum, samples, t);
}

/// Chunks whose sums stay in registers while lines are added.
constexpr int chunks_at_once = 8;

template <Spread spread>
inline void add_lines(Chunks chunks, const Line* lines, int count, float* sums) {
  int chunk = chunks.first;
  for (; chunk + chunks_at_once <= chunks.end; chunk += chunks_at_once) {
    Floats sum[chunks_at_once] = {};
    for (int n = 0; n < count; ++n)
#pragma GCC unroll 8
      for (int c = 0; c < chunks_at_once; ++c) sum[c] = add_chunk<spread>(sum[c], lines[n], chunk + c);
#pragma GCC unroll 8
    for (int c = 0; c < chunks_at_once; ++c) {
      float* const at = sums + std::ptrdiff_t{chunk + c} * lanes;
      store(at, load(at) + sum[c]);
    }
  }
  for (; chunk < chunks.end; ++chunk) {
    Floats sum{};
    for (int n = 0; n < count; ++n) sum = add_chunk<spread>(sum, lines[n], chunk);
    float* const at = sums + std::ptrdiff_t{chunk} * lanes;
    store(at, load(at) + sum);
  }
}

void back_project_tile(const ColumnTile& tile) {
  Line lines[view_group];
  Group group;
  Places at;
  const Chunks chunks = chunks_of(tile);
  for (int first = 0; first < tile.view_count; first += view_group) {
    fill_group(tile, first, chunks, group);
    for (int j = 0; j < tile.count_j; ++j)
      for (int i = 0; i < tile.count_i; ++i) {
        place(group, tile.first_i + i, tile.first_j + j, at);
        int count = 0;
        for (int n = 0; n < view_group; ++n)
          if (make_line(tile, group, at, n, chunks, lines[count])) ++count;
        float* sums = tile.sums + (j * tile_width + i) * tile_stride;
        if (group.steepest < tight_step)
          add_lines<Spread::tight>(chunks, lines, count, sums);
        else if (group.steepest < narrow_step)
          add_lines<Spread::narrow>(chunks, lines, count, sums);
        else
          add_lines<Spread::wide>(chunks, lines, count, sums);
      }
  }
}
