#include "recon/line_integrals/line_integrals.hpp"

#include <algorithm>
#include <cstdint>

#include "base/stop.hpp"
#include "kernels/shared/attenuate.hpp"
#include "recon/measure/robust.hpp"

namespace feldspar::recon {

LineIntegralReader::LineIntegralReader(const io::ScanSource& source, MemoryBudget* budget)
    : source_(source), budget_(budget) {
  const io::References& references = source.references();
  const std::size_t pixels = std::max(references.white.size(), references.dark.size());
  if (pixels <= 1) return;
  std::vector<float> beams;
  for (std::size_t n = 0; n < pixels; n += 7)
    beams.push_back(level(references.white, static_cast<std::int64_t>(n)) -
                    level(references.dark, static_cast<std::int64_t>(n)));
  std::erase_if(beams, [](float beam) { return !std::isfinite(beam); });
  least_beam_ = std::max(1.0f, 0.05f * median(beams));
}

float LineIntegralReader::level(const std::vector<float>& image, std::int64_t pixel) const {
  return image.empty() ? 0.0f : image[image.size() == 1 ? 0 : static_cast<std::size_t>(pixel)];
}

bool LineIntegralReader::is_dark(std::int64_t pixel) const {
  const io::References& references = source_.references();
  return !(level(references.white, pixel) - level(references.dark, pixel) > least_beam_);
}

void LineIntegralReader::read_counts(int view, const geometry::PixelWindow& window) {
  const auto pixels =
      static_cast<std::size_t>(window.columns.count()) * static_cast<std::size_t>(window.rows.count());
  if (values_.bytes() < pixels * sizeof(float)) {
    raw_ = Block(pixels * io::bytes_of(source_.count_type()), "a projection to measure corrections", budget_);
    values_ = Block(pixels * sizeof(float), "line integrals to measure corrections", budget_);
  }
  stop_if_requested();
  source_.read(std::span(&view, 1), window, raw_.data());
}

void LineIntegralReader::convert_row(const geometry::PixelWindow& window, int row) {
  const io::References& references = source_.references();
  const bool integers = source_.count_type() == io::CountType::uint16;
  const int columns = window.columns.count();
  const std::size_t first =
      static_cast<std::size_t>(row - window.rows.first) * static_cast<std::size_t>(columns);
  const auto* const integer = static_cast<const std::uint16_t*>(raw_.data()) + (integers ? first : 0);
  const auto* const real = static_cast<const float*>(raw_.data()) + (integers ? 0 : first);
  auto* const values = static_cast<float*>(values_.data()) + first;
  const std::int64_t pixel = std::int64_t{row} * source_.scan().detector.columns + window.columns.first;
  for (int n = 0; n < columns; ++n)
    (void)kernels::attenuate(integers ? static_cast<float>(integer[n]) : real[n],
                             level(references.white, pixel + n), level(references.dark, pixel + n), 0,
                             values[n]);
}

View3<const float> LineIntegralReader::read(int view, const geometry::PixelWindow& window) {
  read_counts(view, window);
  for (int row = window.rows.first; row < window.rows.end; ++row) convert_row(window, row);
  return {static_cast<const float*>(values_.data()), window.columns.count(), window.rows.count(), 1};
}

View3<const float> LineIntegralReader::read(int view, ThreadPool& pool) {
  const auto& detector = source_.scan().detector;
  const geometry::PixelWindow all{{0, detector.columns}, {0, detector.rows}};
  read_counts(view, all);
  pool.for_each(detector.rows, [&](std::ptrdiff_t row, int) { convert_row(all, static_cast<int>(row)); });
  return {static_cast<const float*>(values_.data()), detector.columns, detector.rows, 1};
}

}  // namespace feldspar::recon
