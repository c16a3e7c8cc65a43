#include "recon/find/slice_sharpness.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "base/memory.hpp"
#include "geometry/coverage.hpp"
#include "recon/fdk/fdk.hpp"
#include "recon/find/object_extent.hpp"

namespace feldspar::recon {
namespace {

constexpr std::size_t most_views = 900;
constexpr double least_contrast = 0.02;
constexpr double apart = 0.3;  ///< of the object's or the detector's height: lowest and highest slice

class OneSlice final : public io::VolumeSink {
 public:
  void write(int, View3<const float> slab) override {
    values.resize(slab.size());
    std::memcpy(values.data(), slab.data, slab.bytes());
  }
  std::vector<float> values;
};

double sharpness_of(const std::vector<float>& values, const geometry::VolumeGrid& grid) {
  const auto width = static_cast<std::size_t>(grid.nx);
  const double scale = 0.5 / grid.spacing.x;
  double sum = 0;
  for (std::size_t j = 1; j + 1 < static_cast<std::size_t>(grid.ny); ++j)
    for (std::size_t i = 1; i + 1 < width; ++i) {
      const float* at = values.data() + j * width + i;
      const double x = scale * (at[1] - at[-1]);
      const double y = scale * (at[width] - *(at - width));
      sum += (x * x + y * y) * (x * x + y * y);
    }
  return sum / static_cast<double>(grid.nx) / grid.ny;
}

double pixel_of(const geometry::CircularScan& scan) {
  return scan.detector.column_pitch / scan.magnification();
}

/// Where the parabola through three trials, the middle one the highest, has its top.
double vertex(const TrialSlice& a, const TrialSlice& b, const TrialSlice& c) {
  const double left = (b.sharpness - a.sharpness) / (b.offset - a.offset),
               right = (c.sharpness - b.sharpness) / (c.offset - b.offset);
  const double bend = (right - left) / (c.offset - a.offset);
  if (!(bend < 0)) return b.offset;
  return std::clamp(0.5 * (a.offset + b.offset - left / bend), a.offset, c.offset);
}

class Search {
 public:
  Search(const io::ScanSource& source, geometry::CircularScan scan, std::span<const int> views,
         const Resources& resources)
      : source_(source), scan_(std::move(scan)), views_(views), resources_(resources) {}

  /// Begins `how.reach` columns to both sides of `start` and goes further while sharpness rises.
  SliceTrials at(const geometry::VolumeGrid& grid, double start, const SharpnessSearch& how) {
    keep_slices_ = how.keep_slices;
    const int reach = how.reach;
    const double furthest = (everywhere_columns + 0.5) * pixel_of(scan_);
    found_ = {};
    found_.grid = grid;
    for (int n = -reach; n <= reach; ++n) add(start + n * pixel_of(scan_));
    while (top() == 0 && start - found_.trials[0].offset < furthest &&
           add(found_.trials[0].offset - pixel_of(scan_))) {
    }
    while (top() + 1 == found_.trials.size() && found_.trials.back().offset - start < furthest &&
           add(found_.trials.back().offset + pixel_of(scan_))) {
    }
    found_.peaked = inside();
    for (const double step : {0.5, 0.25}) {
      if (!inside()) break;
      const double peak = found_.trials[top()].offset;
      add(peak - step * pixel_of(scan_)), add(peak + step * pixel_of(scan_));
    }
    const std::size_t n = top();
    found_.best = inside() ? vertex(found_.trials[n - 1], found_.trials[n], found_.trials[n + 1])
                           : found_.trials[n].offset;
    const auto lowest = std::min_element(found_.trials.begin(), found_.trials.end(), less_sharp)->sharpness;
    found_.contrast = found_.trials[n].sharpness / std::max(lowest, 1e-300) - 1;
    found_.peaked = found_.peaked && found_.contrast > least_contrast;
    return std::move(found_);
  }

