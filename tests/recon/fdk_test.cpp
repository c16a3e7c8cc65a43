// FDK against the truth: attenuation in 1/mm of bodies whose line integrals are exact, through every kind
// of geometry, in pieces and whole.
#include "recon/fdk/fdk.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <mutex>
#include <numbers>

#include "base/error.hpp"
#include "tests/recon/reconstruct.hpp"
#include "tests/support/comparison.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/scans.hpp"
#include "tests/support/virtual_scan.hpp"

namespace feldspar::recon {
namespace {

using geometry::CircularScan;
using testing::Body;
using testing::mean_within;
using testing::plenty;
using testing::reconstruct;
using testing::VirtualScan;
using testing::VolumeInMemory;

/// 96 x 80 pixels of 1 mm at magnification 2.5: half a cone angle of 4.6 degrees, voxels of 0.4 mm.
CircularScan small_scan(int views = 180, double sweep = 2 * std::numbers::pi) {
  CircularScan scan = testing::plain_scan(views, sweep);
  scan.detector.columns = 96;
  scan.detector.rows = 80;
  return scan;
}

struct Placed {
  const char* name;
  geometry::Vec3 centre;
};
class UniformCylinder : public ::testing::TestWithParam<Placed> {};

// A cylinder much longer than the detector is high: mu in the mid-plane is exact for FDK but for sampling,
// and FDK keeps a z-independent object at any cone angle (Feldkamp et al. 1984), so 0.5 % and 1 % are room
// for sampling at this coarse 96 pixels.
TEST_P(UniformCylinder, ReadsItsAttenuation) {
  constexpr double mu = 0.05;
  const geometry::Vec3 centre = GetParam().centre;
  const VirtualScan source(small_scan(360), {Body{centre, {9, 9, 200}, 0, mu, true}});
  const geometry::VolumeGrid grid = geometry::default_grid(source.scan());

  const VolumeInMemory volume = reconstruct(source, grid);

  const double half_cone = 200 * 0.5 * 40.0 / 500;  // z at the axis of half the cone angle
  EXPECT_NEAR(mean_within(volume, grid, centre, 7, 1), mu, 0.005 * mu);
  for (const double z : {-half_cone, half_cone})
    EXPECT_NEAR(mean_within(volume, grid, {centre.x, centre.y, z}, 7, 0.5), mu, 0.01 * mu) << "z " << z;
  EXPECT_NEAR(mean_within(volume, grid, {-centre.x - 13, -centre.y, 0}, 2, 1), 0, 0.01 * mu) << "air";
}
INSTANTIATE_TEST_SUITE_P(Places, UniformCylinder,
                         ::testing::Values(Placed{"centred", {0, 0, 0}}, Placed{"off_centre", {6, -4, 0}}),
                         [](const auto& of) { return of.param.name; });

/// Bodies without symmetry, all of them inside what every geometry below sees.
std::vector<Body> asymmetric() {
  return {{{1, -2, 0.5}, {11, 8, 7}, 0.4, 0.04, false},
          {{5, 2, 3}, {2.5, 2, 2}, 0, 0.06, false},
          {{-4, -3, -3}, {2, 3, 2}, 0.7, -0.02, false},
          {{-2, 4, 2}, {1.5, 1.5, 3}, 0, 0.05, false}};
}

struct Variation {
  const char* name;
  void (*change)(CircularScan&);
};
class Invariance : public ::testing::TestWithParam<Variation> {};

// Every geometry sees the same object, so must give the straight scan's volume. What differs is sampling:
// the bodies' edges are sharp and fall between other pixels, which a Hann window to half of Nyquist leaves
// at 1 to 4 % in norm (a short scan, whose cone rays are not quite redundant, at the most). The same data
// reconstructed as if they were straight differ by 8 % and more, which the second test holds against it.
constexpr double sampling = 0.04;
constexpr double visible = 0.08;
constexpr kernels::RampOptions smooth{.window = kernels::RampWindow::hann, .cutoff = 0.5};
const geometry::VolumeGrid common_grid = geometry::centred_grid(66, 62, 46, 0.4);

const VolumeInMemory& straight_volume() {
  static const VolumeInMemory volume =
      reconstruct(VirtualScan(small_scan(), asymmetric()), common_grid, {.ramp = smooth});
  return volume;
}

double difference_from_straight(const VirtualScan& source) {
  const VolumeInMemory volume = reconstruct(source, common_grid, {.ramp = smooth});
  return testing::compare(std::span(volume.values), std::span(straight_volume().values)).relative;
}

TEST_P(Invariance, GivesTheStraightVolume) {
  CircularScan varied = small_scan();
  GetParam().change(varied);

  EXPECT_LT(difference_from_straight(VirtualScan(varied, asymmetric())), sampling);
}

TEST_P(Invariance, ShowsWhenItIsIgnored) {
  CircularScan varied = small_scan();
  GetParam().change(varied);
  VirtualScan source(varied, asymmetric());
  CircularScan ignorant = small_scan(static_cast<int>(varied.angles.size()));
  source.claim(ignorant);

  EXPECT_GT(difference_from_straight(source), visible);
}

INSTANTIATE_TEST_SUITE_P(
    Geometries, Invariance,
    ::testing::Values(
        Variation{"detector_offset",
                  [](CircularScan& s) { s.detector.column_offset = 3.3, s.detector.row_offset = -2.2; }},
        Variation{"axis_offset", [](CircularScan& s) { s.axis.offset = 1.37; }},
        Variation{"detector_roll", [](CircularScan& s) { s.detector.roll = 0.15; }},
        Variation{"detector_tilt", [](CircularScan& s) { s.detector.tilt = 0.35; }},
        Variation{"detector_slant", [](CircularScan& s) { s.detector.slant = -0.35; }},
        Variation{"axis_roll_and_tilt",
                  [](CircularScan& s) { s.axis = {.offset = -0.6, .roll = -0.1, .tilt = 0.05}; }},
        Variation{"everything_leans",
                  [](CircularScan& s) {
                    s.detector.roll = -0.1, s.detector.tilt = 0.2, s.detector.slant = 0.2,
                    s.detector.column_offset = 2;
                    s.axis = {.offset = 0.9, .roll = -0.05, .tilt = -0.1};
                  }},
        Variation{"reversed_rotation",
                  [](CircularScan& s) {
                    for (double& a : s.angles) a = -a;
                  }},
        Variation{"other_start",
                  [](CircularScan& s) {
                    for (double& a : s.angles) a += 1.234;
                  }},
        Variation{"shifted_views",
                  [](CircularScan& s) {
                    for (std::size_t n = 0; n < s.angles.size(); ++n)
                      s.shifts.push_back({2.5 * std::sin(0.7 * double(n)), 1.5 * std::cos(1.3 * double(n))});
                  }},
        Variation{"unequal_steps",
                  [](CircularScan& s) {
                    for (double& a : s.angles) a += 0.3 * std::sin(a);
                  }},
        Variation{"repeated_views",
                  [](CircularScan& s) {
                    for (int n = 0; n < 40; ++n)
                      s.angles.push_back(s.angles[std::size_t(n)] + 2 * std::numbers::pi);
                  }},
        Variation{"another_detector_distance",
                  [](CircularScan& s) {
                    s.source_detector_distance = 620, s.detector.column_pitch = 1.3,
                    s.detector.row_pitch = 1.1;
                  }},
        Variation{"short_scan", [](CircularScan& s) { s = small_scan(240, 240 * std::numbers::pi / 180); }},
        Variation{"short_scan_reversed",
                  [](CircularScan& s) { s = small_scan(240, -240 * std::numbers::pi / 180); }}),
    [](const auto& of) { return of.param.name; });

TEST(Fdk, CpuAgreesWithReferenceEndToEnd) {
  CircularScan scan = small_scan(30);
  scan.detector.columns = 41, scan.detector.rows = 37;
  scan.detector.roll = 0.02;
  const VirtualScan source(scan, asymmetric(), 50000);
  const geometry::VolumeGrid grid = geometry::centred_grid(23, 21, 19, 0.5);

  const VolumeInMemory expected = reconstruct(source, grid, {.device = "reference"}),
                       result = reconstruct(source, grid);

  // Rounding of each stage to single precision, as in the operators' own tests.
  EXPECT_LT(testing::compare(std::span(result.values), std::span(expected.values)).relative, 1e-5);
}

TEST(Fdk, BitsDoNotDependOnTheBudget) {
  CircularScan scan = small_scan(50);
  scan.detector.roll = 0.01;
  const VirtualScan source(scan, asymmetric());
  const geometry::VolumeGrid grid = geometry::centred_grid(96, 96, 80, 0.4);
  const FdkSetup setup = prepare_fdk(source.scan());
  const auto backend = kernels::open_backend("cpu");
  const FdkOptions options{.grid = grid, .ramp = {}, .projector = {}, .memory = plenty};
  const MemoryCosts costs = costs_on(*backend, source, setup, options);
  const std::size_t most = plan_slabs(setup, grid, plenty, costs).memory;

  const VolumeInMemory whole = reconstruct(source, grid);

  for (const double share : {0.8, 0.6, 0.4}) {
    const std::size_t memory =
        costs.fixed + static_cast<std::size_t>(share * static_cast<double>(most - costs.fixed));
    const SlabPlan plan = plan_slabs(setup, grid, memory, costs);
    EXPECT_LE(plan.memory, memory);
    EXPECT_TRUE(plan.slabs.size() > 1 || plan.views_per_batch < 50);
    EXPECT_EQ(reconstruct(source, grid, {.memory = memory}).values, whole.values) << share;
  }
}

/// A scan dense enough to merge four views, of a ball at each of three heights: in the mid-plane, at half the
/// cone angle and near all of it.
struct DenseScan {
  static constexpr int views = 400;
  VirtualScan scan{small_scan(views),
                   {{{4.1, -3.2, 0}, {5, 4, 4}, 0.3, 0.05},
                    {{-3.3, 5.4, 7.3}, {3, 4, 3}, 0, 0.04},
                    {{2.2, 1.7, -12.4}, {4, 3, 2}, 1.1, 0.06}}};
  geometry::VolumeGrid grid = geometry::centred_grid(88, 88, 76, 0.4);
  kernels::BackProjectorSpec merged{
      .radius = 17, .merging = kernels::merging_of(4, geometry::make_views(scan.scan()), grid, 17)};

