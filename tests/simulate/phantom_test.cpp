// Chords of the simple bodies against sums of point values and against school geometry.
#include "simulate/phantom.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <random>

#include "base/error.hpp"
#include "base/memory.hpp"
#include "tests/simulate/numerical_integral.hpp"

namespace feldspar::simulate {
namespace {

using geometry::Vec3;

class Directions {
 public:
  Vec3 operator()(double size) {
    return {size * uniform_(random_), size * uniform_(random_), size * uniform_(random_)};
  }

 private:
  std::mt19937_64 random_{7};
  std::uniform_real_distribution<double> uniform_{-1, 1};
};

void expect_equal_to_sums(const Phantom& phantom, double size, double jump) {
  Directions random;
  constexpr int steps = 200'000;
  for (int n = 0; n < 30; ++n) {
    const Vec3 from = random(size), to = random(size);
    EXPECT_NEAR(phantom.line_integral(from, to), testing::numerical_integral(phantom, from, to, steps),
                testing::numerical_error(norm(to - from), steps,
                                         4 * static_cast<int>(phantom.bodies().size()), jump));
  }
}

TEST(phantom, ellipsoid_at_any_pose_integrates_as_its_points) {
  expect_equal_to_sums({{{.centre = {1, -2, 0.5}, .half_size = {3, 5, 2}, .axes = along({1, 2, -1})}}, {0.3}},
                       8, 0.3);
}

TEST(phantom, cylinder_at_any_pose_integrates_as_its_points) {
  expect_equal_to_sums(
      {{{.shape = Shape::cylinder, .half_size = {3, 4, 5}, .axes = along({-1, 0.5, 2})}}, {0.3}}, 8, 0.3);
}

TEST(phantom, tube_at_any_pose_integrates_as_its_points) {
  expect_equal_to_sums(
      {{{.shape = Shape::cylinder, .half_size = {4, 4, 5}, .axes = along({0, 1, 1}), .hole = 0.7}}, {0.3}}, 8,
      0.3);
}

TEST(phantom, box_at_any_pose_integrates_as_its_points) {
  expect_equal_to_sums({{{.shape = Shape::box, .half_size = {3, 4, 5}, .axes = along({3, 0.5, 2})}}, {0.3}},
                       8, 0.3);
}

TEST(phantom, shepp_logan_integrates_as_its_points) { expect_equal_to_sums(shepp_logan(20, 0.1), 30, 0.1); }

TEST(phantom, ray_through_a_sphere_has_its_chord) {
  const Phantom sphere({{.half_size = {5, 5, 5}}}, {0.2});
  EXPECT_NEAR(sphere.line_integral({-10, 3, 0}, {10, 3, 0}), 0.2 * 8, 1e-14);
}

TEST(phantom, path_that_ends_inside_counts_only_to_its_end) {
  const Phantom sphere({{.half_size = {5, 5, 5}}}, {0.2});
  EXPECT_NEAR(sphere.line_integral({-10, 0, 0}, {0, 0, 0}), 0.2 * 5, 1e-14);
}

TEST(phantom, rays_along_the_faces_normal_are_not_lost) {
  const Phantom box({{.shape = Shape::box, .half_size = {1, 2, 3}}}, {1});
  EXPECT_DOUBLE_EQ(box.line_integral({0, 0, -9}, {0, 0, 9}), 6);
  EXPECT_DOUBLE_EQ(box.line_integral({1.1, 0, -9}, {1.1, 0, 9}), 0);
}

TEST(phantom, overlapping_bodies_add_up) {
  const Phantom both({{.half_size = {5, 5, 5}}, {.half_size = {2, 2, 2}, .material = 1, .share = -0.5}},
                     {0.2, 0.4});
  EXPECT_DOUBLE_EQ(both.attenuation_at({0, 0, 1}), 0);
  EXPECT_NEAR(both.line_integral({-9, 0, 0}, {9, 0, 0}), 0.2 * 10 - 0.5 * 0.4 * 4, 1e-14);
}

TEST(phantom, attenuation_of_one_for_one_material_gives_its_path_length) {
  const std::vector<Body> bodies{{.half_size = {5, 5, 5}}, {.half_size = {2, 2, 2}, .material = 1}};
  const Vec3 from{-9, 0.3, 0.1}, to{9, -0.2, 0.4};
  const double whole = Phantom(bodies, {0.2, 0.4}).line_integral(from, to);
  const double first = Phantom(bodies, {1, 0}).line_integral(from, to);
  const double second = Phantom(bodies, {0, 1}).line_integral(from, to);
  EXPECT_NEAR(whole, 0.2 * first + 0.4 * second, 1e-14);
}

TEST(phantom, shepp_logan_has_the_usual_skull_and_brain) {
  const Phantom head = shepp_logan(20, 1);
  EXPECT_NEAR(head.attenuation_at({0, 0.9 * 20, 0}), 1.0, 1e-12);
  EXPECT_NEAR(head.attenuation_at({0, -0.3 * 20, 0}), 0.2, 1e-12);
  EXPECT_NEAR(head.attenuation_at({0.22 * 20, 0, 0}), 0.0, 1e-12);
  EXPECT_EQ(head.attenuation_at({19, 19, 19}), 0);
}

TEST(phantom, markers_stand_where_they_are_said_to_and_not_where_mirrors_put_them) {
  const Phantom phantom = markers(20, 0.1);
  EXPECT_NEAR(phantom.attenuation_at({14, 0, 12}), 0.1, 1e-12);
  EXPECT_NEAR(phantom.attenuation_at({0, 10, 4}), 0.1, 1e-12);
  EXPECT_NEAR(phantom.attenuation_at({-14, 0, 12}), 0.01, 1e-12);
  EXPECT_NEAR(phantom.attenuation_at({14, 0, -12}), 0.01, 1e-12);
  EXPECT_NEAR(phantom.attenuation_at({0, -10, 4}), 0.01, 1e-12);
}

TEST(phantom, voxel_means_hold_the_volume_of_a_sphere) {
  const Phantom sphere({{.half_size = {5, 5, 5}}}, {1});
  const geometry::VolumeGrid grid{24, 24, 24, {0.5, 0.5, 0.5}, {-5.75, -5.75, -5.75}};
  const Array3<float> means(24, 24, 24);
  ThreadPool pool(2);
  voxel_means(sphere, grid, 8, means.view(), pool);
  double sum = 0;
  for (const float mean : means.view().values()) sum += mean;
  // The lines sample the disc of the sphere's height function at a 128th of its diameter: the midpoint rule
  // on a function that vanishes as a square root errs by less than the square of that.
  EXPECT_NEAR(sum * 0.125, 4.0 / 3 * std::numbers::pi * 125, 523.6 / (160 * 160));
  EXPECT_FLOAT_EQ(means(12, 12, 12), 1);
}

TEST(phantom, voxel_mean_at_an_upright_face_is_the_share_inside) {
  const Phantom box({{.shape = Shape::box, .centre = {-4.7, 0, 0}, .half_size = {5, 9, 9}}},
                    {1});  // up to x = 0.3
  const Array3<float> mean(1, 1, 1);
  ThreadPool pool(1);
  voxel_means(box, {1, 1, 1, {1, 1, 1}, {0.5, 0.5, 0.5}}, 4, mean.view(), pool);
  EXPECT_NEAR(mean(0, 0, 0), 0.3, 0.5 / 4);  // half the distance of the lines
}

TEST(phantom, impossible_bodies_are_refused) {
  EXPECT_THROW(Phantom({{.half_size = {0, 1, 1}}}, {1}), Error);
  EXPECT_THROW(Phantom({{.shape = Shape::cylinder, .hole = 1}}, {1}), Error);
  EXPECT_THROW(Phantom({{.material = 1}}, {1}), Error);
}

}  // namespace
}  // namespace feldspar::simulate
