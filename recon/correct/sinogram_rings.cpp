#include "recon/correct/sinogram_rings.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "recon/correct/wavelet_stripes.hpp"
#include "recon/measure/robust.hpp"

namespace feldspar::recon {
namespace {

constexpr int small_width = 21, large_width = 51;  // columns that are smoothed over
constexpr float stripe_level = 3;                  // signal to noise of a stripe
constexpr double most_stripes = 0.1;               // share of the columns; so many are the object
constexpr float least_noise = 1e-4f;               // line integral; below, everything would be a stripe

/// Median over `width` values around each, mirrored at the ends.
void smooth(const std::vector<float>& from, std::vector<float>& to, int width, std::vector<float>& near) {
  const int count = static_cast<int>(from.size()), half = width / 2;
  for (int n = 0; n < count; ++n) {
    near.clear();
    for (int m = n - half; m <= n + half; ++m) {
      const int mirrored = m < 0 ? -m - 1 : m >= count ? 2 * count - 1 - m : m;
      near.push_back(from[static_cast<std::size_t>(std::clamp(mirrored, 0, count - 1))]);
    }
    to[static_cast<std::size_t>(n)] = median(near);
  }
}

/// Every column's values in order of size, and which view each came from.
struct Sorted {
  std::vector<float> values;  ///< rank * columns + column
  std::vector<int> views;     ///< column * views + rank

  explicit Sorted(View3<const float> sinogram) : values(sinogram.size()), views(sinogram.size()) {
    for (int column = 0; column < sinogram.nx; ++column) {
      const auto order = views.begin() + std::ptrdiff_t{column} * sinogram.ny;
      std::iota(order, order + sinogram.ny, 0);
      std::stable_sort(order, order + sinogram.ny,
                       [&](int a, int b) { return sinogram(column, a, 0) < sinogram(column, b, 0); });
      for (int rank = 0; rank < sinogram.ny; ++rank)
        values[static_cast<std::size_t>(rank) * sinogram.nx + column] = sinogram(column, order[rank], 0);
    }
  }

  /// Smooths across the columns, rank by rank.
  void smooth_ranks(int columns, int width) {
    std::vector<float> row(static_cast<std::size_t>(columns)), result(row.size()), near;
    for (auto rank = values.begin(); rank != values.end(); rank += columns) {
      std::copy(rank, rank + columns, row.begin());
      smooth(row, result, width, near);
      std::ranges::copy(result, rank);
    }
  }

