// How well the rotation axis is found: noisy scans of a cell whose files say nothing of its offset and roll,
// for a full turn, a short scan and a displaced detector. Rows are simulated when they are read. Prints a
// table; exit code 9 when a case misses 0.1 pixel or 0.02 degrees.
//   center_acceptance_benchmark [--preset NAME] [--scale F] [--views N] [--json FILE] ...
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <numbers>
#include <numeric>

#include "base/error.hpp"
#include "base/memory.hpp"
#include "base/parallel.hpp"
#include "io/described_scan.hpp"
#include "recon/find/centre.hpp"
#include "simulate/presets.hpp"
#include "tests/support/resources.hpp"

namespace feldspar {
namespace {

constexpr double degree = std::numbers::pi / 180;
constexpr double offset_limit = 0.1;  ///< pixels
constexpr double roll_limit = 0.02;   ///< degrees

/// A virtual scan that claims an axis without offset and roll. A pixel is the mean of `finer` rays beside
/// each other. Blur is along the rows only: a row is simulated without its neighbours.
class LazyScan final : public io::DescribedScan {
 public:
  LazyScan(simulate::VirtualScan made, int finer, ThreadPool& pool)
      : made_(std::move(made)), finer_(finer), pool_(pool) {
    scan_ = made_.scan;
    scan_.axis = {};
    references_.white = {static_cast<float>(made_.detector.white_level)};
  }
  [[nodiscard]] io::CountType count_type() const override { return io::CountType::uint16; }
  [[nodiscard]] std::vector<std::filesystem::path> files() const override { return {}; }

  void read(std::span<const int> views, const geometry::PixelWindow& window, void* counts) const override {
    auto* out = static_cast<std::uint16_t*>(counts);
    const auto width = static_cast<std::size_t>(scan_.detector.columns);
    for (const int view : views)
      for (int row = window.rows.first; row < window.rows.end; ++row) {
        const std::uint16_t* line = sinogram(row).data() + width * static_cast<std::size_t>(view);
        out = std::copy(line + window.columns.first, line + window.columns.end, out);
      }
  }

 private:
  const std::vector<std::uint16_t>& sinogram(int row) const {
    std::vector<std::uint16_t>& counts = rows_[row];
    if (!counts.empty()) return counts;
    simulate::VirtualScan thin = made_;
    geometry::Detector& d = thin.scan.detector;
    d.row_offset += (row - 0.5 * (d.rows - 1)) * d.row_pitch;
    d.rows = 1;
    thin.detector.seed += static_cast<std::uint64_t>(row) * 7919;
    const simulate::Illumination light = simulate::monochromatic(thin.object);
    const auto width = static_cast<std::size_t>(d.columns);
    counts.resize(thin.scan.angles.size() * width);
    geometry::CircularScan fine = thin.scan;
    fine.detector.columns *= finer_, fine.detector.column_pitch /= finer_;
    const Array3<float> rays(fine.detector.columns, 1, 1, "rays of a row"), beam(d.columns, 1, 1, "a row");
    for (int view = 0; view < static_cast<int>(fine.angles.size()); ++view) {
      simulate::transmission(light, fine, view, thin.sampling, rays.view(), pool_);
      for (int column = 0; column < d.columns; ++column) {
        const float* const first = rays.view().row(0, 0) + static_cast<std::ptrdiff_t>(column) * finer_;
        beam(column, 0, 0) = std::accumulate(first, first + finer_, 0.0f) / static_cast<float>(finer_);
      }
      std::uint16_t* const line = counts.data() + width * static_cast<std::size_t>(view);
      simulate::blur(thin.detector, beam.view(), pool_);
      simulate::detect(thin.detector, view, beam.view(), View3<std::uint16_t>{line, d.columns, 1, 1}, pool_);
    }
    return counts;
  }

  simulate::VirtualScan made_;
  int finer_;
  ThreadPool& pool_;
  mutable std::map<int, std::vector<std::uint16_t>> rows_;
};

struct Options {
  std::string preset = "mj1-160s", json;
  double scale = 0.125;
  int views = 0, columns = 0, finer = 3;
  std::vector<double> offsets{-20, -7, 0, 7, 20}, rolls{-0.5, -0.1, 0, 0.5};
  bool displaced = true;
};

simulate::VirtualScan scan_about(const Options& options, double pixels, double degrees, bool displaced) {
  simulate::VirtualScan made = simulate::preset(options.preset);
  geometry::CircularScan& scan = made.scan;
  simulate::scale_detector(scan.detector, options.scale);
  if (options.columns > 0) scan.detector.columns = options.columns;
  if (options.views > 0) scan.angles = simulate::full_turn(options.views);
  made.sampling.sub_angles = 1;
  if (displaced) {  // it ends within the cell on one side
    scan.detector.columns = static_cast<int>(0.4 * scan.detector.columns);
    scan.detector.column_offset = 0.2 * scan.detector.columns * scan.detector.column_pitch;
  }
  scan.axis = {pixels * scan.detector.column_pitch / scan.magnification(), degrees * degree, 0};
  simulate::settle(made);
  return made;
}

/// Half a turn and the fan of the detector.
std::vector<int> short_scan(const geometry::CircularScan& scan) {
  const double fan = scan.detector.columns * scan.detector.column_pitch / scan.source_detector_distance;
  const double share = (std::numbers::pi + fan) / (2 * std::numbers::pi);
  std::vector<int> views(static_cast<std::size_t>(share * static_cast<double>(scan.angles.size())));
  std::iota(views.begin(), views.end(), 0);
  return views;
}

class Table {
 public:
  Table() {
    fmt::print("{:<10} {:>7} {:>6} | {:>8} {:>7} | {:>9} {:>8}\n", "scan", "pixels", "deg", "error px",
               "sigma", "error deg", "sigma");
  }

