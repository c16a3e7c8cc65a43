#include "recon/find/hardening_fit.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "base/error.hpp"
#include "base/least_squares.hpp"

namespace feldspar::recon {
namespace {

enum class Part : char { left_out, air, object };

/// The value that splits a histogram into two classes of the largest distance (Otsu 1979).
/// The first bin above which Otsu's threshold lies: with the most variance between both sides.
std::size_t otsu_split(std::span<const double> counts) {
  double all = 0, sum = 0;
  for (std::size_t n = 0; n < counts.size(); ++n) all += counts[n], sum += static_cast<double>(n) * counts[n];
  double below = 0, sum_below = 0, best = -1;
  std::size_t split = 0;
  for (std::size_t n = 0; n + 1 < counts.size(); ++n) {
    below += counts[n], sum_below += static_cast<double>(n) * counts[n];
    if (below == 0 || below == all) continue;
    const double apart = sum_below / below - (sum - sum_below) / (all - below);
    const double between = below * (all - below) * apart * apart;
    if (between > best) best = between, split = n;
  }
  return split;
}

float otsu_threshold(const std::vector<float>& values) {
  constexpr int bins = 256;
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  const float from = *low, width = (*high - *low) / bins;
  if (!(width > 0)) return *high;
  std::array<double, bins> counts{};
  for (const float value : values)
    counts[static_cast<std::size_t>(std::min(bins - 1, static_cast<int>((value - from) / width)))] += 1;
  return from + width * static_cast<float>(otsu_split(counts) + 1);
}

float median(std::vector<float> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// Parts by value, without the voxels that have a neighbour in the slice of another part.
/// Each voxel by its own value.
std::vector<Part> rough_parts(const PowerSlices& slices, const std::vector<float>& image, float threshold,
                              float lowest, float highest) {
  std::vector<Part> rough(image.size());
  for (std::size_t n = 0; n < image.size(); ++n)
    rough[n] = !slices.computed[n]                             ? Part::left_out
               : image[n] < std::min(threshold, 0.5F * lowest) ? Part::air
               : image[n] >= lowest && image[n] <= highest     ? Part::object
                                                               : Part::left_out;
  return rough;
}

std::vector<Part> segment(const PowerSlices& slices, const std::vector<float>& image, float threshold,
                          float lowest, float highest) {
  const std::vector<Part> rough = rough_parts(slices, image, threshold, lowest, highest);
  std::vector<Part> parts = rough;
  const int columns = slices.columns, rows = slices.rows;
  constexpr int margin = 2;  // voxels over which the filter and the interpolation spread an edge
  for (std::size_t n = 0; n < parts.size(); ++n) {
    const int column = static_cast<int>(n % static_cast<std::size_t>(columns)),
              row = static_cast<int>(n / static_cast<std::size_t>(columns) % static_cast<std::size_t>(rows));
    for (int j = -margin; j <= margin && parts[n] != Part::left_out; ++j)
      for (int i = -margin; i <= margin; ++i) {
        if (column + i < 0 || column + i >= columns || row + j < 0 || row + j >= rows) continue;
        const auto there = static_cast<std::ptrdiff_t>(n) + static_cast<std::ptrdiff_t>(j) * columns + i;
        if (rough[static_cast<std::size_t>(there)] != rough[n]) parts[n] = Part::left_out;
      }
  }
  return parts;
}

std::vector<float> combined(const PowerSlices& slices, std::span<const double> coefficients) {
  std::vector<float> image(slices.powers.front().size());
  for (std::size_t n = 0; n < coefficients.size(); ++n)
    for (std::size_t i = 0; i < image.size(); ++i)
      image[i] += static_cast<float>(coefficients[n]) * slices.powers[n][i];
  return image;
}

double unevenness(const std::vector<float>& image, const std::vector<Part>& parts) {
  double count = 0, sum = 0, squares = 0;
  for (std::size_t n = 0; n < image.size(); ++n)
    if (parts[n] == Part::object)
      count += 1, sum += image[n], squares += static_cast<double>(image[n]) * image[n];
  const double mean = sum / count;
  return std::sqrt(std::max(0.0, squares / count - mean * mean)) / mean;
}

/// Air and object weigh the same, however many voxels they have. Empty when undetermined.
std::vector<double> fit(const PowerSlices& slices, const std::vector<Part>& parts, std::size_t powers,
                        double level) {
  const double objects = static_cast<double>(std::count(parts.begin(), parts.end(), Part::object)),
               air = static_cast<double>(std::count(parts.begin(), parts.end(), Part::air));
  LeastSquares equations(static_cast<int>(powers));
  std::vector<double> row(powers);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i] == Part::left_out) continue;
    for (std::size_t n = 0; n < powers; ++n) row[n] = slices.powers[n][i];
    const bool object = parts[i] == Part::object;
    equations.add(row, object ? level : 0, object ? 1 / objects : 1 / air);
  }
  return equations.solve();
}

