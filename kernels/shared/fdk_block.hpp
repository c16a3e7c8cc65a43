// The FDK back-projection of one team of threads: a block of 8 x 8 x 128 voxels over a batch of upright views
// in pairs. Neighbouring threads are neighbours along z: they read a detector column one after the other,
// whatever the angle of the view. Column and depth are worked out once for each 128 voxels.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/shared/detector_pairs.hpp"
#include "kernels/shared/fdk_column.hpp"
#include "kernels/shared/parts.hpp"

namespace feldspar::kernels {

/// A place between two rows: the lower one and the fraction of the way to the next, from 0 to 1.
struct RowPlace {
  int row;
  float fraction;
};

/// Where `v_half` + 1/2 lies, for |v_half| < 2^22; for others that are finite, a row as far away or further,
/// and a finite fraction. Rounded by an addition, which takes fewer of a device's scarce conversions; a place
/// on a row may as well be told as the end of the way from the one before.
FELDSPAR_HOST_DEVICE inline RowPlace place_of(float v_half) {
  const float magic = 0x1.8p23f;  // its neighbours are 1 away
  const float moved = pinned(v_half + magic);
  std::uint32_t bits = 0;
#ifdef __CUDA_ARCH__
  bits = __float_as_uint(moved);
#else
  std::memcpy(&bits, &moved, sizeof bits);
#endif
  return {static_cast<int>(bits - 0x4b400000u), v_half - (moved - magic) + 0.5f};
}

/// Voxels (i, j) below (end_i, end_j) of the slices `first_slice` .. of a grid. Matrices count i and j from
/// (first_i, first_j).
struct BlockTarget {
  float* volume;
  int nx;
  int ny;
  int first_i;
  int first_j;
  int end_i;
  int end_j;
  int first_slice;
  int slices;
  Disc disc;
};

/// The first voxel of a block: i and j of the grid, k of the target's slices.
struct BlockPlace {
  int i;
  int j;
  int k;
};

template <class Pair>
struct FdkBlock {
  static constexpr int width = 8, depth = 8, lanes = 32, turns = 4;
  static constexpr int height = lanes * turns;   ///< voxels along z
  static constexpr int threads = lanes * depth;  ///< of a team
  static constexpr int columns = width * depth;  ///< of voxels
  static constexpr int group = 8;                ///< views added up before they meet the volume
  static constexpr int pitch = columns + 1;      ///< neighbours along z are in different banks

  /// A column of voxels in a view.
  struct alignas(16) Foot {
    float v_half;         ///< of slice 0 of the grid, less one half
    float step;           ///< from slice to slice
    float fraction;       ///< of the way between the pixels of a pair
    std::uint32_t start;  ///< of the column of pairs
  };

  struct Memory {
    Foot foot[group * columns];
    float weight[group * columns];  ///< of what lies at a foot
    float voxel[height * pitch];
  };

  BlockTarget target;
  PairStack<Pair> stack;

  /// Adds `count` views, the first of the stack, to the voxels from `at` on, those that exist. `team` as for
  /// RowFilter, of at least one thread.
  template <class Team>
  FELDSPAR_HOST_DEVICE void operator()(const ViewMatrix* views, int count, BlockPlace at, Memory& memory,
                                       const Team& team) const {
    if (at.i >= target.end_i || at.j >= target.end_j) return;
    if (target.disc.misses(at.i, at.i + width - 1, at.j, at.j + depth - 1)) return;
    team(height * columns, [&](int n) {
      const float* voxel = find(at, n);
      memory.voxel[n / columns * pitch + n % columns] = voxel ? *voxel : 0.0f;
    });
    for (int first = 0; first < count; first += group) {
      const int some = count - first < group ? count - first : group;
      team(some * columns, [&](int n) { set_foot(views, first + n / columns, at, n, memory); });
      team(threads, [&](int n) { add(first, some, at.k, n, memory); });
    }
    team(height * columns, [&](int n) {
      float* voxel = find(at, n);
      if (voxel) *voxel = memory.voxel[n / columns * pitch + n % columns];
    });
  }

 private:
  /// Voxel n of the block, x fastest; null when there is none.
  FELDSPAR_HOST_DEVICE float* find(BlockPlace at, int n) const {
    const int i = at.i + n % width, j = at.j + n / width % depth, k = at.k + n / columns;
    if (i >= target.end_i || j >= target.end_j || k >= target.slices) return nullptr;
    return target.volume + (static_cast<std::ptrdiff_t>(k) * target.ny + j) * target.nx + i;
  }

  /// Element n, of view `number`. What is not seen, or so far away that a sum with it might not be finite,
  /// falls on the first column with a weight of 0.
  FELDSPAR_HOST_DEVICE void set_foot(const ViewMatrix* views, int number, BlockPlace at, int n,
                                     Memory& memory) const {
    const ViewMatrix& view = views[number];
    const float x = static_cast<float>(at.i + n % width - target.first_i),
                y = static_cast<float>(at.j + n / width % depth - target.first_j);
    const Shadow<float> shadow = view.shadow_of(x, y, 0.0f);
    const Parts<float> place = parts_of(shadow.u);
    const float v_half = shadow.v - 0.5f;
    const bool is_seen = is_in_front(shadow.magnification) && std::fabs(v_half) < 1e30f &&
                         place.whole >= -1.0f && place.whole < static_cast<float>(stack.shape.columns);
    memory.foot[n] = {0.0f, 0.0f, 0.0f, 0};
    memory.weight[n] = 0.0f;
    if (!is_seen) return;
    memory.foot[n] = {v_half, view.v.k * shadow.magnification, place.fraction,
                      static_cast<std::uint32_t>(static_cast<int>(place.whole) + 1) *
                          static_cast<std::uint32_t>(stack.shape.stride())};
    memory.weight[n] = shadow.magnification * shadow.magnification * stack.scale(number);
  }

  /// Thread n adds views first .. of the feet to the voxels of one lane and one depth.
  FELDSPAR_HOST_DEVICE void add(int first, int some, int k0, int n, Memory& memory) const {
    const int lane = n % lanes, y = n / lanes;
    const float slice = static_cast<float>(target.first_slice + k0 + lane);
    const auto to_first = static_cast<std::uint32_t>(PairShape::border - stack.shape.first_row),
               zeros = static_cast<std::uint32_t>(PairShape::border + stack.shape.rows);
    float sum[width * turns] = {};
    for (int view = 0; view < some; ++view) {
      const Pair* pairs = pinned(stack(first + view));
      FELDSPAR_UNROLL
      for (int x = 0; x < width; ++x) {
        const int at = view * columns + y * width + x;
        const Foot foot = memory.foot[at];
        const float weight = memory.weight[at];
        const Pair* line = pinned(pairs + foot.start);
        FELDSPAR_UNROLL
        for (int turn = 0; turn < turns; ++turn) {
          const RowPlace place =
              place_of(foot.v_half + foot.step * (slice + static_cast<float>(turn * lanes)));
          const std::uint32_t row = static_cast<std::uint32_t>(place.row) + to_first;  // huge, if before
          const Pair* pair = line + (row < zeros ? row : zeros);
          const float lower = pair[0].at(foot.fraction), upper = pair[1].at(foot.fraction);
          sum[x * turns + turn] += weight * (lower + place.fraction * (upper - lower));
        }
      }
    }
    FELDSPAR_UNROLL
    for (int of = 0; of < width * turns; ++of)
      memory.voxel[(lane + of % turns * lanes) * pitch + y * width + of / turns] += sum[of];
  }
};

}  // namespace feldspar::kernels
