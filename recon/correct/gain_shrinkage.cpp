#include "recon/correct/gain_shrinkage.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "recon/correct/block_waves.hpp"

namespace feldspar::recon {
namespace {

constexpr int step = 2;           // pixels from block to block
constexpr int near = 2;           // blocks to each side in which the object is alike
constexpr int noise_cell = 24;    // pixels in which the noise is alike, and in their neighbours
constexpr int band = 32;          // rows of blocks that are worked on together
constexpr float object_from = 3;  // times the power of gain and noise: the object begins
constexpr float most_power = 24;  // times that: no gain at all

struct Shape {
  int rows, columns;
};
constexpr Shape shapes[] = {{8, 8}, {24, 8}, {8, 24}};

/// Where blocks begin along a side of `size` pixels; the last one ends with it.
std::vector<int> origins(int size, int block, int apart) {
  std::vector<int> result;
  for (int n = 0; n + block < size; n += apart) result.push_back(n);
  result.push_back(size - block);
  return result;
}

/// Mean power of the noise's waves, by cells of the detector.
class NoisePower {
 public:
  NoisePower(View3<const float> noise, Shape shape, ThreadPool& pool)
      : waves_(static_cast<std::size_t>(shape.rows * shape.columns)),
        columns_((noise.nx + noise_cell - 1) / noise_cell),
        rows_((noise.ny + noise_cell - 1) / noise_cell) {
    std::vector<float> own(cells() * waves_), blocks(cells());
    pool.for_each(rows_, [&](std::ptrdiff_t line, int) {
      BlockWaves transform(shape.rows, shape.columns);
      std::vector<float> coefficients(waves_);
      for (const int row : origins(noise.ny, shape.rows, 4)) {
        if (row / noise_cell != line) continue;
        for (const int column : origins(noise.nx, shape.columns, 4)) {
          transform.forward(noise.row(row, 0) + column, noise.nx, coefficients.data());
          if (!std::isfinite(coefficients[0])) continue;
          const std::size_t cell = cell_at(column, row);
          blocks[cell] += 1;
          for (std::size_t n = 0; n < waves_; ++n)
            own[cell * waves_ + n] += coefficients[n] * coefficients[n];
        }
      }
    });
    smooth(own, blocks);
  }

  [[nodiscard]] const float* at(int column, int row) const {
    return power_.data() + cell_at(column, row) * waves_;
  }

 private:
  [[nodiscard]] std::size_t cells() const {
    return static_cast<std::size_t>(columns_) * static_cast<std::size_t>(rows_);
  }
  [[nodiscard]] std::size_t cell_at(int column, int row) const {
    return static_cast<std::size_t>(row / noise_cell) * static_cast<std::size_t>(columns_) +
           static_cast<std::size_t>(column / noise_cell);
  }

  /// Means over a cell and its neighbours.
  void smooth(const std::vector<float>& own, const std::vector<float>& blocks) {
    power_.assign(own.size(), 0);
    for (int row = 0; row < rows_; ++row)
      for (int column = 0; column < columns_; ++column) {
        float count = 0;
        float* const power = power_.data() + static_cast<std::size_t>(row * columns_ + column) * waves_;
        for (int r = std::max(0, row - 1); r <= std::min(rows_ - 1, row + 1); ++r)
          for (int c = std::max(0, column - 1); c <= std::min(columns_ - 1, column + 1); ++c) {
            const auto cell = static_cast<std::size_t>(r * columns_ + c);
            count += blocks[cell];
            for (std::size_t n = 0; n < waves_; ++n) power[n] += own[cell * waves_ + n];
          }
        for (std::size_t n = 0; n < waves_; ++n) power[n] /= std::max(1.0f, count);
      }
  }

  std::size_t waves_;
  int columns_, rows_;
  std::vector<float> power_;
};

/// Blocks of one row: their coefficients, and the mean power of those beside each other.
struct BlockRow {
  static constexpr int none = -1000;
  int index = none;
  std::vector<float> coefficients, power;
  std::vector<char> known;
};

/// Works on bands of one shape's rows of blocks; a worker's own.
class Shrinker {
 public:
  Shrinker(const MixedMap& map, const NoisePower& noise, Shape shape)
      : map_(map),
        noise_(noise),
        shape_(shape),
        rows_(origins(map.values.ny, shape.rows, step)),
        columns_(origins(map.values.nx, shape.columns, step)),
        waves_(static_cast<std::size_t>(shape.rows * shape.columns)),
        transform_(shape.rows, shape.columns),
        kept_(waves_),
        values_(waves_),
        ring_(2 * near + 1) {}

  /// Adds the gain of rows [first, end) of blocks, and its weight.
  void add(int first, int end, View3<float> sum, View3<float> weights) {
    const int last = static_cast<int>(rows_.size());
    for (int n = first - near; n < end + near; ++n) {
      read(n, last);
      if (n - near < first) continue;
      for (std::size_t i = 0; i < columns_.size(); ++i) add_block(n - near, i, sum, weights);
    }
  }

  [[nodiscard]] int rows_of_blocks() const { return static_cast<int>(rows_.size()); }

 private:
  [[nodiscard]] BlockRow& slot(int row) {
    return ring_[static_cast<std::size_t>((row + 2 * near + 1) % (2 * near + 1))];
  }

