#include "recon/correct/wavelet_stripes.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <vector>

namespace feldspar::recon {
namespace {

constexpr double damping = 2;   // standard deviation, in periods over all views, of what is taken out
constexpr int least_size = 16;  // of a band
constexpr std::array<double, 10> low_pass{
    0.160102397974125,  0.603829269797473, 0.724308528438574,  0.138428145901103,  -0.242294887066190,
    -0.032244869585030, 0.077571493840065, -0.006241490213012, -0.012580751999016, 0.003335725285002};

double high_pass(std::size_t n) { return (n % 2 ? -1 : 1) * low_pass[low_pass.size() - 1 - n]; }

/// One periodic step in place, `stride` apart: the first half becomes coarse, the second fine; or back.
void step(float* values, int count, std::ptrdiff_t stride, bool forward, std::vector<double>& work) {
  work.assign(static_cast<std::size_t>(count), 0);
  const int half = count / 2;
  for (int k = 0; k < half; ++k) {
    const int second = half + k;
    const double coarse = values[k * stride], fine = values[second * stride];
    for (std::size_t m = 0; m < low_pass.size(); ++m) {
      const int at =
          static_cast<int>((2 * static_cast<std::size_t>(k) + m) % static_cast<std::size_t>(count));
      if (forward) {
        work[static_cast<std::size_t>(k)] += low_pass[m] * values[at * stride];
        work[static_cast<std::size_t>(second)] += high_pass(m) * values[at * stride];
      } else {
        work[static_cast<std::size_t>(at)] += low_pass[m] * coarse + high_pass(m) * fine;
      }
    }
  }
  for (int n = 0; n < count; ++n) values[n * stride] = static_cast<float>(work[static_cast<std::size_t>(n)]);
}

/// Takes out of `count` values the periods y = 0, 1, 2 ... by exp(-y^2 / (2 damping^2)).
void damp(float* values, int count, std::ptrdiff_t stride, std::vector<double>& work) {
  work.assign(static_cast<std::size_t>(count), 0);
  const int most = std::min(count / 2, static_cast<int>(5 * damping));
  for (int y = 0; y <= most; ++y) {
    double cosine = 0, sine = 0;
    const double turn = 2 * std::numbers::pi * y / count;
    for (int n = 0; n < count; ++n)
      cosine += values[n * stride] * std::cos(turn * n), sine += values[n * stride] * std::sin(turn * n);
    const double twice = y == 0 || 2 * y == count ? 1 : 2;
    const double weight = twice / count * std::exp(-y * y / (2 * damping * damping));
    for (int n = 0; n < count; ++n)
      work[static_cast<std::size_t>(n)] += weight * (cosine * std::cos(turn * n) + sine * std::sin(turn * n));
  }
  for (int n = 0; n < count; ++n) values[n * stride] -= static_cast<float>(work[static_cast<std::size_t>(n)]);
}

}  // namespace

void remove_by_wavelets(View3<float> sinogram) {
  int levels = 0;
  while ((std::min(sinogram.nx, sinogram.ny) >> (levels + 1)) >= least_size) ++levels;
  const int unit = 1 << levels;
  const int width = (sinogram.nx + unit - 1) / unit * unit, height = (sinogram.ny + unit - 1) / unit * unit;
  std::vector<float> image(static_cast<std::size_t>(width) * height);
  for (int view = 0; view < height; ++view)  // continued by the last value
    for (int column = 0; column < width; ++column)
      image[static_cast<std::size_t>(view) * width + column] =
          sinogram(std::min(column, sinogram.nx - 1), std::min(view, sinogram.ny - 1), 0);
  std::vector<double> work;
  const auto transform = [&](int level, bool forward) {
    const int nx = width >> level, ny = height >> level;
    const auto along_columns = [&] {
      for (int y = 0; y < ny; ++y) step(image.data() + std::ptrdiff_t{y} * width, nx, 1, forward, work);
    };
    if (forward) along_columns();
    for (int x = 0; x < nx; ++x) step(image.data() + x, ny, width, forward, work);
    if (!forward) along_columns();
  };
  for (int level = 0; level < levels; ++level) {
    transform(level, true);
    for (int x = (width >> level) / 2; x < width >> level; ++x)
      damp(image.data() + x, (height >> level) / 2, width, work);
  }
  for (int level = levels - 1; level >= 0; --level) transform(level, false);
  for (int view = 0; view < sinogram.ny; ++view)
    for (int column = 0; column < sinogram.nx; ++column)
      sinogram(column, view, 0) = image[static_cast<std::size_t>(view) * width + column];
}

}  // namespace feldspar::recon
