// Projections as the back-projector of blocks reads them: columns contiguous, each element a pixel and its
// right neighbour, so that one load brings both; zeros around them, so that nothing has to be asked.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/shared/half.hpp"

namespace feldspar::kernels {

/// The difference is taken once, where pairs are packed.
struct alignas(8) FloatPair {
  float left;
  float rise;  ///< from the left pixel to the right one
  FELDSPAR_HOST_DEVICE static FloatPair of(float left, float right) { return {left, right - left}; }
  FELDSPAR_HOST_DEVICE float at(float fraction) const { return left + fraction * rise; }
};

/// In half precision: 11 bits of what a view's scale leaves between 2^-14 and 65504. Both pixels in one word,
/// the left one in the low half: two 16-bit members are loaded one by one.
struct alignas(4) HalfPair {
  std::uint32_t bits;
  FELDSPAR_HOST_DEVICE static HalfPair of(float left, float right) {
    return {to_half(left) | static_cast<std::uint32_t>(to_half(right)) << 16};
  }
  FELDSPAR_HOST_DEVICE float at(float fraction) const {
    const float first = from_half(static_cast<std::uint16_t>(bits)),
                second = from_half(static_cast<std::uint16_t>(bits >> 16));
    return first + fraction * (second - first);
  }
};

/// One projection in pairs: pair column c is (pixel column c - 1, pixel column c), c = 0 .. columns.
struct PairShape {
  static constexpr int border = 2;  ///< rows of zeros, before and after
  int columns;                      ///< of pixels
  int first_row;
  int rows;

  FELDSPAR_HOST_DEVICE int stride() const { return (rows + 2 * border + 15) / 16 * 16; }
  FELDSPAR_HOST_DEVICE std::ptrdiff_t plane() const {
    return static_cast<std::ptrdiff_t>(columns + 1) * stride();
  }
  /// Whether 32 bits count the pairs of a projection, as the back-projector does.
  FELDSPAR_HOST_DEVICE bool is_countable() const { return plane() <= std::ptrdiff_t{0xffffffff}; }
};

/// Several projections in pairs, one behind the other.
template <class Pair>
struct PairStack {
  const Pair* pairs;
  PairShape shape;
  const float* scales;  ///< of each projection, what its pairs are to be multiplied with; null for 1

  FELDSPAR_HOST_DEVICE const Pair* operator()(int view) const { return pairs + view * shape.plane(); }
  FELDSPAR_HOST_DEVICE float scale(int view) const { return scales ? scales[view] : 1.0f; }
};

/// The power of two that takes the largest absolute value of a projection to between 2^14 and 2^15: half
/// precision then holds 2^-29 of it with all bits. `largest` as bits of a float. 1 for zeros and non-finite.
FELDSPAR_HOST_DEVICE inline float half_scale(std::uint32_t largest) {
  const std::uint32_t exponent = largest >> 23;  // biased by 127
  if (exponent < 15 || exponent > 254) return 1.0f;
  const std::uint32_t bits = (exponent - 14) << 23;
  float scale = 0;
#ifdef __CUDA_ARCH__
  scale = __uint_as_float(bits);
#else
  std::memcpy(&scale, &bits, sizeof scale);
#endif
  return scale;
}

/// Fills tiles of pairs from projections with rows contiguous.
template <class Pair>
struct PairPacking {
  static constexpr int tile = 32;  ///< pairs along each side
  static constexpr int pitch = tile + 1;
  const float* pixels;
  PairShape shape;
  Pair* pairs;
  const float* scales;  ///< null for 1

  struct Memory {
    float pixel[tile * pitch];  ///< of a tile and of the column to its right
  };

  /// Tile (x, y) of a view; x covers the pair columns, y the stride. `team` as for RowFilter.
  template <class Team>
  FELDSPAR_HOST_DEVICE void operator()(int view, int x, int y, Memory& memory, const Team& team) const {
    const float factor = scales ? 1.0f / scales[view] : 1.0f;
    const float* from = pixels + static_cast<std::ptrdiff_t>(view) * shape.rows * shape.columns;
    Pair* to = pairs + view * shape.plane();
    team(tile * pitch, [&](int n) {
      const int column = x * tile + n % pitch - 1, row = y * tile + n / pitch - PairShape::border;
      const bool is_pixel = column >= 0 && column < shape.columns && row >= 0 && row < shape.rows;
      memory.pixel[n] =
          is_pixel ? factor * from[static_cast<std::ptrdiff_t>(row) * shape.columns + column] : 0.0f;
    });
    team(tile * tile, [&](int n) {
      const int column = x * tile + n / tile, row = y * tile + n % tile;
      if (column > shape.columns || row >= shape.stride()) return;
      const float* pixel = memory.pixel + n % tile * pitch + n / tile;
      to[static_cast<std::ptrdiff_t>(column) * shape.stride() + row] = Pair::of(pixel[0], pixel[1]);
    });
  }
};

}  // namespace feldspar::kernels
