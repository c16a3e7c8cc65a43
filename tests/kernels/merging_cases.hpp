// Scans whose neighbouring views can be merged, and projections that lose little by it.
#pragma once

#include <cmath>
#include <limits>
#include <numbers>
#include <string>
#include <vector>

#include "geometry/scan.hpp"
#include "geometry/volume_grid.hpp"
#include "tests/support/scans.hpp"

namespace feldspar::testing {

inline constexpr double everywhere = std::numeric_limits<double>::infinity();
inline constexpr double two_pi = 2 * std::numbers::pi;

struct MergeCase {
  std::string name;
  geometry::CircularScan scan;
  geometry::VolumeGrid grid;
  int views;
};

/// 80 x 120 pixels at magnification 2.5, a step of 0.4 degrees: half a cone angle of 6.8 degrees.
inline geometry::CircularScan dense_scan() {
  geometry::CircularScan scan = plain_scan(24, two_pi * 24 / 900);
  scan.detector.columns = 80;
  scan.detector.rows = 120;
  return scan;
}

inline std::vector<MergeCase> merge_cases() {
  const geometry::VolumeGrid volume = geometry::centred_grid(70, 66, 100, 0.4);
  std::vector<MergeCase> all;
  for (const int views : {2, 4, 7, 8, 16})
    all.push_back({"centred_by_" + std::to_string(views), dense_scan(), volume, views});
  all.push_back({"offset_axis_and_detector", dense_scan(), volume, 4});
  all.back().scan.axis.offset = 1.3;
  all.back().scan.detector.column_offset = 3.1;
  all.back().scan.detector.row_offset = -5.2;
  all.push_back({"slanted", dense_scan(), volume, 4});
  all.back().scan.detector.slant = 0.04;
  all.push_back({"shifted_views", dense_scan(), volume, 4});
  for (int n = 0; n < 24; ++n)
    all.back().scan.shifts.push_back({0.8 * std::sin(2.1 * n), 0.6 * std::cos(1.7 * n)});
  all.push_back(
      {"flat_voxels_off_centre", dense_scan(), {50, 41, 60, {0.4, 0.5, 0.3}, {-4.0, -13.0, 3.0}}, 4});
  all.push_back({"clockwise", dense_scan(), volume, 8});
  for (double& angle : all.back().scan.angles) angle = -angle;
  all.push_back({"last_group_is_small", dense_scan(), volume, 8});
  all.back().scan.angles.resize(19);
  all.push_back({"wider_than_the_detector", dense_scan(), geometry::centred_grid(120, 110, 40, 0.4), 4});
  all.push_back({"parallel", dense_scan(), volume, 8});
  all.back().scan.beam = geometry::Beam::parallel;
  all.back().scan.source_object_distance = all.back().scan.source_detector_distance = 0;
  all.back().scan.detector.column_pitch = all.back().scan.detector.row_pitch = 0.4;
  // The mean of two views from one direction is that view, and with a quarter of a pixel between voxels and
  // pixels, columns of the merged detector fall on pixel centres.
  for (const char* name : {"parallel_on_pixel_centres", "cone_on_pixel_centres"}) {
    geometry::CircularScan scan = name[0] == 'p' ? all.back().scan : dense_scan();
    scan.detector.column_offset = 0.25 * scan.detector.column_pitch;
    for (int n = 0; n < 24; ++n) scan.angles[static_cast<std::size_t>(n)] = n / 2 * two_pi / 12;
    all.push_back({name, scan, volume, 2});
  }
  return all;
}

/// A pattern of waves 36 and 44 pixels long that moves slowly from view to view, and fades towards the edges
/// of the detector, beyond which there is nothing to interpolate.
inline std::vector<float> waves(const geometry::CircularScan& scan) {
  const int columns = scan.detector.columns, rows = scan.detector.rows;
  const auto fade = [](int n, int count) {
    return std::pow(std::sin(std::numbers::pi * (n + 0.5) / count), 2);
  };
  std::vector<float> stack;
  for (std::size_t view = 0; view < scan.angles.size(); ++view)
    for (int v = 0; v < rows; ++v)
      for (int u = 0; u < columns; ++u)
        stack.push_back(static_cast<float>(
            fade(u, columns) * fade(v, rows) *
            (1 + std::sin(two_pi * u / 36 + 0.02 * static_cast<double>(view)) * std::cos(two_pi * v / 44))));
  return stack;
}

}  // namespace feldspar::testing
