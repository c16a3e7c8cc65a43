// Rotations and similarities: composition, inverses, and the way to vectors and back at every angle.
#include "geometry/similarity.hpp"

#include <gtest/gtest.h>

#include <numbers>

namespace feldspar::geometry {
namespace {

constexpr double rounding = 1e-12;  // a few dozen operations on numbers of 10 at 2^-53 each

void expect_near(Vec3 a, Vec3 b, double tolerance = rounding) {
  EXPECT_NEAR(a.x, b.x, tolerance);
  EXPECT_NEAR(a.y, b.y, tolerance);
  EXPECT_NEAR(a.z, b.z, tolerance);
}

TEST(Rotation, TurnsCounterClockwiseAboutItsVector) {
  const Rotation quarter = rotation_about({0, 0, std::numbers::pi / 2});

  expect_near(quarter * Vec3{1, 0, 0}, {0, 1, 0});
}

TEST(Rotation, VectorsComeBackAtEveryAngle) {
  for (const double angle : {0.0, 1e-9, 0.3, 1.5, 3.0, std::numbers::pi - 1e-9})
    for (const Vec3 axis : {Vec3{1, 0, 0}, Vec3{0, 1, 0}, Vec3{0, 0, 1}, Vec3{0.6, -0.48, 0.64}}) {
      const Vec3 v = angle * axis;

      expect_near(vector_of(rotation_about(v)), v);
    }
}

TEST(Similarity, InverseTakesPointsBack) {
  const Similarity there{1.02, rotation_about({0.1, -2, 0.7}), {3, -4, 5}};
  const Vec3 p{1, 2, 3};

  expect_near(inverse(there)(there(p)), p);
}

TEST(Similarity, ChainedIsOneAfterTheOther) {
  const Similarity first{1.02, rotation_about({0.1, -2, 0.7}), {3, -4, 5}},
      then{0.9, rotation_about({0, 0.3, 0}), {0, 1, 0}};
  const Vec3 p{1, 2, 3};

  expect_near(chained(first, then)(p), then(first(p)));
}

TEST(UprightParts, MakeTheRotationAgain) {
  for (const Vec3 v :
       {Vec3{}, Vec3{0, 0, 2}, Vec3{0.02, -0.01, 3}, Vec3{2, 1, -1}, Vec3{std::numbers::pi, 0, 0}}) {
    const Rotation r = rotation_about(v);

    const UprightParts parts = upright_parts(r);

    const Rotation again = parts.lean * rotation_about({0, 0, parts.turn});
    for (std::size_t n = 0; n < 3; ++n) expect_near(again[n], r[n], 1e-9);  // near pi, where sines cancel
  }
}

TEST(UprightParts, OfATurnAboutZDoNotLean) {
  const UprightParts parts = upright_parts(rotation_about({0, 0, -2}));

  EXPECT_NEAR(parts.turn, -2, rounding);
  EXPECT_EQ(parts.lean, no_rotation);
}

}  // namespace
}  // namespace feldspar::geometry
