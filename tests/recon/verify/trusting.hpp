// Scans to be trusted or not, the volumes made of them, and the verdict on both.
#pragma once

#include <iostream>
#include <numbers>
#include <string>

#include "recon/verify/scan_checks.hpp"
#include "recon/verify/verify.hpp"
#include "tests/recon/reconstruct.hpp"
#include "tests/support/resources.hpp"
#include "tests/support/stored_scan.hpp"

namespace feldspar::testing {

/// A casing with rods and lumps in it, nothing symmetric: 30 mm across and high.
inline std::vector<Body> engine_part() {
  return {{.centre = {0.8, -0.5, 0}, .half = {14, 13, 15}, .turn = 0.4, .value = 0.02, .cylinder = true},
          {.centre = {6, 2, 1}, .half = {2.5, 4, 6}, .turn = 0.3, .value = 0.06},
          {.centre = {-5, 5, -1}, .half = {3, 1.2, 9}, .turn = 1.1, .value = 0.08, .cylinder = true},
          {.centre = {-3, -7, 0}, .half = {1.5, 2, 3}, .turn = 0, .value = -0.02},
          {.centre = {2, -4, 2}, .half = {1, 1, 12}, .turn = 0, .value = 0.1, .cylinder = true}};
}

/// 96 x 48 pixels; 18 degrees of fan.
inline geometry::CircularScan good_scan(int views = 180, double sweep = 2 * std::numbers::pi) {
  geometry::CircularScan scan{.source_object_distance = 120,
                              .source_detector_distance = 360,
                              .detector = {.columns = 96, .rows = 48, .column_pitch = 1.2, .row_pitch = 1.2},
                              .axis = {},
                              .angles = {},
                              .shifts = {}};
  for (int n = 0; n < views; ++n) scan.angles.push_back(0.2 + sweep * n / views);
  return scan;
}

inline geometry::CircularScan good_parallel_scan(int views = 180, double sweep = std::numbers::pi) {
  geometry::CircularScan scan = good_scan(views, sweep);
  scan.beam = geometry::Beam::parallel;
  scan.source_object_distance = scan.source_detector_distance = 0;
  scan.detector.column_pitch = scan.detector.row_pitch = 0.4;
  return scan;
}

/// A reconstruction of a scan, and what is thought of it.
class Trial {
 public:
  explicit Trial(const io::ScanSource& source, const geometry::VolumeGrid& grid,
                 const std::string& fast = "off")
      : source_(source),
        setup_(recon::prepare_fdk(source.scan())),
        backend_(kernels::open_backend("cpu", {.threads = 2})),
        volume(grid.nx, grid.ny, grid.nz) {
    const geometry::FieldOfView seen = geometry::field_of_view(source.scan());
    fdk_.grid = grid;
    fdk_.memory = plenty;
    fdk_.projector.radius = geometry::is_displaced(source.scan()) ? seen.outer_radius : seen.inner_radius;
    if (fast == "auto")
      fdk_.projector.merging = kernels::choose_merging(setup_.views, grid, fdk_.projector.radius);
    else if (fast != "off")
      fdk_.projector.merging =
          kernels::merging_of(std::stoi(fast), setup_.views, grid, fdk_.projector.radius);
    const auto plan = plan_slabs(setup_, grid, plenty, costs_on(*backend_, source, setup_, fdk_));
    Progress progress;
    report_ = reconstruct_fdk({source, setup_, fdk_}, plan, volume, *backend_, progress);
  }
  explicit Trial(const io::ScanSource& source) : Trial(source, geometry::default_grid(source.scan())) {}

  [[nodiscard]] const geometry::VolumeGrid& grid() const { return fdk_.grid; }

  [[nodiscard]] recon::Verdict verdict() const {
    const geometry::VolumeGrid& g = fdk_.grid;
    const recon::FinishedVolume finished{
        g, [&](int z, int nz) {
          Array3<float> part(g.nx, g.ny, nz);
          std::memcpy(part.data(), volume.values.data() + std::size_t(z) * g.nx * g.ny, part.view().bytes());
          return part;
        }};
    Progress progress;
    return verify({source_, setup_, fdk_}, finished, all_resources(),
                  {.tally = &report_.tally,
                   .of_scan = check_scan({source_, setup_, fdk_}, source_.scan(), std::nullopt,
                                         all_resources(), progress),
                   .stated = {.axis = true, .sense = true}});
  }

 private:
  const io::ScanSource& source_;
  recon::FdkSetup setup_;
  std::unique_ptr<kernels::Backend> backend_;
  recon::FdkOptions fdk_;
  recon::FdkReport report_;

 public:
  VolumeInMemory volume;
};

inline std::string in_words(const recon::Verdict& verdict) {
  std::string text;
  for (const recon::Check& check : verdict.checks)
    text += std::string("  ") + name_of(check.outcome) + " " + check.title() + ": " + check.text + "\n";
  return text;
}

}  // namespace feldspar::testing
