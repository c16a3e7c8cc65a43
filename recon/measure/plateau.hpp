// Where the counts of a scan end below the full scale of their type: saturation that no file tells of.
#pragma once

#include <memory>
#include <span>

#include "base/memory.hpp"
#include "io/scan_source.hpp"

namespace feldspar::recon {

/// The highest count, when far more pixels have it than noise would give it to.
struct Plateau {
  float level = 0;   ///< counts; 0 for none
  double share = 0;  ///< of the pixels looked at that read it
};

/// Reads the views as counts. The highest is a plateau when many pixels read it, few what is just below, and
/// pixels below have noise: without noise air is a plateau too.
[[nodiscard]] Plateau find_plateau(const io::ScanSource& source, std::span<const int> views,
                                   MemoryBudget& budget);

/// The same scan, whose detector is full at `level` counts.
[[nodiscard]] std::unique_ptr<io::ScanSource> saturating_at(std::unique_ptr<io::ScanSource> source,
                                                            double level, MemoryBudget& budget);

}  // namespace feldspar::recon