  [[nodiscard]] float truth(geometry::Vec3 at) const {
    constexpr int samples = 3;
    double sum = 0;
    for (int n = 0; n < samples * samples * samples; ++n) {
      const auto within = [&](int place) { return 0.4 * ((place % samples + 0.5) / samples - 0.5); };
      const geometry::Vec3 p = at + geometry::Vec3{within(n), within(n / 3), within(n / 9)};
      for (const Body& body : scan.bodies()) {
        const double c = std::cos(body.turn), t = std::sin(body.turn);
        const geometry::Vec3 d = p - body.centre;
        if (std::pow((c * d.x + t * d.y) / body.half.x, 2) + std::pow((-t * d.x + c * d.y) / body.half.y, 2) +
                std::pow(d.z / body.half.z, 2) <
            1)
          sum += body.value;
      }
    }
    return static_cast<float>(sum / (samples * samples * samples));
  }

  /// Root mean square error within the field of view of slices whose |z| lies in [low, high) mm.
  [[nodiscard]] double error(const VolumeInMemory& volume, double low, double high) const {
    double sum = 0;
    int count = 0;
    for (int k = 0; k < grid.nz; ++k)
      for (int j = 0; j < grid.ny; ++j)
        for (int i = 0; i < grid.nx; ++i) {
          const geometry::Vec3 at = grid.centre_of(i, j, k);
          if (std::hypot(at.x, at.y) > 16 || std::abs(at.z) < low || std::abs(at.z) >= high) continue;
          sum += std::pow(volume.at(i, j, k) - truth(at), 2), ++count;
        }
    return std::sqrt(sum / count);
  }
};

// Sharp balls blur in any reconstruction; merging must not add to it, at any cone angle. Two per cent of the
// error is what the two interpolations may differ by either way.
TEST(Fdk, MergedViewsAreAsNearTheTruthAsTheViewsThemselves) {
  const DenseScan dense;
  const FdkSetup setup = prepare_fdk(dense.scan.scan());

  const VolumeInMemory direct = reconstruct(dense.scan, setup, dense.grid);
  const VolumeInMemory merged = reconstruct(dense.scan, setup, dense.grid, {.projector = dense.merged});

  EXPECT_LT(dense.error(merged, 0, 3), 1.02 * dense.error(direct, 0, 3));
  EXPECT_LT(dense.error(merged, 5, 9), 1.02 * dense.error(direct, 5, 9));
  EXPECT_LT(dense.error(merged, 10, 15), 1.02 * dense.error(direct, 10, 15));
  EXPECT_NE(merged.values, direct.values);
}

TEST(Fdk, BitsOfMergedViewsDoNotDependOnTheBudget) {
  const DenseScan dense;
  const FdkSetup setup = prepare_fdk(dense.scan.scan());
  const VolumeInMemory whole = reconstruct(dense.scan, setup, dense.grid, {.projector = dense.merged});

  const VolumeInMemory pieces = reconstruct(dense.scan, setup, dense.grid,
                                            {.memory = std::size_t{128} << 20, .projector = dense.merged});

  EXPECT_EQ(pieces.values, whole.values);
}

TEST(Fdk, VoxelsBeyondTheRadiusAreZeroAndTheOthersTheSame) {
  const DenseScan dense;
  const FdkSetup setup = prepare_fdk(dense.scan.scan());
  const VolumeInMemory all = reconstruct(dense.scan, setup, dense.grid);

  const VolumeInMemory round =
      reconstruct(dense.scan, setup, dense.grid, {.projector = {.radius = 9.1, .merging = {}}});

  for (int k = 0; k < dense.grid.nz; k += 5)
    for (int j = 0; j < dense.grid.ny; ++j)
      for (int i = 0; i < dense.grid.nx; ++i) {
        const geometry::Vec3 at = dense.grid.centre_of(i, j, k);
        ASSERT_EQ(round.at(i, j, k), std::hypot(at.x, at.y) <= 9.1 ? all.at(i, j, k) : 0.0f) << i << ' ' << j;
      }
}

TEST(Fdk, TooSmallABudgetSaysWhatIsNeeded) {
  const VirtualScan source(small_scan(50), asymmetric());
  try {
    (void)reconstruct(source, geometry::centred_grid(96, 96, 80, 0.4), {.memory = 1 << 20});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::out_of_memory);
    EXPECT_NE(std::string(error.what()).find("at least"), std::string::npos) << error.what();
    ASSERT_FALSE(error.remedies().empty());
    EXPECT_EQ(error.remedies().front().option.name(), "memory");
  }
}

TEST(Fdk, TooShortAScanIsRefused) {
  try {
    (void)prepare_fdk(small_scan(170, 170 * std::numbers::pi / 180));
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::bad_file);
    EXPECT_NE(std::string(error.what()).find("missing"), std::string::npos) << error.what();
  }
}

