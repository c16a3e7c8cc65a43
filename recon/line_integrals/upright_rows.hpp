// Line integrals of a few detector rows, made from the raw file once more.
#pragma once

#include <memory>

#include "base/reservation.hpp"
#include "recon/line_integrals/line_integral_stage.hpp"

namespace feldspar::recon {

/// Reads rows of the upright detector through a stage of a backend of its own. One user at a time; `source`,
/// `detector` and `corrections` must outlive it.
class UprightRows {
 public:
  /// Corrections are null for none. Its memory counts against `budget`. "reference" as the backend judges
  /// what the others make, "cpu" is faster.
  UprightRows(const io::ScanSource& source, const UprightDetector& detector,
              const kernels::CorrectionSpec* corrections, MemoryBudget& budget,
              const char* backend = "reference");

  /// Bytes that one holds, to read so many rows of so many views at a time.
  [[nodiscard]] static std::size_t bytes(const io::ScanSource& source, const UprightDetector& detector,
                                         const kernels::CorrectionSpec* corrections, int views, int rows);

  /// Some rows of some views.
  struct Rows {
    int first = 0;              ///< the detector's row of the first: that asked for, made even
    View3<const float> values;  ///< columns x rows x views; valid until the next call
  };
  /// At least `rows` of the views in `batch`, which are indices into those of the set-up.
  [[nodiscard]] Rows read(geometry::Range batch, geometry::Range rows);

 private:
  void make_room(const LineIntegralRoom& room);

  const io::ScanSource& source_;
  const UprightDetector& detector_;
  const kernels::CorrectionSpec* corrections_;
  LineIntegralTimes times_;
  std::unique_ptr<kernels::Backend> backend_;
  std::optional<LineIntegralStage> stage_;
  MemoryBudget& budget_;
  Reservation tables_;
  LineIntegralRoom room_;  ///< of the stage
  Block raw_;
};

}  // namespace feldspar::recon
