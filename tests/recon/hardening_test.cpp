// Beam hardening and scatter as simulated (simulate/), and what the corrections make of them (recon/).
#include "recon/find/hardening.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "io/described_scan.hpp"
#include "recon/correct/scatter.hpp"
#include "simulate/presets.hpp"
#include "simulate/scatter.hpp"
#include "tests/recon/reconstruct.hpp"
#include "tests/support/resources.hpp"

namespace feldspar {
namespace {

constexpr double radius = 18;

/// A simulated scan in memory, without noise and rounding.
class SimulatedScan final : public io::DescribedScan {
 public:
  SimulatedScan(const simulate::VirtualScan& made, const simulate::Illumination& light, double scatter) {
    scan_ = made.scan;
    const auto& d = scan_.detector;
    const Array3<float> image(d.columns, d.rows, 1);
    ThreadPool pool(2);
    for (int view = 0; view < static_cast<int>(scan_.angles.size()); ++view) {
      simulate::transmission(light, scan_, view, {}, image.view(), pool);
      simulate::add_scatter({.share = scatter}, scan_, image.view(), pool);
      counts_.insert(counts_.end(), image.data(), image.data() + image.size());
    }
    references_.white = {1000};
    for (float& count : counts_) count *= 1000;
  }
  [[nodiscard]] io::CountType count_type() const override { return io::CountType::float32; }
  [[nodiscard]] std::vector<std::filesystem::path> files() const override { return {}; }
  void read(std::span<const int> views, const geometry::PixelWindow& window, void* counts) const override {
    auto* out = static_cast<float*>(counts);
    const auto columns = static_cast<std::size_t>(scan_.detector.columns),
               rows = static_cast<std::size_t>(scan_.detector.rows);
    for (const int view : views)
      for (int row = window.rows.first; row < window.rows.end; ++row) {
        const float* line = counts_.data() +
                            (static_cast<std::size_t>(view) * rows + static_cast<std::size_t>(row)) * columns;
        out = std::copy(line + window.columns.first, line + window.columns.end, out);
      }
  }