TEST(Fdk, AFullTurnWithAWideHoleIsRefused) {
  CircularScan scan = small_scan(100);
  scan.angles.erase(scan.angles.begin() + 40, scan.angles.begin() + 60);
  try {
    (void)prepare_fdk(scan);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::bad_file);
    EXPECT_NE(std::string(error.what()).find("without a view"), std::string::npos) << error.what();
  }
}

TEST(Fdk, FailureOfTheSinkReachesTheCaller) {
  struct FullDisk final : io::VolumeSink {
    void write(int, View3<const float>) override { throw Error(ErrorKind::io, "disk full"); }
  } sink;
  const VirtualScan source(small_scan(20), asymmetric());
  const auto backend = kernels::open_backend("cpu");
  const FdkSetup setup = prepare_fdk(source.scan());
  const FdkOptions options{
      .grid = geometry::centred_grid(20, 20, 40, 0.4), .ramp = {}, .projector = {}, .memory = plenty};
  SlabPlan plan = plan_slabs(setup, options.grid, plenty, costs_on(*backend, source, setup, options));
  plan.slabs = {make_slab(setup, options.grid, {0, 16}), make_slab(setup, options.grid, {16, 32}),
                make_slab(setup, options.grid, {32, 40})};
  Progress progress;

  EXPECT_THROW((void)reconstruct_fdk({source, setup, options}, plan, sink, *backend, progress), Error);
}

