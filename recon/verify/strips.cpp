#include "recon/verify/strips.hpp"

#include <algorithm>
#include <numbers>

#include "base/parallel.hpp"
#include "kernels/shared/parts.hpp"
#include "recon/line_integrals/upright_rows.hpp"

namespace feldspar::recon {
namespace {

using geometry::Range;
using geometry::View;

constexpr int most_heights = 12, rows_of_a_strip = 4, most_columns = 256, views_at_once = 16;

double row_at(const View& view, double height) { return project(view, {0, 0, height}).row; }
double shadow_of(const View& view, double height) { return project(view, {0, 0, height}).column; }

int strip_rows(const FdkSetup& setup) { return std::clamp(setup.rows / 8, 1, rows_of_a_strip); }

/// Heights whose strips lie on the detector in every view, evenly from the lowest to the highest.
std::vector<double> heights_of(const FdkSetup& setup) {
  const double half = 0.5 * (strip_rows(setup) - 1);
  double low = -INFINITY, high = INFINITY;
  for (const View& view : setup.views) {
    const double zero = row_at(view, 0), step = row_at(view, 1) - zero;  // linear: the detector is upright
    low = std::max(low, (half - zero) / step), high = std::min(high, (setup.rows - 1 - half - zero) / step);
  }
  if (!(low <= high)) return {0.5 * (low + high)};
  const int count = std::clamp(setup.rows / 6, 1, most_heights);
  std::vector<double> heights;
  heights.reserve(static_cast<std::size_t>(count));
  for (int n = 0; n < count; ++n) heights.push_back(low + (high - low) * (n + 0.5) / count);
  return heights;
}

/// The angle (or distance) of the ray at `column`, positive to the left of the one to the axis.
double fan_of(const View& view, double column) {
  const geometry::Vec3 pixel = view.pixel_origin + column * view.column_step;
  if (view.is_parallel()) return -pixel.x * view.direction.y + pixel.y * view.direction.x;
  const geometry::Vec3 ray = pixel - view.source;
  return std::atan2(-view.source.x * ray.y + view.source.y * ray.x,
                    -view.source.x * ray.x - view.source.y * ray.y);
}

/// Where the columns of all strips are, in detector columns from the axis' shadow.
struct Columns {
  double first = 0, bin = 1;
  int count = 0;
};

Range measured_of(const FdkSetup& setup) {
  const Range cut{std::max(0, setup.measured.first), std::min(setup.columns, setup.measured.end)};
  return cut.count() < 8 ? Range{0, setup.columns} : cut;
}

Columns columns_of(const FdkSetup& setup) {
  const Range measured = measured_of(setup);
  const double shadow = shadow_of(setup.views.front(), 0);
  Columns columns;
  columns.bin = std::max(1, (measured.count() + most_columns - 1) / most_columns);
  columns.count = std::max(1, static_cast<int>(measured.count() / columns.bin));
  columns.first = measured.first - shadow;
  return columns;
}

/// Views that are alike are to be sampled alike, and unshifted ones on their pixels.
double without_rounding(double place) { return std::round(place * 1e6) * 1e-6; }

/// Means of rows of some views.
class RowsToSample {
 public:
  /// `measured`: columns. `first`: detector row of the first.
  RowsToSample(const View3<const float>& values, int first, Range measured)
      : values_(values), first_(first), measured_(measured), mean_(static_cast<std::size_t>(values.nx)) {}

  /// Means `count` rows about `row` of view `plane`.
  void take(int plane, double row, int count) {
    std::fill(mean_.begin(), mean_.end(), 0.0);
    const auto add = [&](int at, double weight) {
      const float* const p = values_.row(at, plane);
      for (std::size_t i = 0; weight > 0 && i < mean_.size(); ++i) mean_[i] += weight * p[i];
    };
    for (int r = 0; r < count; ++r) {
      const kernels::Parts<double> v = kernels::parts_of(
          std::clamp(row + r - 0.5 * (count - 1) - first_, 0.0, static_cast<double>(values_.ny - 1)));
      const int below = static_cast<int>(v.whole);
      add(below, (1 - v.fraction) / count), add(std::min(below + 1, values_.ny - 1), v.fraction / count);
    }
  }
  /// The mean at a column's place; NaN where it was not measured.
  [[nodiscard]] double at(double column) const {
    const kernels::Parts<double> u = kernels::parts_of(without_rounding(column));
    const int left = static_cast<int>(u.whole), right = u.fraction > 0 ? left + 1 : left;
    if (!(left >= measured_.first && right < measured_.end)) return NAN;
    const double value = (1 - u.fraction) * mean_[static_cast<std::size_t>(left)] +
                         u.fraction * mean_[static_cast<std::size_t>(right)];
    return std::isfinite(value) ? value : 0;
  }

