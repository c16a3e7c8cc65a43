#include "recon/find/object_extent.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "geometry/coverage.hpp"
#include "recon/measure/projection_sample.hpp"
#include "recon/measure/robust.hpp"

namespace feldspar::recon {
namespace {

constexpr int bin = 8;              ///< pixels along each side that are averaged against noise
constexpr double faintest = 0.02;   ///< of the strongest attenuation: what counts as object
constexpr double noise_levels = 6;  ///< standard deviations that a shadow must stand out by
constexpr int hull_cells = 256;     ///< along x and y of what the views see

/// The shadow of one view: which bins of columns have object in any row, and the range of rows.
struct Silhouette {
  geometry::View view;
  std::vector<bool> columns;
  double lowest_row = std::numeric_limits<double>::infinity();
  double highest_row = -std::numeric_limits<double>::infinity();
};

/// Line integrals averaged over bins; a bin at the edge may be smaller.
std::vector<float> binned(std::span<const float> transmission, int columns, int rows) {
  const int across = (columns + bin - 1) / bin, high = (rows + bin - 1) / bin;
  std::vector<float> sums(static_cast<std::size_t>(across) * high), counts(sums.size());
  for (int row = 0; row < rows; ++row)
    for (int column = 0; column < columns; ++column) {
      const std::size_t n = static_cast<std::size_t>(row / bin) * across + column / bin;
      sums[n] += transmission[static_cast<std::size_t>(row) * columns + column];
      counts[n] += 1;
    }
  for (std::size_t n = 0; n < sums.size(); ++n) sums[n] = -std::log(std::max(sums[n] / counts[n], 1e-6f));
  return sums;
}

/// What separates object from air: a little above the air's own level by its own scatter, both taken from
/// the faintest tenth of the bins, and at least a small share of the strongest attenuation.
float threshold_of(std::vector<float> bins) {
  const float air = quantile(bins, 0.05), spread = air - quantile(bins, 0.001);
  return air + std::max(static_cast<float>(noise_levels / 3) * spread,
                        static_cast<float>(faintest) * (quantile(bins, 0.995) - air));
}

Silhouette silhouette_of(const std::vector<float>& bins, const geometry::Detector& detector,
                         const geometry::View& view) {
  const int across = (detector.columns + bin - 1) / bin, high = (detector.rows + bin - 1) / bin;
  Silhouette shadow{.view = view, .columns = std::vector<bool>(static_cast<std::size_t>(across))};
  const float threshold = threshold_of(bins);
  for (int row = 0; row < high; ++row)
    for (int column = 0; column < across; ++column) {
      if (!(bins[static_cast<std::size_t>(row) * across + column] > threshold)) continue;
      shadow.columns[static_cast<std::size_t>(column)] = true;
      shadow.lowest_row = std::min(shadow.lowest_row, row * bin - 0.5);
      shadow.highest_row = std::max(shadow.highest_row, std::min((row + 1) * bin, detector.rows) - 0.5);
    }
  return shadow;
}

/// The column whose pixel holds a place right of -0.5.
int column_at(double place) { return static_cast<int>(std::floor(place + 0.5)); }

/// True when some column between the shadows of a cell's sides has object in it. A cell that the view sees
/// only in part is kept.
bool sees(const Silhouette& shadow, double x, double y, double half, int columns) {
  double lowest = std::numeric_limits<double>::infinity(), highest = -lowest;
  for (const double dx : {-half, half})
    for (const double dy : {-half, half}) {
      const auto at = geometry::project(shadow.view, {x + dx, y + dy, 0});
      if (!(at.depth > 0)) return true;
      lowest = std::min(lowest, at.column), highest = std::max(highest, at.column);
    }
  if (highest < -0.5 || lowest > columns - 0.5) return false;
  const int first = std::max(0, column_at(lowest) / bin),
            last = std::min(columns - 1, column_at(highest)) / bin;
  for (int n = first; n <= last; ++n)
    if (shadow.columns[static_cast<std::size_t>(n)]) return true;
  return false;
}

/// Rows that height z casts onto from anywhere in the box.
bool sees_height(const Silhouette& shadow, const Box& box, double z) {
  double lowest = std::numeric_limits<double>::infinity(), highest = -lowest;
  for (const double x : {box.lowest.x, box.highest.x})
    for (const double y : {box.lowest.y, box.highest.y}) {
      const auto at = geometry::project(shadow.view, {x, y, z});
      if (!(at.depth > 0)) return true;
      lowest = std::min(lowest, at.row), highest = std::max(highest, at.row);
    }
  return highest >= shadow.lowest_row && lowest <= shadow.highest_row;
}

std::optional<Box> hull_of(const std::vector<Silhouette>& shadows, const geometry::CircularScan& scan) {
  const double reach = geometry::field_of_view(scan).outer_radius, step = 2 * reach / hull_cells;
  const geometry::VolumeGrid whole = geometry::default_grid(scan);
  // An edge that fades out casts no shadow to speak of: one bin more, at the axis.
  const double margin = bin * whole.spacing.x + 0.5 * step;
  Box box{{reach, reach, 0}, {-reach, -reach, 0}};
  for (int j = 0; j < hull_cells; ++j)
    for (int i = 0; i < hull_cells; ++i) {
      const double x = -reach + (i + 0.5) * step, y = -reach + (j + 0.5) * step;
      if (std::hypot(x, y) > reach) continue;
      if (!std::all_of(shadows.begin(), shadows.end(), [&](const Silhouette& shadow) {
            return sees(shadow, x, y, 0.5 * step, scan.detector.columns);
          }))
        continue;
      box.lowest = {std::min(box.lowest.x, x - margin), std::min(box.lowest.y, y - margin), 0};
      box.highest = {std::max(box.highest.x, x + margin), std::max(box.highest.y, y + margin), 0};
    }
  if (box.lowest.x > box.highest.x) return std::nullopt;
  const double bottom = whole.origin.z, top = whole.origin.z + (whole.nz - 1) * whole.spacing.z;
  const double rise = (top - bottom) / hull_cells;
  box.lowest.z = top, box.highest.z = bottom;
  for (int k = 0; k <= hull_cells; ++k) {
    const double z = bottom + k * rise;
    if (!std::all_of(shadows.begin(), shadows.end(),
                     [&](const Silhouette& shadow) { return sees_height(shadow, box, z); }))
      continue;
    box.lowest.z = std::min(box.lowest.z, z - margin), box.highest.z = std::max(box.highest.z, z + margin);
  }
  if (box.lowest.z > box.highest.z) box.lowest.z = bottom, box.highest.z = top;
  return box;
}

}  // namespace

std::size_t find_object_bytes(const io::ScanSource& source) {
  constexpr std::size_t bins = 4;  // sums, counts, and copies to take quantiles of
  constexpr std::size_t pixels = static_cast<std::size_t>(bin) * bin;
  return transmissions_bytes(source) + bins * sizeof(float) * (pixels_of(source) / pixels + 4096);
}

std::optional<Box> find_object(const io::ScanSource& source, const geometry::CircularScan& scan,
                               std::span<const int> view_indices, const Resources& resources, int count) {
  const std::vector<geometry::View> views = geometry::make_views(scan);
  count = std::min(count, static_cast<int>(view_indices.size()));
  std::vector<Silhouette> shadows;
  std::size_t saturated = 0;
  for (int n = 0; n < count; ++n) {
    const int view =
        view_indices[view_indices.size() * static_cast<std::size_t>(n) / static_cast<std::size_t>(count)];
    const auto bins = binned(transmissions(source, view, saturated, resources.budget).view().values(),
                             scan.detector.columns, scan.detector.rows);
    shadows.push_back(silhouette_of(bins, scan.detector, views[static_cast<std::size_t>(view)]));
    if (!(shadows.back().lowest_row <= shadows.back().highest_row)) return std::nullopt;
  }
  return shadows.empty() ? std::nullopt : hull_of(shadows, scan);
}

geometry::VolumeGrid cut_to(const geometry::VolumeGrid& grid, const Box& box) {
  const auto range = [](double origin, double spacing, int count, double lowest, double highest) {
    const int first = std::clamp(static_cast<int>(std::floor((lowest - origin) / spacing)), 0, count - 1);
    const int last = std::clamp(static_cast<int>(std::ceil((highest - origin) / spacing)), first, count - 1);
    return geometry::Range{first, last + 1};
  };
  const geometry::Range x = range(grid.origin.x, grid.spacing.x, grid.nx, box.lowest.x, box.highest.x),
                        y = range(grid.origin.y, grid.spacing.y, grid.ny, box.lowest.y, box.highest.y),
                        z = range(grid.origin.z, grid.spacing.z, grid.nz, box.lowest.z, box.highest.z);
  return {x.count(), y.count(), z.count(), grid.spacing, grid.centre_of(x.first, y.first, z.first)};
}

}  // namespace feldspar::recon
