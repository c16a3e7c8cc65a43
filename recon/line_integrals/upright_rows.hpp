// Line integrals of a few detector rows, made from the raw file once more by the reference backend.
#pragma once

#include <memory>

#include "base/reservation.hpp"
#include "recon/fdk/fdk.hpp"
#include "recon/slabs/slab_operators.hpp"

namespace feldspar::recon {

/// Reads rows of the filtered detector: attenuated, corrected and rectified in the reference arithmetic,
/// neither weighted nor filtered. One user at a time; `source` and `setup` must outlive it.
class UprightRows {
 public:
  /// Its memory counts against `budget`.
  UprightRows(const io::ScanSource& source, const FdkSetup& setup, const FdkOptions& options,
              MemoryBudget& budget);

  /// Bytes that one holds, to read so many rows of so many views at a time.
  [[nodiscard]] static std::size_t bytes(const io::ScanSource& source, const FdkSetup& setup,
                                         const FdkOptions& options, int views, int rows);

  /// Some rows of some views.
  struct Rows {
    int first = 0;              ///< the detector's row of the first: rows.first made even
    View3<const float> values;  ///< columns x rows x views; valid until the next call
  };
  /// At least `rows` of the views in `batch`, which are indices into those of the set-up.
  [[nodiscard]] Rows read(geometry::Range batch, geometry::Range rows);

 private:
  void make_room(const Slab& slab, int views);

  const io::ScanSource& source_;
  const FdkSetup& setup_;
  FdkOptions options_;
  FdkReport report_;
  std::unique_ptr<kernels::Backend> backend_;
  std::unique_ptr<SlabOperators> operators_;
  MemoryBudget& budget_;
  Reservation copies_;
  std::size_t source_pixels_ = 0, pixels_ = 0;  ///< that `operators_` has room for
  Block raw_;
};

}  // namespace feldspar::recon
