// The presets are the scans they say they are.
#include "simulate/presets.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "base/error.hpp"

namespace feldspar::simulate {
namespace {

TEST(presets, all_can_be_made_and_are_possible) {
  for (const auto& [name, summary] : presets()) {
    const VirtualScan made = preset(name);
    EXPECT_NO_THROW(geometry::validate(made.scan)) << name;
    EXPECT_FALSE(summary.empty());
    EXPECT_NE(made.object, nullptr);
  }
}

TEST(presets, cell_scans_have_their_voxels_views_and_detector) {
  const VirtualScan fresh = preset("mj1-fresh-53min"), aged = preset("mj1-aged");
  EXPECT_NEAR(fresh.scan.detector.column_pitch / fresh.scan.magnification(), 0.036, 1e-12);
  EXPECT_NEAR(aged.scan.detector.column_pitch / aged.scan.magnification(), 0.0366, 1e-12);
  EXPECT_NEAR(fresh.scan.source_object_distance, 176.94, 0.01);
  EXPECT_EQ(fresh.scan.detector.columns, 2000);
  EXPECT_EQ(fresh.scan.angles.size(), 3176u);
  EXPECT_EQ(preset("mj1-160s").scan.angles.size(), 600u);
  EXPECT_EQ(preset("mj1-80s").scan.angles.size(), 300u);
}

TEST(presets, versa_scans_have_their_lens_voxels_and_field_of_view) {
  const VirtualScan overview = preset("versa-10um"), inside = preset("versa-1.97um");
  for (const VirtualScan* scan : {&overview, &inside}) {
    EXPECT_EQ(scan->scan.angles.size(), 1601u);
    EXPECT_EQ(scan->notes.voltage_kv, 159);
  }
  EXPECT_NEAR(overview.scan.detector.column_pitch, 0.03375, 1e-12);
  EXPECT_NEAR(overview.scan.magnification(), 3.375, 1e-9);
  EXPECT_NEAR(inside.scan.detector.column_pitch, 0.00675, 1e-12);
  EXPECT_NEAR(inside.scan.detector.columns * 0.00197, 2.02, 0.01);
  EXPECT_NEAR(inside.scan.detector.column_pitch / inside.scan.magnification(), 0.00197, 1e-12);
}

TEST(presets, photons_are_in_the_ratio_of_the_exposures) {
  const double slow = preset("mj1-fresh-53min").detector.photons;
  EXPECT_DOUBLE_EQ(preset("mj1-26min").detector.photons / slow, 0.534);
  EXPECT_DOUBLE_EQ(preset("mj1-80s").detector.photons / slow, 0.267);
}

TEST(presets, fast_scans_turn_by_one_step_while_exposing) {
  const VirtualScan fast = preset("mj1-160s");
  EXPECT_GE(fast.sampling.sub_angles, 4);
  EXPECT_NEAR(std::abs(fast.sampling.sweep), 2 * std::numbers::pi / 600, 1e-12);
}

TEST(presets, scaled_detector_keeps_its_field_of_view) {
  VirtualScan made = preset("mj1-26min");
  scale_detector(made.scan.detector, 0.25);
  settle(made);
  EXPECT_EQ(made.scan.detector.columns, 500);
  EXPECT_DOUBLE_EQ(made.scan.detector.column_pitch, 0.8);
  EXPECT_NEAR(made.detector.photons, 16 * 0.534 * 1.45e5, 1);
}

TEST(presets, full_turn_is_closed_and_clockwise) {
  const auto angles = full_turn(8);
  EXPECT_DOUBLE_EQ(angles[0], std::numbers::pi);
  EXPECT_DOUBLE_EQ(angles[1] - angles[0], -std::numbers::pi / 4);
}

TEST(presets, unknown_preset_names_those_there_are) {
  try {
    (void)preset("mj2");
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_NE(std::string(error.what()).find("mj1-160s"), std::string::npos);
  }
}

}  // namespace
}  // namespace feldspar::simulate
