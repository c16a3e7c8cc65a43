// Statistics that a few outliers cannot move.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

namespace feldspar::recon {

/// The value that `share` of the values lie below; 0 of none. Reorders them.
inline float quantile(std::vector<float>& values, double share) {
  if (values.empty()) return 0;
  const auto at =
      values.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

/// The value that half of the values lie below; 0 of none. Reorders them.
inline float median(std::vector<float>& values) { return quantile(values, 0.5); }

/// The standard deviation of a normal distribution with the same median deviation from the median.
inline float robust_deviation(std::vector<float> values) {
  constexpr float normal = 1.4826f;
  const float middle = median(values);
  for (float& value : values) value = std::abs(value - middle);
  return normal * median(values);
}

}  // namespace feldspar::recon
