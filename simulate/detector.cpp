// Blur, photon and electronic noise, gain pattern and bad pixels.
#include "simulate/detector.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/error.hpp"
#include "simulate/random.hpp"

namespace feldspar::simulate {
namespace {

enum Purpose : std::uint64_t { of_noise = 1, of_gain = 2, of_bad_pixels = 3 };

std::vector<float> gaussian(double sigma) {
  const int reach = static_cast<int>(std::ceil(4 * sigma));
  std::vector<float> kernel;
  double sum = 0;
  for (int n = -reach; n <= reach; ++n) sum += std::exp(-0.5 * n * n / (sigma * sigma));
  for (int n = -reach; n <= reach; ++n)
    kernel.push_back(static_cast<float>(std::exp(-0.5 * n * n / (sigma * sigma)) / sum));
  return kernel;
}

/// Convolves `count` values that lie `stride` apart.
void convolve(float* values, int count, std::ptrdiff_t stride, const std::vector<float>& kernel,
              std::vector<float>& padded) {
  const int reach = static_cast<int>(kernel.size() / 2);
  padded.resize(static_cast<std::size_t>(count) + kernel.size() - 1);
  int place = -reach;
  for (float& value : padded) value = values[std::clamp(place++, 0, count - 1) * stride];
  for (int n = 0; n < count; ++n) {
    float sum = 0;
    for (std::size_t k = 0; k < kernel.size(); ++k)
      sum += kernel[k] * padded[static_cast<std::size_t>(n) + k];
    values[n * stride] = sum;
  }
}

}  // namespace

double detected_photons(const Exposure& exposure) {
  const Exposure reference;
  const double distances = reference.distance_mm / exposure.distance_mm;
  return 1.45e5 * (exposure.current_ua / reference.current_ua) * (exposure.seconds / reference.seconds) *
         (exposure.pixel_area_mm2 / reference.pixel_area_mm2) * distances * distances;
}

void blur(const DetectorModel& model, View3<float> transmission, ThreadPool& pool) {
  if (model.blur <= 0) return;
  const std::vector<float> kernel = gaussian(model.blur);
  std::vector<std::vector<float>> padded(static_cast<std::size_t>(pool.size()));
  pool.for_each(transmission.ny, [&](std::ptrdiff_t row, int worker) {
    convolve(transmission.row(static_cast<int>(row), 0), transmission.nx, 1, kernel,
             padded[static_cast<std::size_t>(worker)]);
  });
  pool.for_each(transmission.nx, [&](std::ptrdiff_t column, int worker) {
    convolve(transmission.data + column, transmission.ny, transmission.nx, kernel,
             padded[static_cast<std::size_t>(worker)]);
  });
}

void detect(const DetectorModel& model, int view, View3<const float> transmission,
            View3<std::uint16_t> counts, ThreadPool& pool) {
  expects(counts.nx == transmission.nx && counts.ny == transmission.ny,
          "counts and transmission differ in size");
  pool.for_each(transmission.ny, [&](std::ptrdiff_t row, int) {
    const auto line = static_cast<std::uint64_t>(row);
    RandomStream noise{model.seed, of_noise, static_cast<std::uint64_t>(view), line};
    RandomStream gain{model.seed, of_gain, line};
    RandomStream bad{model.seed, of_bad_pixels, line};
    const float* from = transmission.row(static_cast<int>(row), 0);
    std::uint16_t* to = counts.row(static_cast<int>(row), 0);
    for (int column = 0; column < transmission.nx; ++column) {
      double signal = from[column];
      if (model.photons > 0) signal = noise.poisson(model.photons * signal) / model.photons;
      if (model.gain_residual > 0) signal *= 1 + model.gain_residual * gain.normal();
      double value = model.white_level * signal + model.dark_offset;
      if (model.electronic_noise > 0) value += model.electronic_noise * noise.normal();
      if (model.dead_fraction > 0 || model.hot_fraction > 0) {
        const double lot = bad.uniform();
        if (lot < model.dead_fraction)
          value = 0;
        else if (lot > 1 - model.hot_fraction)
          value = 65535;
      }
      to[column] = static_cast<std::uint16_t>(std::lround(std::clamp(value, 0.0, 65535.0)));
    }
  });
}

}  // namespace feldspar::simulate
