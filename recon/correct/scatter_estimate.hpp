// How much of a view's signal is primary, from means of its blocks.
#pragma once

#include <span>
#include <vector>

#include "recon/correct/scatter.hpp"

namespace feldspar::recon {

/// How a view of columns x rows pixels is cut into blocks of size x size pixels, at most 64 along each side;
/// those at the last edges may be smaller.
struct BlockGrid {
  int size = 1, columns = 0, rows = 0;  ///< pixels along a block's side; blocks along a row; rows of blocks
  /// The grid of a view of so many pixels.
  [[nodiscard]] static BlockGrid of(int pixel_columns, int pixel_rows);
  /// Number of blocks.
  [[nodiscard]] std::size_t count() const {
    return static_cast<std::size_t>(columns) * static_cast<std::size_t>(rows);
  }
};

/// A kernel's spreads in blocks along columns and rows.
struct KernelSpread {
  double narrow_x = 0, narrow_y = 0, wide_x = 0, wide_y = 0;  ///< standard deviations
};

/// P / (P + S) of every block, from the mean transmissions I of the blocks (columns fastest). With a kernel P
/// is found by repeating P = I - S(P). P is taken as a tenth of I at least: a model that takes more away is
/// wrong there.
[[nodiscard]] std::vector<float> primary_shares(std::span<const float> transmission, const BlockGrid& grid,
                                                const ScatterModel& model, const KernelSpread& spread);

}  // namespace feldspar::recon
