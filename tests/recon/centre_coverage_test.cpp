// Whether the errors that come with an axis are meant: 200 simulated scans of beads, of windings and of a
// block, each with its own offset, roll and noise. Prints a table.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <numbers>
#include <random>

#include "base/parallel.hpp"
#include "io/described_scan.hpp"
#include "recon/find/centre.hpp"
#include "simulate/phantom.hpp"
#include "simulate/virtual_scan.hpp"
#include "tests/support/resources.hpp"

namespace feldspar::recon {
namespace {

using simulate::Body;
using simulate::Shape;

constexpr double degree = std::numbers::pi / 180, pixel = 0.4;

/// A scan in memory that claims an upright axis in the middle.
class PhantomScan final : public io::DescribedScan {
 public:
  PhantomScan(const geometry::CircularScan& truth, const simulate::Object& object, double photons,
              unsigned seed)
      : counts_(truth.detector.columns, truth.detector.rows, static_cast<int>(truth.angles.size())) {
    scan_ = truth;
    scan_.axis = {};
    references_.white = {static_cast<float>(photons)};
    geometry::CircularScan fine = truth;
    fine.detector.columns *= finer, fine.detector.column_pitch /= finer;
    fine.detector.rows *= finer, fine.detector.row_pitch /= finer;
    const Array3<float> rays(fine.detector.columns, fine.detector.rows, 1);
    ThreadPool pool(2);
    std::mt19937 random(seed);
    std::normal_distribution<double> normal;
    for (int view = 0; view < static_cast<int>(truth.angles.size()); ++view) {
      if (truth.beam == geometry::Beam::cone)
        simulate::line_integrals(object, fine, view, rays.view(), pool);
      else
        along_the_beam(object, geometry::make_views(fine)[static_cast<std::size_t>(view)], rays.view());
      for (int row = 0; row < truth.detector.rows; ++row)
        for (int column = 0; column < truth.detector.columns; ++column) {
          double share = 0;
          for (int n = 0; n < finer * finer; ++n)
            share += std::exp(-double{rays(column * finer + n % finer, row * finer + n / finer, 0)}) /
                     (finer * finer);
          counts_(column, row, view) = static_cast<float>(
              std::max(1.0, photons * share + std::sqrt(photons * share) * normal(random)));
        }
    }
  }
  [[nodiscard]] io::CountType count_type() const override { return io::CountType::float32; }
  [[nodiscard]] std::vector<std::filesystem::path> files() const override { return {}; }
  void read(std::span<const int> views, const geometry::PixelWindow& window, void* counts) const override {
    auto* out = static_cast<float*>(counts);
    for (const int view : views)
      for (int row = window.rows.first; row < window.rows.end; ++row)
        out = std::copy_n(counts_.view().row(row, view) + window.columns.first, window.columns.count(), out);
  }

 private:
  static constexpr int finer = 2;  ///< rays a pixel along each side, or fine things alias

  static void along_the_beam(const simulate::Object& object, const geometry::View& view, View3<float> image) {
    for (int row = 0; row < image.ny; ++row)
      for (int column = 0; column < image.nx; ++column) {
        const geometry::Vec3 at = from_pixel(view, column, row).pixel_origin;
        image(column, row, 0) = static_cast<float>(
            object.line_integral(at - 500.0 * view.direction, at + 500.0 * view.direction));
      }
  }

  Array3<float> counts_;
};

struct Campaign {
  std::mt19937 random{7};
  double between(double low, double high) { return std::uniform_real_distribution(low, high)(random); }

  simulate::Phantom beads() {
    std::vector<Body> bodies{{.shape = Shape::cylinder, .half_size = {13, 13, 14}, .share = 0.2}};
    for (int n = 0; n < 24; ++n) {
      const double r = 11 * std::sqrt(between(0, 1)), angle = between(0, 6.28), size = between(0.6, 2);
      bodies.push_back({.centre = {r * std::cos(angle), r * std::sin(angle), between(-12, 12)},
                        .half_size = {size, size, size}});
    }
    return {bodies, {0.05}};
  }
  simulate::Phantom windings() {  // every tube a little aside of the last one
    std::vector<Body> bodies;
    for (int n = 0; n < 8; ++n)
      bodies.push_back({.shape = Shape::cylinder,
                        .centre = {0.15 * n, -0.1 * n, 1},
                        .half_size = {12 - 1.4 * n, 12 - 1.4 * n, 12},
                        .hole = 1 - 0.6 / (12 - 1.4 * n)});
    bodies.push_back({.shape = Shape::box, .centre = {4, 9.5, 3}, .half_size = {1.2, 0.3, 9}, .share = 2});
    return {bodies, {0.08}};
  }
  simulate::Phantom block() {
    std::vector<Body> bodies{{.shape = Shape::box,
                              .centre = {1, -1, 0},
                              .half_size = {8, 5, 10},
                              .axes = simulate::along({between(-0.3, 0.3), between(-0.3, 0.3), 1})}};
    for (int n = 0; n < 4; ++n)
      bodies.push_back({.centre = {between(-5, 5), between(-3, 3), between(-7, 7)},
                        .half_size = {1.2, 1.2, 1.2},
                        .share = -1});
    return {bodies, {0.04}};
  }
};

geometry::CircularScan cone(int views, double sweep) {
  geometry::CircularScan scan;
  scan.source_object_distance = 200, scan.source_detector_distance = 500;
  scan.detector = {.columns = 128, .rows = 96, .column_pitch = 1, .row_pitch = 1};
  for (int n = 0; n < views; ++n) scan.angles.push_back(0.1 + sweep * n / views);
  return scan;
}

geometry::CircularScan parallel(int views, double sweep) {
  geometry::CircularScan scan = cone(views, sweep);
  scan.beam = geometry::Beam::parallel;
  scan.source_object_distance = scan.source_detector_distance = 0;
  scan.detector.column_pitch = scan.detector.row_pitch = pixel;
  return scan;
}

struct Kind {
  const char* name;
  geometry::CircularScan scan;
  double largest_offset;  ///< columns
};

std::vector<Kind> kinds() {
  std::vector<Kind> all{{"full turn", cone(180, 2 * std::numbers::pi), 20},
                        {"210 degrees", cone(120, 210 * degree), 20},
                        {"displaced", cone(180, 2 * std::numbers::pi), 3},
                        {"parallel, full turn", parallel(180, 2 * std::numbers::pi), 20},
                        {"parallel, half turn", parallel(91, std::numbers::pi * 91 / 90), 20}};
  all[2].scan.detector.column_offset = 25;
  return all;
}

struct Row {
  int scans = 0, unknown = 0, unknown_roll = 0, offset_within[3] = {}, roll_within[3] = {};
  double offset_square = 0, roll_square = 0, worst_offset = 0, worst_roll = 0, worst_sigmas = 0;

