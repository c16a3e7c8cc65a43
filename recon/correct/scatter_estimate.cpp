// Convolution of what is scattered once with two Gaussians, on a coarse grid.
#include "recon/correct/scatter_estimate.hpp"

#include <algorithm>
#include <cmath>

namespace feldspar::recon {
namespace {

/// Share of a Gaussian of unit area that falls into the interval of length 1 that is n away, for n in
/// [0, count).
std::vector<double> gaussian_shares(double sigma, int count) {
  std::vector<double> shares(static_cast<std::size_t>(count));
  const double unit = 1 / (sigma * std::sqrt(2.0));
  for (int n = 0; n < count; ++n)
    shares[static_cast<std::size_t>(n)] = 0.5 * (std::erf((n + 0.5) * unit) - std::erf((n - 0.5) * unit));
  return shares;
}

/// Adds `part` of `from`, spread along columns and rows, to `to`. Nothing comes from outside the grid.
void add_spread(const std::vector<double>& from, const BlockGrid& grid, double part, double sigma_x,
                double sigma_y, std::vector<double>& to) {
  const std::vector<double> across = gaussian_shares(sigma_x, grid.columns),
                            up = gaussian_shares(sigma_y, grid.rows);
  const auto at = [&](int column, int row) {
    return static_cast<std::size_t>(row) * static_cast<std::size_t>(grid.columns) +
           static_cast<std::size_t>(column);
  };
  const auto share = [](const std::vector<double>& shares, int a, int b) {
    return shares[static_cast<std::size_t>(std::abs(a - b))];
  };
  std::vector<double> wide(from.size());
  for (int row = 0; row < grid.rows; ++row)
    for (int n = 0; n < grid.columns; ++n)
      for (int column = 0; column < grid.columns; ++column)
        wide[at(column, row)] += share(across, column, n) * from[at(n, row)];
  for (int row = 0; row < grid.rows; ++row)
    for (int n = 0; n < grid.rows; ++n) {
      const double weight = part * share(up, row, n);
      for (int column = 0; column < grid.columns; ++column)
        to[at(column, row)] += weight * wide[at(column, n)];
    }
}

}  // namespace

BlockGrid BlockGrid::of(int pixel_columns, int pixel_rows) {
  constexpr int most = 64;
  const int size = std::max(1, (std::max(pixel_columns, pixel_rows) + most - 1) / most);
  return {size, (pixel_columns + size - 1) / size, (pixel_rows + size - 1) / size};
}

namespace {

/// What `primary` scatters, block by block.
std::vector<double> scatter_of(const std::vector<double>& primary, const BlockGrid& grid,
                               const ScatterModel& model, const KernelSpread& spread) {
  if (model.kind != ScatterModel::Kind::kernel) return std::vector<double>(primary.size(), model.share);
  std::vector<double> once(primary.size()), scatter(primary.size(), 0.0);
  std::transform(primary.begin(), primary.end(), once.begin(),
                 [](double p) { return p > 0 && p < 1 ? -p * std::log(p) : 0.0; });
  add_spread(once, grid, model.share * model.narrow_part, spread.narrow_x, spread.narrow_y, scatter);
  add_spread(once, grid, model.share * (1 - model.narrow_part), spread.wide_x, spread.wide_y, scatter);
  return scatter;
}

}  // namespace

std::vector<float> primary_shares(std::span<const float> transmission, const BlockGrid& grid,
                                  const ScatterModel& model, const KernelSpread& spread) {
  constexpr double least = 0.1;  // of the signal that must be primary
  constexpr int repeats = 8;     // S is a small part of P; each repeat shrinks the error by about that part
  const bool kernel = model.kind == ScatterModel::Kind::kernel;
  std::vector<double> primary(transmission.begin(), transmission.end());
  for (int n = 0; n < (kernel ? repeats : 1); ++n) {
    const std::vector<double> scatter = scatter_of(primary, grid, model, spread);
    for (std::size_t i = 0; i < primary.size(); ++i)
      primary[i] = std::max(transmission[i] - scatter[i], least * transmission[i]);
  }
  std::vector<float> shares(primary.size(), 1.0F);
  for (std::size_t i = 0; i < primary.size(); ++i)
    if (transmission[i] > 0) shares[i] = static_cast<float>(primary[i] / transmission[i]);
  return shares;
}

}  // namespace feldspar::recon
