// Noise against the statistics it should have, and its independence of threads.
#include "simulate/detector.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/memory.hpp"
#include "simulate/random.hpp"

namespace feldspar::simulate {
namespace {

struct Moments {
  double mean = 0, variance = 0, skewness = 0;
};

template <class Values>
Moments moments_of(const Values& values) {
  Moments m;
  const auto count = static_cast<double>(values.size());
  for (const auto value : values) m.mean += value / count;
  double third = 0;
  for (const auto value : values) {
    const double d = value - m.mean;
    m.variance += d * d / count;
    third += d * d * d / count;
  }
  m.skewness = third / std::pow(m.variance, 1.5);
  return m;
}

constexpr int side = 1000;

Array3<std::uint16_t> detected(const DetectorModel& model, float transmission, int view = 0,
                               int threads = 2) {
  ThreadPool pool(threads);
  const Array3<float> beam(side, side, 1);
  beam.fill(transmission);
  Array3<std::uint16_t> counts(side, side, 1);
  detect(model, view, beam.view(), counts.view(), pool);
  return counts;
}

/// Five standard deviations of a mean and of a variance of side^2 nearly normal numbers.
double mean_error(double variance) { return 5 * std::sqrt(variance) / side; }
double variance_error(double variance) { return 5 * variance * std::sqrt(2.0) / side; }

TEST(detector, photon_noise_has_poisson_mean_and_variance) {
  const auto counts = detected({.photons = 1e4, .electronic_noise = 20}, 0.5F);
  const Moments m = moments_of(counts.view().values());
  // 6 counts a photon, 5000 photons; electronic noise; rounding.
  const double variance = 36 * 5000 + 400 + 1.0 / 12;
  EXPECT_NEAR(m.mean, 30000, mean_error(variance));
  EXPECT_NEAR(m.variance, variance, variance_error(variance));
}

TEST(detector, few_photons_are_exactly_poisson) {
  RandomStream random{1, 2, 3};
  for (const double mean : {0.3, 3.0, 40.0}) {
    std::vector<double> counts(side * side);
    int none = 0;
    for (double& count : counts) {
      count = random.poisson(mean);
      none += count == 0;
    }
    const Moments m = moments_of(counts);
    EXPECT_NEAR(m.mean, mean, mean_error(mean));
    // A Poisson variable's fourth central moment is 3 mean^2 + mean.
    EXPECT_NEAR(m.variance, mean, 5 * std::sqrt(2 * mean * mean + mean) / side);
    EXPECT_NEAR(m.skewness, 1 / std::sqrt(mean), 0.02 + 0.02 / mean);
    const double share = std::exp(-mean);
    EXPECT_NEAR(none / static_cast<double>(counts.size()), share, 5 * std::sqrt(share) / side);
  }
}

TEST(detector, normal_numbers_have_their_moments) {
  RandomStream random{42};
  std::vector<double> values(side * side);
  for (double& value : values) value = random.normal();
  const Moments m = moments_of(values);
  EXPECT_NEAR(m.mean, 0, mean_error(1));
  EXPECT_NEAR(m.variance, 1, variance_error(1));
  EXPECT_NEAR(m.skewness, 0, 5 * std::sqrt(6.0) / side);
}

TEST(detector, noise_of_neighbours_and_of_views_is_independent) {
  const DetectorModel model{.photons = 1e4};
  const auto first = detected(model, 0.5F, 0), second = detected(model, 0.5F, 1);
  const double variance = 36 * 5000;
  double beside = 0, above = 0, between = 0;
  for (int row = 0; row + 1 < side; ++row)
    for (int column = 0; column + 1 < side; ++column) {
      const double value = first(column, row, 0) - 30000.0;
      beside += value * (first(column + 1, row, 0) - 30000.0);
      above += value * (first(column, row + 1, 0) - 30000.0);
      between += value * (second(column, row, 0) - 30000.0);
    }
  const double tolerance = mean_error(variance * variance);  // of the mean of a product of independents
  EXPECT_NEAR(beside / (side * side), 0, tolerance);
  EXPECT_NEAR(above / (side * side), 0, tolerance);
  EXPECT_NEAR(between / (side * side), 0, tolerance);
}

TEST(detector, same_seed_gives_same_counts_for_any_number_of_threads) {
  const DetectorModel model{
      .photons = 1e3, .electronic_noise = 5, .gain_residual = 0.01, .dead_fraction = 1e-3};
  const auto one = detected(model, 0.3F, 7, 1), three = detected(model, 0.3F, 7, 3);
  EXPECT_TRUE(std::equal(one.data(), one.data() + one.size(), three.data()));
}

TEST(detector, another_seed_gives_other_counts) {
  const auto one = detected({.photons = 1e3, .seed = 1}, 0.3F),
             two = detected({.photons = 1e3, .seed = 2}, 0.3F);
  EXPECT_FALSE(std::equal(one.data(), one.data() + one.size(), two.data()));
}

TEST(detector, gain_pattern_and_bad_pixels_are_the_same_in_every_view) {
  const DetectorModel model{.gain_residual = 0.005, .dead_fraction = 1e-3, .hot_fraction = 5e-4};
  const auto first = detected(model, 0.5F, 0), second = detected(model, 0.5F, 9);
  EXPECT_TRUE(std::equal(first.data(), first.data() + first.size(), second.data()));
  std::vector<double> alive;
  int dead = 0, hot = 0;
  for (const auto count : first.view().values()) {
    dead += count == 0;
    hot += count == 65535;
    if (count != 0 && count != 65535) alive.push_back(count);
  }
  EXPECT_NEAR(dead, 1000, 5 * std::sqrt(1000));
  EXPECT_NEAR(hot, 500, 5 * std::sqrt(500));
  EXPECT_NEAR(std::sqrt(moments_of(alive).variance), 0.005 * 30000, 0.01 * 150);
}

TEST(detector, noise_free_counts_keep_the_line_integral_to_half_a_count) {
  for (const double p : {0.0, 0.7, 2.4, 5.0}) {
    const auto counts = detected({}, static_cast<float>(std::exp(-p)));
    const double back = -std::log(counts(3, 3, 0) / 60000.0);
    EXPECT_NEAR(back, p,
                0.5 * std::exp(p) / 60000 * 1.01 + 1e-7);  // 1.01: the logarithm's curvature at p = 5
  }
}

TEST(detector, counts_are_clipped_to_16_bits) {
  EXPECT_EQ(detected({.dark_offset = 9000}, 1)(0, 0, 0), 65535);
  EXPECT_EQ(detected({.dark_offset = -9}, 0)(0, 0, 0), 0);
}

TEST(detector, photons_follow_exposure_pixel_area_and_distance) {
  EXPECT_DOUBLE_EQ(detected_photons({}), 1.45e5);
  EXPECT_DOUBLE_EQ(detected_photons({.seconds = 0.5}), 0.725e5);
  EXPECT_DOUBLE_EQ(detected_photons({.pixel_area_mm2 = 0.16}), 5.8e5);
  EXPECT_DOUBLE_EQ(detected_photons({.distance_mm = 2 * 983}), 1.45e5 / 4);
}

TEST(detector, blur_of_a_point_is_a_gaussian_of_the_same_sum) {
  const Array3<float> image(41, 41, 1);
  image.fill(0);
  image(20, 20, 0) = 1;
  ThreadPool pool(2);
  blur({.blur = 1.5}, image.view(), pool);
  double sum = 0, columns = 0, rows = 0;
  for (int row = 0; row < 41; ++row)
    for (int column = 0; column < 41; ++column) {
      const double value = image(column, row, 0);
      sum += value, columns += value * (column - 20) * (column - 20), rows += value * (row - 20) * (row - 20);
    }
  EXPECT_NEAR(sum, 1, 1e-6);
  EXPECT_NEAR(columns, 1.5 * 1.5, 0.01);  // cut off at four standard deviations
  EXPECT_NEAR(rows, 1.5 * 1.5, 0.01);
}

TEST(detector, blur_leaves_a_flat_image_flat_to_its_edges) {
  const Array3<float> image(31, 11, 1);
  image.fill(0.25F);
  ThreadPool pool(1);
  blur({.blur = 2}, image.view(), pool);
  for (const float value : image.view().values()) EXPECT_NEAR(value, 0.25F, 1e-6);
}

}  // namespace
}  // namespace feldspar::simulate