  void put_back(View3<float> sinogram, int column) const {
    for (int rank = 0; rank < sinogram.ny; ++rank)
      sinogram(column, views[static_cast<std::size_t>(column) * sinogram.ny + rank], 0) =
          values[static_cast<std::size_t>(rank) * sinogram.nx + column];
  }
};

void remove_by_sorting(View3<float> sinogram) {
  Sorted sorted(sinogram);
  sorted.smooth_ranks(sinogram.nx, small_width);
  for (int column = 0; column < sinogram.nx; ++column) sorted.put_back(sinogram, column);
}

/// Columns whose value lies beyond what a line through the middle half of the sorted values leads to expect;
/// their neighbours as well (algorithm 4).
std::vector<bool> find_stripes(const std::vector<float>& list) {
  const std::size_t count = list.size(), dropped = count / 4;
  std::vector<bool> mask(count);
  if (count < 8) return mask;
  std::vector<float> sorted = list;
  std::ranges::sort(sorted);
  double x = 0, y = 0, xx = 0, xy = 0, n = 0;
  for (std::size_t k = dropped; k < count - dropped; ++k, ++n) {
    const double at = static_cast<double>(k);
    x += at, y += sorted[k], xx += at * at, xy += at * sorted[k];
  }
  const double slope = (n * xy - x * y) / (n * xx - x * x), first = (y - slope * x) / n,
               last = first + slope * static_cast<double>(count - 1);
  const double noise = std::max<double>(std::abs(last - first), least_noise);
  const double reach = 0.5 * stripe_level * noise;
  if (std::max(first - sorted.front(), sorted.back() - last) < stripe_level * noise) return mask;
  for (std::size_t k = 0; k < count; ++k)
    if (list[k] < first - reach || list[k] > last + reach)
      for (std::size_t near = k > 0 ? k - 1 : 0; near <= std::min(count - 1, k + 1); ++near)
        mask[near] = true;
  if (std::ranges::count(mask, true) > std::ptrdiff_t(most_stripes * static_cast<double>(count)))
    mask.assign(count, false);
  return mask;
}

/// Columns whose level differs, by a partial response: set to the level of the columns beside, and the worst
/// replaced by them altogether (algorithm 5, with differences of line integrals for ratios of counts).
void remove_large(View3<float> sinogram) {
  const Sorted sorted(sinogram);
  Sorted smoothed = sorted;
  smoothed.smooth_ranks(sinogram.nx, large_width);
  const int dropped = sinogram.ny / 10;
  std::vector<float> difference(static_cast<std::size_t>(sinogram.nx));
  for (int column = 0; column < sinogram.nx; ++column) {
    double sum = 0;
    for (int rank = dropped; rank < sinogram.ny - dropped; ++rank) {
      const std::size_t at = static_cast<std::size_t>(rank) * sinogram.nx + column;
      sum += static_cast<double>(sorted.values[at]) - static_cast<double>(smoothed.values[at]);
    }
    difference[static_cast<std::size_t>(column)] =
        static_cast<float>(sum / std::max(1, sinogram.ny - 2 * dropped));
  }
  const std::vector<bool> stripes = find_stripes(difference);
  for (int column = 0; column < sinogram.nx; ++column)
    if (stripes[static_cast<std::size_t>(column)]) smoothed.put_back(sinogram, column);
}

/// Columns that change over the views far more or far less than those beside, from the good ones on both
/// sides (algorithm 6).
void replace_dead(View3<float> sinogram) {
  constexpr int window = 10;  // views
  std::vector<float> unrest(static_cast<std::size_t>(sinogram.nx)), usual(unrest.size()), near;
  for (int column = 0; column < sinogram.nx; ++column) {
    double sum = 0;
    for (int view = 0; view < sinogram.ny; ++view) {
      const int from = std::max(0, view - window / 2), end = std::min(sinogram.ny, from + window);
      double mean = 0;
      for (int n = from; n < end; ++n) mean += sinogram(column, n, 0);
      sum += std::abs(sinogram(column, view, 0) - mean / (end - from));
    }
    unrest[static_cast<std::size_t>(column)] = static_cast<float>(sum / sinogram.ny);
  }
  smooth(unrest, usual, large_width, near);
  for (std::size_t n = 0; n < unrest.size(); ++n)
    unrest[n] = (unrest[n] + least_noise) / (usual[n] + least_noise);
  const std::vector<bool> stripes = find_stripes(unrest);
  const auto is_bad = [&](int column) { return stripes[static_cast<std::size_t>(column)]; };
  for (int column = 0; column < sinogram.nx; ++column) {
    if (!is_bad(column)) continue;
    int left = column, right = column;
    while (left >= 0 && is_bad(left)) --left;
    while (right < sinogram.nx && is_bad(right)) ++right;
    if (left < 0 || right == sinogram.nx) continue;
    const float share = static_cast<float>(column - left) / static_cast<float>(right - left);
    for (int view = 0; view < sinogram.ny; ++view)
      sinogram(column, view, 0) = (1 - share) * sinogram(left, view, 0) + share * sinogram(right, view, 0);
  }
}

}  // namespace

void remove_stripes(View3<float> sinogram, StripeMethod method) {
  if (sinogram.nx < 8 || sinogram.ny < 8) return;
  if (method == StripeMethod::wavelet) return remove_by_wavelets(sinogram);
  if (method == StripeMethod::all) replace_dead(sinogram), remove_large(sinogram);
  remove_by_sorting(sinogram);
}

}  // namespace feldspar::recon
