// The geometries that every operator is tested on: the named ones that scanners produce, and random ones.
#pragma once

#include <numbers>
#include <random>
#include <string>
#include <vector>

#include "geometry/scan.hpp"
#include "geometry/volume_grid.hpp"

namespace feldspar::testing {

struct Case {
  std::string name;
  geometry::CircularScan scan;
  geometry::VolumeGrid grid;
};

inline geometry::CircularScan plain_scan(int views, double sweep = 2 * std::numbers::pi) {
  geometry::CircularScan scan{.source_object_distance = 200,
                              .source_detector_distance = 500,
                              .detector = {.columns = 37, .rows = 29, .column_pitch = 1.0, .row_pitch = 1.0},
                              .axis = {},
                              .angles = {},
                              .shifts = {}};
  for (int n = 0; n < views; ++n) scan.angles.push_back(0.1 + sweep * n / views);
  return scan;
}

/// The same detector in a parallel beam, its pitches at the object; half a turn unless told.
inline geometry::CircularScan parallel_scan(int views, double sweep = std::numbers::pi) {
  geometry::CircularScan scan = plain_scan(views, sweep);
  scan.beam = geometry::Beam::parallel;
  scan.source_object_distance = scan.source_detector_distance = 0;
  return scan;
}

inline std::vector<Case> named_cases() {
  const geometry::VolumeGrid cube = geometry::centred_grid(17, 19, 23, 0.6);
  std::vector<Case> all{{"centred", plain_scan(11), cube}};
  const auto add = [&](const char* name, int views) -> geometry::CircularScan& {
    all.push_back({name, plain_scan(views), cube});
    return all.back().scan;
  };
  add("offset_detector", 11).detector.column_offset = 4.3;
  all.back().scan.detector.row_offset = -2.1;
  add("offset_axis", 9).axis.offset = 1.7;
  add("slanted", 9).detector.slant = 0.05;
  add("rolled_and_tilted", 11).detector.roll = 0.03;
  all.back().scan.detector.tilt = -0.02;
  add("leaning_axis", 9).axis = {.offset = 0.4, .roll = -0.02, .tilt = 0.03};
  auto& shifted = add("shifted_views", 8);
  for (int n = 0; n < 8; ++n) shifted.shifts.push_back({0.37 * n - 1, 0.8 - 0.21 * n});
  all.push_back({"parallel", parallel_scan(11), cube});
  all.push_back({"parallel_leaning", parallel_scan(9), cube});
  auto& leaning = all.back().scan;
  leaning.detector.roll = 0.03, leaning.detector.column_offset = 0.7, leaning.detector.slant = -0.04;
  leaning.axis = {.offset = 2.4, .roll = -0.02, .tilt = 0.03};
  all.push_back({"parallel_tall", parallel_scan(3), geometry::centred_grid(5, 4, 331, 0.07)});
  all.push_back({"short_scan", plain_scan(7, 3.6), cube});
  all.push_back({"flat_voxels_off_centre", plain_scan(5), {17, 19, 13, {0.5, 0.7, 1.1}, {-1.0, -6.0, -9.0}}});
  all.push_back({"single_view", plain_scan(1), cube});
  all.push_back({"wider_than_the_field_of_view", plain_scan(5), geometry::centred_grid(33, 33, 33, 1.5)});
  all.push_back({"coarse_voxels", plain_scan(5), geometry::centred_grid(7, 6, 5, 4.0)});
  all.push_back({"tall_volume", plain_scan(3), geometry::centred_grid(5, 4, 531, 0.021)});
  return all;
}

/// A parallel beam through `count` columns, the axis in their middle, onto voxels as wide as they: seen every
/// 15 degrees, a quarter of the views throw all shadows on pixel centres, the others many.
inline Case parallel_on_centres(int count, double pitch) {
  const int rows = count / 2 + 1;
  Case c{"parallel_" + std::to_string(count), parallel_scan(0),
         geometry::centred_grid(count, count, rows, pitch)};
  c.scan.detector.columns = count, c.scan.detector.rows = rows;
  c.scan.detector.column_pitch = c.scan.detector.row_pitch = pitch;
  for (int n = 0; n < 24; ++n) c.scan.angles.push_back(n * std::numbers::pi / 12);
  return c;
}

/// Geometries whose shadows fall exactly on pixel centres, where the least rounding decides between two
/// pixels: whichever it is, the value is the same, unless index and fraction are of different minds.
inline std::vector<Case> pixel_centre_cases() {
  std::vector<Case> all{parallel_on_centres(17, 0.0065), parallel_on_centres(16, 0.0065)};
  const auto add = [&](const char* name, Case c) -> geometry::CircularScan& {
    c.name = name;
    all.push_back(std::move(c));
    return all.back().scan;
  };
  auto& displaced = add("parallel_on_centres_displaced", parallel_on_centres(17, 0.013));
  displaced.detector.column_offset = 4 * 0.013, displaced.detector.row_offset = -2 * 0.013;
  add("parallel_upside_down", parallel_on_centres(17, 0.0065)).detector.roll = std::numbers::pi;  // no column
  Case cone = parallel_on_centres(17, 0.4);  // 2.5 times as large, so that pixels are 1 mm
  cone.scan = plain_scan(0);
  cone.scan.angles = all.front().scan.angles;
  add("cone_odd", cone);
  auto& even = add("cone_even", cone);
  even.detector.columns = 36, even.detector.rows = 28;
  all.back().grid = geometry::centred_grid(16, 16, 10, 0.4);
  auto& aside = add("cone_displaced", cone);
  aside.detector.column_offset = 9, aside.detector.row_offset = -2;
  return all;
}

/// `count` cases with everything random that a scanner can vary; odd sizes included.
inline std::vector<Case> random_cases(int count, unsigned seed) {
  std::mt19937 random(seed);
  const auto between = [&](double low, double high) {
    return std::uniform_real_distribution(low, high)(random);
  };
  const auto whole = [&](int low, int high) { return std::uniform_int_distribution(low, high)(random); };
  std::vector<Case> all;
  for (int n = 0; n < count; ++n) {
    const double sod = between(60, 300), sdd = sod * between(1.2, 6), pitch = between(0.1, 1.5);
    geometry::CircularScan scan{.source_object_distance = sod,
                                .source_detector_distance = sdd,
                                .detector = {.columns = whole(20, 71),
                                             .rows = whole(9, 60),
                                             .column_pitch = pitch,
                                             .row_pitch = pitch * between(0.8, 1.25)},
                                .axis = {},
                                .angles = {},
                                .shifts = {}};
    const double width = scan.detector.columns * pitch, sense = whole(0, 1) ? 1 : -1, start = between(-4, 4);
    scan.detector.column_offset = between(-0.1, 0.1) * width;
    scan.detector.row_offset = between(-0.1, 0.1) * width;
    scan.detector.slant = between(-0.05, 0.05);
    scan.axis.offset = between(-0.05, 0.05) * width * sod / sdd;
    if (n % 2) {
      scan.detector.roll = between(-0.03, 0.03);
      scan.detector.tilt = between(-0.03, 0.03);
      scan.axis.roll = between(-0.02, 0.02);
      scan.axis.tilt = between(-0.02, 0.02);
    }
    const int views = whole(1, 19);
    for (int k = 0; k < views; ++k) {
      scan.angles.push_back(start + sense * (2 * std::numbers::pi * k / views + between(0, 0.05)));
      if (n % 3 == 0) scan.shifts.push_back({between(-2, 2) * pitch, between(-2, 2) * pitch});
    }
    const double voxel = pitch * sod / sdd;
    geometry::VolumeGrid grid{
        whole(1, 40),
        whole(1, 40),
        whole(1, 60),
        {voxel * between(0.4, 1.6), voxel * between(0.4, 1.6), voxel * between(0.4, 2.5)},
        {}};
    grid.origin = {-0.5 * grid.nx * grid.spacing.x * between(0.7, 1.3),
                   -0.5 * grid.ny * grid.spacing.y * between(0.7, 1.3),
                   -0.5 * grid.nz * grid.spacing.z * between(0.7, 1.3)};
    all.push_back({"random_" + std::to_string(n), scan, grid});
  }
  return all;
}

/// Noise: the least forgiving data, since every pixel differs from its neighbours.
inline std::vector<float> noise(std::size_t size, unsigned seed = 20) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> value(0.5f, 1.0f);
  std::vector<float> values(size);
  for (float& x : values) x = value(random);
  return values;
}

}  // namespace feldspar::testing