 private:
  std::vector<float> counts_;
};

/// The preset "cylinder" (aluminium, 36 mm) on 128 x 48 pixels of 0.8 mm, 180 views.
simulate::VirtualScan cylinder() {
  simulate::VirtualScan made = simulate::preset("cylinder");
  made.scan.detector = {.columns = 128, .rows = 48, .column_pitch = 0.8, .row_pitch = 0.8};
  made.scan.angles = simulate::full_turn(180);
  return made;
}

struct Levels {
  double centre = 0, edge = 0;
  [[nodiscard]] double cupping() const { return (edge - centre) / edge; }
};

/// Mid-plane means within 3 mm of the axis, and from 15 to 16.5 mm: two voxels inside the edge.
Levels levels(const io::ScanSource& source, std::vector<float> polynomial) {
  auto corrections = std::make_shared<recon::Corrections>();
  corrections->spec.columns = source.scan().detector.columns;
  corrections->spec.rows = source.scan().detector.rows;
  corrections->spec.polynomial = std::move(polynomial);
  const recon::FdkSetup setup = recon::prepare_fdk(source.scan());
  const geometry::VolumeGrid grid = geometry::centred_grid(96, 96, 1, 0.4, {});
  const auto backend = kernels::open_backend("cpu", {.threads = 2});
  const recon::FdkOptions options{
      .grid = grid, .ramp = {}, .projector = {}, .corrections = corrections, .memory = testing::plenty};
  const recon::SlabPlan plan =
      plan_slabs(setup, grid, testing::plenty, costs_on(*backend, source, setup, options));
  testing::VolumeInMemory volume(grid.nx, grid.ny, grid.nz);
  Progress progress;
  (void)reconstruct_fdk({source, setup, options}, plan, volume, *backend, progress);
  const double inner = testing::mean_within(volume, grid, {}, 15, 1),
               disc = testing::mean_within(volume, grid, {}, 16.5, 1);
  return {.centre = testing::mean_within(volume, grid, {}, 3, 1),
          .edge = (disc * 16.5 * 16.5 - inner * 15 * 15) / (16.5 * 16.5 - 15 * 15)};
}

recon::HardeningEstimate estimate(const io::ScanSource& source) {
  const geometry::FieldOfView seen = geometry::field_of_view(source.scan());
  const recon::FdkOptions options{.grid = geometry::default_grid(source.scan()),
                                  .ramp = {},
                                  .projector = {.radius = seen.inner_radius, .merging = {}},
                                  .memory = testing::plenty};
  Progress progress;
  return recon::estimate_hardening({source, recon::prepare_fdk(source.scan()), options}, source.scan(),
                                   testing::all_resources(), progress);
}

TEST(hardening, cupping_of_a_cylinder_falls_from_a_tenth_to_less_than_a_fiftieth) {
  simulate::VirtualScan made = cylinder();
  const simulate::Spectrum spectrum = simulate::detected_spectrum({});
  const SimulatedScan scan(made, simulate::put_before({}, made), 0);
  EXPECT_GT(levels(scan, {}).cupping(), 0.10);

  const recon::HardeningEstimate found = estimate(scan);
  ASSERT_FALSE(found.fit.coefficients.empty()) << found.fit.reason;
  std::vector<float> polynomial{0};
  polynomial.insert(polynomial.end(), found.fit.coefficients.begin(), found.fit.coefficients.end());
  const Levels corrected = levels(scan, polynomial);
  EXPECT_LT(std::abs(corrected.cupping()), 0.02);

  // Where P(p(L)) is proportional to L and P(p0) = p0, a voxel reads p0 / L0 with p(L0) = p0. The sampling of
  // FDK is good for 0.5 % (docs/accuracy.md), and the fit for the cupping that is left, up to 1 %.
  double low = 0, high = 2 * radius;
  for (int n = 0; n < 60; ++n) {
    const double middle = 0.5 * (low + high);
    const double p =
        -std::log(simulate::transmission_through(spectrum, made.composition.substances.front(), middle));
    (p < found.reference ? low : high) = middle;
  }
  const double expected = found.reference / low;
  EXPECT_NEAR(corrected.centre / expected, 1, 0.015);
  EXPECT_NEAR(corrected.edge / expected, 1, 0.015);
}

TEST(hardening, beam_of_one_energy_is_left_as_it_is) {
  const simulate::VirtualScan made = cylinder();
  const SimulatedScan scan(made, simulate::monochromatic(made.object), 0);
  const recon::HardeningEstimate found = estimate(scan);
  ASSERT_FALSE(found.fit.coefficients.empty()) << found.fit.reason;
  // FDK's own sampling error, 0.5 %, is all there is to fit.
  for (const double p : {0.3, 0.9, 1.5, 1.8})
    EXPECT_NEAR(recon::polynomial_at(found.fit.coefficients, p) / p, 1, 0.01) << p;
}

TEST(hardening, scatter_is_taken_off_by_the_model_that_made_it) {
  const simulate::VirtualScan made = cylinder();
  const auto light = simulate::monochromatic(made.object);
  const double clean = levels(SimulatedScan(made, light, 0), {}).centre;
  auto scattered = std::make_unique<SimulatedScan>(made, light, 0.3);
  EXPECT_LT(levels(*scattered, {}).centre, 0.97 * clean);

  Progress progress;
  const auto source =
      recon::without_scatter(std::move(scattered), {.kind = recon::ScatterModel::Kind::kernel, .share = 0.3},
                             testing::all_resources(), progress);
  // Both models know the image in blocks of 2 pixels, across whose edges T ln T is not that of the mean.
  EXPECT_NEAR(levels(*source, {}).centre / clean, 1, 0.005);
}

}  // namespace
}  // namespace feldspar