/// The fit with as many powers as rise, scaled to keep the reference.
std::vector<double> rising_fit(const PowerSlices& slices, const std::vector<Part>& parts, double level,
                               double reference, double highest) {
  for (std::size_t powers = slices.powers.size(); powers > 0; --powers) {
    std::vector<double> found = fit(slices, parts, powers, level);
    const double kept = found.empty() ? 0 : polynomial_at(found, reference) / reference;
    if (!(kept > 0)) continue;
    for (double& c : found) c /= kept;
    if (rises(found, highest)) return found;
  }
  return {};
}

}  // namespace

double polynomial_at(std::span<const double> coefficients, double p) {
  double sum = 0;
  for (std::size_t n = coefficients.size(); n-- > 0;) sum = (sum + coefficients[n]) * p;
  return sum;
}

bool rises(std::span<const double> coefficients, double highest) {
  constexpr int steps = 200;
  double before = 0;
  for (int n = 1; n <= steps; ++n) {
    const double value = polynomial_at(coefficients, highest * n / steps);
    if (!(value > before)) return false;
    before = value;
  }
  return true;
}

HardeningFit fit_hardening(const PowerSlices& slices, double reference, double highest) {
  constexpr int rounds = 3;      // each on the image that the last one made more even
  constexpr double least = 200;  // voxels that a level can be told from
  const std::vector<float>& plain = slices.powers.front();
  expects(!plain.empty() && slices.computed.size() == plain.size() && reference > 0,
          "a fit of hardening needs slices and a reference");
  std::vector<float> seen;
  for (std::size_t n = 0; n < plain.size(); ++n)
    if (slices.computed[n]) seen.push_back(plain[n]);
  const float threshold = otsu_threshold(seen);
  std::erase_if(seen, [&](float value) { return value < threshold; });
  if (static_cast<double>(seen.size()) < least) return {.reason = "no object stands out from the air"};

  HardeningFit found{.coefficients = {1}};
  float level = median(seen);
  std::vector<float> image = plain;
  for (int round = 0; round < rounds; ++round) {
    const float width = round == 0 ? 0.5F : 0.3F;  // of the level: hardening alone makes a third at most
    const std::vector<Part> parts =
        segment(slices, image, threshold, (1 - width) * level, (1 + width) * level);
    if (static_cast<double>(std::count(parts.begin(), parts.end(), Part::object)) < least ||
        static_cast<double>(std::count(parts.begin(), parts.end(), Part::air)) < least)
      return {.reason = "the object has no uniform part that is wide enough, or there is no air beside it"};
    const std::vector<double> next = rising_fit(slices, parts, level, reference, highest);
    if (next.empty()) return {.reason = "no polynomial that rises makes the object more uniform"};
    found.unevenness_before = unevenness(plain, parts);
    image = combined(slices, next);
    found.unevenness_after = unevenness(image, parts);
    found.coefficients = next;
    std::vector<float> inside;
    for (std::size_t n = 0; n < image.size(); ++n)
      if (parts[n] == Part::object) inside.push_back(image[n]);
    level = median(inside);
  }
  return found;
}

}  // namespace feldspar::recon
