#include "recon/line_integrals/upright_rows.hpp"

#include <algorithm>

#include "base/stop.hpp"

namespace feldspar::recon {

std::size_t UprightRows::bytes(const io::ScanSource& source, const UprightDetector& detector,
                               const kernels::CorrectionSpec* corrections, int views, int rows) {
  const int middle = detector.rows / 2, halo = halo_of(corrections);
  const DetectorRows piece = rows_of(detector, {middle, std::min(detector.rows, middle + rows)}, halo);
  const LineIntegralRoom room{piece.source_pixels(), piece.rows.count(), views};
  return LineIntegralStage::buffer_bytes(detector, halo, room) +
         room.source_pixels * static_cast<std::size_t>(views) * io::bytes_of(source.count_type()) +
         LineIntegralStage::tables_bytes(source, corrections).host;
}

UprightRows::UprightRows(const io::ScanSource& source, const UprightDetector& detector,
                         const kernels::CorrectionSpec* corrections, MemoryBudget& budget,
                         const char* backend)
    : source_(source),
      detector_(detector),
      corrections_(corrections),
      backend_(kernels::open_backend(backend, {.threads = 1, .budget = &budget})),
      budget_(budget),
      tables_(budget, LineIntegralStage::tables_bytes(source, corrections).host,
              "references to verify with") {}

void UprightRows::make_room(const LineIntegralRoom& room) {
  const auto views = static_cast<std::size_t>(room.views), had = static_cast<std::size_t>(room_.views);
  if (stage_ && room.source_pixels * views <= room_.source_pixels * had &&
      static_cast<std::size_t>(room.rows) * views <= static_cast<std::size_t>(room_.rows) * had)
    return;
  stage_.reset(), raw_ = {};
  stage_.emplace(source_, *backend_, detector_, corrections_, room, times_);
  raw_ = Block(room.source_pixels * static_cast<std::size_t>(room.views) * io::bytes_of(source_.count_type()),
               "raw counts to verify", &budget_);
  room_ = room;
}

UprightRows::Rows UprightRows::read(geometry::Range batch, geometry::Range rows) {
  const DetectorRows piece = rows_of(detector_, rows, halo_of(corrections_));
  make_room({piece.source_pixels(), piece.rows.count(), batch.count()});
  stop_if_requested();
  source_.read(part_of(detector_.view_indices, batch), piece.source_window, raw_.data());
  const auto stack = stage_->apply(piece, batch, {0, raw_.data()});
  return {piece.rows.first, {stack.data, stack.nx, stack.ny, stack.nz}};
}

}  // namespace feldspar::recon
