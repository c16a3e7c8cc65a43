#include "recon/correct/block_waves.hpp"

#include <cmath>
#include <numbers>

namespace feldspar::recon {
namespace {

std::vector<float> cosines(int size) {
  std::vector<float> table;
  for (int wave = 0; wave < size; ++wave)
    for (int place = 0; place < size; ++place)
      table.push_back(static_cast<float>(std::sqrt((wave == 0 ? 1.0 : 2.0) / size) *
                                         std::cos(std::numbers::pi * wave * (place + 0.5) / size)));
  return table;
}

}  // namespace

BlockWaves::BlockWaves(int rows_of_block, int columns_of_block)
    : rows(rows_of_block),
      columns(columns_of_block),
      along_(cosines(rows)),
      across_(cosines(columns)),
      half_done_(static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns)) {}

void BlockWaves::forward(const float* values, int stride, float* coefficients) {
  for (int wave = 0; wave < rows; ++wave) {
    float* const line = half_done_.data() + std::ptrdiff_t{wave} * columns;
    const float* const factors = along_.data() + std::ptrdiff_t{wave} * rows;
    for (int c = 0; c < columns; ++c) line[c] = 0;
    for (int r = 0; r < rows; ++r) {
      const float factor = factors[r];
      const float* const from = values + std::ptrdiff_t{r} * stride;
      for (int c = 0; c < columns; ++c) line[c] += factor * from[c];
    }
  }
  for (int r = 0; r < rows; ++r)
    for (int wave = 0; wave < columns; ++wave) {
      const float* const factors = across_.data() + std::ptrdiff_t{wave} * columns;
      const float* const from = half_done_.data() + std::ptrdiff_t{r} * columns;
      float sum = 0;
      for (int c = 0; c < columns; ++c) sum += factors[c] * from[c];
      coefficients[r * columns + wave] = sum;
    }
}

void BlockWaves::inverse(const float* coefficients, float* values) {
  for (int r = 0; r < rows; ++r) {
    float* const line = half_done_.data() + std::ptrdiff_t{r} * columns;
    for (int c = 0; c < columns; ++c) line[c] = 0;
    for (int wave = 0; wave < columns; ++wave) {
      const float factor = coefficients[r * columns + wave];
      const float* const from = across_.data() + std::ptrdiff_t{wave} * columns;
      for (int c = 0; c < columns; ++c) line[c] += factor * from[c];
    }
  }
  for (int r = 0; r < rows; ++r) {
    float* const line = values + std::ptrdiff_t{r} * columns;
    for (int c = 0; c < columns; ++c) line[c] = 0;
    for (int wave = 0; wave < rows; ++wave) {
      const float factor = along_[static_cast<std::size_t>(wave) * rows + r];
      const float* const from = half_done_.data() + std::ptrdiff_t{wave} * columns;
      for (int c = 0; c < columns; ++c) line[c] += factor * from[c];
    }
  }
}

}  // namespace feldspar::recon
