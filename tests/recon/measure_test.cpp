// Measures of image quality on slices whose answers are known.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <random>
#include <vector>

#include "base/error.hpp"
#include "recon/measure/edge_response.hpp"
#include "recon/measure/noise.hpp"

namespace feldspar::recon::measure {
namespace {

std::vector<float> white_noise(std::size_t count, double mean, double deviation, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal(mean, deviation);
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(normal(random));
  return values;
}

constexpr int size = 160;

/// A disc of value 0.3 blurred by a Gaussian of standard deviation `sigma` voxels (radius >> sigma).
std::vector<float> blurred_disc(double x, double y, double radius, double sigma) {
  std::vector<float> slice;
  for (int j = 0; j < size; ++j)
    for (int i = 0; i < size; ++i)
      slice.push_back(static_cast<float>(
          0.15 * std::erfc((std::hypot(i - x, j - y) - radius) / (sigma * std::numbers::sqrt2))));
  return slice;
}

TEST(noise, mean_and_deviation_are_those_of_the_masked_voxels) {
  const std::vector<float> values{1, 2, 3, 100};
  const std::vector<unsigned char> mask{1, 1, 1, 0};
  const Statistics found = statistics_of(values, mask);
  EXPECT_DOUBLE_EQ(found.mean, 2);
  EXPECT_DOUBLE_EQ(found.deviation, 1);
  EXPECT_EQ(found.count, 3u);
}

TEST(noise, halves_give_that_of_all_views_whatever_the_object) {
  constexpr std::size_t count = 40000;
  const double half = 0.02;  // of one half; their mean has 1/sqrt(2) of it
  std::vector<float> odd = white_noise(count, 0, half, 1), even = white_noise(count, 0, half, 2);
  for (std::size_t n = 0; n < count; ++n) {
    odd[n] += static_cast<float>(n % 10);
    even[n] += static_cast<float>(n % 10);
  }
  // A deviation of n normal values is uncertain by 1/sqrt(2 n) = 0.35 %; 4 of these.
  EXPECT_NEAR(noise_of_halves(odd, even), half / std::numbers::sqrt2, 0.014 * half);
}

TEST(noise, contrast_is_in_units_of_the_noise) {
  EXPECT_DOUBLE_EQ(contrast_to_noise({0.138, 0.003, 9}, {0.030, 0.004, 9}), 0.108 / std::sqrt(12.5e-6));
  EXPECT_DOUBLE_EQ(contrast_to_noise(0.25, 0.75, 0.125), 4);
  EXPECT_EQ(contrast_to_noise(1, 2, 0), std::numeric_limits<double>::infinity());
}

TEST(noise, bias_is_what_is_measured_too_much) { EXPECT_DOUBLE_EQ(bias({0.75, 0, 2}, 0.5), 0.25); }

TEST(noise, samples_that_do_not_fit_are_refused) {
  const std::vector<float> two(2), three(3);
  const std::vector<unsigned char> mask(2);
  EXPECT_THROW((void)noise_of_halves(two, three), Error);
  EXPECT_THROW((void)statistics_of(three, mask), Error);
  EXPECT_THROW((void)statistics_of(two, mask), Error);
}

TEST(edge_response, circle_is_found_from_a_rough_guess) {
  const std::vector<float> slice = blurred_disc(80.3, 78.6, 60.4, 1.2);
  const RoundEdge found = fit_edge({slice.data(), size, size, 1}, {79, 80, 59, 6});
  // Bilinear interpolation of a Gaussian edge is symmetric about it to a hundredth of a voxel.
  EXPECT_NEAR(found.x, 80.3, 0.02);
  EXPECT_NEAR(found.y, 78.6, 0.02);
  EXPECT_NEAR(found.radius, 60.4, 0.03);
}

TEST(edge_response, modulation_of_a_gaussian_blur_is_gaussian) {
  const double sigma = 1.2;
  const std::vector<float> slice = blurred_disc(80.3, 78.6, 60.4, sigma);
  const Modulation found = modulation_of(edge_response({slice.data(), size, size, 1}, {80.3, 78.6, 60.4, 8}));
  EXPECT_DOUBLE_EQ(found.values.front(), 1);
  // 100 bins a line spread, each of 40 voxels or more whose mean place is corrected for to first order.
  for (std::size_t n = 0; n <= 32; ++n) {
    const double f = found.step * static_cast<double>(n);
    EXPECT_NEAR(found.values[n], std::exp(-2 * std::pow(std::numbers::pi * sigma * f, 2)), 0.01) << f;
  }
  EXPECT_NEAR(found.width, 2.3548 * sigma, 0.03 * 2.3548 * sigma);
  const double half = std::sqrt(std::log(2) / 2) / (std::numbers::pi * sigma);
  EXPECT_NEAR(found.frequency_at(0.5), half, 0.02 * half);
}

TEST(edge_response, more_blur_is_less_modulation) {
  const std::vector<float> sharp = blurred_disc(80, 80, 60, 0.8), soft = blurred_disc(80, 80, 60, 1.6);
  const RoundEdge edge{80, 80, 60, 8};
  EXPECT_NEAR(modulation_of(edge_response({sharp.data(), size, size, 1}, edge)).frequency_at(0.5) /
                  modulation_of(edge_response({soft.data(), size, size, 1}, edge)).frequency_at(0.5),
              2, 0.05);
}

TEST(edge_response, rings_and_bodies_outside_the_slice_are_refused) {
  const std::vector<float> slice = blurred_disc(80, 80, 60, 1);
  EXPECT_THROW((void)edge_response({slice.data(), size, size, 1}, {80, 80, 78, 6}), Error);
  EXPECT_THROW((void)fit_edge({slice.data(), size, size, 1}, {80, 80, 30, 6}), Error);
}

}  // namespace
}  // namespace feldspar::recon::measure