  void add(const CentreEstimate& found, const geometry::RotationAxis& truth) {
    ++scans;
    if (!found.known) return void(++unknown);
    const double offset = found.axis.offset - truth.offset, roll = found.axis.roll - truth.roll;
    const double offset_sigmas = std::abs(offset) / found.offset_uncertainty;
    for (int n = 0; n < 3; ++n) offset_within[n] += offset_sigmas <= n + 1;
    offset_square += offset * offset / pixel / pixel;
    worst_offset = std::max(worst_offset, std::abs(offset) / pixel);
    worst_sigmas = std::max(worst_sigmas, offset_sigmas);
    if (!found.roll_known) return void(++unknown_roll);
    const double roll_sigmas = std::abs(roll) / found.roll_uncertainty;
    for (int n = 0; n < 3; ++n) roll_within[n] += roll_sigmas <= n + 1;
    roll_square += roll * roll / degree / degree;
    worst_roll = std::max(worst_roll, std::abs(roll) / degree);
    worst_sigmas = std::max(worst_sigmas, roll_sigmas);
  }
  [[nodiscard]] int offsets() const { return scans - unknown; }
  [[nodiscard]] int rolls() const { return scans - unknown - unknown_roll; }
  void print(const std::string& name) const {
    fmt::print(
        "{:<32} {:3} scans, unknown {} and {} | px rms {:.4f} worst {:.4f} within {:.2f} {:.2f} {:.2f} | "
        "deg rms {:.4f} worst {:.4f} within {:.2f} {:.2f} {:.2f} | worst {:.1f} sigma\n",
        name, scans, unknown, unknown_roll, std::sqrt(offset_square / offsets()), worst_offset,
        1.0 * offset_within[0] / offsets(), 1.0 * offset_within[1] / offsets(),
        1.0 * offset_within[2] / offsets(), std::sqrt(roll_square / rolls()), worst_roll,
        1.0 * roll_within[0] / rolls(), 1.0 * roll_within[1] / rolls(), 1.0 * roll_within[2] / rolls(),
        worst_sigmas);
    std::fflush(stdout);
  }
};

TEST(CentreCoverage, TwoSigmaHoldNinetyFivePercentOfTwoHundredScans) {
  const char* const asked = std::getenv("FELDSPAR_CENTRE_SCANS");
  const int scans = asked ? std::atoi(asked) : 200;
  Campaign campaign;
  const std::vector<Kind> all = kinds();
  std::map<std::string, Row> rows;
  Row total;
  for (int n = 0; n < scans; ++n) {
    const Kind& kind = all[static_cast<std::size_t>(n) % all.size()];
    const int object = n / static_cast<int>(all.size()) % 3;
    const simulate::Phantom phantom = object == 0   ? campaign.beads()
                                      : object == 1 ? campaign.windings()
                                                    : campaign.block();
    geometry::CircularScan truth = kind.scan;
    truth.axis = {campaign.between(-1, 1) * kind.largest_offset * pixel, campaign.between(-0.5, 0.5) * degree,
                  0};
    const double photons = std::exp(campaign.between(std::log(3e3), std::log(3e5)));

    const PhantomScan scan(truth, phantom, photons, static_cast<unsigned>(n));
    const CentreEstimate found = find_centre(scan, scan.scan(), {}, testing::all_resources());

    const char* const names[] = {"beads", "windings", "block"};
    rows[fmt::format("{}, {}", kind.name, names[object])].add(found, truth.axis);
    total.add(found, truth.axis);
    if (asked)
      fmt::print("{} {} photons {:.0f}: {:+.4f} +- {:.4f} px, {:+.4f} +- {:.4f} deg {}\n", kind.name,
                 names[object], photons, (found.axis.offset - truth.axis.offset) / pixel,
                 found.offset_uncertainty / pixel, (found.axis.roll - truth.axis.roll) / degree,
                 found.roll_uncertainty / degree, found.doubt);
  }
  for (const auto& [name, row] : rows) row.print(name);
  total.print("all");

  EXPECT_LE(total.unknown, scans / 20);
  // Of 200 scans 190 are expected; 183 is two standard deviations less.
  EXPECT_GE(total.offset_within[1], 0.915 * total.offsets());
  EXPECT_GE(total.roll_within[1], 0.915 * total.rolls());
}

}  // namespace
}  // namespace feldspar::recon
