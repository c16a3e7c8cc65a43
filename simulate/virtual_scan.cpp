// Rays through every pixel, by columns: upright columns let the object share work between rows.
#include "simulate/virtual_scan.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/error.hpp"
#include "simulate/rays.hpp"

namespace feldspar::simulate {
namespace {

/// The integrals of the rays that end at (column, row + rise) of every row.
void integrate_column(const Object& object, const Rays& rays, double column, double rise,
                      std::span<double> integrals) {
  const geometry::Vec3 source = rays.source(), lowest = rays.pixel(column, rise);
  if (rays.upright()) {
    const double step = rays.pixel(column, rise + 1).z - lowest.z;
    object.line_integrals({source, lowest, step}, integrals);
  } else {
    for (std::size_t row = 0; row < integrals.size(); ++row)
      integrals[row] = object.line_integral(source, rays.pixel(column, static_cast<double>(row) + rise));
  }
}

/// Calls body(column, worker) for all columns, in blocks whose results fill whole cache lines of a row.
void for_each_column(int columns, ThreadPool& pool, const std::function<void(int column, int worker)>& body) {
  constexpr int block = 16;
  pool.for_each((columns + block - 1) / block, [&](std::ptrdiff_t n, int worker) {
    const int first = static_cast<int>(n) * block;
    for (int column = first; column < std::min(columns, first + block); ++column) body(column, worker);
  });
}

void expect_size(const geometry::CircularScan& scan, View3<float> image) {
  expects(image.nx == scan.detector.columns && image.ny == scan.detector.rows,
          "the image and the scan's detector differ in size");
}

}  // namespace

void line_integrals(const Object& object, const geometry::CircularScan& scan, int view, View3<float> image,
                    ThreadPool& pool) {
  expect_size(scan, image);
  const Rays rays(scan, view);
  std::vector<std::vector<double>> scratch(static_cast<std::size_t>(pool.size()),
                                           std::vector<double>(static_cast<std::size_t>(image.ny)));
  for_each_column(image.nx, pool, [&](int column, int worker) {
    std::vector<double>& integrals = scratch[static_cast<std::size_t>(worker)];
    integrate_column(object, rays, column, 0, integrals);
    for (int row = 0; row < image.ny; ++row)
      image(column, row, 0) = static_cast<float>(integrals[static_cast<std::size_t>(row)]);
  });
}

void transmission(const Illumination& illumination, const geometry::CircularScan& scan, int view,
                  const Sampling& sampling, View3<float> image, ThreadPool& pool) {
  expect_size(scan, image);
  expects(sampling.rays >= 1 && sampling.sub_angles >= 1,
          "a pixel needs at least one ray and a view one angle", ErrorKind::usage);
  std::vector<Rays> poses;
  poses.reserve(static_cast<std::size_t>(sampling.sub_angles));
  for (int n = 0; n < sampling.sub_angles; ++n)
    poses.emplace_back(scan, view, sampling.sweep * ((n + 0.5) / sampling.sub_angles - 0.5));
  struct Scratch {
    std::vector<double> exact, sums;
    std::vector<float> integrals, shares;
  };
  const auto rows = static_cast<std::size_t>(image.ny);
  const std::size_t objects = illumination.objects.size();
  std::vector<Scratch> scratch(static_cast<std::size_t>(pool.size()));
  for (Scratch& s : scratch)
    s = {std::vector<double>(rows), std::vector<double>(rows), std::vector<float>(rows * objects),
         std::vector<float>(rows)};
  const double weight = 1.0 / (static_cast<double>(sampling.sub_angles) * sampling.rays * sampling.rays);
  const auto within_pixel = [&](int n) { return (n + 0.5) / sampling.rays - 0.5; };
  for_each_column(image.nx, pool, [&](int column, int worker) {
    auto& [exact, sums, integrals, shares] = scratch[static_cast<std::size_t>(worker)];
    std::fill(sums.begin(), sums.end(), 0.0);
    for (const Rays& rays : poses)
      for (int n = 0; n < sampling.rays * sampling.rays; ++n) {
        for (std::size_t k = 0; k < objects; ++k) {
          integrate_column(*illumination.objects[k], rays, column + within_pixel(n % sampling.rays),
                           within_pixel(n / sampling.rays), exact);
          std::transform(exact.begin(), exact.end(),
                         integrals.begin() + static_cast<std::ptrdiff_t>(k * rows),
                         [](double integral) { return static_cast<float>(integral); });
        }
        arriving_shares(illumination, integrals, shares);
        for (std::size_t row = 0; row < rows; ++row) sums[row] += shares[row];
      }
    for (int row = 0; row < image.ny; ++row)
      image(column, row, 0) = static_cast<float>(weight * sums[static_cast<std::size_t>(row)]);
  });
}

}  // namespace feldspar::simulate
