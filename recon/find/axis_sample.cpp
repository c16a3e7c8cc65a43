#include "recon/find/axis_sample.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numbers>

#include "base/parallel.hpp"
#include "recon/find/centre.hpp"
#include "recon/find/reverse_rays.hpp"
#include "recon/line_integrals/line_integrals.hpp"

namespace feldspar::recon {
namespace {

constexpr int most_columns = 512;
constexpr std::size_t most_views = most_centre_views;
constexpr int band_count = 8, band_rows = 12;
constexpr int views_for_structure = 8;
constexpr int column_passes = 6, row_passes = 3;  ///< of smoothing

/// How pixels are averaged.
struct Grouping {
  int columns = 1, rows = 1;                ///< pixels of a group
  int coarse_columns = 0, coarse_rows = 0;  ///< groups of the detector
};

Grouping grouping_of(const geometry::Detector& d) {
  Grouping groups;
  groups.columns = (d.columns + most_columns - 1) / most_columns;
  groups.rows = std::min(groups.columns, d.rows);
  groups.coarse_columns = d.columns / groups.columns, groups.coarse_rows = d.rows / groups.rows;
  return groups;
}

geometry::Detector coarse(geometry::Detector d, const Grouping& groups) {
  d.column_offset +=
      0.5 * (groups.coarse_columns * groups.columns - d.columns) * d.column_pitch * std::cos(d.slant);
  d.row_offset += 0.5 * (groups.coarse_rows * groups.rows - d.rows) * d.row_pitch;
  d.columns = groups.coarse_columns, d.rows = groups.coarse_rows;
  d.column_pitch *= groups.columns, d.row_pitch *= groups.rows;
  return d;
}

std::vector<int> thinned(const std::vector<int>& views) {
  if (views.size() <= most_views) return views;
  std::vector<int> some;
  for (std::size_t n = 0; n < most_views; ++n)
    some.push_back(views[n * (views.size() - 1) / (most_views - 1)]);
  return some;
}

/// In a parallel beam only opposite views have rays in common.
std::vector<int> views_with_reverse(const geometry::CircularScan& scan, std::span<const int> indices) {
  const bool parallel = scan.beam == geometry::Beam::parallel;
  std::vector<double> angles;
  for (const int n : indices) angles.push_back(scan.angles[static_cast<std::size_t>(n)]);
  const ViewsOfTurn turn(angles, parallel);
  std::vector<bool> needed(indices.size(), !parallel);
  for (std::size_t n = 0; parallel && n < indices.size(); ++n) {
    const ViewPair pair = turn.at(angles[n] + std::numbers::pi);
    if (pair.first < 0) continue;
    for (const std::size_t view :
         {n, static_cast<std::size_t>(pair.first), static_cast<std::size_t>(pair.second)})
      needed[view] = true;
  }
  std::vector<int> found;
  for (const int n : turn.in_order())
    if (needed[static_cast<std::size_t>(n)]) found.push_back(indices[static_cast<std::size_t>(n)]);
  return thinned(found);
}

/// Passes of (1, 2, 1) / 4 over `count` values that lie `stride` apart, the ends repeated.
void smooth(float* values, int count, std::ptrdiff_t stride, int passes) {
  for (int pass = 0; pass < passes; ++pass) {
    float before = values[0];
    for (int n = 0; n < count; ++n) {
      float& value = values[n * stride];
      const float here = value, after = values[std::min(n + 1, count - 1) * stride];
      value = 0.25f * (before + 2 * here + after);
      before = here;
    }
  }
}

/// Reads groups of pixels. One user at a time.
class GroupReader {
 public:
  GroupReader(const io::ScanSource& source, const Grouping& groups, MemoryBudget* budget)
      : reader_(source, budget), groups_(groups), detector_columns_(source.scan().detector.columns) {}

  /// Means over the pixels that see the beam, of coarse rows [first, first + count).
  void read(int view, int first, int count, float* out) {
    const geometry::PixelWindow window{{0, groups_.coarse_columns * groups_.columns},
                                       {first * groups_.rows, (first + count) * groups_.rows}};
    const View3<const float> values = reader_.read(view, window);
    for (int row = 0; row < count; ++row, out += groups_.coarse_columns) mean_row(values, window, row, out);
  }

 private:
  void mean_row(const View3<const float>& values, const geometry::PixelWindow& window, int row, float* out) {
    for (int column = 0; column < groups_.coarse_columns; ++column) {
      float sum = 0, pixels = 0;
      for (int y = row * groups_.rows; y < (row + 1) * groups_.rows; ++y)
        for (int x = column * groups_.columns; x < (column + 1) * groups_.columns; ++x) {
          const std::int64_t pixel =
              std::int64_t{window.rows.first + y} * detector_columns_ + window.columns.first + x;
          if (!reader_.is_dark(pixel)) sum += values(x, y, 0), pixels += 1;
        }
      out[column] = pixels > 0 ? sum / pixels : column > 0 ? out[column - 1] : 0;
    }
  }

