// Measures of what a volume resolves: shells of frequencies that two halves share, and windings.
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <random>
#include <vector>

#include "base/error.hpp"
#include "base/memory.hpp"
#include "recon/measure/edge_response.hpp"
#include "recon/measure/shell_correlation.hpp"
#include "recon/measure/windings.hpp"

namespace feldspar::recon::measure {
namespace {

constexpr double turn = 2 * std::numbers::pi;

Array3<float> noise_cube(int n, double deviation, unsigned seed) {
  Array3<float> cube(n, n, n);
  std::mt19937 random(seed);
  std::normal_distribution<double> normal(0, deviation);
  for (float& value : cube.view().values()) value = static_cast<float>(normal(random));
  return cube;
}

void add(const Array3<float>& to, const Array3<float>& other) {
  for (std::size_t n = 0; n < to.size(); ++n) to.data()[n] += other.data()[n];
}

TEST(shell_correlation, of_equal_cubes_is_one_and_of_unrelated_ones_nothing) {
  ThreadPool pool(1);
  const Array3<float> one = noise_cube(32, 1, 1), other = noise_cube(32, 1, 2);
  const ShellCorrelation same = shell_correlation(one.view(), one.view(), pool);
  const ShellCorrelation unrelated = shell_correlation(one.view(), other.view(), pool);
  for (std::size_t n = 0; n < same.values.size(); ++n) EXPECT_NEAR(same.values[n], 1, 1e-5) << n;
  EXPECT_DOUBLE_EQ(same.resolved_frequency(), 0.5);
  // A shell at half of Nyquist's has 800 frequencies, half of them independent, the taper correlates
  // neighbours: 5 deviations of 200.
  for (std::size_t n = 8; n < unrelated.values.size(); ++n) EXPECT_NEAR(unrelated.values[n], 0, 0.35) << n;
  EXPECT_LT(unrelated.resolved_frequency(), 0.15);
}

// White signal of variance s2 and white noise of variance n2 in each half correlate by s2 / (s2 + n2) at
// every frequency.
TEST(shell_correlation, is_the_share_of_signal_in_the_power) {
  ThreadPool pool(2);
  const Array3<float> signal = noise_cube(64, 1, 1);
  Array3<float> odd = noise_cube(64, 0.7, 2), even = noise_cube(64, 0.7, 3);
  add(odd, signal);
  add(even, signal);
  const ShellCorrelation found = shell_correlation(odd.view(), even.view(), pool);
  // 3000 and more frequencies a shell: 4 deviations of the correlation.
  for (std::size_t n = 16; n < found.values.size(); ++n) EXPECT_NEAR(found.values[n], 1 / 1.49, 0.05) << n;
}

TEST(shell_correlation, finds_the_frequency_up_to_which_halves_agree) {
  ThreadPool pool(1);
  constexpr int n = 64, agreed = 16;
  Array3<float> odd = noise_cube(n, 4, 2), even = noise_cube(n, 4, 3);
  std::mt19937 random(5);
  std::uniform_real_distribution<double> phase(0, turn);
  for (int k = 1; k <= agreed; ++k) {  // waves of every whole frequency along each axis
    const double px = phase(random), py = phase(random), pz = phase(random);
    for (int z = 0; z < n; ++z)
      for (int y = 0; y < n; ++y)
        for (int x = 0; x < n; ++x) {
          const auto wave =
              static_cast<float>(std::cos(turn * k * x / n + px) + std::cos(turn * k * y / n + py) +
                                 std::cos(turn * k * z / n + pz));
          odd(x, y, z) += wave;
          even(x, y, z) += wave;
        }
  }
  const ShellCorrelation found = shell_correlation(odd.view(), even.view(), pool);
  // The taper spreads a wave over two shells at most.
  EXPECT_NEAR(found.resolved_frequency(), (agreed + 0.5) / n, 2.0 / n);
}

TEST(shell_correlation, refuses_what_is_no_cube) {
  ThreadPool pool(1);
  const Array3<float> cube = noise_cube(16, 1, 1), flat(16, 16, 8), odd(24, 24, 24);
  EXPECT_THROW((void)shell_correlation(cube.view(), flat.view(), pool), Error);
  EXPECT_THROW((void)shell_correlation(odd.view(), odd.view(), pool), Error);
}

constexpr int size = 220;
constexpr double spacing = 0.09, pitch = 0.36;

/// The middles of a spiral's layers of which each is a pitch wide.
double winding_radius(int n, double azimuth) { return 2 + pitch * (n + azimuth / turn); }

std::vector<float> spiral(double contrast, double noise) {
  std::mt19937 random(3);
  std::normal_distribution<double> normal(0, noise);
  std::vector<float> slice;
  for (int j = 0; j < size; ++j)
    for (int i = 0; i < size; ++i) {
      const double x = spacing * (i - 110), y = spacing * (j - 109);
      const double azimuth = std::atan2(y, x) + (y < 0 ? turn : 0);
      const double phase = (std::hypot(x, y) - 2) / pitch - azimuth / turn;
      slice.push_back(static_cast<float>(0.1 + 0.5 * contrast * std::cos(turn * phase) + normal(random)));
    }
  return slice;
}

const Roll roll{110, 109, spacing, 2.2, 8.5, pitch};

Windings true_windings() {
  Windings truth(Roll::azimuths);
  for (int k = 0; k < Roll::azimuths; ++k)
    for (int n = 0; n < 19; ++n) {
      const double r = winding_radius(n, turn * k / Roll::azimuths);
      if (r > roll.inner + 0.1 && r < roll.outer - 0.1) truth[static_cast<std::size_t>(k)].push_back(r);
    }
  return truth;
}

TEST(windings, of_a_clean_spiral_are_all_traced_where_they_are) {
  const std::vector<float> slice = spiral(0.1, 0);
  const TraceScore score =
      score_windings(trace_windings({slice.data(), size, size, 1}, roll), true_windings(), pitch);
  EXPECT_GT(score.traced, 0.995);
  EXPECT_LT(score.invented, 0.02);  // the ends of the searched range
  // Bilinear interpolation of a wave of 4 voxels moves its maximum by up to a twentieth of a voxel.
  EXPECT_LT(score.radius_error, 0.06 * spacing);
}

TEST(windings, are_lost_where_noise_drowns_them_and_none_are_invented) {
  const std::vector<float> slice = spiral(0.02, 0.2);
  const TraceScore score =
      score_windings(trace_windings({slice.data(), size, size, 1}, roll), true_windings(), pitch);
  EXPECT_LT(score.traced, 0.2);
}

TEST(windings, shifted_by_half_a_pitch_are_invented) {
  const Windings truth = true_windings();
  Windings shifted = truth;
  for (auto& radii : shifted)
    for (double& r : radii) r += pitch / 2;
  const TraceScore score = score_windings(shifted, truth, pitch);
  EXPECT_EQ(score.traced, 0);
  EXPECT_EQ(score.invented, 1);
}

TEST(windings, refuse_a_roll_beyond_the_slice_and_a_truth_without_any) {
  const std::vector<float> slice = spiral(0.1, 0);
  Roll wide = roll;
  wide.outer = 12;
  EXPECT_THROW((void)trace_windings({slice.data(), size, size, 1}, wide), Error);
  EXPECT_THROW((void)score_windings(Windings(8), Windings(8), pitch), Error);
  EXPECT_THROW((void)score_windings(Windings(8), true_windings(), pitch), Error);
}

/// The profile of a wall from r = -thickness to 0, blurred by a Gaussian, in bins of 1/8 voxel.
EdgeResponse wall(double thickness, double sigma, double height = 1) {
  EdgeResponse edge{-6 + 0.0625, 0.125, {}};
  for (int n = 0; n < 96; ++n) {
    const double r = edge.first + n * edge.step, scale = sigma * std::numbers::sqrt2;
    const double step_out = sigma > 0 ? 0.5 * std::erfc(r / scale) : (r < 0 ? 1 : 0);
    const double step_in = sigma > 0 ? 0.5 * std::erfc((r + thickness) / scale) : (r < -thickness ? 1 : 0);
    edge.values.push_back(height * (step_out - 0.9 * step_in));
  }
  return edge;
}

TEST(edge_response, of_a_thin_wall_is_judged_by_the_wall_itself) {
  constexpr double sigma = 0.7;
  const Modulation found = modulation_against(wall(1.5, sigma, 2.3), wall(1.5, 0, 1));
  for (std::size_t n = 4; n <= 48; ++n) {
    const double f = found.step * static_cast<double>(n);
    // Bins of 1/8 voxel displace the sharp wall's edges by up to half of one, 6 % of the blur.
    EXPECT_NEAR(found.values[n], std::exp(-2 * std::pow(std::numbers::pi * sigma * f, 2)), 0.02) << f;
  }
  EXPECT_NEAR(found.width, 2.3548 * sigma, 0.05 * 2.3548 * sigma);
}

TEST(edge_response, outer_half_does_not_see_the_inside) {
  constexpr double sigma = 0.8;
  const Modulation found = modulation_of(outer_half(wall(4, sigma)));
  for (std::size_t n = 0; n <= 40; ++n) {
    const double f = found.step * static_cast<double>(n);
    // The mirror stands on a bin's middle: up to 1/16 voxel beside the edge, 1/13 of the blur.
    EXPECT_NEAR(found.values[n], std::exp(-2 * std::pow(std::numbers::pi * sigma * f, 2)), 0.06) << f;
  }
}

}  // namespace
}  // namespace feldspar::recon::measure
