#include "recon/line_integrals/line_integral_stage.hpp"

#include <algorithm>
#include <cstdint>

#include "recon/resources.hpp"
#include "recon/stopwatch.hpp"

namespace feldspar::recon {
namespace {

template <class T>
T& at(std::vector<T>& of_slots, int slot) {
  return of_slots[static_cast<std::size_t>(slot)];
}

std::size_t integrals(const LineIntegralRoom& most) {
  return most.source_pixels * static_cast<std::size_t>(most.views);
}

/// Values of the rectified copy, or of the one without the halo; 0 where neither is made.
std::size_t upright_integrals(const UprightDetector& detector, int halo_rows, const LineIntegralRoom& most) {
  if (!detector.rectification && halo_rows == 0) return 0;
  return static_cast<std::size_t>(most.rows) * static_cast<std::size_t>(most.views) *
         static_cast<std::size_t>(detector.columns);
}

}  // namespace

DetectorRows rows_of(const UprightDetector& detector, geometry::Range rows, int halo_rows) {
  DetectorRows piece;
  piece.rows = {rows.first / 2 * 2, std::min(detector.rows, (rows.end + 1) / 2 * 2)};
  const geometry::PixelWindow window{{0, detector.columns}, piece.rows};
  piece.source_window = detector.rectification
                            ? geometry::source_window(*detector.rectification, window,
                                                      detector.source_columns, detector.source_rows)
                            : window;
  piece.source_window.columns = {0, detector.source_columns};
  geometry::Range& read = piece.source_window.rows;
  if (!read.empty())
    read = {std::max(0, read.first - halo_rows), std::min(detector.source_rows, read.end + halo_rows)};
  return piece;
}

LineIntegralStage::LineIntegralStage(const io::ScanSource& source, kernels::Backend& backend,
                                     const UprightDetector& detector,
                                     const kernels::CorrectionSpec* corrections, const LineIntegralRoom& most,
                                     LineIntegralTimes& times)
    : backend_(backend),
      detector_(detector),
      times_(times),
      count_type_(source.count_type()),
      attenuation_(backend.make_attenuation({.columns = detector.source_columns,
                                             .rows = detector.source_rows,
                                             .white = source.references().white,
                                             .dark = source.references().dark,
                                             .saturation = source.references().saturation})) {
  line_integrals_.emplace(backend, integrals(most), "line integrals");
  for (int slot = 0; slot < slots; ++slot) {
    used_.push_back(backend.make_marker());
    if (!backend.uses_host_memory())
      counts_.emplace_back(backend, integrals(most) * io::bytes_of(count_type_), "raw counts");
  }
  if (corrections && !corrections->empty()) correction_ = backend.make_correction(*corrections);
  if (detector.rectification) rectifier_ = backend.make_rectifier();
  const std::size_t upright = upright_integrals(detector, halo_of(corrections), most);
  if (upright > 0) upright_.emplace(backend, upright, "upright projections");
}

void LineIntegralStage::bring(int slot, const void* raw, std::size_t bytes) {
  if (counts_.empty()) return;
  at(used_, slot)->wait();
  backend_.upload_beside(raw, at(counts_, slot).view(1, 1, 1).data, bytes);
}

kernels::DeviceView3<float> LineIntegralStage::apply(const DetectorRows& piece, geometry::Range batch,
                                                     Counts counts) {
  auto stack = line_integrals_->view(piece.source_window.columns.count(), piece.source_window.rows.count(),
                                     batch.count());
  {
    const Stopwatch time(times_.attenuation_s);
    attenuate(piece, stack, counts_.empty() ? counts.raw : at(counts_, counts.slot).view(1, 1, 1).data);
    at(used_, counts.slot)->set();
  }
  if (correction_) {
    const Stopwatch time(times_.correction_s);
    stack = correct(piece, batch, stack);
  }
  if (!rectifier_) return stack;
  const Stopwatch time(times_.rectification_s);
  return rectify(piece, batch, stack);
}

/// Leaves the rows that are wanted: all of them to a rectification, which finds its own.
kernels::DeviceView3<float> LineIntegralStage::correct(const DetectorRows& piece, geometry::Range batch,
                                                       kernels::DeviceView3<float> stack) {
  const geometry::Range read = piece.source_window.rows, kept = rectifier_ ? read : piece.rows;
  const auto corrected = kept == read ? stack : upright_->view(stack.nx, kept.count(), stack.nz);
  correction_->apply(batch.first, read, stack, kept, corrected);
  return corrected;
}

kernels::DeviceView3<float> LineIntegralStage::rectify(const DetectorRows& piece, geometry::Range batch,
                                                       kernels::DeviceView3<float> stack) {
  const auto upright = upright_->view(detector_.columns, piece.rows.count(), batch.count());
  rectifier_->apply(part_of(detector_.rectification->homographies, batch), detector_.source_columns,
                    detector_.source_rows, {piece.source_window, stack},
                    {{{0, detector_.columns}, piece.rows}, upright});
  return upright;
}

void LineIntegralStage::attenuate(const DetectorRows& piece, kernels::DeviceView3<float> stack,
                                  const void* counts) {
  const auto apply = [&]<class Count>(const Count* values) {
    attenuation_->apply(kernels::DeviceView3<const Count>{values, stack.nx, stack.ny, stack.nz},
                        piece.source_window, stack);
  };
  if (count_type_ == io::CountType::uint16)
    apply(static_cast<const std::uint16_t*>(counts));
  else
    apply(static_cast<const float*>(counts));
}

LineIntegralBytes LineIntegralStage::tables_bytes(const io::ScanSource& source,
                                                  const kernels::CorrectionSpec* corrections) {
  const std::size_t references = bytes_of(source.references()),
                    spec = corrections ? kernels::bytes_of(*corrections) : 0;
  return {.host = references + 2 * spec, .device = references + spec};
}

std::size_t LineIntegralStage::buffer_bytes(const UprightDetector& detector, int halo_rows,
                                            const LineIntegralRoom& most) {
  return sizeof(float) * (integrals(most) + upright_integrals(detector, halo_rows, most));
}

LineIntegralBytes LineIntegralStage::bytes(const io::ScanSource& source, const kernels::Backend& backend,
                                           const UprightDetector& detector,
                                           const kernels::CorrectionSpec* corrections,
                                           const LineIntegralRoom& most) {
  LineIntegralBytes all = tables_bytes(source, corrections);
  const std::size_t buffers = buffer_bytes(detector, halo_of(corrections), most);
  if (backend.uses_host_memory()) return {.host = all.host + buffers, .device = 0};
  all.device += buffers + slots * integrals(most) * io::bytes_of(source.count_type());
  return all;
}

}  // namespace feldspar::recon
