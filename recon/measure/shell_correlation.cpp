// One complex transform serves both cubes: odd views in its real part, even ones in its imaginary part.
#include "recon/measure/shell_correlation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>
#include <span>
#include <utility>

#include "base/error.hpp"
#include "base/memory.hpp"

namespace feldspar::recon::measure {
namespace {

using Value = std::complex<float>;

/// The transform of rows whose length is a power of two (Cooley and Tukey's, in place).
class RowFourier {
 public:
  explicit RowFourier(int length) : length_(length) {
    for (int k = 0; k < length / 2; ++k)
      turns_.push_back(Value(std::polar(1.0, -2 * std::numbers::pi * k / length)));
  }

  void operator()(std::span<Value> row) const {
    for (int n = 0, reversed = 0; n < length_; ++n) {
      if (n < reversed) std::swap(row[n], row[reversed]);
      int bit = length_ / 2;
      for (; reversed & bit; bit /= 2) reversed ^= bit;
      reversed |= bit;
    }
    for (int half = 1; half < length_; half *= 2) {
      const std::ptrdiff_t apart = length_ / (2 * half);
      for (int first = 0; first < length_; first += 2 * half)
        for (int k = 0; k < half; ++k) {
          const Value turned = turns_[k * apart] * row[first + half + k];
          row[first + half + k] = row[first + k] - turned;
          row[first + k] += turned;
        }
    }
  }

 private:
  int length_;
  std::vector<Value> turns_;
};

/// Along all three axes of a cube.
void transform(View3<Value> cube, ThreadPool& pool) {
  const int n = cube.nx;
  const RowFourier fourier(n);
  std::vector<std::vector<Value>> lines(static_cast<std::size_t>(pool.size()),
                                        std::vector<Value>(static_cast<std::size_t>(n)));
  const auto along = [&](const auto& at) {
    pool.for_each(static_cast<std::ptrdiff_t>(n) * n, [&](std::ptrdiff_t index, int worker) {
      const int a = static_cast<int>(index % n), b = static_cast<int>(index / n);
      std::vector<Value>& line = lines[static_cast<std::size_t>(worker)];
      for (int k = 0; k < n; ++k) line[k] = at(a, b, k);
      fourier(line);
      for (int k = 0; k < n; ++k) at(a, b, k) = line[k];
    });
  };
  along([&](int a, int b, int k) -> Value& { return cube(k, a, b); });
  along([&](int a, int b, int k) -> Value& { return cube(a, k, b); });
  along([&](int a, int b, int k) -> Value& { return cube(a, b, k); });
}

/// Rises from 0 as Hann's window over an eighth of the side at either end, 1 between (Tukey's).
std::vector<float> tapers(int n) {
  std::vector<float> window;
  for (int k = 0; k < n; ++k) {
    const double from_end = (std::min(k, n - 1 - k) + 0.5) / n;
    const double rise = from_end >= 0.125 ? 1 : 0.5 - 0.5 * std::cos(8 * std::numbers::pi * from_end);
    window.push_back(static_cast<float>(rise));
  }
  return window;
}

/// Sums over a shell.
struct Shell {
  double cross = 0, odd = 0, even = 0, count = 0;
};

/// Of the frequencies of plane kz.
std::vector<Shell> shells_of_plane(View3<const Value> cube, int kz) {
  const int n = cube.nx;
  std::vector<Shell> shells(static_cast<std::size_t>(n / 2 + 1));
  const auto signed_frequency = [n](int k) { return k <= n / 2 ? k : k - n; };
  const auto mirrored = [n](int k) { return (n - k) % n; };
  for (int ky = 0; ky < n; ++ky)
    for (int kx = 0; kx < n; ++kx) {
      const double radius = std::hypot(signed_frequency(kx), signed_frequency(ky), signed_frequency(kz));
      const auto shell = static_cast<std::size_t>(std::lround(radius));
      if (shell >= shells.size()) continue;
      const std::complex<double> z(cube(kx, ky, kz)),
          mirror(std::conj(cube(mirrored(kx), mirrored(ky), mirrored(kz))));
      const std::complex<double> odd = 0.5 * (z + mirror),
                                 even = std::complex<double>(0, -0.5) * (z - mirror);
      shells[shell].cross += (odd * std::conj(even)).real();
      shells[shell].odd += std::norm(odd);
      shells[shell].even += std::norm(even);
      ++shells[shell].count;
    }
  return shells;
}

double halfbit_of(double frequencies) {
  const double root = std::sqrt(frequencies / 2);
  return (0.2071 + 1.9102 / root) / (1.2071 + 0.9102 / root);
}

}  // namespace

double ShellCorrelation::resolved_frequency() const {
  for (std::size_t n = 3; n < values.size(); ++n) {
    const double above = values[n] - halfbit[n], before = values[n - 1] - halfbit[n - 1];
    if (above < 0)
      return step * (static_cast<double>(n) - (before > 0 && n > 3 ? above / (above - before) : 0));
  }
  return 0.5;
}

ShellCorrelation shell_correlation(View3<const float> odd, View3<const float> even, ThreadPool& pool) {
  const int n = odd.nx;
  const bool cubes = odd.ny == n && odd.nz == n && even.nx == n && even.ny == n && even.nz == n;
  if (!cubes || n < 16 || n > 512 || (n & (n - 1)) != 0)
    throw Error(
        ErrorKind::usage,
        fmt::format("shell correlation: volumes of {} x {} x {} and {} x {} x {} voxels; both must be "
                    "cubes whose side is 16, 32, 64, 128, 256 or 512",
                    odd.nx, odd.ny, odd.nz, even.nx, even.ny, even.nz));
  const Array3<Value> cube(n, n, n, "the frequencies of two volumes");
  const std::vector<float> taper = tapers(n);
  pool.for_each(n, [&](std::ptrdiff_t plane, int) {
    const int z = static_cast<int>(plane);
    for (int y = 0; y < n; ++y)
      for (int x = 0; x < n; ++x)
        cube.view()(x, y, z) = taper[x] * taper[y] * taper[z] * Value(odd(x, y, z), even(x, y, z));
  });
  transform(cube.view(), pool);
  std::vector<std::vector<Shell>> planes(static_cast<std::size_t>(n));
  pool.for_each(n, [&](std::ptrdiff_t plane, int) {
    planes[static_cast<std::size_t>(plane)] = shells_of_plane(cube.view(), static_cast<int>(plane));
  });
  ShellCorrelation found{1.0 / n, {}, {}};
  for (std::size_t shell = 0; shell < planes.front().size(); ++shell) {
    Shell sum;
    for (const std::vector<Shell>& plane : planes) {
      sum.cross += plane[shell].cross;
      sum.odd += plane[shell].odd;
      sum.even += plane[shell].even;
      sum.count += plane[shell].count;
    }
    const double power = std::sqrt(sum.odd * sum.even);
    found.values.push_back(power > 0 ? sum.cross / power : 0);
    found.halfbit.push_back(halfbit_of(sum.count));
  }
  return found;
}

}  // namespace feldspar::recon::measure
