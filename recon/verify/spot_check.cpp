#include "recon/verify/spot_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <mutex>
#include <numbers>
#include <random>
#include <span>

#include "base/parallel.hpp"
#include "kernels/ramp.hpp"
#include "kernels/shared/parts.hpp"
#include "recon/line_integrals/upright_rows.hpp"

namespace feldspar::recon {
namespace {

using geometry::Range;

constexpr int fewest = 24, most = 96, slices_a_spot = 12;
constexpr int together = 2;       // in a neighbourhood: they need the same few rows of a view
constexpr int neighbourhood = 8;  // voxels
constexpr int most_heights = 24;
constexpr int views_at_once = 8;
constexpr int rows_of_neighbours =
    4 * neighbourhood;                // that they meet in so many views, at most to be expected
constexpr double rounding = 5e-4;     // of the spots' rms: single precision, summed over thousands of views
constexpr double displaced = 1;       // of the neighbours' range, where merged views displace by up to 1/3
constexpr double wrong_share = 0.02;  // of displaced spots: narrow features may lie between neighbours

/// The windowed ramp in space, from its spectrum: a sum of cosines, no Fourier transform.
std::vector<double> kernel_in_space(int columns, const kernels::RampOptions& ramp) {
  const int length = kernels::ramp_length(columns), half = length / 2;
  const std::vector<double> response = kernels::ramp_response(length, ramp);
  std::vector<double> cosine(static_cast<std::size_t>(length)), kernel(static_cast<std::size_t>(columns) + 1);
  for (int n = 0; n < length; ++n)
    cosine[static_cast<std::size_t>(n)] = std::cos(2 * std::numbers::pi * n / length);
  for (int n = 0; n <= columns; ++n) {
    double sum = 0;
    for (int k = 0; k <= half; ++k)
      sum += (k == 0 || k == half ? 1 : 2) * response[static_cast<std::size_t>(k)] *
             cosine[static_cast<std::size_t>(static_cast<long long>(k) * n % length)];
    kernel[static_cast<std::size_t>(n)] = sum / length;
  }
  return kernel;
}

/// The filtered projection at one point: weights, ramp and bilinear interpolation in one sum.
class FilteredPoint {
 public:
  FilteredPoint(const FdkSetup& setup, const std::vector<double>& kernel)
      : setup_(setup), kernel_(kernel.rbegin(), kernel.rend()) {
    kernel_.insert(kernel_.end(), kernel.begin() + 1, kernel.end());
  }
  [[nodiscard]] const FdkSetup& setup() const { return setup_; }

  [[nodiscard]] double at(int view, const geometry::DetectorPoint& p, const UprightRows::Rows& rows,
                          int view_in_block) const {
    const kernels::Parts<double> column = kernels::parts_of(p.column), row = kernels::parts_of(p.row);
    if (!(column.whole >= -1 && column.whole < setup_.columns && row.whole >= -1 && row.whole < setup_.rows))
      return 0;
    std::vector<double> weighted(static_cast<std::size_t>(setup_.columns));
    for (int above = 0; above < 2; ++above) {
      const int r = static_cast<int>(row.whole) + above;
      if (r >= 0 && r < setup_.rows)
        add(view, r, above ? row.fraction : 1 - row.fraction, rows.values.row(r - rows.first, view_in_block),
            weighted);
    }
    return convolved(weighted, static_cast<int>(column.whole), column.fraction);
  }

 private:
  /// kernels::weight_at() along a row, whose rays are linear in the column.
  void add(int view, int row, double share, const float* values, std::vector<double>& weighted) const {
    const kernels::FdkWeight& weight = setup_.weights[static_cast<std::size_t>(view)];
    const geometry::Vec3 ray = weight.ray + row * weight.row_step, step = weight.column_step;
    const double along = dot(ray, weight.to_axis), along_step = dot(step, weight.to_axis),
                 square = dot(ray, ray), twice = 2 * dot(ray, step), step_square = dot(step, step),
                 scale = share * weight.scale;
    const float* const redundancy =
        setup_.column_weights.empty()
            ? nullptr
            : setup_.column_weights.data() + static_cast<std::ptrdiff_t>(view) * setup_.columns;
    for (int i = 0; i < setup_.columns; ++i) {
      const double cosine = (along + i * along_step) / std::sqrt(square + i * (twice + i * step_square));
      weighted[static_cast<std::size_t>(i)] += scale * cosine * values[i] * (redundancy ? redundancy[i] : 1);
    }
  }

  [[nodiscard]] double convolved(const std::vector<double>& weighted, int column, double share) const {
    const double left = column >= 0 ? 1 - share : 0, right = column + 1 < setup_.columns ? share : 0;
    const double* const taps = kernel_.data() + setup_.columns - column;
    double sums[4] = {};  // independent of each other, or every addition waits for the last
    for (std::size_t i = 0; i < weighted.size(); ++i)
      sums[i % 4] += weighted[i] * (left * taps[i] + right * taps[static_cast<std::ptrdiff_t>(i) - 1]);
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
  }

