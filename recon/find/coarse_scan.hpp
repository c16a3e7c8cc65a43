// A scan averaged to few pixels and views around its object, in memory: what is decided from all of a scan
// but not from its details.
#pragma once

#include <span>
#include <vector>

#include "base/memory.hpp"
#include "io/described_scan.hpp"
#include "recon/resources.hpp"

namespace feldspar::recon {

/// How large a coarse scan may be.
struct CoarseLimits {
  int across = 128;  ///< columns of the object's widest shadow
  int along = 128;   ///< rows
  int views = 400;   ///< of the whole turn
};

/// Counts are transmissions times 60000, without dark current.
/// A scan averaged over pixels, kept in memory.
class CoarseScan final : public io::DescribedScan {
 public:
  /// Reads every n-th of `views`. `scan` is the source's, with the axis and the shifts that hold. Columns
  /// that only ever see air are left out on both sides of the axis alike. Throws what the source throws.
  CoarseScan(const io::ScanSource& source, const geometry::CircularScan& scan, std::span<const int> views,
             const Resources& resources, const CoarseLimits& limits);

  /// The same once more averaged over 2 x 2 pixels (or 2 x 1 where there are few rows).
  [[nodiscard]] CoarseScan halved(MemoryBudget& budget) const;

  /// Columns, rows and views that one has at most.
  [[nodiscard]] static CoarseLimits largest(const geometry::CircularScan& scan, std::size_t views,
                                            const CoarseLimits& limits);

  [[nodiscard]] io::CountType count_type() const override { return io::CountType::float32; }
  [[nodiscard]] std::vector<std::filesystem::path> files() const override { return {}; }
  void read(std::span<const int> views, const geometry::PixelWindow& window, void* counts) const override;

  /// The source's views that were kept.
  [[nodiscard]] const std::vector<int>& views() const { return views_; }
  /// Counts of one view, rows x columns.
  [[nodiscard]] std::span<const float> image(std::size_t view) const;

 private:
  CoarseScan();

  std::vector<int> views_;
  Array3<float> counts_;  ///< columns x rows x views
};

}  // namespace feldspar::recon
