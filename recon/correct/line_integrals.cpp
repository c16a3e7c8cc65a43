#include "recon/correct/line_integrals.hpp"

#include <cstdint>

#include "kernels/shared/attenuate.hpp"
#include "recon/correct/robust.hpp"

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

View3<const float> LineIntegralReader::read(int view, const geometry::PixelWindow& window) {
  const int columns = window.columns.count(), rows = window.rows.count();
  const auto pixels = static_cast<std::size_t>(columns) * static_cast<std::size_t>(rows);
  if (values_.bytes() < pixels * sizeof(float)) {
    raw_ = Block(pixels * io::bytes_of(source_.count_type()), "a projection to measure corrections", budget_);
    values_ = Block(pixels * sizeof(float), "line integrals to measure corrections", budget_);
  }
  source_.read(std::span(&view, 1), window, raw_.data());
  const io::References& references = source_.references();
  auto* const values = static_cast<float*>(values_.data());
  const int width = source_.scan().detector.columns;
  std::size_t n = 0;
  for (int row = window.rows.first; row < window.rows.end; ++row)
    for (int column = window.columns.first; column < window.columns.end; ++column, ++n) {
      const std::int64_t pixel = std::int64_t{row} * width + column;
      const float count = source_.count_type() == io::CountType::uint16
                              ? static_cast<float>(static_cast<const std::uint16_t*>(raw_.data())[n])
                              : static_cast<const float*>(raw_.data())[n];
      (void)kernels::attenuate(count, level(references.white, pixel), level(references.dark, pixel), 0,
                               values[n]);
    }
  return {values, columns, rows, 1};
}

}  // namespace feldspar::recon
