// Crossings of layer boundaries against a walk along the path in steps of a micrometre.
#include "simulate/winding.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <random>
#include <vector>

namespace feldspar::simulate {
namespace {

Winding roll(double buckle_depth) {
  return {.inner_radius = 1.5,
          .outer_radius = 8.8,
          .thickness = {0.012, 0.07, 0.016, 0.07, 0.012, 0.09, 0.012, 0.09},
          .buckle = {.depth = buckle_depth, .decay = 0.5, .azimuth = 0.7}};
}

int layer_at(const Winding& winding, const PlanPath& path, double t) {
  return locate(winding, path.x(t), path.y(t)).layer;
}

/// Random paths from the core's edge, or past it, to the roll's rim; every other one passes the core just
/// where it is buckled, where the phase along the path can have three extremes.
struct Walk {
  PlanPath path;
  double begin, end;
};
std::vector<Walk> walks(const Winding& winding, int count) {
  std::mt19937_64 random(5);
  std::uniform_real_distribution<double> angle(0, 2 * std::numbers::pi), offset(-3.5, 3.5);
  std::vector<Walk> all;
  for (int n = 0; n < count; ++n) {
    double direction = angle(random), b = offset(random);
    const double core = winding.core_radius();
    if (n % 2 == 1) {
      b = core + 0.1 * std::abs(b);
      direction = winding.buckle.azimuth + 0.1 * (direction - std::numbers::pi) + 0.5 * std::numbers::pi;
    }
    const double end = std::sqrt(winding.outer_radius * winding.outer_radius - b * b);
    const double begin = std::abs(b) < core ? std::sqrt(core * core - b * b) : -end;
    all.push_back({{std::cos(direction), std::sin(direction), b}, begin, end});
  }
  return all;
}

void expect_all_crossings(const Winding& winding) {
  for (const Walk& walk : walks(winding, 60)) {
    std::vector<double> cuts;
    cut_by_layers(winding, walk.path, walk.begin, walk.end, cuts);
    EXPECT_TRUE(std::is_sorted(cuts.begin(), cuts.end()));
    int missed = 0;
    const double step = 1e-3;
    for (double t = walk.begin + step; t + step < walk.end; t += step) {
      if (layer_at(winding, walk.path, t) == layer_at(winding, walk.path, t + step)) continue;
      const auto cut = std::lower_bound(cuts.begin(), cuts.end(), t - 1e-9);
      missed += cut == cuts.end() || *cut > t + step + 1e-9;
    }
    EXPECT_EQ(missed, 0) << "offset " << walk.path.offset;
  }
}

TEST(winding, path_is_cut_wherever_its_layer_changes) { expect_all_crossings(roll(0)); }
TEST(winding, path_is_cut_wherever_its_layer_changes_in_a_buckled_core) { expect_all_crossings(roll(0.45)); }

/// The layer changes within 2e-9 mm of each cut; where the path only touches a layer it may not, which
/// happens at no more than a cut or two of a path.
void expect_exact_crossings(const Winding& winding) {
  int cuts_in_all = 0, inexact = 0;
  for (const Walk& walk : walks(winding, 60)) {
    std::vector<double> cuts;
    cut_by_layers(winding, walk.path, walk.begin, walk.end, cuts);
    for (const double cut : cuts) {
      ++cuts_in_all;
      inexact += layer_at(winding, walk.path, cut - 2e-9) == layer_at(winding, walk.path, cut + 2e-9);
    }
  }
  EXPECT_GT(cuts_in_all, 60 * 150);
  EXPECT_LE(inexact, 2) << "of " << cuts_in_all;
}

TEST(winding, cuts_are_exact) { expect_exact_crossings(roll(0)); }
TEST(winding, cuts_are_exact_in_a_buckled_core) { expect_exact_crossings(roll(0.45)); }

TEST(winding, turns_count_from_the_start_at_azimuth_zero) {
  const Winding winding = roll(0);
  EXPECT_NEAR(locate(winding, 1.501, 1e-9).turns, 0, 1e-6);
  EXPECT_NEAR(locate(winding, 1e-9, 1.5 + 0.25 * winding.pitch() + 0.001).turns, 0.25, 1e-6);
  EXPECT_NEAR(locate(winding, 1.5 + 3 * winding.pitch() + 0.001, 1e-9).turns, 3, 1e-6);
  EXPECT_EQ(locate(winding, 1.5 + 3 * winding.pitch() + 0.02, 1e-9).layer, 1);
}

}  // namespace
}  // namespace feldspar::simulate
