// From raw counts to corrected, upright line integrals: what every reconstruction begins with, on any device.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "io/scan_source.hpp"
#include "kernels/attenuation.hpp"
#include "kernels/correction.hpp"
#include "kernels/rectifier.hpp"
#include "recon/device_array.hpp"
#include "recon/setup/fdk_setup.hpp"

namespace feldspar::recon {

/// Rows of the upright detector and the pixels that they are made from.
struct DetectorRows {
  geometry::Range rows;                 ///< of the upright detector, beginning with an even row
  geometry::PixelWindow source_window;  ///< of the real detector, with rows that corrections ask for

  /// Pixels of the real detector.
  [[nodiscard]] std::size_t source_pixels() const {
    return static_cast<std::size_t>(source_window.columns.count()) *
           static_cast<std::size_t>(source_window.rows.count());
  }
};

/// `rows` made even, and the pixels that they are made from, with `halo_rows` of the real detector beyond.
[[nodiscard]] DetectorRows rows_of(const UprightDetector& detector, geometry::Range rows, int halo_rows);

/// The largest piece that a stage takes: what it has room for.
struct LineIntegralRoom {
  std::size_t source_pixels = 0;  ///< of a view, on the real detector
  int rows = 0;                   ///< of a view, on the upright detector
  int views = 0;                  ///< at a time
};

/// What a stage takes of the host's memory and of the device's own, which host backends have none of.
struct LineIntegralBytes {
  std::size_t host = 0;    ///< without the raw counts, which are the reader's there
  std::size_t device = 0;  ///< with those of both slots
};

/// Seconds of the stage's own work.
struct LineIntegralTimes {
  double attenuation_s = 0;    ///< counts to line integrals
  double correction_s = 0;     ///< of line integrals
  double rectification_s = 0;  ///< onto the upright detector
};

/// The operators from counts to line integrals on one device, and the memory between them: attenuation, then
/// corrections, then rectification where the detector leans. Bits of a pixel depend on neither the rows nor
/// the views that are asked for with it.
class LineIntegralStage {
 public:
  /// Raw counts in host memory and in a slot.
  struct Counts {
    int slot;   ///< that holds them where they are worked on
    void* raw;  ///< where they stand in host memory
  };

  /// Raw counts are brought in turn by two slots.
  static constexpr int slots = 2;

  /// For pieces of up to `most`. `corrections` are null for none; their offsets and patches are of the views
  /// of `detector`. Refers to `backend`, `detector` and `times`, which grow. Throws Error(out_of_memory), and
  /// Error(usage) when the corrections are not of this detector.
  LineIntegralStage(const io::ScanSource& source, kernels::Backend& backend, const UprightDetector& detector,
                    const kernels::CorrectionSpec* corrections, const LineIntegralRoom& most,
                    LineIntegralTimes& times);

  /// Brings the raw counts of a batch from host memory to where they are worked on, beside all other work.
  /// From one thread that need not be that of apply(); waits until those before in the slot were used.
  void bring(int slot, const void* raw, std::size_t bytes);

  /// Corrected line integrals of `piece` in the views of `batch`, columns x rows x views, whose raw counts
  /// were brought and still stand at `raw`. Queued; valid, and to be overwritten at will, until the next
  /// call.
  [[nodiscard]] kernels::DeviceView3<float> apply(const DetectorRows& piece, geometry::Range batch,
                                                  Counts counts);

  /// What was counted of all pixels so far.
  [[nodiscard]] kernels::AttenuationTally tally() const { return attenuation_->tally(); }

  /// Bytes of what its operators keep whatever the pieces: references, and corrections with tables of them.
  [[nodiscard]] static LineIntegralBytes tables_bytes(const io::ScanSource& source,
                                                      const kernels::CorrectionSpec* corrections);
  /// Bytes of its line integrals for pieces of up to `most`, where it works.
  [[nodiscard]] static std::size_t buffer_bytes(const UprightDetector& detector, int halo_rows,
                                                const LineIntegralRoom& most);
  /// Bytes of all of that, and of the raw counts in its slots.
  [[nodiscard]] static LineIntegralBytes bytes(const io::ScanSource& source, const kernels::Backend& backend,
                                               const UprightDetector& detector,
                                               const kernels::CorrectionSpec* corrections,
                                               const LineIntegralRoom& most);

 private:
  kernels::DeviceView3<float> correct(const DetectorRows& piece, geometry::Range batch,
                                      kernels::DeviceView3<float> stack);
  kernels::DeviceView3<float> rectify(const DetectorRows& piece, geometry::Range batch,
                                      kernels::DeviceView3<float> stack);
  void attenuate(const DetectorRows& piece, kernels::DeviceView3<float> stack, const void* counts);

  kernels::Backend& backend_;
  const UprightDetector& detector_;
  LineIntegralTimes& times_;
  io::CountType count_type_;
  std::unique_ptr<kernels::Attenuation> attenuation_;
  std::unique_ptr<kernels::Correction> correction_;
  std::unique_ptr<kernels::Rectifier> rectifier_;
  std::optional<DeviceArray3<float>> line_integrals_,
      upright_;                                         ///< the latter rectified, or without the halo
  std::vector<DeviceArray3<std::byte>> counts_;         ///< by slot; none where operators read host memory
  std::vector<std::unique_ptr<kernels::Marker>> used_;  ///< by slot: its counts are line integrals
};

/// Rows of the real detector beyond those wanted that `corrections`, which may be null, are made from.
[[nodiscard]] inline int halo_of(const kernels::CorrectionSpec* corrections) {
  return corrections ? kernels::halo(*corrections) : 0;
}

/// The part of what belongs to all views that belongs to those of `batch`.
template <class T>
[[nodiscard]] std::span<const T> part_of(const std::vector<T>& all, geometry::Range batch) {
  return std::span(all).subspan(static_cast<std::size_t>(batch.first),
                                static_cast<std::size_t>(batch.count()));
}

}  // namespace feldspar::recon