 private:
  static bool less_sharp(const TrialSlice& a, const TrialSlice& b) { return a.sharpness < b.sharpness; }
  [[nodiscard]] std::size_t top() const {
    return static_cast<std::size_t>(std::max_element(found_.trials.begin(), found_.trials.end(), less_sharp) -
                                    found_.trials.begin());
  }
  [[nodiscard]] bool inside() const { return top() > 0 && top() + 1 < found_.trials.size(); }

  /// False for an axis that no detector would see.
  bool add(double offset) {
    const geometry::Detector& d = scan_.detector;
    const double middle = scan_.beam == geometry::Beam::parallel ? d.column_offset : 0;
    if (std::abs(offset - middle) >= 0.5 * (d.columns - 1) * pixel_of(scan_)) return false;
    scan_.axis.offset = offset;
    TrialSlice trial = try_slice(source_, scan_, views_, found_.grid, resources_);
    if (!keep_slices_) trial.values = {};
    const auto after = std::find_if(found_.trials.begin(), found_.trials.end(),
                                    [&](const TrialSlice& other) { return other.offset > offset; });
    found_.trials.insert(after, std::move(trial));
    return true;
  }

  const io::ScanSource& source_;
  geometry::CircularScan scan_;
  std::span<const int> views_;
  const Resources& resources_;
  bool keep_slices_ = true;
  SliceTrials found_;
};

/// Offset and roll from the peaks of the slices that have one.
void conclude(SharpnessEstimate& found, double pixel) {
  double count = 0, height = 0, offset = 0;
  for (const SliceTrials& slice : found.slices)
    if (slice.peaked) count += 1, height += slice.grid.origin.z, offset += slice.best;
  found.known = count > 0;
  if (!found.known) return;
  height /= count, offset /= count;
  double square = 0, product = 0, scatter = 0;
  for (const SliceTrials& slice : found.slices)
    if (slice.peaked) {
      square += std::pow(slice.grid.origin.z - height, 2);
      product += (slice.grid.origin.z - height) * (slice.best - offset);
    }
  found.roll_known = count >= 3;
  const double slope = found.roll_known ? product / square : 0;
  for (const SliceTrials& slice : found.slices)
    if (slice.peaked) scatter += std::pow(slice.best - offset - slope * (slice.grid.origin.z - height), 2);
  found.axis.offset = offset - slope * height;
  if (found.roll_known) found.axis.roll += std::atan(slope);
  found.offset_uncertainty = std::max(0.05 * pixel, std::sqrt(scatter / count));
}

/// Grids of one slice below, at and above the middle of `part`, at most `most` voxels across.
std::vector<geometry::VolumeGrid> slices_of(const geometry::VolumeGrid& part,
                                            const geometry::CircularScan& scan, int most) {
  const geometry::Vec3 middle = part.centre_of(0.5 * (part.nx - 1), 0.5 * (part.ny - 1), 0.5 * (part.nz - 1));
  const int across = std::min(most, part.nx), deep = std::min(most, part.ny);
  const double step = apart * part.nz * part.spacing.z;
  std::vector<geometry::VolumeGrid> slices;
  for (const int n : {-1, 0, 1}) {
    if (n != 0 && part.nz < 12) continue;
    const geometry::Vec3 at{middle.x, middle.y, scan.detector.rows == 1 ? 0.0 : middle.z + n * step};
    slices.push_back(geometry::centred_grid(across, deep, 1, part.spacing.x, at));
  }
  return slices;
}

}  // namespace

std::vector<geometry::VolumeGrid> small_slices(const io::ScanSource& source,
                                               const geometry::CircularScan& scan, std::span<const int> views,
                                               const Resources& resources, int most) {
  const geometry::VolumeGrid whole = geometry::default_grid(scan);
  const auto box = find_object(source, scan, views, resources, 12);
  return slices_of(box ? cut_to(whole, *box) : whole, scan, most);
}

namespace {

/// A slice's reconstruction, ready but for the grid.
struct Trial {
  FdkSetup setup;
  FdkOptions options;
};

Trial trial_of(const geometry::CircularScan& scan, std::span<const int> views, const Resources& resources) {
  const std::size_t all = views.empty() ? scan.angles.size() : views.size();
  const std::size_t stride = std::max<std::size_t>(1, all / most_views);
  std::vector<int> some;
  for (std::size_t n = 0; n < all; n += stride)
    some.push_back(views.empty() ? static_cast<int>(n) : views[n]);
  FdkOptions options{.grid = {}, .ramp = {}, .projector = {}, .memory = resources.memory()};
  options.used_bytes = 0;
  const geometry::FieldOfView seen = geometry::field_of_view(scan);
  options.projector.radius = geometry::is_displaced(scan) ? seen.outer_radius : seen.inner_radius;
  return {prepare_fdk(scan, some), options};
}

/// Of the trials of one slice, when they are kept, and of the one that is made.
std::size_t kept_bytes(const geometry::VolumeGrid& grid, const SharpnessSearch& how) {
  constexpr std::size_t finer = 4, beyond = 2;
  const std::size_t trials =
      how.keep_slices ? 2 * static_cast<std::size_t>(everywhere_columns) + 1 + finer + beyond : 0;
  return (trials + 1) * sizeof(float) * static_cast<std::size_t>(grid.nx) * static_cast<std::size_t>(grid.ny);
}

}  // namespace

TrialSlice try_slice(const io::ScanSource& source, const geometry::CircularScan& scan,
                     std::span<const int> views, const geometry::VolumeGrid& grid,
                     const Resources& resources) {
  Trial trial = trial_of(scan, views, resources);
  trial.options.grid = grid;
  trial.options.used_bytes = resources.budget.used();
  const SlabPlan plan = plan_slabs(trial.setup, grid, resources.memory(),
                                   costs_on(resources.backend, source, trial.setup, trial.options));
  OneSlice slice;
  Progress progress;
  (void)reconstruct_fdk({source, trial.setup, trial.options}, plan, slice, resources.backend, progress);
  return {scan.axis.offset, sharpness_of(slice.values, grid), std::move(slice.values)};
}

std::size_t sharpness_bytes(const io::ScanSource& source, const geometry::CircularScan& scan,
                            std::span<const int> views, const Resources& resources,
                            const SharpnessSearch& how) {
  Trial trial = trial_of(scan, views, resources);
  std::size_t most = find_object_bytes(source);
  for (const geometry::VolumeGrid& grid : slices_of(geometry::default_grid(scan), scan, most_across)) {
    trial.options.grid = grid;
    trial.options.source_bytes = kept_bytes(grid, how);
    most = std::max(most, least_memory(trial.setup, grid,
                                       costs_on(resources.backend, source, trial.setup, trial.options)));
  }
  return most;
}

SharpnessEstimate sharpen_centre(const io::ScanSource& source, const geometry::CircularScan& scan,
                                 std::span<const int> views, const Resources& resources,
                                 SharpnessSearch how) {
  SharpnessEstimate found;
  found.axis = scan.axis;
  std::vector<int> all(views.empty() ? scan.angles.size() : 0);
  std::iota(all.begin(), all.end(), 0);
  if (views.empty()) views = all;
  if (!find_object(source, scan, views, resources, 12)) return found;  // nothing that could be sharp
  const std::vector<geometry::VolumeGrid> grids = small_slices(source, scan, views, resources);
  const std::size_t middle = grids.size() / 2;
  // About an axis far off, half a turn leaves arcs that are sharper than the object.
  if (!geometry::angular_coverage(scan.angles).complete) how.reach = std::min(how.reach, nearby_columns);
  const Reservation kept(resources.budget, kept_bytes(grids[middle], how), "slices about several axes");
  Search search(source, scan, views, resources);
  found.slices.resize(grids.size());
  found.slices[middle] = search.at(grids[middle], scan.axis.offset, how);
  for (std::size_t n = 0; n < grids.size(); ++n)
    if (n != middle)
      found.slices[n] =
          search.at(grids[n], found.slices[middle].best, {.reach = nearby_columns, .keep_slices = false});
  conclude(found, pixel_of(scan));
  return found;
}

}  // namespace feldspar::recon
