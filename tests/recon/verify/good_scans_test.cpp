// No good scan may be called untrusted, whatever its kind.
#include <gtest/gtest.h>

#include <functional>

#include "tests/recon/verify/campaign.hpp"

namespace feldspar::testing {
namespace {

struct GoodScan {
  std::string name;
  geometry::CircularScan scan;
  std::vector<Body> bodies = engine_part();
  double photons = 20000;
  std::string fast = "off";
  std::function<geometry::VolumeGrid(const geometry::CircularScan&)> grid = [](const auto& of) {
    return geometry::default_grid(of);
  };
};

void PrintTo(const GoodScan& scan, std::ostream* out) {  // NOLINT(readability-identifier-naming)
  *out << scan.name;
}

/// Scans by their names.
struct GoodScanList {
  std::vector<GoodScan> all = {};

  GoodScan& operator()(const char* name, geometry::CircularScan scan) {
    all.push_back({name, std::move(scan)});
    return all.back();
  }
};

/// Geometries of every kind.
void add_geometries(GoodScanList& add) {
  add("cone", good_scan());
  add("cone_noise_free", good_scan()).photons = 0;
  add("cone_noisy", good_scan()).photons = 300;
  add("cone_many_views", good_scan(720));
  add("few_views", good_scan(30));
  add("very_few_views", good_scan(9));
  add("other_sense", good_scan(180, -2 * std::numbers::pi));
  add("short_scan", good_scan(130, 4.0));
  add("parallel", good_parallel_scan());
  add("parallel_full_turn", good_parallel_scan(240, 2 * std::numbers::pi));
  add("parallel_more_than_half", good_parallel_scan(200, 3.6));
  auto& fan = add("fan", good_scan(240)).scan;
  fan.detector.rows = 1;
  auto& displaced = add("displaced", good_scan(240)).scan;
  displaced.detector.column_offset = 36;
  auto& tilted = add("tilted", good_scan()).scan;
  tilted.detector.roll = 0.02, tilted.detector.tilt = 0.03, tilted.axis.roll = -0.01, tilted.axis.tilt = 0.02;
  auto& leaning = add("leaning_wide_fan", good_scan(360));
  leaning.scan.source_object_distance = 60, leaning.scan.source_detector_distance = 180;
  leaning.scan.axis.roll = 0.0175, leaning.photons = 0;
  auto& off = add("axis_off_and_known", good_scan()).scan;
  off.axis.offset = 1.1;
  auto& shifted = add("shifted_views", good_scan()).scan;
  for (std::size_t n = 0; n < shifted.angles.size(); ++n)
    shifted.shifts.push_back({0.9 * std::sin(0.7 * double(n)), 0.8 * std::cos(1.3 * double(n))});
}

/// Objects of every kind.
void add_objects(GoodScanList& add) {
  auto& plate = add("thin_plate", good_scan());
  plate.bodies = {{.centre = {1, 0, 0}, .half = {14, 0.7, 15}, .turn = 0.3, .value = 0.08, .cylinder = true}};
  auto& faint = add("faint", good_scan());
  for (Body& body : faint.bodies) body.value *= 0.05;
  const std::vector<Body> round = {{.centre = {}, .half = {12, 12, 14}, .value = 0.05, .cylinder = true}};
  add("centred_cylinder", good_scan()).bodies = round;
  auto& silent = add("centred_cylinder_noise_free", good_scan());
  silent.bodies = round, silent.photons = 0;
  auto& wide = add("truncated", good_scan());
  wide.bodies.push_back({.centre = {3, 2, 0}, .half = {30, 26, 14}, .value = 0.01, .cylinder = true});
  auto& interior = add("interior", good_scan());
  interior.bodies.push_back({.centre = {}, .half = {45, 45, 40}, .value = 0.02, .cylinder = true});
  add("off_the_axis", good_scan()).bodies = {
      {.centre = {11, 3, 0}, .half = {4, 3, 8}, .turn = 0.2, .value = 0.1, .cylinder = true},
      {.centre = {11, 4, 0}, .half = {1, 1, 3}, .value = 0.1}};
  add("air_only", good_scan(60)).bodies = {};
}

/// Volumes of every kind.
void add_volumes(GoodScanList& add) {
  add("region", good_scan()).grid = [](const auto&) {
    return geometry::centred_grid(20, 24, 16, 0.4, {5, 2, 3});
  };
  add("region_off_the_mid_plane", good_scan()).grid = [](const auto&) {
    return geometry::centred_grid(80, 80, 10, 0.4, {0, 0, 6});
  };
  add("box_around_the_object", good_scan()).grid = [](const auto&) {
    return geometry::centred_grid(80, 78, 40, 0.4, {0.8, -0.5, 0});
  };
  add("coarse_voxels", good_scan()).grid = [](const auto& scan) { return geometry::default_grid(scan, 0.9); };
  add("merged_views", good_scan(720)).fast = "auto";
  add("merged_views_by_force", good_scan(360)).fast = "4";
}

[[maybe_unused]] std::vector<GoodScan> good_scans() {
  GoodScanList list;
  add_geometries(list);
  add_objects(list);
  add_volumes(list);
  return std::move(list.all);
}

geometry::CircularScan displaced_scan(int views) {
  geometry::CircularScan scan = good_scan(views);
  scan.detector.column_offset = 30;
  return scan;
}
geometry::CircularScan leaning_scan(int views) {
  geometry::CircularScan scan = good_scan(views);
  scan.axis.roll = 0.01, scan.detector.tilt = 0.02, scan.axis.offset = 0.9;
  return scan;
}
geometry::CircularScan wide_scan(int views) {
  geometry::CircularScan scan = good_scan(views);
  scan.source_object_distance = 60, scan.source_detector_distance = 180;
  return scan;
}

/// Every geometry without noise, and with much.
void add_noises(const std::function<GoodScan&(const std::string&, geometry::CircularScan)>& add) {
  for (const int photons : {0, 50, 300}) {
    const auto with = [&](const char* name, geometry::CircularScan scan) {
      add(std::to_string(photons) + "_photons_" + name, std::move(scan)).photons = photons;
    };
    with("displaced", displaced_scan(240)), with("leaning", leaning_scan(240));
    with("wide_cone", wide_scan(240)), with("other_sense", good_scan(240, -2 * std::numbers::pi));
    with("parallel", good_parallel_scan(180));
    with("parallel_360", good_parallel_scan(360, 2 * std::numbers::pi));
  }
  for (const int views : {50, 120, 720})
    add(std::to_string(views) + "_views_displaced", displaced_scan(views));
}

/// Every kind of scan of an object that has structure at all heights.
std::vector<GoodScan> scans_of(const Object& object) {
  std::vector<GoodScan> all;
  const auto add = [&](const std::string& name, geometry::CircularScan scan) -> GoodScan& {
    all.push_back({.name = object.name + "_" + name, .scan = std::move(scan), .bodies = object.bodies});
    return all.back();
  };
  const auto of_grid = [&](const std::string& name, double spacing) {
    add(name, good_scan(240)).grid = [spacing](const auto& scan) {
      return geometry::default_grid(scan, spacing);
    };
  };
  for (const int views : {40, 60, 90, 180, 360, 1500})
    add(std::to_string(views) + "_views", good_scan(views));
  for (const int photons : {0, 50, 300, 2000, 200000}) {
    add(std::to_string(photons) + "_photons", good_scan(240)).photons = photons;
    add(std::to_string(photons) + "_photons_short", good_scan(140, 4.0)).photons = photons;
  }
  for (const double pixels : {1.0, 4.0, 10.0}) {
    auto& shifted = add(std::to_string(int(pixels)) + "_pixels_shifted", good_scan(240)).scan;
    for (std::size_t n = 0; n < shifted.angles.size(); ++n)
      shifted.shifts.push_back(
          {1.2 * pixels * std::sin(0.7 * double(n)), 1.2 * pixels * std::cos(1.3 * double(n))});
  }
  of_grid("fine", 0.25), of_grid("coarse", 0.8), of_grid("preview", 1.6), of_grid("coarse_preview", 3.2);
  add("displaced", displaced_scan(240));
  add("parallel", good_parallel_scan(180));
  add("parallel_360", good_parallel_scan(360, 2 * std::numbers::pi));
  add("other_sense", good_scan(240, -2 * std::numbers::pi));
  add("two_turns", good_scan(480, 4 * std::numbers::pi));
  add("merged", good_scan(720)).fast = "auto";
  add("leaning", leaning_scan(240));
  add("wide_cone", wide_scan(240));
  add_noises(add);
  add("tight_box", good_scan(240)).grid = [](const auto&) {
    return geometry::centred_grid(74, 74, 80, 0.4, {0, 0, 0});
  };
  auto& faint = add("faint", good_scan(240));
  for (Body& body : faint.bodies) body.value *= 0.03;
  auto& inside = add("interior", good_scan(240));
  inside.bodies.push_back({.centre = {}, .half = {45, 45, 60}, .value = 0.01, .cylinder = true});
  return all;
}

[[maybe_unused]] std::vector<GoodScan> all_scans_of_objects() {
  std::vector<GoodScan> all;
  for (const Object& object : objects())
    for (GoodScan& scan : scans_of(object)) all.push_back(std::move(scan));
  GoodScan empty{.name = "nearly_empty", .scan = good_scan(180)};
  empty.bodies = {{.centre = {2, 1, 1}, .half = {0.8, 0.8, 0.8}, .value = 0.01}};
  all.push_back(empty), all.back().name += "_noise_free", all.back().photons = 0;
  all.push_back(empty);
  GoodScan plate{.name = "thin_plate", .scan = good_scan(360)};
  plate.bodies = {{.centre = {1, 0, 0}, .half = {14, 0.4, 15}, .turn = 0.3, .value = 0.08, .cylinder = true}};
  all.push_back(plate), all.push_back(plate);
  all.back().name = "thin_plate_parallel", all.back().scan = good_parallel_scan(300);
  return all;
}

class GoodScans : public ::testing::TestWithParam<GoodScan> {};

TEST_P(GoodScans, AreTrusted) {
  const GoodScan& good = GetParam();
  const StoredScan scan(VirtualScan(good.scan, good.bodies), good.photons);
  const Trial trial(scan, good.grid(good.scan), good.fast);

  const recon::Verdict verdict = trial.verdict();

  EXPECT_FALSE(verdict.failed()) << in_words(verdict);
  if (std::getenv("TRUST_SHOW")) std::cout << in_words(verdict);
}

#ifdef FELDSPAR_ALL_OBJECTS
INSTANTIATE_TEST_SUITE_P(Objects, GoodScans, ::testing::ValuesIn(all_scans_of_objects()),
                         [](const auto& kind) { return kind.param.name; });
#else
INSTANTIATE_TEST_SUITE_P(Kinds, GoodScans, ::testing::ValuesIn(good_scans()),
                         [](const auto& kind) { return kind.param.name; });
#endif

}  // namespace
}  // namespace feldspar::testing
