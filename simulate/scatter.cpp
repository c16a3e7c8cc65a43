#include "simulate/scatter.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/units.hpp"
#include "geometry/coverage.hpp"

namespace feldspar::simulate {
namespace {

/// Means over blocks of `size` x `size` pixels; those at the right and upper edges may be smaller.
struct Blocks {
  int size, columns, rows;
  std::vector<double> values;
};

/// The mean over a block of what is scattered once.
double scattered_in(View3<const float> transmission, geometry::Range rows, geometry::Range columns) {
  double sum = 0;
  for (int row = rows.first; row < rows.end; ++row)
    for (int column = columns.first; column < columns.end; ++column) {
      const double t = transmission(column, row, 0);
      if (t > 0 && t < 1) sum -= t * std::log(t);
    }
  return sum / (rows.count() * columns.count());
}

Blocks scattered_once(View3<const float> transmission, ThreadPool& pool) {
  const int size = std::max(1, (std::max(transmission.nx, transmission.ny) + 63) / 64);
  Blocks blocks{size, (transmission.nx + size - 1) / size, (transmission.ny + size - 1) / size, {}};
  blocks.values.resize(static_cast<std::size_t>(blocks.columns) * static_cast<std::size_t>(blocks.rows));
  pool.for_each(blocks.rows, [&](std::ptrdiff_t block_row, int) {
    for (int block = 0; block < blocks.columns; ++block) {
      const int row = static_cast<int>(block_row) * size, column = block * size;
      blocks.values[static_cast<std::size_t>(block_row) * static_cast<std::size_t>(blocks.columns) +
                    static_cast<std::size_t>(block)] =
          scattered_in(transmission, {row, std::min(transmission.ny, row + size)},
                       {column, std::min(transmission.nx, column + size)});
    }
  });
  return blocks;
}

/// Adds `share` of `from`, spread by a Gaussian of unit sum, to `to`. Distances are blocks.
/// Shares of a Gaussian in blocks that are 0, 1, 2 ... apart from its middle.
std::vector<double> gaussian_shares(double sigma, std::size_t count) {
  std::vector<double> gauss(count);
  for (std::size_t n = 0; n < count; ++n) {
    const double low = (static_cast<double>(n) - 0.5) / (sigma * std::sqrt(2)),
                 high = low + 1 / (sigma * std::sqrt(2));
    gauss[n] = 0.5 * (std::erf(high) - std::erf(low));
  }
  return gauss;
}

void add_spread(const Blocks& from, double share, double sigma_x, double sigma_y, std::vector<double>& to) {
  const auto columns = static_cast<std::size_t>(from.columns), rows = static_cast<std::size_t>(from.rows);
  const std::vector<double> along = gaussian_shares(sigma_x, columns), up = gaussian_shares(sigma_y, rows);
  const auto apart = [](std::size_t a, std::size_t b) { return a > b ? a - b : b - a; };
  std::vector<double> wide(from.values.size());
  for (std::size_t row = 0; row < rows; ++row)
    for (std::size_t column = 0; column < columns; ++column)
      for (std::size_t n = 0; n < columns; ++n)
        wide[row * columns + column] += along[apart(column, n)] * from.values[row * columns + n];
  for (std::size_t row = 0; row < rows; ++row)
    for (std::size_t n = 0; n < rows; ++n)
      for (std::size_t column = 0; column < columns; ++column)
        to[row * columns + column] += share * up[apart(row, n)] * wide[n * columns + column];
}

/// Value at a place in blocks, linear between their centres and constant beyond the outermost.
double interpolated(const Blocks& blocks, double x, double y) {
  x = std::clamp(x, 0.0, blocks.columns - 1.0);
  y = std::clamp(y, 0.0, blocks.rows - 1.0);
  const int i = std::min(static_cast<int>(x), std::max(0, blocks.columns - 2)),
            j = std::min(static_cast<int>(y), std::max(0, blocks.rows - 2));
  const auto at = [&](int column, int row) {
    return blocks.values[static_cast<std::size_t>(std::min(row, blocks.rows - 1)) *
                             static_cast<std::size_t>(blocks.columns) +
                         static_cast<std::size_t>(std::min(column, blocks.columns - 1))];
  };
  const double u = x - i, v = y - j;
  return (1 - v) * ((1 - u) * at(i, j) + u * at(i + 1, j)) +
         v * ((1 - u) * at(i, j + 1) + u * at(i + 1, j + 1));
}

void add_interpolated(const Blocks& blocks, View3<float> transmission, ThreadPool& pool) {
  pool.for_each(transmission.ny, [&](std::ptrdiff_t n, int) {
    const int row = static_cast<int>(n);
    for (int column = 0; column < transmission.nx; ++column)
      transmission(column, row, 0) += static_cast<float>(
          interpolated(blocks, (column + 0.5) / blocks.size - 0.5, (row + 0.5) / blocks.size - 0.5));
  });
}

}  // namespace

void add_scatter(const ScatterModel& model, const geometry::CircularScan& scan, View3<float> transmission,
                 ThreadPool& pool) {
  if (model.share <= 0) return;
  Blocks blocks = scattered_once(transmission, pool);
  std::vector<double> scatter(blocks.values.size());
  const double way = scan.source_detector_distance - scan.source_object_distance;
  const auto spread = [&](double part, double degrees) {
    const double sigma = way * std::tan(degrees * radians_per_degree) / blocks.size;
    add_spread(blocks, model.share * part, sigma / scan.detector.column_pitch,
               sigma / scan.detector.row_pitch, scatter);
  };
  spread(model.coherent_part, model.coherent_spread);
  spread(1 - model.coherent_part, model.compton_spread);
  blocks.values = std::move(scatter);
  add_interpolated(blocks, transmission, pool);
}

}  // namespace feldspar::simulate