/// Lets as many threads as are expected meet in its first reads, and cannot read one view if told so.
class MeetingPlace final : public io::WrappedSource {
 public:
  MeetingPlace(const io::ScanSource& inner, int expected, int broken = -1)
      : WrappedSource(inner), expected_(expected), broken_(broken) {}
  void read(std::span<const int> views, const geometry::PixelWindow& window, void* counts) const override {
    {
      std::unique_lock lock(mutex_);
      ++inside_, most_ = std::max(most_, inside_);
      changed_.notify_all();
      changed_.wait_for(lock, std::chrono::seconds(20), [&] { return most_ >= expected_; });
    }
    if (std::find(views.begin(), views.end(), broken_) != views.end())
      throw Error(ErrorKind::bad_file, "view_7.tif: is truncated");
    WrappedSource::read(views, window, counts);
    const std::scoped_lock lock(mutex_);
    --inside_;
  }
  [[nodiscard]] int most() const { return most_; }

 private:
  int expected_, broken_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  mutable int inside_ = 0, most_ = 0;
};

class Readers : public ::testing::TestWithParam<int> {};

TEST_P(Readers, ReadPartsOfABatchAtOneTimeAndChangeNoBit) {
  const VirtualScan scan(small_scan(23), asymmetric());
  const MeetingPlace source(scan, GetParam());
  const geometry::VolumeGrid grid = geometry::centred_grid(20, 24, 28, 0.9);

  const VolumeInMemory volume = reconstruct(source, grid, {.readers = GetParam()});

  EXPECT_EQ(volume.values, reconstruct(scan, grid).values);
  EXPECT_EQ(source.most(), GetParam());
}

