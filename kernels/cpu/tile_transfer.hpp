// Voxels between the volume, x fastest, and a tile of columns, z fastest.
// Included only by simd_kernels.cpp, inside its namespace for the instruction set.

/// Lanes of `a` and `b` in turn, from lane `from` of each on.
template <int from, int... lane>
inline Floats interleave(Floats a, Floats b, std::integer_sequence<int, lane...>) {
  return __builtin_shufflevector(a, b, (from + lane / 2 + (lane % 2) * lanes)...);
}

/// Transposes a square of registers: log2(lanes) perfect shuffles of its rows.
inline void transpose_square(Floats (&rows)[lanes]) {
  constexpr std::make_integer_sequence<int, lanes> all{};
  for (int stage = 1; stage < lanes; stage *= 2) {
    Floats shuffled[lanes];
    for (std::ptrdiff_t n = 0; n < lanes / 2; ++n) {
      shuffled[2 * n] = interleave<0>(rows[n], rows[n + lanes / 2], all);
      shuffled[2 * n + 1] = interleave<lanes / 2>(rows[n], rows[n + lanes / 2], all);
    }
    for (int n = 0; n < lanes; ++n) rows[n] = shuffled[n];
  }
}

void load_sums(const ColumnTile& tile, const float* voxels, std::ptrdiff_t row, std::ptrdiff_t slice) {
  const int first = tile.first_k - tile.block, end = tile.end_k - tile.block;
  for (int j = 0; j < tile.count_j; ++j) {
    const float* from = voxels + j * row;
    // The next row of every slice: slices are too far apart for the processor to foresee them.
    if (j + 1 < tile.count_j)
      for (int k = 0; k < end - first; ++k) __builtin_prefetch(from + row + k * slice);
    float* to = tile.sums + j * (tile_width * tile_stride);
    // What the kernel's chunks touch beside the slab's own slices must be numbers, but is never looked at.
    for (int i = 0; i < tile.count_i; ++i) {
      for (int k = first / lanes * lanes; k < first; ++k) to[i * tile_stride + k] = 0;
      for (int k = end; k < (end + lanes - 1) / lanes * lanes; ++k) to[i * tile_stride + k] = 0;
    }
    int k = first;
    if (tile.count_i == tile_width)
      for (; k + lanes <= end; k += lanes)
        for (int i = 0; i < tile_width; i += lanes) {
          Floats square[lanes];
          for (int n = 0; n < lanes; ++n) square[n] = load(from + (k - first + n) * slice + i);
          transpose_square(square);
          for (int n = 0; n < lanes; ++n) store(to + (i + n) * tile_stride + k, square[n]);
        }
    for (; k < end; ++k)
      for (int i = 0; i < tile.count_i; ++i) to[i * tile_stride + k] = from[(k - first) * slice + i];
  }
}

void save_sums(const ColumnTile& tile, float* voxels, std::ptrdiff_t row, std::ptrdiff_t slice) {
  const int first = tile.first_k - tile.block, end = tile.end_k - tile.block;
  for (int j = 0; j < tile.count_j; ++j) {
    float* to = voxels + j * row;
    const float* from = tile.sums + j * (tile_width * tile_stride);
    int k = first;
    if (tile.count_i == tile_width)
      for (; k + lanes <= end; k += lanes)
        for (int i = 0; i < tile_width; i += lanes) {
          Floats square[lanes];
          for (int n = 0; n < lanes; ++n) square[n] = load(from + (i + n) * tile_stride + k);
          transpose_square(square);
          for (int n = 0; n < lanes; ++n) store(to + (k - first + n) * slice + i, square[n]);
        }
    for (; k < end; ++k)
      for (int i = 0; i < tile.count_i; ++i) to[(k - first) * slice + i] = from[i * tile_stride + k];
  }
}