  const FdkSetup& setup_;
  std::vector<double> kernel_;  ///< from -columns to columns
};

/// Groups of voxels of one slice, spread over the height in layers: each at a random place.
std::vector<std::vector<Spot>> choose(const geometry::VolumeGrid& grid, double radius, unsigned seed) {
  std::mt19937 random(seed);
  const auto within = [&](int first, int end) {
    return std::uniform_int_distribution(first, std::max(first, end - 1))(random);
  };
  const auto near = [&](int place, int count) {
    return within(std::max(0, place - neighbourhood), std::min(count, place + neighbourhood + 1));
  };
  // One voxel inside: whether a voxel on the rim is computed depends on rounding.
  const auto is_computed = [&](const Spot& spot) {
    const geometry::Vec3 p = grid.centre_of(spot.x, spot.y, spot.z);
    return std::hypot(p.x, p.y) < radius - grid.spacing.x;
  };
  const int wanted = std::clamp(grid.nz / slices_a_spot, fewest, most);
  const int layers = std::clamp(grid.nz / 8, std::min(grid.nz, 4), std::min(most_heights, wanted / together));
  const auto bottom = [&](int layer) {
    return static_cast<int>(static_cast<long long>(grid.nz) * layer / layers);
  };
  std::vector<std::vector<Spot>> groups(static_cast<std::size_t>(wanted / together));
  for (std::size_t n = 0; n < groups.size(); ++n) {
    const int layer = static_cast<int>(n) % layers, z = within(bottom(layer), bottom(layer + 1));
    std::vector<Spot>& group = groups[n];
    for (int tries = 0; tries < 1000 && static_cast<int>(group.size()) < together; ++tries) {
      Spot spot{.x = within(0, grid.nx), .y = within(0, grid.ny), .z = z};
      if (!group.empty()) spot.x = near(group.front().x, grid.nx), spot.y = near(group.front().y, grid.ny);
      if (is_computed(spot)) group.push_back(spot);
    }
  }
  return groups;
}

void read_stored(const FinishedVolume& volume, std::vector<Spot>& group, MemoryBudget& budget) {
  if (group.empty()) return;
  const geometry::VolumeGrid& grid = volume.grid;
  const Reservation slice_room(budget, slice_bytes(grid), "a slice of the volume");
  const int z = group.front().z, first = std::max(0, z - 1), end = std::min(grid.nz, z + 2);
  std::vector<double> lowest(group.size(), INFINITY), highest(group.size(), -INFINITY);
  for (int k = first; k < end; ++k) {
    const Array3<float> slice = volume.read(k, 1);
    for (std::size_t n = 0; n < group.size(); ++n) {
      if (k == z) group[n].stored = slice(group[n].x, group[n].y, 0);
      for (int y = std::max(0, group[n].y - 1); y < std::min(grid.ny, group[n].y + 2); ++y)
        for (int x = std::max(0, group[n].x - 1); x < std::min(grid.nx, group[n].x + 2); ++x) {
          lowest[n] = std::min(lowest[n], static_cast<double>(slice(x, y, 0)));
          highest[n] = std::max(highest[n], static_cast<double>(slice(x, y, 0)));
        }
    }
  }
  for (std::size_t n = 0; n < group.size(); ++n) group[n].around = highest[n] - lowest[n];
}

/// What the views of `batch` add to the spots of a group: to one value in `parts` each.
void recompute(Range batch, const std::vector<Spot>& group, const geometry::VolumeGrid& grid,
               const FilteredPoint& filtered, UprightRows& reader, std::span<double> parts) {
  const FdkSetup& setup = filtered.setup();
  const auto place = [&](const Spot& spot, int view) {
    return project(setup.views[static_cast<std::size_t>(view)], grid.centre_of(spot.x, spot.y, spot.z));
  };
  double lowest = setup.rows, highest = -1;
  for (const Spot& spot : group)
    for (int n = batch.first; n < batch.end; ++n) {
      const double row = place(spot, n).row;
      lowest = std::min(lowest, row), highest = std::max(highest, row);
    }
  const Range rows{static_cast<int>(std::clamp(std::floor(lowest), 0.0, setup.rows - 1.0)),
                   static_cast<int>(std::clamp(std::floor(highest) + 2, 1.0, setup.rows * 1.0))};
  const UprightRows::Rows block = reader.read(batch, {rows.first, std::max(rows.end, rows.first + 1)});
  for (std::size_t spot = 0; spot < group.size(); ++spot)
    for (int n = batch.first; n < batch.end; ++n) {
      const geometry::DetectorPoint at = place(group[spot], n);
      if (!(at.depth > 0)) continue;
      const double magnification =
          project(setup.views[static_cast<std::size_t>(n)], {0, 0, 0}).depth / at.depth;
      parts[spot] += magnification * magnification * filtered.at(n, at, block, n - batch.first);
    }
}

/// Every view is gone through once, by one thread, for all spots: its file is opened once. The sums do not
/// depend on the threads.
void recompute(std::vector<std::vector<Spot>>& groups, const FdkJob& job, const geometry::VolumeGrid& grid,
               const FilteredPoint& filtered, const Resources& resources) {
  const FdkSetup& setup = filtered.setup();
  const int views = static_cast<int>(setup.views.size()),
            batches = (views + views_at_once - 1) / views_at_once;
  ThreadPool pool(resources.threads_with(spots_bytes(job)));
  std::vector<std::unique_ptr<UprightRows>> readers(static_cast<std::size_t>(pool.size()));
  std::vector<double> parts(static_cast<std::size_t>(batches) * groups.size() * together);
  const auto parts_of = [&](std::ptrdiff_t batch, std::size_t group) {
    return std::span(parts).subspan((static_cast<std::size_t>(batch) * groups.size() + group) * together,
                                    together);
  };
  pool.for_each(batches, [&](std::ptrdiff_t n, int worker) {
    auto& reader = readers[static_cast<std::size_t>(worker)];
    if (!reader)
      reader =
          std::make_unique<UprightRows>(job.source, setup, job.options.correction_spec(), resources.budget);
    const int first = static_cast<int>(n) * views_at_once;
    const Range batch{first, std::min(views, first + views_at_once)};
    for (std::size_t g = 0; g < groups.size(); ++g)
      if (!groups[g].empty()) recompute(batch, groups[g], grid, filtered, *reader, parts_of(n, g));
  });
  for (std::ptrdiff_t n = 0; n < batches; ++n)
    for (std::size_t g = 0; g < groups.size(); ++g)
      for (std::size_t spot = 0; spot < groups[g].size(); ++spot)
        groups[g][spot].recomputed += parts_of(n, g)[spot];
}

}  // namespace

std::size_t spots_bytes(const FdkJob& job) {
  return UprightRows::bytes(job.source, job.setup, job.options.correction_spec(), views_at_once,
                            rows_of_neighbours) +
         slice_bytes(job.options.grid);
}

std::vector<Spot> recompute_spots(const FdkJob& job, const FinishedVolume& volume, unsigned seed,
                                  const Resources& resources) {
  if (job.options.extension) return {};
  auto groups = choose(volume.grid, job.options.projector.radius, seed);
  ThreadPool pool(resources.threads_with(spots_bytes(job)));
  pool.for_each(static_cast<std::ptrdiff_t>(groups.size()), [&](std::ptrdiff_t n, int) {
    read_stored(volume, groups[static_cast<std::size_t>(n)], resources.budget);
  });
  const std::vector<double> kernel = kernel_in_space(job.setup.columns, job.setup.ramp_of(job.options.ramp));
  recompute(groups, job, volume.grid, FilteredPoint(job.setup, kernel), resources);
  std::vector<Spot> all;
  for (const auto& group : groups) all.insert(all.end(), group.begin(), group.end());
  for (Spot& spot : all) spot.recomputed = std::clamp(spot.recomputed, volume.lowest, volume.highest);
  return all;
}

Check check_spots(const std::vector<Spot>& spots, const kernels::ViewMerging& merging, double quantum,
                  double rms) {
  const Check check{"random-voxels"};
  if (spots.empty())
    return check.not_applicable("rows are continued beyond the detector by a model, which is not made again");
  double squares = 0, worst = 0;
  for (const Spot& spot : spots) squares += spot.recomputed * spot.recomputed;
  rms = std::max(rms, std::sqrt(squares / static_cast<double>(spots.size())));
  const Spot* example = nullptr;
  int wrong = 0;
  for (const Spot& spot : spots) {
    const double difference = std::abs(spot.stored - spot.recomputed);
    const double limit = rounding * rms + quantum + (merging.views > 1 ? displaced * spot.around : 0);
    const double excess = std::isfinite(difference) ? difference / std::max(limit, 1e-12) : INFINITY;
    if (excess > worst) worst = excess, example = &spot;
    wrong += excess > 1;
  }
  const double allowed = merging.views > 1 ? wrong_share * static_cast<double>(spots.size()) : 0;
  const bool failed = wrong > allowed;
  std::string text =
      fmt::format("{} of {} voxels made again from the raw file differ, at most by {:.2f} of the limit",
                  wrong, spots.size(), worst);
  if (failed)
    text += fmt::format(": voxel {}, {}, {} is {:.6g} 1/mm where {:.6g} belongs", example->x, example->y,
                        example->z, example->stored, example->recomputed);
  return check.judged(failed, text);
}

}  // namespace feldspar::recon
