#include "recon/measure/air.hpp"

#include <algorithm>
#include <cmath>

#include "recon/measure/robust.hpp"

namespace feldspar::recon {
namespace {

constexpr float least_change = 5e-4f;  // line integral: the beam's own slope over so few columns

/// Deviation of single values from those before and after, which what turns slowly does not have.
float noise_of(const std::vector<float>& series) {
  std::vector<float> steps;
  for (std::size_t n = 1; n < series.size(); ++n)
    steps.push_back((series[n] - series[n - 1]) / std::sqrt(2.0f));
  return robust_deviation(std::move(steps));
}

}  // namespace

void EdgeReadings::add(std::span<const float> row, std::size_t half, bool left) {
  const auto mean = [](std::span<const float> pixels) {
    float sum = 0;
    for (const float value : pixels) sum += value;
    return sum / static_cast<float>(pixels.size());
  };
  std::vector<float> all(row.begin(), row.end());
  outer.push_back(mean(left ? row.first(half) : row.last(half)));
  inner.push_back(mean(left ? row.subspan(half, half) : row.subspan(row.size() - 2 * half, half)));
  rise.push_back(quantile(all, 0.97) - outer.back());
}

bool sees_air(const EdgeReadings& edge, double half_columns, double columns) {
  if (edge.outer.empty()) return false;
  const double width = 2 * half_columns / columns;
  std::vector<float> changes(edge.outer.size()), rises = edge.rise;
  for (std::size_t n = 0; n < changes.size(); ++n) changes[n] = edge.inner[n] - edge.outer[n];
  const float noise = noise_of(changes),
              error = 1.25f * noise / std::sqrt(static_cast<float>(changes.size()));
  const float flat = std::max(static_cast<float>(0.9 * width * (1 - width)) * median(rises), least_change);
  std::vector<float> sizes = changes;
  for (float& size : sizes) size = std::abs(size);
  return std::abs(median(changes)) < flat + 2 * error && quantile(sizes, 0.9) < 2 * flat + 2 * noise;
}

}  // namespace feldspar::recon
