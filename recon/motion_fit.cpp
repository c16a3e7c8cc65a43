#include "recon/motion_fit.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <numeric>

#include "base/least_squares.hpp"
#include "base/parallel.hpp"
#include "kernels/forward_projector.hpp"
#include "recon/fdk.hpp"

namespace feldspar::recon {
namespace {

constexpr std::size_t plenty = std::size_t{8} << 30;  ///< bytes; what a coarse scan needs is far less
constexpr int few_rows = 8;                           ///< of which shifts along rows cannot be told

class KeptVolume final : public io::VolumeSink {
 public:
  explicit KeptVolume(const geometry::VolumeGrid& grid)
      : slice_(static_cast<std::size_t>(grid.nx) * static_cast<std::size_t>(grid.ny)),
        values(grid.voxels()) {}
  void write(int first, View3<const float> slab) override {
    std::memcpy(values.data() + static_cast<std::size_t>(first) * slice_, slab.data, slab.bytes());
  }

 private:
  std::size_t slice_;

 public:
  std::vector<float> values;
};

geometry::CircularScan moved(const CoarseScan& coarse, const Shifts& by) {
  geometry::CircularScan scan = coarse.scan();
  for (std::size_t n = 0; n < scan.shifts.size(); ++n) {
    scan.shifts[n].column += by.column[n] * scan.detector.column_pitch;
    scan.shifts[n].row += by.row[n] * scan.detector.row_pitch;
  }
  return scan;
}

/// What the detector covers, with slices as high as its rows.
geometry::VolumeGrid grid_of(const geometry::CircularScan& scan) {
  geometry::VolumeGrid grid = geometry::default_grid(scan);
  const double height = grid.nz * grid.spacing.z, bottom = grid.origin.z - 0.5 * grid.spacing.z;
  grid.nz = std::min(grid.nz, scan.detector.rows);
  grid.spacing.z = height / grid.nz;
  grid.origin.z = bottom + 0.5 * grid.spacing.z;
  return grid;
}

/// Line integrals through the reconstruction, views x rows x columns.
std::vector<float> reproject(const CoarseScan& coarse, const geometry::CircularScan& scan, int threads,
                             MemoryBudget* budget) {
  const FdkSetup setup = prepare_fdk(scan);
  const auto backend = kernels::open_backend("cpu", {.threads = threads, .budget = budget});
  FdkOptions options{.grid = grid_of(scan), .ramp = {}, .projector = {}, .memory = plenty};
  const geometry::FieldOfView seen = geometry::field_of_view(scan);
  options.projector.radius = geometry::is_displaced(scan) ? seen.outer_radius : seen.inner_radius;
  const SlabPlan plan = plan_slabs(setup, options.grid, plenty, costs_on(*backend, coarse, setup, options));
  KeptVolume volume(options.grid);
  Progress progress;
  (void)reconstruct_fdk(coarse, volume, *backend, setup, plan, options, progress);

  const geometry::Detector& d = scan.detector;
  const std::vector<geometry::View> views = geometry::make_views(scan);
  std::vector<float> images(views.size() * static_cast<std::size_t>(d.columns) *
                            static_cast<std::size_t>(d.rows));
  backend->make_forward_projector()->accumulate(
      views, {{0, d.columns}, {0, d.rows}},
      {images.data(), d.columns, d.rows, static_cast<int>(views.size())}, options.grid, {0, options.grid.nz},
      {volume.values.data(), options.grid.nx, options.grid.ny, options.grid.nz});
  backend->wait();
  return images;
}

/// The least-squares fit of one view: measured = gain * re-projection + offset - shift . gradient.
class ViewFit {
 public:
  explicit ViewFit(bool rows) : rows_(rows), parts_{LeastSquares(rows ? 4 : 3), LeastSquares(rows ? 4 : 3)} {}

  void add(int half, double measured, double expected, double along_column, double along_row) {
    const std::array<double, 4> known{expected, 1, -along_column, -along_row};
    parts_[static_cast<std::size_t>(half)].add(std::span(known).first(rows_ ? 4 : 3), measured - expected);
  }

