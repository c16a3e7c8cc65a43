// Scans of a part inside a wider object: the level of attenuation with what is known of the rest.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/error.hpp"
#include "recon/measure/inspection.hpp"
#include "recon/truncation/context_match.hpp"
#include "recon/truncation/extended_filter.hpp"
#include "tests/recon/reconstruct.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/resources.hpp"
#include "tests/support/scans.hpp"

namespace feldspar::recon {
namespace {

using geometry::CircularScan;
using geometry::Vec3;
using testing::Body;
using testing::VirtualScan;
using testing::VolumeInMemory;

constexpr double level = 0.086;       // 1/mm, of the roll
constexpr double off_centre = 5;      // mm from the object's axis to the interior scan's
constexpr double wide_voxel = 0.128;  // mm

/// A can of 18.3 mm with a roll, a hollow core and rods inside and beside the field, its axis at (x, 0).
std::vector<Body> cell(double x) {
  const auto rod = [&](double at_x, double at_y, double radius, double value) {
    return Body{{x + at_x, at_y, 0}, {radius, radius, 200}, 0, value, true};
  };
  return {rod(0, 0, 9.15, 0.44),    rod(0, 0, 8.9, level - 0.44), rod(0, 0, 1.5, -0.06),
          rod(5.3, 0.2, 0.3, 0.05), rod(4.6, -0.5, 0.2, -0.04),   rod(-4, 3, 1, 0.1),
          rod(6.8, 1.2, 0.6, 0.1)};
}

/// SOD 40 mm, magnification 3.4.
CircularScan scan_of(int columns, int rows, double voxel, int views = 240) {
  CircularScan scan = testing::plain_scan(views);
  scan.source_object_distance = 40, scan.source_detector_distance = 136;
  scan.detector.columns = columns, scan.detector.rows = rows;
  scan.detector.column_pitch = scan.detector.row_pitch = 3.4 * voxel;
  return scan;
}
CircularScan interior_scan(int rows = 12) { return scan_of(96, rows, 2.02 / 96); }
VirtualScan interior() { return {interior_scan(), cell(-off_centre)}; }

/// A wide reconstruction of the same object, times `gain`.
struct Wide {
  geometry::VolumeGrid grid = geometry::centred_grid(160, 160, 8, wide_voxel);
  std::vector<float> values;
  [[nodiscard]] WideVolume volume() const {
    return {grid, [this](int y, int ny, int z, int nz) {
              Array3<float> piece(grid.nx, ny, nz);
              for (int k = 0; k < nz; ++k)
                for (int j = 0; j < ny; ++j)
                  std::copy_n(values.data() + ((std::size_t(z) + k) * grid.ny + y + j) * grid.nx, grid.nx,
                              piece.view().row(j, k));
              return piece;
            }};
  }
};
Wide wide_reconstruction(double gain = 1) {
  Wide wide;
  const VirtualScan scan(scan_of(160, 8, wide_voxel), cell(0));
  const FdkSetup setup = prepare_fdk(scan.scan());
  wide.values =
      testing::reconstruct(
          scan, setup, wide.grid,
          {.projector = {.radius = geometry::field_of_view(scan.scan()).inner_radius, .merging = {}}})
          .values;
  for (float& value : wide.values) value = std::isfinite(value) ? value * static_cast<float>(gain) : 0.0f;
  return wide;
}

/// The field, all of it seen by every view.
const geometry::VolumeGrid field = geometry::centred_grid(96, 96, 4, 2.02 / 96);

VolumeInMemory reconstruct(const VirtualScan& source, const FdkSetup& setup,
                           std::shared_ptr<const Extension> extension,
                           const geometry::VolumeGrid& grid = field, std::size_t memory = testing::plenty,
                           int threads = 2) {
  const auto backend = kernels::open_backend("cpu", {.threads = threads, .budget = nullptr});
  const FdkOptions options{
      .grid = grid, .ramp = {}, .projector = {}, .extension = std::move(extension), .memory = memory};
  const SlabPlan plan = plan_slabs(setup, grid, memory, costs_on(*backend, source, setup, options));
  VolumeInMemory volume(grid.nx, grid.ny, grid.nz);
  Progress progress;
  (void)reconstruct_fdk({source, setup, options}, plan, volume, *backend, progress);
  return volume;
}

double true_mean(double radius) {
  double sum = 0;
  int count = 0;
  const std::vector<Body> bodies = cell(-off_centre);
  for (double x = -radius; x <= radius; x += 0.004)
    for (double y = -radius; y <= radius; y += 0.004) {
      if (std::hypot(x, y) > radius) continue;
      ++count;
      for (const Body& b : bodies)
        if (std::hypot(x - b.centre.x, y - b.centre.y) < b.half.x) sum += b.value;
    }
  return sum / count;
}

double error_of_mean(const VolumeInMemory& volume) {
  constexpr double radius = 0.9;
  return testing::mean_within(volume, field, {0, 0, 0}, radius, 1) - true_mean(radius);
}

std::shared_ptr<const Extension> by_context(const VirtualScan& source, const FdkSetup& setup,
                                            const Wide& wide, Vec3 shift) {
  const InteriorScan scan{{shift, 0}, setup.views, setup.rows, wide_voxel};
  auto context = std::make_shared<Context>(wide.volume(), scan, nullptr);
  context->scale(
      match_context(source, source.scan(), setup.view_indices, testing::all_resources(), *context).gain);
  return std::make_shared<Extension>(extend_by_context(setup, std::move(context)));
}

TEST(Interior, TakenForAirBesideTheFieldReadsManyTimesTooHigh) {
  const VirtualScan source = interior();
  EXPECT_GT(error_of_mean(reconstruct(source, prepare_fdk(source.scan()), nullptr)), 0.4);
}

TEST(Interior, KeepsItsLevelWithTheOutline) {
  const VirtualScan source = interior();
  const FdkSetup setup = prepare_fdk(source.scan());
  const auto extension = std::make_shared<Extension>(extend_by_outline(setup, {9.15, -off_centre, 0}));

  EXPECT_NEAR(error_of_mean(reconstruct(source, setup, extension)), 0, 0.02);
}

TEST(Interior, GuessesAnOutlineFromItsEdges) {
  const VirtualScan source = interior();
  const FdkSetup setup = prepare_fdk(source.scan());
  const Inspection seen = inspect(source, setup.view_indices, testing::all_resources());
  const double radius = radius_from_edges(seen.edge_share, 1.01);

  const auto extension = std::make_shared<Extension>(extend_by_outline(setup, {radius, 0, 0}));

  EXPECT_GT(seen.truncated_share, 0.9);
  // Nothing says how far the object reaches, so its level stays uncertain; but it is nearer by far.
  EXPECT_NEAR(error_of_mean(reconstruct(source, setup, extension)), 0, 0.15);
}

struct WideCase {
  const char* name;
  double gain;
  Vec3 misplaced;
  double turn;
};
class WithContext : public ::testing::TestWithParam<WideCase> {};

TEST_P(WithContext, KeepsItsLevel) {
  const VirtualScan source = interior();
  const FdkSetup setup = prepare_fdk(source.scan());
  const Wide wide = wide_reconstruction(GetParam().gain);

  const auto extension = by_context(source, setup, wide, Vec3{off_centre, 0, 0} + GetParam().misplaced);

  EXPECT_NEAR(error_of_mean(reconstruct(source, setup, extension)), 0, 0.001);
}
INSTANTIATE_TEST_SUITE_P(Wide, WithContext,
                         ::testing::Values(WideCase{"true", 1, {}, 0}, WideCase{"brighter", 1.03, {}, 0},
                                           WideCase{"darker", 0.97, {}, 0},
                                           WideCase{"one_voxel_aside", 1, {wide_voxel, 0, 0}, 0},
                                           WideCase{"one_voxel_across", 1.03, {0, -wide_voxel, 0}, 0}),
                         [](const auto& of) { return of.param.name; });

/// Where a context that was said to lie at `given` is put.
ContextPlace placed(const VirtualScan& source, const Placement& given, const Wide& wide) {
  const FdkSetup setup = prepare_fdk(source.scan());
  const Context context(wide.volume(), {given, setup.views, setup.rows, wide_voxel}, nullptr);
  return place_context(source, source.scan(), setup.view_indices, testing::all_resources(), context);
}

// Its true place is (5, 0, 0) mm. The cell is the same at every height, so that the height is not told.
TEST(Interior, PutsAContextWhereTheProjectionsHaveIt) {
  const VirtualScan source = interior();
  const Wide wide = wide_reconstruction(1.02);
  for (const Placement& given :
       {Placement{{off_centre + 0.4, -0.3, 0}, 0}, Placement{{off_centre, 3, 0}, 0}, Placement{{2, 0, 0}, 0},
        Placement{{off_centre - 2, -2, 0}, 0}, Placement{{off_centre, 0, 0}, 0.1}}) {
    const ContextPlace found = placed(source, given, wide);
    EXPECT_TRUE(found.moved) << given.shift.x << ", " << given.shift.y;
    EXPECT_NEAR(found.placement.shift.x, off_centre, 0.3 * wide_voxel);
    EXPECT_NEAR(found.placement.shift.y, 0, 0.3 * wide_voxel);
    EXPECT_NEAR(found.placement.turn, 0, 0.02);
    EXPECT_LT(found.now.mismatch, 0.01);
  }
}

TEST(Interior, LeavesAContextThatLiesRight) {
  const ContextPlace found = placed(interior(), {{off_centre, 0, 0}, 0}, wide_reconstruction());
  EXPECT_FALSE(found.moved);
  EXPECT_EQ(found.placement.shift.x, off_centre);
}

void make_parallel(CircularScan& scan) {
  scan.beam = geometry::Beam::parallel;
  scan.source_object_distance = scan.source_detector_distance = 0;
  scan.detector.column_pitch = scan.detector.row_pitch = 2.02 / 96;
}
void shorten(CircularScan& scan) {
  for (double& angle : scan.angles) angle *= 0.6;
}
void roll(CircularScan& scan) { scan.detector.roll = 0.02; }
void tilt(CircularScan& scan) {
  scan.detector.tilt = 0.02, scan.axis.offset = 0.04, scan.detector.column_offset = 0.2;
}

struct Setting {
  const char* name;
  void (*change)(CircularScan&);
  double limit = 0.001;
};
class OtherScans : public ::testing::TestWithParam<Setting> {};

TEST_P(OtherScans, KeepTheirLevelToo) {
  CircularScan scan = interior_scan();
  GetParam().change(scan);
  const VirtualScan source(scan, cell(-off_centre));
  const FdkSetup setup = prepare_fdk(scan);
  const auto outline = std::make_shared<Extension>(extend_by_outline(setup, {9.15, -off_centre, 0}));

  EXPECT_NEAR(error_of_mean(reconstruct(source, setup, outline)), 0, 0.02);
  const auto context = by_context(source, setup, wide_reconstruction(), {off_centre, 0, 0});
  EXPECT_NEAR(error_of_mean(reconstruct(source, setup, context)), 0, GetParam().limit);
}
// What is added to a short turn is not weighed as Parker would weigh it.
INSTANTIATE_TEST_SUITE_P(Settings, OtherScans,
                         ::testing::Values(Setting{"parallel", make_parallel},
                                           Setting{"short_turn", shorten, 0.01}, Setting{"rolled", roll},
                                           Setting{"tilted_and_off_the_middle", tilt}),
                         [](const auto& of) { return of.param.name; });

// The same interior, seen with an object that was turned on its stage for the wide scan.
TEST(Interior, FindsItsPlaceInATurnedContext) {
  const VirtualScan source(interior_scan(), cell(-off_centre));
  const FdkSetup setup = prepare_fdk(source.scan());
  const Placement placement{.shift = {1, 2, 3}, .turn = 0.5};

  const geometry::View moved = placement.moved(setup.views[3]);

  const Vec3 point{-0.3, 0.7, 0.1};
  const auto before = geometry::project(setup.views[3], point),
             after = geometry::project(moved, placement.turned(point) + placement.shift);
  EXPECT_NEAR(before.column, after.column, 1e-9);
  EXPECT_NEAR(before.row, after.row, 1e-9);
  const Outline there = placement.moved(Outline{2, 0.5, -1}), back = placement.back(there);
  EXPECT_NEAR(back.x, 0.5, 1e-12);
  EXPECT_NEAR(back.y, -1, 1e-12);
}

TEST(Interior, BitsDoNotDependOnSlabsOrThreads) {
  const VirtualScan source(interior_scan(64), cell(-off_centre));
  const FdkSetup setup =
      prepare_fdk(source.scan(), std::vector<int>{0, 20, 40, 60, 80, 100, 120, 140, 160, 180, 200, 220});
  const geometry::VolumeGrid tall = geometry::centred_grid(24, 24, 48, 2.02 / 96);
  Wide wide;
  wide.values = testing::noise(wide.grid.voxels());
  for (float& value : wide.values) value *= 0.12f;  // as high as the roll
  for (const auto& extension : {by_context(source, setup, wide, {off_centre, 0, 0}),
                                std::shared_ptr<const Extension>(std::make_shared<Extension>(
                                    extend_by_outline(setup, {9.15, -off_centre, 0})))}) {
    const auto backend = kernels::open_backend("cpu");
    const FdkOptions options{
        .grid = tall, .ramp = {}, .projector = {}, .extension = extension, .memory = testing::plenty};
    const MemoryCosts costs = costs_on(*backend, source, setup, options);
    std::size_t memory = plan_slabs(setup, tall, testing::plenty, costs).memory;
    while (plan_slabs(setup, tall, memory, costs).slabs.size() < 3)
      memory = plan_slabs(setup, tall, memory, costs).memory - 1;

    const VolumeInMemory whole = reconstruct(source, setup, extension, tall);

    EXPECT_EQ(reconstruct(source, setup, extension, tall, memory).values, whole.values);
    EXPECT_EQ(reconstruct(source, setup, extension, tall, testing::plenty, 1).values, whole.values);
  }
}

TEST(Interior, ContextsAreCoarsenedWithoutLosingAttenuation) {
  const FdkSetup setup = prepare_fdk(interior_scan());
  Wide wide;
  wide.values = testing::noise(wide.grid.voxels());

  const InteriorScan scan{{{off_centre, 0, 0}, 0}, setup.views, setup.rows, 3.1 * wide_voxel};
  const Context context(wide.volume(), scan, nullptr);

  double sum = 0, expected = 0;
  for (const float value : context.voxels().values()) sum += value;
  for (const float value : wide.values) expected += value;
  EXPECT_EQ(context.grid().nx, 54);
  EXPECT_NEAR(context.grid().centre_of(0, 0, 0).x, wide.grid.centre_of(1, 1, 1).x, 1e-9);
  EXPECT_NEAR(27 * sum, expected, 1e-5 * expected);  // every slice is near enough to some ray
}

TEST(Interior, ContextsAreAirOutsideTheirMask) {
  const FdkSetup setup = prepare_fdk(interior_scan());
  Wide wide;
  wide.values.assign(wide.grid.voxels(), 1.0f);

  const InteriorScan scan{
      {{off_centre, 0, 0}, 0}, setup.views, setup.rows, wide_voxel, Outline{3, -off_centre, 0}};
  const Context context(wide.volume(), scan, nullptr);

  const auto& g = context.grid();
  for (int j = 0; j < g.ny; ++j)
    for (int i = 0; i < g.nx; ++i) {
      const Vec3 at = g.centre_of(i, j, 0);
      ASSERT_EQ(context.voxels()(i, j, 1), std::hypot(at.x, at.y) <= 3 ? 1.0f : 0.0f);
    }
  EXPECT_NEAR(context.outline().radius, 3, 2 * wide_voxel);
  EXPECT_NEAR(context.outline().x, -off_centre, 1e-9);
}

/// What making a context of `wide` at `shift` and matching it says.
std::string refusal(const Wide& wide, Vec3 shift) {
  const VirtualScan source = interior();
  const FdkSetup setup = prepare_fdk(source.scan());
  try {
    (void)by_context(source, setup, wide, shift);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::bad_file);
    return feldspar::testing::all_words(error.what(), error.remedies());
  }
  return "";
}

TEST(Interior, RefusesContextsThatCannotBeTheObject) {
  Wide wide;
  wide.values.assign(wide.grid.voxels(), 3.0f);
  EXPECT_NE(refusal(wide, {off_centre, 0, 0}).find("multiplied"), std::string::npos);
  EXPECT_NE(refusal(wide, {off_centre, 0, 40}).find("context-at"), std::string::npos);
  wide.values.assign(wide.grid.voxels(), 0.0f);
  EXPECT_NE(refusal(wide, {off_centre, 0, 0}).find("empty"), std::string::npos);
  wide.values.assign(wide.grid.voxels(), NAN);
  EXPECT_NE(refusal(wide, {off_centre, 0, 0}).find("not finite"), std::string::npos);
}

TEST(Interior, RefusesOutlinesAroundTheSource) {
  const FdkSetup setup = prepare_fdk(interior_scan());
  EXPECT_THROW((void)extend_by_outline(setup, {41, 0, 0}), Error);
  EXPECT_THROW((void)extend_by_outline(setup, {0, 0, 0}), Error);
}

TEST(Outline, HasItsChords) {
  const FdkSetup setup = prepare_fdk(scan_of(97, 13, 0.02));
  const Outline outline{2.5, 0.3, -0.4};
  const VirtualScan truth(scan_of(97, 13, 0.02), {Body{{0.3, -0.4, 0}, {2.5, 2.5, 500}, 0, 1, true}});
  for (const int view : {0, 50, 170})
    for (const double column : {-100.0, -20.0, 48.0, 130.0, 400.0})
      EXPECT_NEAR(chord(outline, setup.views[std::size_t(view)], column, 2),
                  truth.line_integral(view, column, 2), 1e-9)
          << view << ", " << column;
}

TEST(Outline, CastsItsShadowBetweenTheTangents) {
  const FdkSetup setup = prepare_fdk(scan_of(97, 13, 0.02));
  const Outline outline{2.5, 0.3, -0.4};

  const ColumnSpan span = shadow_of(outline, setup.views);

  double inside = 0;
  for (const auto& view : setup.views) {
    EXPECT_EQ(chord(outline, view, span.first, 6), 0);
    EXPECT_EQ(chord(outline, view, span.last, 6), 0);
    inside = std::max(
        inside, std::max(chord(outline, view, span.first + 2, 6), chord(outline, view, span.last - 2, 6)));
  }
  EXPECT_GT(inside, 0);
}

TEST(Outline, RadiusIsFoundFromTheEdges) {
  // A circle of radius 4 seen to 3 from its middle: the chord there over the mean of those up to there.
  double mean = 0;
  for (int n = 0; n < 3000; ++n) mean += std::sqrt(16 - std::pow((n + 0.5) / 1000, 2)) / 3000;
  EXPECT_NEAR(radius_from_edges(std::sqrt(7.0) / mean, 3), 4, 1e-3);
  EXPECT_NEAR(radius_from_edges(1.02, 3), 27, 1e-6);  // no curvature at all: as wide as is allowed
}

}  // namespace
}  // namespace feldspar::recon
