#include "recon/find/motion_fit.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <numeric>

#include "base/least_squares.hpp"
#include "base/parallel.hpp"
#include "kernels/forward_projector.hpp"
#include "recon/device_array.hpp"
#include "recon/fdk/fdk.hpp"

namespace feldspar::recon {
namespace {

constexpr int few_rows = 8;  ///< of which shifts along rows cannot be told

class KeptVolume final : public io::VolumeSink {
 public:
  KeptVolume(const geometry::VolumeGrid& grid, MemoryBudget& budget)
      : voxels(grid.nx, grid.ny, grid.nz, "a coarse volume", &budget) {}
  void write(int first, View3<const float> slab) override {
    std::memcpy(voxels.view().planes(first, slab.nz).data, slab.data, slab.bytes());
  }
  Array3<float> voxels;
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

FdkOptions options_of(const geometry::CircularScan& scan, const Resources& resources) {
  FdkOptions options{.grid = grid_of(scan), .ramp = {}, .projector = {}, .memory = resources.memory()};
  options.used_bytes = 0;
  const geometry::FieldOfView seen = geometry::field_of_view(scan);
  options.projector.radius = geometry::is_displaced(scan) ? seen.outer_radius : seen.inner_radius;
  return options;
}

Array3<float> reconstructed(const CoarseScan& coarse, const geometry::CircularScan& scan,
                            const FdkOptions& options, const Resources& resources) {
  const FdkSetup setup = prepare_fdk(scan);
  KeptVolume volume(options.grid, resources.budget);
  const SlabPlan plan = plan_slabs(setup, options.grid, resources.memory(),
                                   costs_on(resources.backend, coarse, setup, options));
  Progress progress;
  (void)reconstruct_fdk({coarse, setup, options}, plan, volume, resources.backend, progress);
  return std::move(volume.voxels);
}

/// Adds to `images` the line integrals of views of the scan through the volume.
void project(const geometry::CircularScan& scan, const geometry::VolumeGrid& grid,
             const Array3<float>& volume, const Array3<float>& images, kernels::Backend& backend) {
  const geometry::Detector& d = scan.detector;
  const int views = static_cast<int>(scan.angles.size());
  const auto on = [&](float* there, float* voxels) {
    backend.make_forward_projector()->accumulate(geometry::make_views(scan), {{0, d.columns}, {0, d.rows}},
                                                 {there, d.columns, d.rows, views}, grid, {0, grid.nz},
                                                 {voxels, grid.nx, grid.ny, grid.nz});
    backend.wait();
  };
  if (backend.uses_host_memory()) return on(images.data(), volume.data());
  DeviceArray3<float> there(backend, images.size(), "re-projections"),
      voxels(backend, volume.size(), "a coarse volume");
  there.fill_zero(images.size());
  voxels.upload(volume.data(), volume.size());
  on(there.view(1, 1, 1).data, voxels.view(1, 1, 1).data);
  there.download(images.data(), images.size());
  backend.wait();
}

/// Line integrals through the reconstruction, columns x rows x views.
Array3<float> reproject(const CoarseScan& coarse, const geometry::CircularScan& scan,
                        const Resources& resources) {
  FdkOptions options = options_of(scan, resources);
  options.used_bytes = resources.budget.used() + options.grid.voxels() * sizeof(float);
  const Array3<float> volume = reconstructed(coarse, scan, options, resources);
  Array3<float> images(scan.detector.columns, scan.detector.rows, static_cast<int>(scan.angles.size()),
                       "re-projections", &resources.budget);
  images.fill(0);
  project(scan, options.grid, volume, images, resources.backend);
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

geometry::CircularScan coarsened(const geometry::CircularScan& scan, const CoarseLimits& size) {
  geometry::CircularScan coarse = scan;
  geometry::Detector& d = coarse.detector;
  d.column_pitch *= static_cast<double>(d.columns) / size.across, d.columns = size.across;
  d.row_pitch *= static_cast<double>(d.rows) / size.along, d.rows = size.along;
  coarse.angles.clear(), coarse.shifts.clear();
  for (int n = 0; n < size.views; ++n)
    coarse.angles.push_back(
        scan.angles[static_cast<std::size_t>(n) * scan.angles.size() / static_cast<std::size_t>(size.views)]);
  return coarse;
}

}  // namespace

std::size_t reprojection_bytes(const io::ScanSource& source, const geometry::CircularScan& scan,
                               std::size_t views, const Resources& resources) {
  const CoarseLimits size = CoarseScan::largest(scan, views, {});
  const geometry::CircularScan coarse = coarsened(scan, size);
  const FdkSetup setup = prepare_fdk(coarse);
  FdkOptions options = options_of(coarse, resources);
  const std::size_t counts = sizeof(float) * static_cast<std::size_t>(size.across) *
                             static_cast<std::size_t>(size.along) * static_cast<std::size_t>(size.views),
                    volume = options.grid.voxels() * sizeof(float);
  options.source_bytes = counts + counts / 2 + volume;  // the coarse scan and its half
  MemoryCosts costs = costs_on(resources.backend, source, setup, options);
  costs.count_bytes = sizeof(float);
  return std::max(least_memory(setup, options.grid, costs), counts + counts / 2 + counts + volume);
}

MotionStep compare_with_reprojections(const CoarseScan& coarse, const Shifts& supposed,
                                      const Resources& resources) {
  const geometry::CircularScan scan = moved(coarse, supposed);
  const Array3<float> expected = reproject(coarse, scan, resources);
  const std::size_t views = scan.angles.size(), pixels = expected.size() / views;
  const std::vector<double> none(views);
  MotionStep step{{none, none}, {none, none}, 0};
  std::vector<Sums> sums(views);
  ThreadPool pool(resources.threads);
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
