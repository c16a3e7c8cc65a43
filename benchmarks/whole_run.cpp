// A whole reconstruction without a disk: raw counts are computed as they are read, voxels are judged and
// forgotten as they are written. So it times what a device and its transfers can do at any size, and sees
// that the result is right. Prints JSON; exit code 9 when the volume is wrong.
//   whole_run_benchmark [--device NAME] [--size N] [--views N] [--memory BYTES] [--merge]
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numbers>

#include "base/error.hpp"
#include "base/parallel.hpp"
#include "base/units.hpp"
#include "io/described_scan.hpp"
#include "recon/fdk/fdk.hpp"

namespace feldspar {
namespace {

using geometry::Vec3;

struct Ball {
  Vec3 centre;
  double radius;
  double value;  ///< 1/mm
};

geometry::CircularScan scan_of(int size, int views) {
  geometry::CircularScan scan{
      .source_object_distance = 300,
      .source_detector_distance = 1000,
      .detector = {.columns = size, .rows = size, .column_pitch = 204.8 / size, .row_pitch = 204.8 / size},
      .axis = {},
      .angles = {},
      .shifts = {}};
  for (int n = 0; n < views; ++n) scan.angles.push_back(2 * std::numbers::pi * n / views);
  return scan;
}

/// Off the axis and out of the mid-plane, so that a wrong view, row or sign shows.
std::vector<Ball> balls_in(const geometry::CircularScan& scan) {
  const double reach = geometry::field_of_view(scan).inner_radius;
  return {{{0.5 * reach, 0, 0.05 * reach}, 0.2 * reach, 0.03},
          {{-0.35 * reach, 0.45 * reach, 0.4 * reach}, 0.15 * reach, 0.05},
          {{0.1 * reach, -0.6 * reach, -0.45 * reach}, 0.12 * reach, 0.02}};
}

/// Counts of the balls, exact at every pixel's centre, computed at every reading.
class BallScan final : public io::DescribedScan {
 public:
  BallScan(geometry::CircularScan scan, std::vector<Ball> balls)
      : views_(geometry::make_views(scan)), balls_(std::move(balls)) {
    scan_ = std::move(scan);
    references_.white = {60000};
    references_.saturation = 65535;
  }

  [[nodiscard]] io::CountType count_type() const override { return io::CountType::uint16; }
  [[nodiscard]] std::vector<std::filesystem::path> files() const override { return {}; }

  void read(std::span<const int> views, const geometry::PixelWindow& window, void* counts) const override {
    const View3<std::uint16_t> stack{static_cast<std::uint16_t*>(counts), window.columns.count(),
                                     window.rows.count(), static_cast<int>(views.size())};
    pool_.for_each(stack.nz, [&](std::ptrdiff_t n, int) {
      const auto image = stack.planes(static_cast<int>(n), 1);
      std::fill(image.values().begin(), image.values().end(), std::uint16_t{60000});
      for (const Ball& ball : balls_) draw(ball, views_[static_cast<std::size_t>(views[n])], window, image);
    });
  }

 private:
  static void draw(const Ball& ball, const geometry::View& view, const geometry::PixelWindow& window,
                   View3<std::uint16_t> image) {
    const geometry::DetectorPoint middle = geometry::project(view, ball.centre);
    const Vec3 normal = geometry::normalised(geometry::cross(view.row_step, view.column_step));
    const double distance = std::abs(geometry::dot(view.pixel_origin - view.source, normal));
    const double reach = 1.2 * ball.radius * distance / (middle.depth - ball.radius) /
                             std::min(geometry::norm(view.column_step), geometry::norm(view.row_step)) +
                         2;
    const auto near = [reach](double at, geometry::Range all) {
      return geometry::Range{std::max(all.first, static_cast<int>(at - reach)),
                             std::min(all.end, static_cast<int>(at + reach) + 1)};
    };
    const geometry::Range columns = near(middle.column, window.columns), rows = near(middle.row, window.rows);
    const Vec3 to_ball = ball.centre - view.source;
    for (int row = rows.first; row < rows.end; ++row)
      for (int column = columns.first; column < columns.end; ++column) {
        const Vec3 ray = view.pixel_origin + static_cast<double>(column) * view.column_step +
                         static_cast<double>(row) * view.row_step - view.source;
        const double along = geometry::dot(ray, to_ball), square = geometry::dot(ray, ray);
        const double half =
            ball.radius * ball.radius - geometry::dot(to_ball, to_ball) + along * along / square;
        if (half <= 0) continue;
        std::uint16_t& count = image(column - window.columns.first, row - window.rows.first, 0);
        count = static_cast<std::uint16_t>(count * std::exp(-2 * ball.value * std::sqrt(half)) + 0.5);
      }
  }

