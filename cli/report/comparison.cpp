// Coarse copies of both volumes, which fit into memory, say how they lie to each other and where they differ
// most; then one pass over the slices measures, and keeps the planes to be drawn.
#include "cli/report/comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.hpp"
#include "base/units.hpp"
#include "recon/registration/resample.hpp"

namespace feldspar::cli {
namespace {

using geometry::Similarity;
using geometry::Vec3;
using recon::registration::averaging_for;
using recon::registration::CoarseVolume;
using recon::registration::StoredVolume;

constexpr std::size_t glance_voxels = 500'000, coarse_voxels = 4'000'000;
constexpr int bins = 200;
constexpr int slices_at_once = 16;
constexpr double spot_sigma = 1.7;  // coarse voxels: a Gaussian four of them wide at half its height

StoredVolume stored(const io::VolumeReader& reader) {
  StoredVolume volume{.grid = reader.grid(), .read = [&reader](int x, int nx, int y, int ny, int z, int nz) {
                        return reader.read(x, nx, y, ny, z, nz);
                      }};
  double radius = 0;
  if (parse_number(reader.text("reconstruction/field_of_view_radius_mm"), radius))
    volume.field_radius = radius;
  return volume;
}

CoarseVolume copy_of(const CoarseVolume& volume) {
  CoarseVolume copy{volume.grid, {volume.grid.nx, volume.grid.ny, volume.grid.nz, "a coarse volume"}};
  std::copy_n(volume.voxels.data(), volume.voxels.size(), copy.voxels.data());
  return copy;
}

StoredVolume stored(const CoarseVolume& coarse) {
  return {.grid = coarse.grid, .read = [&coarse](int x, int nx, int y, int ny, int z, int nz) {
            Array3<float> piece(nx, ny, nz);
            for (int k = 0; k < nz; ++k)
              for (int j = 0; j < ny; ++j)
                std::copy_n(coarse.voxels.view().row(y + j, z + k) + x, nx, piece.view().row(j, k));
            return piece;
          }};
}

void find_spot(const CoarseVolume& first, const CoarseVolume& second, const Similarity& to_second,
               ThreadPool& pool, Comparison& result) {
  CoarseVolume difference{first.grid, resampled(stored(second), to_second, first.grid, pool)};
  for (std::size_t n = 0; n < difference.voxels.size(); ++n)
    difference.voxels.data()[n] -= first.voxels.data()[n];
  smooth(difference, spot_sigma * first.grid.spacing.x, pool);
  result.spot_size = 2.355 * spot_sigma * first.grid.spacing.x;
  for (int k = 0; k < first.grid.nz; ++k)
    for (int j = 0; j < first.grid.ny; ++j)
      for (int i = 0; i < first.grid.nx; ++i)
        if (const float value = difference.voxels(i, j, k);
            std::isfinite(value) && std::abs(value) > std::abs(result.spot_difference)) {
          result.spot_difference = value;
          result.spot = first.grid.centre_of(i, j, k);
        }
}

/// Bins that hold what both volumes have, with room for the noise of single voxels.
Histograms empty_histograms(const CoarseVolume& first, const CoarseVolume& second) {
  float low = std::numeric_limits<float>::max(), high = std::numeric_limits<float>::lowest();
  for (const CoarseVolume* volume : {&first, &second})
    for (const float value : volume->voxels.view().values())
      if (std::isfinite(value)) low = std::min(low, value), high = std::max(high, value);
  const double room = 0.1 * std::max<double>(high - low, 1e-6);
  return {low - room, (high - low + 2 * room) / bins, std::vector<double>(bins), std::vector<double>(bins)};
}

/// What one thread adds up of the voxels that both volumes have.
struct Sums {
  std::uint64_t count = 0;
  double a = 0, b = 0, aa = 0, bb = 0, ab = 0,
         square = 0;  ///< square: of b - a, which the others would cancel
  std::vector<double> first = std::vector<double>(bins), second = std::vector<double>(bins);

