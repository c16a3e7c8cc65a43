// Three kinds of object, the faults that are planted in their scans, and what is to come of each.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tests/recon/verify/trusting.hpp"

namespace feldspar::testing {

/// Windings about an axis that is not quite theirs, with a tab and a can: hardly two views alike, but all
/// nearly round.
inline std::vector<Body> wound_cell() {
  std::vector<Body> all{
      {.centre = {0.3, -0.2, 0}, .half = {13, 13, 16}, .value = 0.05, .cylinder = true},
      {.centre = {0.3, -0.2, 0}, .half = {12.2, 12.2, 15.5}, .value = -0.04, .cylinder = true}};
  for (int n = 0; n < 8; ++n) {
    const double outer = 11.3 - 1.25 * n;
    all.push_back({.centre = {0.3 + 0.12 * n, -0.1 * n, 0},
                   .half = {outer, 0.97 * outer, 14},
                   .turn = 0.3 * n,
                   .value = n % 2 == 0 ? 0.04 : -0.04,
                   .cylinder = true});
  }
  all.push_back(
      {.centre = {5, 4.5, 3}, .half = {0.5, 1.6, 11}, .turn = 0.7, .value = 0.12, .cylinder = true});
  all.push_back(
      {.centre = {-1, 0.5, 0}, .half = {0.6, 1.3, 15}, .turn = 0.2, .value = 0.1, .cylinder = true});
  return all;
}

/// Spheres apart from each other at all heights, none of them in the plane of the source.
inline std::vector<Body> beads() {
  std::vector<Body> all;
  for (int n = 0; n < 24; ++n) {
    const double angle = 2.399963 * n, radius = 2.5 + 10.5 * std::fmod(0.37 * n + 0.1, 1.0);
    const double height = (n % 2 ? -1 : 1) * (3.5 + 10 * std::fmod(0.618 * n, 1.0)), size = 1 + 0.05 * n;
    all.push_back({.centre = {radius * std::cos(angle), radius * std::sin(angle), height},
                   .half = {size, size, size},
                   .value = 0.08 + 0.004 * (n % 5)});
  }
  return all;
}

/// Half as thick as wide, with bores and inclusions.
inline std::vector<Body> block() {
  return {{.centre = {1, -0.6, 0}, .half = {13.5, 7, 14}, .turn = 0.5, .value = 0.035, .cylinder = true},
          {.centre = {6, 1.5, 0}, .half = {2, 2, 14}, .value = -0.035, .cylinder = true},
          {.centre = {-5, -3.5, 0}, .half = {1.5, 1.5, 14}, .value = -0.035, .cylinder = true},
          {.centre = {-3, -1, 6}, .half = {2.5, 1.5, 2}, .turn = 0.5, .value = 0.05},
          {.centre = {3, -1.5, -7}, .half = {1.8, 2.2, 3}, .turn = 1, .value = 0.06}};
}

struct Object {
  std::string name;
  std::vector<Body> bodies;
};
inline std::vector<Object> objects() {
  return {{"cell", wound_cell()}, {"beads", beads()}, {"block", block()}};
}

/// What goes wrong, in the scan or, after the reconstruction, in the volume.
struct Fault {
  std::string name;
  std::function<void(geometry::CircularScan& truth)> truth = {};  ///< how the scan is really taken
  std::function<void(StoredScan& scan)> scan = {};  ///< what becomes of its data and description
  std::function<void(std::vector<float>& voxels, const geometry::VolumeGrid& grid)> volume = {};
  std::string not_seen_of = {};  ///< objects of which it cannot be seen, "all" or names
  std::string why = {};
};
std::vector<Fault> faults();

}  // namespace feldspar::testing