TEST_P(Readers, TellTheFailureOfAnyOfThem) {
  const VirtualScan scan(small_scan(23), asymmetric());
  for (const int broken : {0, 7, 22}) {
    const MeetingPlace source(scan, 1, broken);
    testing::expect_error(ErrorKind::bad_file, {"view_7.tif"}, [&] {
      (void)reconstruct(source, geometry::centred_grid(20, 24, 28, 0.9), {.readers = GetParam()});
    });
  }
}
INSTANTIATE_TEST_SUITE_P(Threads, Readers, ::testing::Values(1, 2, 5));

TEST(Fdk, CancellingStopsTheRun) {
  const VirtualScan source(small_scan(200), asymmetric());
  const auto backend = kernels::open_backend("cpu");
  const FdkSetup setup = prepare_fdk(source.scan());
  const FdkOptions options{
      .grid = geometry::centred_grid(20, 20, 20, 0.4), .ramp = {}, .projector = {}, .memory = plenty};
  const SlabPlan plan = plan_slabs(setup, options.grid, plenty, costs_on(*backend, source, setup, options));
  VolumeInMemory sink(20, 20, 20);
  double last = 0;
  Progress progress([&](double fraction, std::string_view) { return (last = fraction) < 0.5; });

  try {
    (void)reconstruct_fdk({source, setup, options}, plan, sink, *backend, progress);
    FAIL() << "not cancelled";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::cancelled);
  }
  EXPECT_LT(last, 1);
}

/// Bars and balls two to four voxels wide inside an ellipsoid.
std::vector<Body> fine_bodies() {
  std::vector<Body> bodies{{{0, 0, 0}, {14, 12, 11}, 0.2, 0.05}};
  for (int n = 0; n < 18; ++n) {
    const double angle = 2.4 * n, radius = 2 + 0.5 * n, half = 0.4 + 0.05 * (n % 5);
    bodies.push_back({{radius * std::cos(angle), radius * std::sin(angle), 0.7 * (n % 9) - 2.8},
                      {half, 2 * half, half},
                      angle,
                      n % 2 == 0 ? 0.06 : -0.03});
  }
  return bodies;
}

/// The rms by which the volume of a scan of them misses them, away from the volume's ends.
double rms_of_fine(double roll, int columns) {
  CircularScan scan = small_scan(240);
  scan.detector.columns = columns, scan.axis.roll = roll;
  const geometry::VolumeGrid grid = geometry::centred_grid(80, 80, 40, 0.4);
  const std::vector<Body> bodies = fine_bodies();
  const VolumeInMemory volume = reconstruct(VirtualScan(scan, bodies), grid);
  double squares = 0;
  for (int k = 0; k < grid.nz; ++k)
    for (int j = 0; j < grid.ny; ++j)
      for (int i = 0; i < grid.nx; ++i) {
        double truth = 0;
        for (const Body& body : bodies) {
          const geometry::Vec3 r = grid.centre_of(i, j, k) - body.centre;
          const double c = std::cos(body.turn), s = std::sin(body.turn);
          if (std::hypot((c * r.x + s * r.y) / body.half.x, (c * r.y - s * r.x) / body.half.y,
                         r.z / body.half.z) < 1)
            truth += body.value;
        }
        squares += std::pow(volume.at(i, j, k) - truth, 2);
      }
  return std::sqrt(squares / static_cast<double>(grid.voxels()));
}

// Resampled half-way between real pixels, with their own pitch, a degree cost 29 % of detectors of even
// counts.
TEST(Fdk, RolledScansLoseNoDetail) {
  constexpr double degree = std::numbers::pi / 180;
  for (const int columns : {96, 97}) {
    const double straight = rms_of_fine(0, columns);
    for (const double roll : {0.1, 1.0, 8.0})
      EXPECT_LT(rms_of_fine(roll * degree, columns), 1.05 * straight) << roll << " degrees, " << columns;
  }
}

}  // namespace
}  // namespace feldspar::recon