  void add(const Histograms& range, double x, double y) {
    ++count;
    a += x, b += y, aa += x * x, bb += y * y, ab += x * y, square += (y - x) * (y - x);
    const auto bin = [&](double v) {
      return static_cast<std::size_t>(std::clamp((v - range.lowest) / range.step, 0.0, bins - 1.0));
    };
    ++first[bin(x)], ++second[bin(y)];
  }
};

void finish(const std::vector<Sums>& all, Comparison& result) {
  Sums s;
  for (const Sums& one : all) {
    s.count += one.count;
    s.a += one.a, s.b += one.b, s.aa += one.aa, s.bb += one.bb, s.ab += one.ab, s.square += one.square;
    for (std::size_t n = 0; n < bins; ++n)
      result.histograms.first[n] += one.first[n], result.histograms.second[n] += one.second[n];
  }
  if (s.count == 0)
    throw Error(ErrorKind::usage, "the volumes have no voxel in common where the transform puts them");
  const auto n = static_cast<double>(s.count);
  for (std::vector<double>* counts : {&result.histograms.first, &result.histograms.second})
    for (double& value : *counts) value /= n;
  result.voxels = s.count;
  result.mean_difference = (s.b - s.a) / n;
  result.rms_difference = std::sqrt(s.square / n);
  const double spread = (s.aa - s.a * s.a / n) * (s.bb - s.b * s.b / n);
  result.correlation = spread > 0 ? (s.ab - s.a * s.b / n) / std::sqrt(spread) : 0;
}

/// The planes of one place, filled slab by slab.
class PlaneTaker {
 public:
  PlaneTaker(const geometry::VolumeGrid& grid, Vec3 at, PlanePair& planes)
      : grid_(grid), voxel_(voxel_at(grid, at)), planes_(planes) {
    planes_.at = grid.centre_of(voxel_.x, voxel_.y, voxel_.z);
    const auto plane = [](std::string label, int width, int height, double across, double up) {
      return Plane{std::move(label), width, height,
                   across,           up,    std::vector<float>(static_cast<std::size_t>(width) * height)};
    };
    planes_.first = {plane(fmt::format("xy at z = {:.3f} mm", planes_.at.z), grid.nx, grid.ny, grid.spacing.x,
                           grid.spacing.y),
                     plane(fmt::format("xz at y = {:.3f} mm", planes_.at.y), grid.nx, grid.nz, grid.spacing.x,
                           grid.spacing.z),
                     plane(fmt::format("yz at x = {:.3f} mm", planes_.at.x), grid.ny, grid.nz, grid.spacing.y,
                           grid.spacing.z)};
    planes_.second = planes_.first;
  }

  void take(int first, View3<const float> a, View3<const float> b) {
    take(first, a, planes_.first), take(first, b, planes_.second);
  }

 private:
  void take(int first, View3<const float> slab, std::vector<Plane>& planes) const {
    for (int k = 0; k < slab.nz; ++k) {
      if (first + k == voxel_.z)
        std::copy_n(slab.row(0, k), static_cast<std::size_t>(grid_.nx) * grid_.ny, planes[0].values.data());
      const auto row = static_cast<std::size_t>(first + k);
      std::copy_n(slab.row(voxel_.y, k), grid_.nx, planes[1].values.data() + row * grid_.nx);
      for (int j = 0; j < grid_.ny; ++j)
        planes[2].values[row * grid_.ny + static_cast<std::size_t>(j)] = slab(voxel_.x, j, k);
    }
  }