  LineIntegralReader reader_;
  Grouping groups_;
  int detector_columns_;
};

/// How much line integrals change along each coarse row.
std::vector<double> structure_of(GroupReader& reader, const Grouping& groups, std::span<const int> views) {
  std::vector<double> structure(static_cast<std::size_t>(groups.coarse_rows));
  std::vector<float> row(static_cast<std::size_t>(groups.coarse_columns));
  const std::size_t step = std::max<std::size_t>(1, views.size() / views_for_structure);
  for (std::size_t n = 0; n < views.size(); n += step)
    for (int r = 0; r < groups.coarse_rows; ++r) {
      reader.read(views[n], r, 1, row.data());
      smooth(row.data(), groups.coarse_columns, 1, column_passes);
      for (std::size_t c = 1; c < row.size(); ++c)
        structure[static_cast<std::size_t>(r)] += std::abs(row[c] - row[c - 1]);
    }
  return structure;
}

/// The coarse rows that are read: all, or where there is most structure in every eighth of the height.
std::vector<geometry::Range> choose_rows(GroupReader& reader, const Grouping& groups,
                                         std::span<const int> views) {
  if (groups.coarse_rows <= band_count * band_rows) return {{0, groups.coarse_rows}};
  const std::vector<double> structure = structure_of(reader, groups, views);
  std::vector<geometry::Range> bands;
  for (int n = 0; n < band_count; ++n) {
    const int low = n * groups.coarse_rows / band_count, high = (n + 1) * groups.coarse_rows / band_count;
    geometry::Range best{low, low + band_rows};
    double most = -1;
    for (int first = low; first + band_rows <= high; ++first) {
      double sum = 0;
      for (int row = first; row < first + band_rows; ++row) sum += structure[static_cast<std::size_t>(row)];
      if (sum > most) most = sum, best = {first, first + band_rows};
    }
    bands.push_back(best);
  }
  return bands;
}

geometry::CircularScan chosen(const geometry::CircularScan& scan, std::span<const int> views,
                              const Grouping& groups) {
  geometry::CircularScan part = scan;
  part.detector = coarse(scan.detector, groups);
  part.angles.clear(), part.shifts.clear();
  for (const int view : views) {
    part.angles.push_back(scan.angles[static_cast<std::size_t>(view)]);
    if (!scan.shifts.empty()) part.shifts.push_back(scan.shifts[static_cast<std::size_t>(view)]);
  }
  return part;
}

std::size_t bytes_of_reading(const io::ScanSource& source, const Grouping& groups) {
  const int rows = std::min(groups.coarse_rows, band_count * band_rows) * groups.rows;
  return static_cast<std::size_t>(source.scan().detector.columns) * static_cast<std::size_t>(rows) *
         (sizeof(float) + io::bytes_of(source.count_type()));
}

}  // namespace

std::size_t axis_sample_bytes(const io::ScanSource& source, std::size_t views) {
  const Grouping groups = grouping_of(source.scan().detector);
  const auto rows = static_cast<std::size_t>(std::min(groups.coarse_rows, band_count * band_rows));
  return sizeof(float) * static_cast<std::size_t>(groups.coarse_columns) * rows *
             std::min(views, most_views) +
         bytes_of_reading(source, groups);
}

AxisSample sample_for_axis(const io::ScanSource& source, const geometry::CircularScan& scan,
                           std::span<const int> view_indices, const Resources& resources,
                           Progress& progress) {
  const Grouping groups = grouping_of(scan.detector);
  const std::vector<int> views = views_with_reverse(scan, view_indices);
  AxisSample sample{chosen(scan, views, groups), {}};
  if (views.empty()) return sample;
  const int count = static_cast<int>(views.size());
  ThreadPool pool(resources.threads_with(bytes_of_reading(source, groups)));
  std::vector<std::unique_ptr<GroupReader>> readers;
  for (int n = 0; n < pool.size(); ++n)
    readers.push_back(std::make_unique<GroupReader>(source, groups, &resources.budget));
  for (const geometry::Range& rows : choose_rows(*readers.front(), groups, views)) {
    RowBand& band = sample.bands.emplace_back();
    band.first = rows.first;
    band.values = Array3<float>(groups.coarse_columns, rows.count(), count, "rows to find the axis in",
                                &resources.budget);
  }
  const double work = 1.0 / (count * static_cast<double>(sample.bands.size()));
  pool.for_each(count, [&](std::ptrdiff_t n, int worker) {
    for (RowBand& band : sample.bands) {
      const View3<float> image = band.values.view().planes(static_cast<int>(n), 1);
      readers[static_cast<std::size_t>(worker)]->read(views[static_cast<std::size_t>(n)], band.first,
                                                      image.ny, image.data);
      for (int row = 0; row < image.ny; ++row) smooth(image.row(row, 0), image.nx, 1, column_passes);
      for (int column = 0; column < image.nx; ++column)
        smooth(image.data + column, image.ny, image.nx, row_passes);
      progress.advance(work, "finding the axis");
    }
  });
  return sample;
}

}  // namespace feldspar::recon
