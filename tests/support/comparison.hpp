// How the tests say "the same". A tolerance is never a bare number: it is one of the reasons below, or has
// its reason beside it.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>

namespace feldspar::testing {

struct Difference {
  double worst = 0;     ///< largest absolute difference over the largest reference value
  double relative = 0;  ///< l2 norm of the difference over that of the reference
  std::size_t where = 0;
};

/// A result with a NaN in it differs by NaN, which no tolerance admits.
template <class A, class B>
Difference compare(std::span<A> result, std::span<B> reference) {
  double peak = 0, error2 = 0, norm2 = 0;
  Difference d;
  for (std::size_t n = 0; n < reference.size(); ++n) {
    const double error = std::abs(static_cast<double>(result[n]) - static_cast<double>(reference[n]));
    if (std::isnan(error)) return {.worst = error, .relative = error, .where = n};
    if (error > d.worst) d.worst = error, d.where = n;
    peak = std::max(peak, std::abs(static_cast<double>(reference[n])));
    error2 += error * error;
    norm2 += static_cast<double>(reference[n]) * static_cast<double>(reference[n]);
  }
  d.worst /= peak;
  d.relative = std::sqrt(error2 / norm2);
  return d;
}

}  // namespace feldspar::testing
