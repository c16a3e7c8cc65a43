// What every pixel of the detector did over the views of a scan, gathered in one pass.
#pragma once

#include <span>

#include "base/memory.hpp"
#include "base/parallel.hpp"
#include "recon/line_integrals/line_integrals.hpp"

namespace feldspar::recon {

/// Maps of columns x rows, of line integrals. The views are taken in two halves, every other one each.
struct PixelStatistics {
  /// Maps of zeros, counted against `budget`, which may be null.
  PixelStatistics(int columns, int rows, MemoryBudget* budget);

  int views = 0;           ///< in both means
  Array3<float> means[2];  ///< of each half, every view by its share of the turn
  bool full_turn = false;  ///< each half is spread over a full turn, without gaps
  /// Mean square of how the distance from the median of 3 x 3 pixels changes from view to view, halved,
  /// without the two largest: variance in time, of neither what stands still nor what a zinger did.
  Array3<float> unrest;
  Array3<float> lowest, highest;  ///< line integrals over the views that are judged
};

/// How many views are read, spread evenly, or all if there are fewer.
struct StatisticsViews {
  int judged = 256;    ///< for unrest, lowest and highest
  int averaged = 256;  ///< for the means, those included
};

/// Reads the views. Throws what the source throws.
[[nodiscard]] PixelStatistics gather(const io::ScanSource& source, std::span<const int> view_indices,
                                     const StatisticsViews& most, ThreadPool& pool, MemoryBudget* budget);

}  // namespace feldspar::recon
