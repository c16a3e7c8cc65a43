// A scan whose sinograms have been freed of stripes, row by row, as it is read.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "base/parallel.hpp"
#include "base/reservation.hpp"
#include "io/scan_source.hpp"
#include "kernels/correction.hpp"
#include "recon/correct/sinogram_rings.hpp"

namespace feldspar::recon {

/// Everything of the inner source but its pixels: those are float counts whose attenuation is corrected by
/// `spec` first and then free of stripes. The rows last read are held in all views: as many blocks of rows
/// as devices read at one time. A row's bits do not depend on which others are read with it.
class StripeFreeSource final : public io::WrappedSource {
 public:
  /// How its pixels are made.
  struct Options {
    StripeMethod method = StripeMethod::sorting;  ///< what takes the stripes out
    kernels::CorrectionSpec spec = {};            ///< offsets of views are those of `view_indices`
    int threads = 0;                 ///< of the correction and the removal; 0 takes what the process may use
    int held = 1;                    ///< blocks of rows
    MemoryBudget* budget = nullptr;  ///< that held rows count against; may be null
  };
  /// Only `view_indices` can be read.
  StripeFreeSource(std::unique_ptr<io::ScanSource> inner, std::vector<int> view_indices, Options options);

  [[nodiscard]] const io::References& references() const override { return references_; }
  [[nodiscard]] io::CountType count_type() const override { return io::CountType::float32; }
  void read(std::span<const int> views, const geometry::PixelWindow& window, void* counts) const override;

  /// Bytes that a detector row takes while it is held.
  [[nodiscard]] std::size_t bytes_a_row() const;
  /// Bytes that a thread needs to free a row of stripes in so many views.
  [[nodiscard]] static std::size_t bytes_a_thread(const io::ScanSource& source, std::size_t views);
  /// Bytes that all threads need besides.
  [[nodiscard]] std::size_t working_bytes() const;

 private:
  struct Rows {
    geometry::Range rows;
    Array3<float> line_integrals;  ///< columns x rows x views
  };
  [[nodiscard]] std::shared_ptr<const Rows> hold(geometry::Range rows) const;
  [[nodiscard]] std::shared_ptr<const Rows> make(geometry::Range rows) const;

  io::References references_{.white = {0x1p40f}, .dark = {}, .saturation = 0};
  std::vector<int> view_indices_;
  std::vector<int> position_;  ///< of a view of the source among those, or -1
  Options options_;
  std::unique_ptr<kernels::Backend> host_;
  std::unique_ptr<kernels::Correction> correction_;
  mutable ThreadPool pool_;
  mutable std::mutex mutex_;
  mutable std::deque<std::shared_ptr<const Rows>> held_;
};

/// What a method would take out of a few sinograms of a scan.
struct StripeCost {
  double taken =
      0;  ///< root mean square of what all views of a column lose, as a share of the line integrals'
  double shared =
      0;          ///< of it, the correlation from row to row: gains of pixels share nothing, an object does
  int views = 0;  ///< looked at
};

/// Tries `method` on three rows in the middle of the detector, in up to `most` of the views. Throws what the
/// source throws.
[[nodiscard]] StripeCost cost_of_stripes(const io::ScanSource& source, std::span<const int> view_indices,
                                         StripeMethod method, MemoryBudget& budget, int most = 180);

}  // namespace feldspar::recon