  std::vector<geometry::View> views_;
  std::vector<Ball> balls_;
  mutable ThreadPool pool_;
};

/// Means over the balls' insides, and over the air around each.
class Judge final : public io::VolumeSink {
 public:
  Judge(const geometry::VolumeGrid& grid, std::vector<Ball> balls)
      : grid_(grid), balls_(std::move(balls)), inside_(balls_.size()), around_(balls_.size()) {}

  void write(int first_slice, View3<const float> slab) override {
    const int step = std::max(1, grid_.nx / 250);
    for (int k = 0; k < slab.nz; k += step)
      for (int j = 0; j < slab.ny; j += step)
        for (int i = 0; i < slab.nx; i += step) look(grid_.centre_of(i, j, first_slice + k), slab(i, j, k));
  }

  /// The furthest that the mean in a ball or around it is from the truth, relative to the ball's value.
  [[nodiscard]] double worst() const {
    double worst = 0;
    for (std::size_t n = 0; n < balls_.size(); ++n) {
      const double value = balls_[n].value;
      worst = std::max({worst, std::abs(inside_[n].mean() / value - 1), std::abs(around_[n].mean() / value)});
      if (inside_[n].count == 0 || around_[n].count == 0) return 1;
    }
    return std::isfinite(worst) ? worst : 1;
  }

 private:
  struct Mean {
    double sum = 0;
    std::int64_t count = 0;
    [[nodiscard]] double mean() const { return sum / static_cast<double>(count); }
  };

  void look(Vec3 at, float value) {
    for (std::size_t n = 0; n < balls_.size(); ++n) {
      const double away = geometry::norm(at - balls_[n].centre) / balls_[n].radius;
      if (away < 0.8) inside_[n].sum += value, ++inside_[n].count;
      if (away > 1.2 && away < 1.4) around_[n].sum += value, ++around_[n].count;
    }
  }

  geometry::VolumeGrid grid_;
  std::vector<Ball> balls_;
  std::vector<Mean> inside_, around_;
};

struct Arguments {
  std::string device = "auto";
  int size = 512;
  int views = 600;
  std::string memory = "8GiB";
  bool merge = false;
};

int run(const Arguments& arguments) {
  constexpr double tolerance = 0.01;  // rounding of counts and cone-beam artefacts are a fifth of it
  const geometry::CircularScan scan = scan_of(arguments.size, arguments.views);
  const BallScan source(scan, balls_in(scan));
  const recon::FdkSetup setup = recon::prepare_fdk(scan);
  const std::size_t memory = parse_bytes(arguments.memory, "--memory");
  MemoryBudget budget(memory);
  const auto backend = kernels::open_backend(arguments.device, {.threads = 0, .budget = &budget});
  recon::FdkOptions options{
      .grid = geometry::default_grid(scan), .ramp = {}, .projector = {}, .memory = memory};
  options.projector.radius = geometry::field_of_view(scan).inner_radius;
  if (arguments.merge && backend->merges_views())
    options.projector.merging = kernels::choose_merging(setup.views, options.grid, options.projector.radius);
  const recon::SlabPlan plan =
      plan_slabs(setup, options.grid, memory, costs_on(*backend, source, setup, options));
  Judge judge(options.grid, balls_in(scan));
  Progress progress;
  const recon::FdkReport report = reconstruct_fdk({source, setup, options}, plan, judge, *backend, progress);
  const double updates = recon::computed_voxels(options) * arguments.views;
  fmt::print("{}\n",
             nlohmann::ordered_json{{"device", backend->name()},
                                    {"size", arguments.size},
                                    {"views", arguments.views},
                                    {"merged_views", options.projector.merging.views},
                                    {"slabs", plan.slabs.size()},
                                    {"views_per_batch", plan.views_per_batch},
                                    {"total_s", report.total_s},
                                    {"read_s", report.read_s},
                                    {"attenuation_s", report.attenuation_s},
                                    {"filter_s", report.filter_s},
                                    {"back_projection_s", report.back_projection_s},
                                    {"write_s", report.write_s},
                                    {"gups_total", 1e-9 * updates / report.total_s},
                                    {"gups_back_projection", 1e-9 * updates / report.back_projection_s},
                                    {"worst_deviation", judge.worst()}}
                 .dump(2));
  return judge.worst() < tolerance ? 0 : static_cast<int>(ErrorKind::untrusted);
}

}  // namespace
}  // namespace feldspar

int main(int argc, char** argv) {
  feldspar::Arguments arguments;
  CLI::App program("Times a whole reconstruction of a computed scan");
  program.add_option("--device", arguments.device, "As `feldspar devices` lists them");
  program.add_option("--size", arguments.size, "Detector columns and rows, and voxels along each side");
  program.add_option("--views", arguments.views, "Of a full turn");
  program.add_option("--memory", arguments.memory, "Budget of host memory");
  program.add_flag("--merge", arguments.merge, "Merge neighbouring views where the device can");
  CLI11_PARSE(program, argc, argv);
  try {
    return feldspar::run(arguments);
  } catch (const feldspar::Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return static_cast<int>(error.kind());
  }
}
