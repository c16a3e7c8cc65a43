// Images: where hand-computed shadows fall, and how rays and poses are averaged.
#include "simulate/virtual_scan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/error.hpp"
#include "base/memory.hpp"
#include "simulate/cell_18650.hpp"
#include "simulate/phantom.hpp"
#include "simulate/rays.hpp"

namespace feldspar::simulate {
namespace {

/// A beam of one energy through an object that outlives it.
Illumination lit(const Object& object) { return monochromatic({std::shared_ptr<const Object>{}, &object}); }

using geometry::CircularScan;

CircularScan scan_of(int columns, int rows) {
  CircularScan scan;
  scan.source_object_distance = 500;
  scan.source_detector_distance = 1000;
  scan.detector = {.columns = columns, .rows = rows, .column_pitch = 0.4, .row_pitch = 0.4};
  scan.angles = {0, std::numbers::pi / 2, 0.3};
  return scan;
}

struct Place {
  double column = 0, row = 0;
};

/// The centre of mass of an image.
Place centre_of(View3<const float> image) {
  double mass = 0, columns = 0, rows = 0;
  for (int row = 0; row < image.ny; ++row)
    for (int column = 0; column < image.nx; ++column) {
      const double value = image(column, row, 0);
      mass += value, columns += value * column, rows += value * row;
    }
  return {columns / mass, rows / mass};
}

Phantom small_sphere(geometry::Vec3 centre) { return {{{.centre = centre, .half_size = {1, 1, 1}}}, {1}}; }

/// The shadow's centre of mass is off the shadow of the centre by the perspective inside a 1 mm sphere (its
/// depth over the distance times its radius, 0.01 pixels) and by the sampling of a disc of 5 pixels.
constexpr double shadow_error = 0.05;

TEST(virtual_scan, sphere_casts_its_shadow_where_magnification_says) {
  const Phantom sphere = small_sphere({14, 0, 12});
  ThreadPool pool(2);
  const Array3<float> image(256, 256, 1);
  line_integrals(sphere, scan_of(256, 256), 0, image.view(), pool);
  const Place shadow = centre_of(image.view());
  EXPECT_NEAR(shadow.column, 127.5 + 28 / 0.4, shadow_error);
  EXPECT_NEAR(shadow.row, 127.5 + 24 / 0.4, shadow_error);
}

TEST(virtual_scan, sphere_on_x_turned_by_90_degrees_stands_behind_the_axis) {
  const Phantom sphere = small_sphere({14, 0, 12});
  ThreadPool pool(2);
  const Array3<float> image(256, 256, 1);
  line_integrals(sphere, scan_of(256, 256), 1, image.view(), pool);
  const Place shadow = centre_of(image.view());
  EXPECT_NEAR(shadow.column, 127.5, shadow_error);
  EXPECT_NEAR(shadow.row, 127.5 + 12 * (1000.0 / 514) / 0.4, shadow_error);
}

TEST(virtual_scan, axis_offset_and_detector_offset_move_the_shadow_oppositely) {
  CircularScan scan = scan_of(256, 256);
  scan.axis.offset = 2;
  scan.detector.column_offset = 6;
  ThreadPool pool(1);
  const Array3<float> image(256, 256, 1);
  line_integrals(small_sphere({}), scan, 0, image.view(), pool);
  EXPECT_NEAR(centre_of(image.view()).column, 127.5 + (2 * 2 - 6) / 0.4, shadow_error);
}

TEST(virtual_scan, cell_image_equals_its_rays_one_by_one) {
  const Cell18650 cell;
  CircularScan scan = scan_of(61, 40);
  scan.detector.column_pitch = scan.detector.row_pitch = 3;
  for (const double roll : {0.0, 0.01}) {
    scan.axis.roll = roll;
    ThreadPool pool(2);
    const Array3<float> image(61, 40, 1);
    line_integrals(cell, scan, 2, image.view(), pool);
    const Rays rays(scan, 2);
    for (int row = 0; row < 40; ++row)
      for (int column = 0; column < 61; ++column)  // to the rounding of float
        ASSERT_NEAR(image(column, row, 0), cell.line_integral(rays.source(), rays.pixel(column, row)), 3e-7);
  }
}

TEST(virtual_scan, transmission_is_the_exponential_of_the_line_integral) {
  const Phantom head = shepp_logan(20, 0.1);
  const CircularScan scan = scan_of(64, 48);
  ThreadPool pool(1);
  const Array3<float> integrals(64, 48, 1), beam(64, 48, 1);
  line_integrals(head, scan, 2, integrals.view(), pool);
  transmission(lit(head), scan, 2, {}, beam.view(), pool);
  for (std::size_t n = 0; n < beam.size(); ++n)
    ASSERT_NEAR(beam.data()[n], std::exp(-integrals.data()[n]), 2e-7);
}

TEST(virtual_scan, turning_object_is_the_mean_of_its_poses) {
  const Phantom head = shepp_logan(20, 0.1);
  CircularScan scan = scan_of(64, 48);
  ThreadPool pool(1);
  const Array3<float> swept(64, 48, 1), first(64, 48, 1), second(64, 48, 1);
  transmission(lit(head), scan, 2, {.sub_angles = 2, .sweep = 0.1}, swept.view(), pool);
  scan.angles = {0.3 - 0.025, 0.3 + 0.025};
  transmission(lit(head), scan, 0, {}, first.view(), pool);
  transmission(lit(head), scan, 1, {}, second.view(), pool);
  for (std::size_t n = 0; n < swept.size(); ++n)
    ASSERT_NEAR(swept.data()[n], 0.5 * (first.data()[n] + second.data()[n]), 2e-7);
}

TEST(virtual_scan, rays_of_a_pixel_are_those_of_finer_pixels) {
  const Phantom head = shepp_logan(20, 0.1);
  const CircularScan coarse = scan_of(32, 24);
  CircularScan fine = scan_of(64, 48);
  fine.detector.column_pitch = fine.detector.row_pitch = 0.2;
  ThreadPool pool(1);
  const Array3<float> mean(32, 24, 1), parts(64, 48, 1);
  transmission(lit(head), coarse, 2, {.rays = 2}, mean.view(), pool);
  transmission(lit(head), fine, 2, {}, parts.view(), pool);
  for (int row = 0; row < 24; ++row)
    for (int column = 0; column < 32; ++column) {
      const float sum = parts(2 * column, 2 * row, 0) + parts(2 * column + 1, 2 * row, 0) +
                        parts(2 * column, 2 * row + 1, 0) + parts(2 * column + 1, 2 * row + 1, 0);
      ASSERT_NEAR(mean(column, row, 0), 0.25 * sum, 2e-7);
    }
}

TEST(virtual_scan, image_of_another_size_is_refused) {
  ThreadPool pool(1);
  const Array3<float> image(10, 10, 1);
  EXPECT_THROW(line_integrals(small_sphere({}), scan_of(11, 10), 0, image.view(), pool), Error);
}

}  // namespace
}  // namespace feldspar::simulate
