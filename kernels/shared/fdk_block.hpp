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

/// Where `v_half` + 1/2 lies, for |v_half| < 2^22. Rounded by an addition, which takes fewer of a device's
/// scarce conversions; a place on a row may as well be told as the end of the way from the one before.
FELDSPAR_HOST_DEVICE inline RowPlace place_of(float v_half) {
  const float magic = 0x1.8p23f;  // its neighbours are 1 away
  const float moved = pinned(v_half + magic);
  std::int32_t bits = 0;
#ifdef __CUDA_ARCH__
  bits = __float_as_int(moved);
#else
  std::memcpy(&bits, &moved, sizeof bits);
#endif
  return {bits - 0x4b400000, v_half - (moved - magic) + 0.5f};
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
    float v_half;  ///< of slice 0 of the grid, less one half
    float magnification;
    float fraction;  ///< of the way between the pixels of a pair
    int column;      ///< of pairs
  };

  struct Memory {
    Foot foot[group * columns];
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
      team(some * columns, [&](int n) { memory.foot[n] = foot_of(views[first + n / columns], at, n); });
      team(threads, [&](int n) { add(views, first, some, at.k, n, memory); });
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

  FELDSPAR_HOST_DEVICE Foot foot_of(const ViewMatrix& view, BlockPlace at, int n) const {
    const float x = static_cast<float>(at.i + n % width - target.first_i),
                y = static_cast<float>(at.j + n / width % depth - target.first_j);
    const Shadow<float> shadow = view.shadow_of(x, y, 0.0f);
    const Parts<float> place = parts_of(shadow.u);
    const bool is_seen = is_in_front(shadow.magnification) && place.whole >= -1.0f &&
                         place.whole < static_cast<float>(stack.shape.columns);
    if (!is_seen) return {0.0f, 0.0f, 0.0f, 0};
    return {shadow.v - 0.5f, shadow.magnification, place.fraction, static_cast<int>(place.whole) + 1};
  }

  /// Thread n adds views first .. of the feet to the voxels of one lane and one depth.
  FELDSPAR_HOST_DEVICE void add(const ViewMatrix* views, int first, int some, int k0, int n,
                                Memory& memory) const {
    const int lane = n % lanes, y = n / lanes;
    const float lowest = static_cast<float>(stack.shape.first_row) - 1.5f,
                highest = static_cast<float>(stack.shape.first_row + stack.shape.rows) - 0.5f;
    const float slice = static_cast<float>(target.first_slice + k0 + lane);
    const int stride = stack.shape.stride();
    float sum[width * turns] = {};
    for (int view = 0; view < some; ++view) {
      const Pair* pairs = stack(first + view) + (PairShape::border - stack.shape.first_row);
      const float rise = views[first + view].v.k, scale = stack.scale(first + view);
      FELDSPAR_UNROLL
      for (int x = 0; x < width; ++x) {
        const Foot foot = memory.foot[view * columns + y * width + x];
        const float weight = foot.magnification * foot.magnification * scale,
                    step = rise * foot.magnification;
        const Pair* line = pairs + static_cast<std::ptrdiff_t>(foot.column) * stride;
        FELDSPAR_UNROLL
        for (int turn = 0; turn < turns; ++turn) {
          const float v = foot.v_half + step * (slice + static_cast<float>(turn * lanes));
          const RowPlace place = place_of(std::fmin(std::fmax(v, lowest), highest));  // NaN becomes lowest
          const float lower = line[place.row].at(foot.fraction),
                      upper = line[place.row + 1].at(foot.fraction);
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