  geometry::VolumeGrid grid_;
  Voxel voxel_;
  PlanePair& planes_;
};

/// Two volumes, and where points of the first are in the second.
struct VolumePair {
  const StoredVolume& first;
  const StoredVolume& second;
  const Similarity& to_second;
};

/// Both volumes on the slices of the first, from the first slice to the last.
void pass(const VolumePair& pair, std::span<PlaneTaker> takers, ThreadPool& pool, Progress& progress,
          Comparison& result) {
  const geometry::VolumeGrid& grid = pair.first.grid;
  std::vector<Sums> sums(static_cast<std::size_t>(pool.size()));
  constexpr float missing = std::numeric_limits<float>::quiet_NaN();
  for (int z = 0; z < grid.nz; z += slices_at_once) {
    const int count = std::min(slices_at_once, grid.nz - z);
    const geometry::VolumeGrid part = slab_of(grid, z, count);
    Array3<float> a = pair.first.read(0, grid.nx, 0, grid.ny, z, count),
                  b = resampled(pair.second, pair.to_second, part, pool);
    pool.for_each(static_cast<std::ptrdiff_t>(count) * grid.ny, [&](std::ptrdiff_t n, int worker) {
      const int k = static_cast<int>(n / grid.ny), j = static_cast<int>(n % grid.ny);
      for (int i = 0; i < grid.nx; ++i) {
        const Vec3 p = part.centre_of(i, j, k), q = pair.to_second(p);
        if (std::hypot(q.x, q.y) > pair.second.field_radius) b(i, j, k) = missing;
        if (std::hypot(p.x, p.y) > pair.first.field_radius) a(i, j, k) = missing;
        if (std::isfinite(a(i, j, k)) && std::isfinite(b(i, j, k)))
          sums[static_cast<std::size_t>(worker)].add(result.histograms, a(i, j, k), b(i, j, k));
      }
    });
    for (PlaneTaker& taker : takers) taker.take(z, a.view(), b.view());
    progress.advance(3.0 * count, "comparing");
  }
  finish(sums, result);
}

}  // namespace

std::size_t comparison_bytes(const geometry::VolumeGrid& first, const geometry::VolumeGrid& second) {
  // Coarse copies of both: those that are kept, those that are aligned, halved and smoothed.
  constexpr std::size_t copies = 10, piece = 32'000'000;  // voxels that are resampled from
  const auto slice = [](const geometry::VolumeGrid& grid) {
    return static_cast<std::size_t>(grid.nx) * static_cast<std::size_t>(grid.ny);
  };
  const std::size_t planes =
      4 * (slice(first) + static_cast<std::size_t>(first.nx + first.ny) * static_cast<std::size_t>(first.nz));
  return sizeof(float) * (copies * coarse_voxels + planes + 2 * slices_at_once * slice(first) +
                          std::max(piece, 4 * slice(second)));
}

Comparison compare(const io::VolumeReader& first, const io::VolumeReader& second,
                   const CompareOptions& options, ThreadPool& pool, Progress& progress) {
  const StoredVolume whole_a = stored(first), whole_b = stored(second);
  progress.expect(5.0 * whole_a.grid.nz + 2.0 * whole_b.grid.nz);
  const auto part = [&](const StoredVolume& whole) {
    return part_with_object(whole, averaged(whole, averaging_for(whole.grid, glance_voxels), pool, progress));
  };
  const StoredVolume a = part(whole_a), b = part(whole_b);
  if (options.at) (void)voxel_at(a.grid, *options.at);
  const CoarseVolume coarse_a = averaged(a, averaging_for(a.grid, coarse_voxels), pool, progress),
                     coarse_b = averaged(b, averaging_for(b.grid, coarse_voxels), pool, progress);
  Comparison result;
  if (options.transform)
    result.alignment.transform = *options.transform;
  else
    result.alignment = recon::registration::align(copy_of(coarse_a), copy_of(coarse_b), options.align, pool);
  const Similarity to_second = inverse(result.alignment.transform);
  find_spot(coarse_a, coarse_b, to_second, pool, result);
  result.histograms = empty_histograms(coarse_a, coarse_b);
  const Vec3 middle = a.grid.centre_of(a.grid.nx / 2, a.grid.ny / 2, a.grid.nz / 2);
  PlaneTaker takers[] = {{a.grid, options.at.value_or(middle), result.planes[0]},
                         {a.grid, result.spot, result.planes[1]}};
  pass({a, b, to_second}, takers, pool, progress, result);
  return result;
}

}  // namespace feldspar::cli