 private:
  const View3<const float>& values_;
  int first_;
  Range measured_;
  std::vector<double> mean_;
};

/// One strip of a view whose axis' shadow is at column `shadow`.
void sample(const RowsToSample& rows, double shadow, const Columns& columns, float* out) {
  const int bin = static_cast<int>(columns.bin);
  for (int j = 0; j < columns.count; ++j) {
    double sum = 0;
    for (int b = 0; b < bin; ++b) sum += rows.at(shadow + columns.first + j * bin + b);
    out[j] = static_cast<float>(sum / bin);
  }
}

/// What changes from the lower half of a strip to the upper: its sum of squares without that of noise, and of
/// how many columns.
struct Rise {
  double squares = 0, count = 0;

  /// `upper` and `lower` of the same view.
  void add(const RowsToSample& upper, const RowsToSample& lower, double shadow, const Columns& columns) {
    double sum = 0, noise = 0, last[2] = {NAN, NAN};
    const int bin = static_cast<int>(columns.bin);
    for (int j = 0; j < columns.count; ++j) {
      const double column = shadow + columns.first + (j + 0.5) * bin - 0.5,
                   rise = upper.at(column) - lower.at(column);
      const double second = last[0] - 2 * last[1] + rise;
      if (std::isfinite(second)) sum += rise * rise, noise += second * second / 6, count += 1;
      last[0] = last[1], last[1] = rise;
    }
    squares += std::max(0.0, sum - noise);
  }
};

/// Rows of the detector that strips at `height` take in the views of `batch`.
Range rows_of(Range batch, double height, const FdkSetup& setup) {
  const double half = 0.5 * (strip_rows(setup) - 1);
  double lowest = setup.rows, highest = -1;
  for (int n = batch.first; n < batch.end; ++n) {
    const double row = row_at(setup.views[static_cast<std::size_t>(n)], height);
    lowest = std::min(lowest, row - half), highest = std::max(highest, row + half);
  }
  const auto cut = [&](double row) { return std::clamp(static_cast<int>(row), 0, setup.rows - 1); };
  return {cut(std::floor(lowest)), std::min(setup.rows, cut(std::ceil(highest)) + 1)};
}

void read_views(Range batch, const FdkSetup& setup, const Columns& columns, UprightRows& reader,
                Strips& strips, Rise* rises) {
  constexpr int some = 8;  // of the views say how strips rise
  for (int s = 0; s < strips.count(); ++s) {
    const double height = strips.heights[static_cast<std::size_t>(s)];
    const UprightRows::Rows read = reader.read(batch, rows_of(batch, height, setup));
    RowsToSample rows(read.values, read.first, measured_of(setup)), upper = rows;
    const int count = strip_rows(setup), half = std::max(1, count / 2);
    for (int n = batch.first; n < batch.end; ++n) {
      const View& view = setup.views[static_cast<std::size_t>(n)];
      const double row = without_rounding(row_at(view, height)), shadow = shadow_of(view, 0);
      rows.take(n - batch.first, row, count);
      sample(rows, shadow, columns,
             strips.view(n) + static_cast<std::size_t>(s) * static_cast<std::size_t>(strips.columns));
      if (n % some != 0) continue;
      rows.take(n - batch.first, row - 0.25 * count, half),
          upper.take(n - batch.first, row + 0.25 * count, half);
      rises[s].add(upper, rows, shadow, columns);
    }
  }
}

/// mm from the axis to what the strips show, rms: along the rays as across them, over a turn.
double spread_of(const Strips& strips, double reach) {
  double sum = 0, squares = 0;
  for (int n = 0; n < strips.views; n += 8)
    for (std::size_t i = 0; i < strips.size(); ++i) {
      const double p = strips.view(n)[i],
                   at = reach * std::sin(strips.fans[i % static_cast<std::size_t>(strips.columns)]);
      if (p > 0) sum += p, squares += p * at * at;
    }
  return sum > 0 ? std::sqrt(squares / sum) : 0;
}

/// What rays of each height and their reverses differ by, from what strips rise by.
void measure_tilts(const std::vector<Rise>& rises, const FdkSetup& setup, double reach, Strips& strips) {
  const View& view = setup.views.front();
  const double spread = strips.parallel ? 0 : spread_of(strips, reach);
  for (std::size_t k = 0; k < strips.heights.size(); ++k) {
    Rise all;
    for (std::size_t n = k; n < rises.size(); n += strips.heights.size())
      all.squares += rises[n].squares, all.count += rises[n].count;
    const double rows_a_mm = std::abs(row_at(view, strips.heights[k] + 1) - row_at(view, strips.heights[k]));
    const double a_mm =
        std::sqrt(all.squares / std::max(1.0, all.count)) * rows_a_mm / (0.5 * strip_rows(setup));
    strips.tilts.push_back(2 * std::abs(strips.slopes[k]) * spread * a_mm);
  }
}

double azimuth_of(const View& view) {
  return view.is_parallel() ? std::atan2(-view.direction.y, -view.direction.x)
                            : std::atan2(view.source.y, view.source.x);
}

/// Leaves out the columns that some view does not reach.
void keep_common(Strips& strips) {
  Range common{0, strips.columns};
  for (int n = 0; n < strips.views; ++n) {
    const float* const row = strips.view(n);
    while (common.first < common.end && std::isnan(row[common.first])) ++common.first;
    while (common.first < common.end && std::isnan(row[common.end - 1])) --common.end;
  }
  if (common.count() == strips.columns) return;
  const std::size_t rows = static_cast<std::size_t>(strips.views) * strips.heights.size();
  for (std::size_t r = 0; r < rows; ++r)
    std::copy_n(strips.values.data() + r * static_cast<std::size_t>(strips.columns) + common.first,
                common.count(), strips.values.data() + r * static_cast<std::size_t>(common.count()));
  strips.values.resize(rows * static_cast<std::size_t>(common.count()));
  strips.fans = {strips.fans.begin() + common.first, strips.fans.begin() + common.end};
  strips.columns = common.count();
}

}  // namespace

Strips read_strips(const FdkJob& job, const Resources& resources, Progress& progress) {
  const FdkSetup& setup = job.setup;
  const Columns columns = columns_of(setup);
  Strips strips;
  strips.columns = columns.count, strips.bin = columns.bin;
  strips.views = static_cast<int>(setup.views.size());
  strips.heights = heights_of(setup);
  const View& first = setup.views.front();
  strips.parallel = first.is_parallel();
  for (int j = 0; j < columns.count; ++j)
    strips.fans.push_back(fan_of(first, shadow_of(first, 0) + columns.first + (j + 0.5) * columns.bin - 0.5));
  for (const View& view : setup.views) {
    const double at = azimuth_of(view), last = strips.azimuths.empty() ? at : strips.azimuths.back();
    strips.azimuths.push_back(last + std::remainder(at - last, 2 * std::numbers::pi));
  }
  const double reach = std::hypot(first.source.x, first.source.y);
  for (const double height : strips.heights)
    strips.slopes.push_back(strips.parallel ? 0 : (height - first.source.z) / reach);
  strips.values.resize(strips.size() * static_cast<std::size_t>(strips.views));
  ThreadPool pool(resources.threads_with(strip_reading_bytes(job)));
  std::vector<std::unique_ptr<UprightRows>> readers(static_cast<std::size_t>(pool.size()));
  const int batches = (strips.views + views_at_once - 1) / views_at_once;
  std::vector<Rise> rises(static_cast<std::size_t>(batches) * strips.heights.size());
  progress.expect(batches);
  pool.for_each(batches, [&](std::ptrdiff_t n, int worker) {
    auto& reader = readers[static_cast<std::size_t>(worker)];
    if (!reader)
      reader = std::make_unique<UprightRows>(job.source, setup, job.options.correction_spec(),
                                             resources.budget, "cpu");
    const int from = static_cast<int>(n) * views_at_once;
    read_views({from, std::min(strips.views, from + views_at_once)}, setup, columns, *reader, strips,
               rises.data() + static_cast<std::size_t>(n) * strips.heights.size());
    progress.advance(1, "comparing views");
  });
  keep_common(strips);
  measure_tilts(rises, setup, reach, strips);
  return strips;
}

std::size_t strips_bytes(const FdkSetup& setup) {
  return sizeof(float) * setup.views.size() * static_cast<std::size_t>(columns_of(setup).count) *
         heights_of(setup).size();
}

std::size_t strip_reading_bytes(const FdkJob& job) {
  return UprightRows::bytes(job.source, job.setup, job.options.correction_spec(), views_at_once,
                            rows_of_a_strip + 2);
}

}  // namespace feldspar::recon
