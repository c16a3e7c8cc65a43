// Line integrals of a few views on the host, as the corrections are measured from.
#pragma once

#include <vector>

#include "base/memory.hpp"
#include "base/parallel.hpp"
#include "io/scan_source.hpp"

namespace feldspar::recon {

/// Reads views and takes the logarithm: the first step of a LineIntegralStage, by the same function of
/// kernels/shared and to its rounding, before there are corrections. It is no such stage because every thread
/// has one of these: it looks at the source's references where a stage's operators have copies of their own,
/// and starts no threads. What is measured with it, and so the bits of volumes, is this rounding's. One user
/// at a time.
class LineIntegralReader {
 public:
  /// Blocks count against `budget`, which may be null.
  LineIntegralReader(const io::ScanSource& source, MemoryBudget* budget);

  /// Line integrals of a view of the source in `window`, by the arithmetic of the reconstruction. Valid until
  /// the next call. Throws what the source throws.
  [[nodiscard]] View3<const float> read(int view, const geometry::PixelWindow& window);
  /// The same of the whole detector, its rows shared among the threads of `pool`.
  [[nodiscard]] View3<const float> read(int view, ThreadPool& pool);

  /// True when the references let the pixel see no beam to speak of: at most a twentieth of the usual one.
  [[nodiscard]] bool is_dark(std::int64_t pixel) const;

 private:
  void read_counts(int view, const geometry::PixelWindow& window);
  void convert_row(const geometry::PixelWindow& window, int row);
  [[nodiscard]] float level(const std::vector<float>& image, std::int64_t pixel) const;

  const io::ScanSource& source_;
  MemoryBudget* budget_;
  float least_beam_ = 1;
  Block raw_;
  Block values_;
};

}  // namespace feldspar::recon