  void add(const char* name, const LazyScan& scan, std::span<const int> views, double pixels,
           double degrees) {
    nlohmann::json line{{"scan", name}, {"offset_pixels", pixels}, {"roll_deg", degrees}};
    try {
      const recon::CentreEstimate found =
          recon::find_centre(scan, scan.scan(), views, testing::all_resources());
      const double off = found.axis.offset / found.pixel - pixels, roll = found.axis.roll / degree - degrees;
      const bool missed = !(std::abs(off) <= offset_limit) || !(std::abs(roll) <= roll_limit);
      missed_ += missed;
      fmt::print("{:<10} {:>7} {:>6} | {:>+8.4f} {:>7.4f} | {:>+9.4f} {:>8.4f}{}\n", name, pixels, degrees,
                 off, found.offset_uncertainty / found.pixel, roll, found.roll_uncertainty / degree,
                 missed ? "  MISSED" : "");
      line.update({{"offset_error_pixels", off},
                   {"offset_uncertainty_pixels", found.offset_uncertainty / found.pixel},
                   {"roll_error_deg", roll},
                   {"roll_uncertainty_deg", found.roll_uncertainty / degree}});
      worst_offset_ = std::max(worst_offset_, std::abs(off));
      worst_roll_ = std::max(worst_roll_, std::abs(roll));
    } catch (const Error& error) {
      ++missed_;
      fmt::print("{:<10} {:>7} {:>6} | refused: {}\n", name, pixels, degrees, error.what());
      line["refused"] = error.what();
    }
    std::fflush(stdout);
    lines_.push_back(std::move(line));
  }

  [[nodiscard]] int missed() const { return missed_; }
  void print_summary() const {
    fmt::print("{} cases, {} missed; worst {:.4f} pixel, {:.4f} degrees\n", lines_.size(), missed_,
               worst_offset_, worst_roll_);
  }
  [[nodiscard]] nlohmann::json json() const {
    return {
        {"cases", lines_}, {"missed", missed_}, {"worst_pixels", worst_offset_}, {"worst_deg", worst_roll_}};
  }

 private:
  int missed_ = 0;
  double worst_offset_ = 0, worst_roll_ = 0;
  std::vector<nlohmann::json> lines_;
};

int measure(const Options& options) {
  ThreadPool pool(1);  // a row is too little work to share
  Table table;
  for (const double pixels : options.offsets)
    for (const double degrees : options.rolls) {
      const LazyScan full(scan_about(options, pixels, degrees, false), options.finer, pool);
      table.add("full turn", full, {}, pixels, degrees);
      table.add("short", full, short_scan(full.scan()), pixels, degrees);
      if (options.displaced)
        table.add("displaced", LazyScan(scan_about(options, pixels, degrees, true), options.finer, pool), {},
                  pixels, degrees);
    }
  table.print_summary();
  if (!options.json.empty()) {
    nlohmann::json all = table.json();
    all.update({{"preset", options.preset},
                {"scale", options.scale},
                {"views", options.views},
                {"columns", options.columns},
                {"rays_a_pixel", options.finer}});
    std::ofstream(options.json) << all.dump(1) << '\n';
  }
  return table.missed() == 0 ? 0 : 9;
}

}  // namespace
}  // namespace feldspar

int main(int argc, char** argv) {
  feldspar::Options options;
  CLI::App program("How well the rotation axis of noisy scans of a cell is found");
  program.add_option("--preset", options.preset, "Of feldspar simulate")->capture_default_str();
  program.add_option("--scale", options.scale, "Pixels along each side, relative to the preset");
  program.add_option("--views", options.views, "Of the full turn; default: the preset's");
  program.add_option("--columns", options.columns, "Kept of the detector, after --scale");
  program.add_option("--finer", options.finer, "Rays a pixel, along its row")->capture_default_str();
  program.add_option("--offsets", options.offsets, "Pixels")->delimiter(',');
  program.add_option("--rolls", options.rolls, "Degrees")->delimiter(',');
  program.add_option("--json", options.json, "Also write the table to this file");
  program.add_flag("!--no-displaced", options.displaced, "Without the displaced detector");
  CLI11_PARSE(program, argc, argv);
  try {
    return feldspar::measure(options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
