// The line integrals that the rotation axis is judged by: of a few views and rows, averaged over groups of
// pixels, and smooth.
#pragma once

#include <span>
#include <vector>

#include "base/memory.hpp"
#include "base/progress.hpp"
#include "recon/resources.hpp"

namespace feldspar::recon {

/// Rows of the coarse detector that follow each other, in all views of the sample.
struct RowBand {
  int first = 0;         ///< coarse row of the first
  Array3<float> values;  ///< columns x rows x views
};

/// Line integrals of a coarse detector.
struct AxisSample {
  geometry::CircularScan scan;  ///< its detector is the coarse one, its views are those that were read
  std::vector<RowBand> bands;   ///< lowest first
};

/// Reads the views of `view_indices` that measure rays whose reverse is measured too, 720 of them at most;
/// of the rows all, or the eight bands of twelve coarse ones where projections have most structure, one in
/// each eighth of the height. Empty where no ray is measured twice. Throws what the source throws.
[[nodiscard]] AxisSample sample_for_axis(const io::ScanSource& source, const geometry::CircularScan& scan,
                                         std::span<const int> view_indices, const Resources& resources,
                                         Progress& progress);

/// Bytes that the sample takes at most, with what one thread reads at a time.
[[nodiscard]] std::size_t axis_sample_bytes(const io::ScanSource& source, std::size_t views);

}  // namespace feldspar::recon
