// Random numbers that depend on what they are for, not on who asks first: a stream is named by numbers
// (seed, purpose, view, row), so results are the same for any number of threads and any standard library.
#pragma once

#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <numbers>

namespace feldspar::simulate {

/// SplitMix64's finaliser (Steele, Lea and Flood 2014): every input bit changes every output bit.
[[nodiscard]] constexpr std::uint64_t mixed(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

class RandomStream {
 public:
  RandomStream(std::initializer_list<std::uint64_t> name) {
    for (const std::uint64_t part : name) state_ = mixed(state_ ^ part);
  }

  /// Uniform in (0, 1).
  [[nodiscard]] double uniform() {
    state_ += 0x9E3779B97F4A7C15u;
    return (static_cast<double>(mixed(state_) >> 12) + 0.5) * 0x1p-52;
  }

  /// Mean 0, variance 1 (Box and Muller's transform).
  [[nodiscard]] double normal() {
    if (has_spare_) {
      has_spare_ = false;
      return spare_;
    }
    const double radius = std::sqrt(-2 * std::log(uniform())), angle = 2 * std::numbers::pi * uniform();
    spare_ = radius * std::sin(angle);
    has_spare_ = true;
    return radius * std::cos(angle);
  }

  /// Poisson distributed with this mean: exact below 50 by inversion of the distribution; above, normal of
  /// the same mean and variance, whose skewness differs by mean^-1/2 (less than 0.15).
  [[nodiscard]] double poisson(double mean) {
    if (mean >= 50) return std::fmax(0, mean + std::sqrt(mean) * normal());
    double term = std::exp(-mean), left = uniform() - term, count = 0;
    while (left > 0 && count < 400) {  // 400 is beyond any quantile that 52 bits can ask for
      count += 1;
      term *= mean / count;
      left -= term;
    }
    return count;
  }

 private:
  std::uint64_t state_ = 0;
  double spare_ = 0;
  bool has_spare_ = false;
};

}  // namespace feldspar::simulate
