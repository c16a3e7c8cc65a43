// The forward projectors: CPU against reference on every geometry, both against line integrals known in
// closed form, and each against its own adjoint.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <tuple>
#include <vector>

#include "kernels/backend.hpp"
#include "kernels/forward_projector.hpp"
#include "tests/support/comparison.hpp"
#include "tests/support/scans.hpp"

namespace feldspar {
namespace {

using geometry::Range;
using geometry::Vec3;
using testing::Case;

std::vector<Case> all_cases() {
  std::vector<Case> all = testing::named_cases();
  for (Case& c : testing::pixel_centre_cases()) all.push_back(std::move(c));
  for (Case& c : testing::random_cases(20, 11)) all.push_back(std::move(c));
  return all;
}

/// The detector and some columns and rows beside it.
geometry::PixelWindow wide_window(const Case& c) {
  return {{-9, c.scan.detector.columns + 5}, {-3, c.scan.detector.rows + 4}};
}

std::size_t pixels_of(const geometry::PixelWindow& window, std::size_t views) {
  return std::size_t(window.columns.count()) * std::size_t(window.rows.count()) * views;
}

template <class T>
kernels::DeviceView3<T> stack_of(T* data, const geometry::PixelWindow& window, std::size_t views) {
  return {data, window.columns.count(), window.rows.count(), static_cast<int>(views)};
}

std::vector<float> project(kernels::Backend& backend, const Case& c, const std::vector<float>& volume,
                           int height = 1 << 20) {
  const auto views = geometry::make_views(c.scan);
  const auto window = wide_window(c);
  std::vector<float> stack(pixels_of(window, views.size()), 0.0f);
  const auto projector = backend.make_forward_projector();
  for (int first = 0; first < c.grid.nz; first += height) {
    const Range slices{first, std::min(c.grid.nz, first + height)};
    projector->accumulate(
        views, window, stack_of(stack.data(), window, views.size()), c.grid, slices,
        {volume.data() + std::size_t(first) * c.grid.nx * c.grid.ny, c.grid.nx, c.grid.ny, slices.count()});
  }
  return stack;
}

std::vector<float> spread(kernels::Backend& backend, const Case& c, const std::vector<float>& stack,
                          int height = 1 << 20) {
  const auto views = geometry::make_views(c.scan);
  const auto window = wide_window(c);
  std::vector<float> volume(c.grid.voxels(), 0.0f);
  const auto projector = backend.make_forward_projector();
  for (int first = 0; first < c.grid.nz; first += height) {
    const Range slices{first, std::min(c.grid.nz, first + height)};
    projector->accumulate_adjoint(
        views, window, stack_of(stack.data(), window, views.size()), c.grid, slices,
        {volume.data() + std::size_t(first) * c.grid.nx * c.grid.ny, c.grid.nx, c.grid.ny, slices.count()});
  }
  return volume;
}

double dot(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (std::size_t n = 0; n < a.size(); ++n) sum += double(a[n]) * double(b[n]);
  return sum;
}

class Projecting : public ::testing::TestWithParam<Case> {
 protected:
  [[nodiscard]] std::vector<float> volume() const { return testing::noise(GetParam().grid.voxels(), 1); }
  [[nodiscard]] std::vector<float> stack() const {
    return testing::noise(pixels_of(wide_window(GetParam()), GetParam().scan.angles.size()), 2);
  }
  std::unique_ptr<kernels::Backend> cpu_ = kernels::open_backend("cpu", {.threads = 2, .budget = nullptr});
  std::unique_ptr<kernels::Backend> reference_ = kernels::open_backend("reference");
};

// Places within a plane are rounded to 2^-24 of some 500 voxels, on noise whose neighbours differ by as much
// as its values, and the rounding of the samples averages out along a ray.
constexpr double place_rounding = 3e-5;

TEST_P(Projecting, AgreesWithReference) {
  const std::vector<float> expected = project(*reference_, GetParam(), volume());

  const std::vector<float> result = project(*cpu_, GetParam(), volume());

  const auto difference = testing::compare(std::span(result), std::span(expected));
  EXPECT_LT(difference.relative, place_rounding);
  EXPECT_LT(difference.worst, 10 * place_rounding) << "at " << difference.where;
}

TEST_P(Projecting, AdjointAgreesWithReference) {
  const std::vector<float> expected = spread(*reference_, GetParam(), stack());

  const std::vector<float> result = spread(*cpu_, GetParam(), stack());

  const auto difference = testing::compare(std::span(result), std::span(expected));
  EXPECT_LT(difference.relative, place_rounding);
  EXPECT_LT(difference.worst, 10 * place_rounding) << "at " << difference.where;
}

TEST_P(Projecting, IsTheTransposeOfItsAdjoint) {
  for (kernels::Backend* backend : {cpu_.get(), reference_.get()}) {
    const std::vector<float> x = volume(), y = stack();

    const double forward = dot(project(*backend, GetParam(), x), y);
    const double back = dot(x, spread(*backend, GetParam(), y));

    // Both round single values to 2^-24; sums of positive terms cannot do worse than their terms, which
    // add up at most some thousand single-precision values each.
    EXPECT_NEAR(forward, back, 2e-6 * forward) << backend->name();
  }
}

TEST_P(Projecting, AddsUpOverSlabs) {
  const std::vector<float> whole = project(*cpu_, GetParam(), volume());

  const std::vector<float> summed = project(*cpu_, GetParam(), volume(), 5);

  // The same terms in another order.
  EXPECT_LT(testing::compare(std::span(summed), std::span(whole)).worst, 1e-5);
}

TEST_P(Projecting, AdjointDoesNotDependOnSlabsOrThreads) {
  const std::vector<float> whole = spread(*cpu_, GetParam(), stack());
  const auto alone = kernels::open_backend("cpu", {.threads = 1, .budget = nullptr});

  EXPECT_EQ(spread(*cpu_, GetParam(), stack(), 5), whole);
  EXPECT_EQ(spread(*alone, GetParam(), stack()), whole);
}

INSTANTIATE_TEST_SUITE_P(Host, Projecting, ::testing::ValuesIn(all_cases()),
                         [](const auto& of) { return of.param.name; });

/// The ball's chord along the ray through a pixel.
double chord(const geometry::View& view, double column, double row, Vec3 centre, double radius) {
  const Vec3 pixel = geometry::from_pixel(view, column, row).pixel_origin;
  const Vec3 from = view.is_parallel() ? pixel : view.source;
  const Vec3 along = geometry::normalised(view.is_parallel() ? view.direction : pixel - view.source);
  const Vec3 to_centre = centre - from;
  const double foot = geometry::dot(to_centre, along);
  const double square = radius * radius - (geometry::dot(to_centre, to_centre) - foot * foot);
  return square > 0 ? 2 * std::sqrt(square) : 0;
}

/// The share of each voxel inside a ball, by 4 x 4 x 4 points.
std::vector<float> ball(const geometry::VolumeGrid& grid, Vec3 centre, double radius) {
  std::vector<float> values;
  for (int k = 0; k < grid.nz; ++k)
    for (int j = 0; j < grid.ny; ++j)
      for (int i = 0; i < grid.nx; ++i) {
        int inside = 0;
        for (int n = 0; n < 64; ++n) {
          const auto off = [](int part) { return (part + 0.5) / 4 - 0.5; };
          const Vec3 p = grid.centre_of(i + off(n % 4), j + off(n / 4 % 4), k + off(n / 16));
          inside += geometry::norm(p - centre) < radius;
        }
        values.push_back(static_cast<float>(inside / 64.0));
      }
  return values;
}

class Balls : public ::testing::TestWithParam<std::string> {};

TEST_P(Balls, HaveTheirChords) {
  const auto backend = kernels::open_backend(GetParam());
  const Vec3 centre{0.7, -1.1, 0.4};
  const double radius = 4.5, voxel = 0.25;
  for (Case c : testing::named_cases()) {
    if (c.scan.angles.size() < 8) continue;
    c.grid = geometry::centred_grid(48, 50, 46, voxel);
    const auto window = wide_window(c);
    const auto views = geometry::make_views(c.scan);

    const std::vector<float> stack = project(*backend, c, ball(c.grid, centre, radius));

    double difference2 = 0, worst = 0;
    std::size_t n = 0, met = 0;
    for (const geometry::View& view : views)
      for (int row = window.rows.first; row < window.rows.end; ++row)
        for (int column = window.columns.first; column < window.columns.end; ++column) {
          const double expected = chord(view, column, row, centre, radius), error = stack[n++] - expected;
          worst = std::max(worst, std::abs(error));
          if (expected > 0) difference2 += error * error, ++met;
        }
    // The surface is known to a voxel: a grazing ray within half a voxel d of the edge is off by up to its
    // chord there, sqrt(8 R d) = 2.1 mm, any other by a small part of a voxel at either end.
    EXPECT_GT(met, 500U) << c.name;
    EXPECT_LT(worst, std::sqrt(8 * radius * 0.5 * voxel)) << c.name;
    EXPECT_LT(std::sqrt(difference2 / double(met)), 0.5 * voxel) << c.name;
  }
}

TEST_P(Balls, OfUniformSlabsHaveTheSlabsLength) {
  // Interior rays of a uniform block cross all its planes: thickness is planes times spacing, exactly.
  const auto backend = kernels::open_backend(GetParam());
  Case c{"slab", testing::parallel_scan(1), {64, 9, 64, {0.7, 0.5, 0.7}, {-22, -2, -22}}};
  c.scan.angles = {0};
  c.scan.detector.rows = c.scan.detector.columns = 5;

  const std::vector<float> stack = project(*backend, c, std::vector<float>(c.grid.voxels(), 2.0f));

  for (const float value : stack) EXPECT_FLOAT_EQ(value, 2.0f * 9 * 0.5f);
}

TEST_P(Balls, BehindTheSourceCastNoShadow) {
  const auto backend = kernels::open_backend(GetParam());
  Case c{"behind", testing::plain_scan(1), geometry::centred_grid(9, 9, 9, 1, {0, -230, 0})};
  c.scan.angles = {0};

  const std::vector<float> stack = project(*backend, c, std::vector<float>(c.grid.voxels(), 1.0f));

  for (const float value : stack) ASSERT_EQ(value, 0.0f);
}

INSTANTIATE_TEST_SUITE_P(Host, Balls, ::testing::Values("cpu", "reference"));

}  // namespace
}  // namespace feldspar