  void read(int row, int last) {
    BlockRow& line = slot(row);
    line.index = BlockRow::none;
    if (row < 0 || row >= last) return;
    line.index = row;
    line.coefficients.resize(columns_.size() * waves_);
    line.power.assign(columns_.size() * waves_, 0);
    line.known.assign(columns_.size(), 0);
    const int top = rows_[static_cast<std::size_t>(row)];
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      float* const own = line.coefficients.data() + i * waves_;
      transform_.forward(map_.values.row(top, 0) + columns_[i], map_.values.nx, own);
      line.known[i] = std::isfinite(own[0]);
    }
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      float* const power = line.power.data() + i * waves_;
      for (std::size_t k = i < near ? 0 : i - near; k <= std::min(columns_.size() - 1, i + near); ++k) {
        if (!line.known[k]) continue;
        const float* const own = line.coefficients.data() + k * waves_;
        for (std::size_t n = 0; n < waves_; ++n) power[n] += own[n] * own[n];
      }
    }
  }

  /// Powers of the waves around block `i` of `row` into kept_.
  void gather_power(int row, std::size_t i) {
    std::ranges::fill(kept_, 0.0f);
    float count = 0;
    for (int r = row - near; r <= row + near; ++r) {
      const BlockRow& line = slot(r);
      if (line.index != r) continue;
      for (std::size_t k = i < near ? 0 : i - near; k <= std::min(columns_.size() - 1, i + near); ++k)
        count += line.known[k];
      const float* const power = line.power.data() + i * waves_;
      for (std::size_t n = 0; n < waves_; ++n) kept_[n] += power[n];
    }
    for (float& power : kept_) power /= count;
  }

  void add_block(int row, std::size_t i, View3<float> sum, View3<float> weights) {
    const BlockRow& line = slot(row);
    if (!line.known[i]) return;
    gather_power(row, i);
    const int top = rows_[static_cast<std::size_t>(row)], left = columns_[i];
    const float* const own = line.coefficients.data() + i * waves_;
    const float* const noise = noise_.at(left, top);
    const auto gain = static_cast<float>(map_.gain);
    float lost = 0;
    for (std::size_t n = 0; n < waves_; ++n) {
      const bool may_be_object = n < static_cast<std::size_t>(shape_.columns);  // from row to row
      const float usual = gain + noise[n], object = std::max(0.0f, kept_[n] - object_from * usual);
      const float share =
          may_be_object || own[n] * own[n] > most_power * usual ? 0.0f : gain / (usual + object);
      lost += 1 - share;
      kept_[n] = share * own[n];
    }
    lost /= static_cast<float>(waves_);
    transform_.inverse(kept_.data(), values_.data());
    spread(top, left, 1 / ((lost + 0.02f) * (lost + 0.02f)), sum, weights);
  }

  void spread(int top, int left, float weight, View3<float> sum, View3<float> weights) const {
    const auto window = [](int place, int size) {
      return std::sin(std::numbers::pi_v<float> * (static_cast<float>(place) + 0.5f) /
                      static_cast<float>(size));
    };
    for (int r = 0; r < shape_.rows; ++r)
      for (int c = 0; c < shape_.columns; ++c) {
        const float share = weight * window(r, shape_.rows) * window(c, shape_.columns);
        sum(left + c, top + r, 0) += share * values_[static_cast<std::size_t>(r * shape_.columns + c)];
        weights(left + c, top + r, 0) += share;
      }
  }

  const MixedMap& map_;
  const NoisePower& noise_;
  Shape shape_;
  std::vector<int> rows_, columns_;  ///< where blocks begin
  std::size_t waves_;
  BlockWaves transform_;
  std::vector<float> kept_, values_;  ///< of one block
  std::vector<BlockRow> ring_;
};

}  // namespace

void shrink_to_gain(const MixedMap& map, View3<float> result, ThreadPool& pool) {
  const Array3<float> weights(result.nx, result.ny, 1);
  weights.fill(0);
  for (float& value : result.values()) value = 0;
  for (const Shape shape : shapes) {
    if (shape.rows > result.ny || shape.columns > result.nx) continue;
    const NoisePower noise(map.noise, shape, pool);
    const int rows = Shrinker(map, noise, shape).rows_of_blocks(), bands = (rows + band - 1) / band;
    // Two bands beside each other reach the same pixels: every other one at a time, whatever the threads.
    for (const int odd : {0, 1})
      pool.for_each((bands + 1 - odd) / 2, [&](std::ptrdiff_t n, int) {
        const int first = (2 * static_cast<int>(n) + odd) * band;
        Shrinker(map, noise, shape).add(first, std::min(rows, first + band), result, weights.view());
      });
  }
  for (std::size_t n = 0; n < weights.size(); ++n)
    result.data[n] = weights.data()[n] > 0 ? result.data[n] / weights.data()[n] : 0.0f;
}

std::size_t shrinkage_bytes(int columns, int rows, int threads) {
  constexpr std::size_t waves = 24 * 8, lines = 2 * (2 * near + 1);
  const std::size_t across = static_cast<std::size_t>(columns) / step + 2,
                    cells = (static_cast<std::size_t>(columns) / noise_cell + 1) *
                            (static_cast<std::size_t>(rows) / noise_cell + 1);
  return sizeof(float) * waves * (lines * across * static_cast<std::size_t>(threads) + 2 * cells);
}

}  // namespace feldspar::recon
