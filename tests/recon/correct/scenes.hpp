// Good scans of objects that change along the axis, and the faults that are planted in them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/stored_scan.hpp"

namespace feldspar::testing {

/// Nearly normal numbers of deviation 1 that are the same for the same place.
inline double normal_at(std::uint64_t seed, std::uint64_t place) {
  std::uint64_t bits = seed * 0x2545f4914f6cdd1d + place * 12 * 0x9e3779b97f4a7c15;
  double sum = -6;
  for (int n = 0; n < 12; ++n) {
    bits += 0x9e3779b97f4a7c15;  // splitmix64
    std::uint64_t mixed = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    sum += static_cast<double>((mixed ^ (mixed >> 31)) >> 11) * 0x1p-53;
  }
  return sum;
}

/// Noise of counts that are photons.
inline StoredScan with_noise(const StoredScan& clean, std::uint64_t seed) {
  return clean.changed([seed](double count, int view, int column, int row) {
    const auto place = (static_cast<std::uint64_t>(view) * 4096 + static_cast<std::uint64_t>(row)) * 4096;
    return count +
           std::sqrt(std::max(count, 1.0)) * normal_at(seed, place + static_cast<std::uint64_t>(column));
  });
}

/// A scan by its name.
struct Scene {
  std::string name;
  geometry::CircularScan scan;
  std::vector<Body> bodies;
  double value = 0.05;    ///< 1/mm, of the body that changes are told in
  bool full_turn = true;  ///< so that rings can be taken away
  bool air = true;        ///< at the edges, so that drift can
};

/// 100 mm to the axis, 400 to the detector; 0.1 mm at the axis a pixel.
inline geometry::CircularScan bench(int columns, int rows, int views, double turn = 2 * std::numbers::pi) {
  geometry::CircularScan scan{
      .source_object_distance = 100,
      .source_detector_distance = 400,
      .detector = {.columns = columns, .rows = rows, .column_pitch = 0.4, .row_pitch = 0.4},
      .axis = {},
      .angles = {},
      .shifts = {}};
  for (int n = 0; n < views; ++n) scan.angles.push_back(turn * n / views);
  return scan;
}

inline Body ball(Vec3 at, double radius, double value) {
  return {at, {radius, radius, radius}, 0, value, false};
}
inline Body disc(Vec3 at, double radius, double half_height, double value) {
  return {at, {radius, radius, half_height}, 0, value, true};
}

inline std::vector<Body> beads(double scale = 1) {
  std::vector<Body> bodies{ball({0, 0, 0}, 5.2 * scale, 0.05)};
  const Vec3 places[] = {{2.6, .4, 1.2}, {-1.2, 2.4, -1.4}, {1.3, -2.6, .4}, {-2.6, -1., -.5}};
  for (const Vec3 at : places) bodies.push_back(ball(scale * at, 0.7 * scale, 0.12));
  return bodies;
}

inline std::vector<Body> many_beads(int count, double radius, double height, std::uint64_t seed) {
  std::vector<Body> bodies{disc({0, 0, 0}, radius, height, 0.05)};
  for (int n = 0; n < count; ++n) {
    const double turn = 2.4 * n, at = 0.85 * radius * std::sqrt((n + 0.5) / count);
    bodies.push_back(
        ball({at * std::cos(turn), at * std::sin(turn), height * (2 * std::fmod(0.618 * n, 1.0) - 1)},
             0.05 * radius * (2 + 0.3 * normal_at(seed, static_cast<std::uint64_t>(n))), 0.06));
  }
  return bodies;
}

inline std::vector<Body> spiral(double radius) {
  std::vector<Body> bodies{disc({0, 0, 0}, radius, 30, 0.05)};
  for (int n = 0; n < 40; ++n)
    bodies.push_back(
        ball({0.6 * radius * std::cos(0.5 * n), 0.6 * radius * std::sin(0.5 * n), 0.2 * (n - 20)},
             0.12 * radius, 0.04));
  return bodies;
}

/// Objects with structure along z: round and not, centred and not, few rows and many, wide and narrow.
inline std::vector<Scene> scenes() {
  std::vector<Scene> all;
  all.push_back({"beads in a ball, 128 x 96", bench(128, 96, 240), beads()});
  all.push_back({"beads in a ball, 48 x 24", bench(48, 24, 180), beads(0.38)});
  all.push_back({"60 beads, 96 x 64", bench(96, 64, 180), many_beads(60, 4, 2.5, 1)});
  all.push_back({"20 beads, 96 x 24", bench(96, 24, 180), many_beads(20, 4, 2, 2)});
  all.push_back({"ball, 96 x 64", bench(96, 64, 120), {ball({0, 0, 0}, 4, 0.05)}});
  all.push_back({"ball off the axis, 96 x 64", bench(96, 64, 180), {ball({1.1, 0.4, 0.3}, 3, 0.05)}});
  all.push_back({"stack of balls, 64 x 128",
                 bench(64, 128, 120),
                 {ball({0, 0, -3.6}, 2.2, 0.05), ball({0, 0, 0}, 2.2, 0.05), ball({0, 0, 3.6}, 2.2, 0.05)}});
  all.push_back(
      {"discs, 96 x 64",
       bench(96, 64, 120),
       {disc({0, 0, 0}, 2.5, 3, 0.05), disc({0, 0, 0}, 4, 0.4, 0.05), disc({0, 0, 2}, 3.5, 0.2, 0.05)}});
  all.push_back(
      {"ellipsoids, 96 x 64",
       bench(96, 64, 240),
       {{{0.3, -.2, 0}, {4, 1.5, 2.6}, 0.4, 0.05, false}, {{-1, .5, .4}, {1.2, .4, .5}, 1, 0.05, false}}});
  all.push_back({"spiral, 96 x 64", bench(96, 64, 180), spiral(4)});
  all.push_back({"spiral, 128 x 32", bench(128, 32, 240), spiral(5)});
  all.push_back(
      {"plate, 96 x 64",
       bench(96, 64, 240),
       {{{0, 0, 0}, {4.2, 0.5, 2}, 0.1, 0.05, true}, ball({2, 0, .5}, .3, .1), ball({-2, 0, -.9}, .3, .1)}});
  all.push_back({"as wide as the detector, 96 x 64", bench(96, 64, 180), many_beads(30, 4.7, 2.5, 3)});
  all.back().air = false;
  std::vector<Body> roll;
  for (int n = 0; n < 5; ++n) {
    roll.push_back(disc({0, 0, 0}, 4 - 0.7 * n, 2.3, 0.05));
    roll.push_back(disc({0, 0, 0}, 3.65 - 0.7 * n, 2.3, -0.05));
  }
  all.push_back({"windings with ends, 96 x 64", bench(96, 64, 180), roll});
  Scene parallel{"parallel beam, 96 x 64", bench(96, 64, 180), many_beads(30, 4, 2.5, 4)};
  parallel.scan.beam = geometry::Beam::parallel;
  parallel.scan.source_object_distance = parallel.scan.source_detector_distance = 0;
  parallel.scan.detector.column_pitch = parallel.scan.detector.row_pitch = 0.1;
  all.push_back(parallel);
  Scene aside{"axis 3.3 columns aside, 96 x 64", bench(96, 64, 180), many_beads(30, 3.8, 2.5, 5)};
  aside.scan.axis.offset = 0.33;
  all.push_back(aside);
  Scene leaning{"axis rolled by 2 degrees, 96 x 64", bench(96, 64, 180), many_beads(30, 3.8, 2.3, 6)};
  leaning.scan.axis.roll = 0.035;
  all.push_back(leaning);
  Scene half{"half a fan, 96 x 48", bench(96, 48, 240), many_beads(30, 5.5, 2, 7)};
  half.scan.detector.column_offset = 10;
  all.push_back(half);
  Scene part{"210 degrees, 96 x 64", bench(96, 64, 180, 210 * std::numbers::pi / 180),
             many_beads(30, 4, 2.5, 8)};
  part.full_turn = false;
  all.push_back(part);
  Scene uneven{"uneven angles, 96 x 64", bench(96, 64, 180), many_beads(30, 4, 2.5, 9)};
  for (double& angle : uneven.scan.angles) angle += 0.3 * std::sin(angle);
  all.push_back(uneven);
  return all;
}

}  // namespace feldspar::testing