  /// Shifts along columns and rows of both halves together, and half of what they differ by; zero where the
  /// view shows nothing.
  [[nodiscard]] std::array<double, 4> result() const {
    LeastSquares both = parts_[0];
    both.add(parts_[1]);
    const auto shift = both.solve(), one = parts_[0].solve(), other = parts_[1].solve();
    std::array<double, 4> found{};
    if (shift.empty()) return found;
    found[0] = shift[2], found[1] = rows_ ? shift[3] : 0;
    if (one.empty() || other.empty()) return found;
    found[2] = 0.5 * (one[2] - other[2]), found[3] = rows_ ? 0.5 * (one[3] - other[3]) : 0;
    return found;
  }

 private:
  bool rows_;
  std::array<LeastSquares, 2> parts_;
};

/// Rows of the detector whose rays stay within the volume's height as long as they matter.
geometry::Range trusted_rows(int rows) {
  const int edge = rows >= few_rows ? std::max(1, rows / 10) : 0;
  return {edge, rows - edge};
}

struct Sums {
  double difference = 0, square = 0;
};

std::array<double, 4> fit_view(const CoarseScan& coarse, std::size_t view, const float* expected,
                               Sums& sums) {
  const int columns = coarse.scan().detector.columns, rows = coarse.scan().detector.rows;
  const bool tall = rows >= few_rows;
  const std::span<const float> counts = coarse.image(view);
  const float white = coarse.references().white.front();
  const geometry::Range trusted = trusted_rows(rows);
  ViewFit fit(tall);
  for (int row = trusted.first; row < trusted.end; ++row)
    for (int column = 1; column + 1 < columns; ++column) {
      const std::ptrdiff_t at = static_cast<std::ptrdiff_t>(row) * columns + column;
      const double measured =
          -std::log(std::max(static_cast<double>(counts[static_cast<std::size_t>(at)] / white), 1e-5));
      const double along_row = tall ? 0.5 * (expected[at + columns] - expected[at - columns]) : 0;
      fit.add(tall ? row >= rows / 2 : column >= columns / 2, measured, expected[at],
              0.5 * (expected[at + 1] - expected[at - 1]), along_row);
      sums.difference += (measured - expected[at]) * (measured - expected[at]);
      sums.square += measured * measured;
    }
  return fit.result();
}

}  // namespace

MotionStep compare_with_reprojections(const CoarseScan& coarse, const Shifts& supposed, int threads,
                                      MemoryBudget* budget) {
  const geometry::CircularScan scan = moved(coarse, supposed);
  const std::vector<float> expected = reproject(coarse, scan, threads, budget);
  const std::size_t views = scan.angles.size(), pixels = expected.size() / views;
  const std::vector<double> none(views);
  MotionStep step{{none, none}, {none, none}, 0};
  std::vector<Sums> sums(views);
  ThreadPool pool(threads);
  pool.for_each(static_cast<std::ptrdiff_t>(views), [&](std::ptrdiff_t index, int) {
    const auto n = static_cast<std::size_t>(index);
    const auto found = fit_view(coarse, n, expected.data() + n * pixels, sums[n]);
    step.further.column[n] = found[0], step.further.row[n] = found[1];
    step.doubt.column[n] = found[2], step.doubt.row[n] = found[3];
  });
  Sums all;
  for (const Sums& s : sums) all.difference += s.difference, all.square += s.square;
  step.misfit = all.square > 0 ? std::sqrt(all.difference / all.square) : 0;
  return step;
}

void remove_translation(Shifts& shifts, const std::vector<double>& angles) {
  LeastSquares circle(3);
  for (std::size_t n = 0; n < angles.size(); ++n)
    circle.add(std::array{1.0, std::cos(angles[n]), std::sin(angles[n])}, shifts.column[n]);
  const std::vector<double> move = circle.solve();
  for (std::size_t n = 0; n < angles.size() && !move.empty(); ++n)
    shifts.column[n] -= move[1] * std::cos(angles[n]) + move[2] * std::sin(angles[n]);
  const double mean =
      std::accumulate(shifts.row.begin(), shifts.row.end(), 0.0) / static_cast<double>(shifts.row.size());
  for (double& shift : shifts.row) shift -= mean;
}

}  // namespace feldspar::recon
