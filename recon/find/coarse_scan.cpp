#include "recon/find/coarse_scan.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/stop.hpp"
#include "recon/find/object_extent.hpp"

namespace feldspar::recon {
namespace {

constexpr float open_beam = 60000;

int divided_up(int a, int b) { return (a + b - 1) / b; }

/// Half the width in mm at the detector that the object's shadow can have on either side of the axis.
double shadow_of(const io::ScanSource& source, const geometry::CircularScan& scan, std::span<const int> views,
                 const Resources& resources) {
  const auto box = find_object(source, scan, views, resources);
  if (!box) return scan.detector.columns * scan.detector.column_pitch;
  const double x = std::max(std::abs(box->lowest.x), std::abs(box->highest.x)),
               y = std::max(std::abs(box->lowest.y), std::abs(box->highest.y)), radius = std::hypot(x, y);
  if (scan.beam == geometry::Beam::parallel) return radius;
  const double sod = scan.source_object_distance;
  if (radius >= 0.9 * sod) return scan.detector.columns * scan.detector.column_pitch;
  return scan.source_detector_distance * radius / std::sqrt(sod * sod - radius * radius);
}

/// Columns around the axis that hold the shadow, a multiple of `bin` wide.
geometry::Range columns_around_axis(const geometry::CircularScan& scan, double shadow, int bin) {
  const geometry::Detector& d = scan.detector;
  const double axis =
      0.5 * (d.columns - 1) + (scan.axis.offset * scan.magnification() - d.column_offset) / d.column_pitch;
  const double lean = std::abs(std::tan(scan.axis.roll)) * 0.5 * d.rows * d.row_pitch / d.column_pitch;
  const double half = shadow / d.column_pitch + lean;
  const int first = static_cast<int>(std::floor(axis - half)), end = static_cast<int>(std::ceil(axis + half));
  if (first < 0 || end > d.columns) return {0, d.columns / bin * bin};
  const int width = std::min(divided_up(end - first, bin), d.columns / bin) * bin;
  const int begin = std::clamp(first - (width - (end - first)) / 2, 0, d.columns - width);
  return {begin, begin + width};
}

float reference_at(const std::vector<float>& image, std::size_t pixel) {
  return image.empty() ? 0.0f : image[image.size() == 1 ? 0 : pixel];
}

/// The detector of which only `window` is kept, in pixels of by_columns x by_rows.
geometry::Detector part_of(geometry::Detector d, const geometry::PixelWindow& window, int by_columns,
                           int by_rows) {
  d.column_offset += (0.5 * (window.columns.first + window.columns.end - d.columns)) * d.column_pitch;
  d.row_offset += (0.5 * (window.rows.first + window.rows.end - d.rows)) * d.row_pitch;
  d.columns = window.columns.count() / by_columns, d.rows = window.rows.count() / by_rows;
  d.column_pitch *= by_columns, d.row_pitch *= by_rows;
  return d;
}

}  // namespace

CoarseScan::CoarseScan() { references_.white = {open_beam}; }

CoarseScan::CoarseScan(const io::ScanSource& source, const geometry::CircularScan& scan,
                       std::span<const int> views, const Resources& resources, const CoarseLimits& limits)
    : CoarseScan() {
  scan_ = scan;
  const geometry::Detector& d = scan.detector;
  const double shadow = shadow_of(source, scan, views, resources);
  // A shadow that the detector sees only a part of keeps all its columns.
  const bool whole = columns_around_axis(scan, shadow, 1).count() < d.columns;
  const double columns = whole ? std::min<double>(d.columns, 2 * shadow / d.column_pitch) : d.columns;
  const int by_columns = std::max(1, static_cast<int>(std::round(columns / limits.across)));
  const int by_rows = divided_up(d.rows, limits.along);
  const geometry::PixelWindow window{columns_around_axis(scan, shadow, by_columns),
                                     {0, d.rows / by_rows * by_rows}};
  const std::size_t step = std::max<std::size_t>(1, (views.size() + limits.views - 1) / limits.views);
  scan_.angles.clear(), scan_.shifts.clear();
  for (std::size_t n = 0; n < views.size(); n += step) {
    const auto view = static_cast<std::size_t>(views[n]);
    views_.push_back(views[n]);
    scan_.angles.push_back(scan.angles[view]);
    scan_.shifts.push_back(scan.shifts.empty() ? geometry::ViewShift{} : scan.shifts[view]);
  }
  scan_.detector = part_of(d, window, by_columns, by_rows);
  const int across = window.columns.count(), width = scan_.detector.columns;
  counts_ = Array3<float>(width, scan_.detector.rows, static_cast<int>(views_.size()), "a coarse scan",
                          &resources.budget);
  counts_.fill(0);
  const Block raw(static_cast<std::size_t>(across) * window.rows.count() * io::bytes_of(source.count_type()),
                  "a projection", &resources.budget);
  const io::References& references = source.references();
  const float share = open_beam / static_cast<float>(by_columns * by_rows);
  for (std::size_t n = 0; n < views_.size(); ++n) {
    stop_if_requested();
    source.read(std::span(&views_[n], 1), window, raw.data());
    float* const image = counts_.view().row(0, static_cast<int>(n));
    std::size_t at = 0;
    for (int row = window.rows.first; row < window.rows.end; ++row)
      for (int column = window.columns.first; column < window.columns.end; ++column, ++at) {
        const float count = source.count_type() == io::CountType::uint16
                                ? static_cast<float>(static_cast<const std::uint16_t*>(raw.data())[at])
                                : static_cast<const float*>(raw.data())[at];
        const std::size_t pixel = static_cast<std::size_t>(row) * static_cast<std::size_t>(d.columns) +
                                  static_cast<std::size_t>(column);
        const float dark = reference_at(references.dark, pixel),
                    beam = reference_at(references.white, pixel) - dark;
        const float transmission = (count - dark) / std::max(beam, 1.0f);
        image[static_cast<std::size_t>(row / by_rows) * static_cast<std::size_t>(width) +
              static_cast<std::size_t>((column - window.columns.first) / by_columns)] +=
            share * (std::isfinite(transmission) ? transmission : 1.0f);
      }
  }
}

CoarseLimits CoarseScan::largest(const geometry::CircularScan& scan, std::size_t views,
                                 const CoarseLimits& limits) {
  // Averaging over the nearest whole number of columns leaves up to half as many again.
  return {.across = std::min(scan.detector.columns, limits.across + limits.across / 2 + 2),
          .along = std::min(scan.detector.rows, limits.along),
          .views = static_cast<int>(std::min<std::size_t>(views, limits.views))};
}

CoarseScan CoarseScan::halved(MemoryBudget& budget) const {
  CoarseScan half;
  half.scan_ = scan_, half.views_ = views_;
  const int by_rows = scan_.detector.rows >= 8 ? 2 : 1;
  const geometry::PixelWindow window{{0, scan_.detector.columns / 2 * 2},
                                     {0, scan_.detector.rows / by_rows * by_rows}};
  half.scan_.detector = part_of(scan_.detector, window, 2, by_rows);
  const int width = half.scan_.detector.columns, height = half.scan_.detector.rows;
  const float share = 0.5f / static_cast<float>(by_rows);
  half.counts_ =
      Array3<float>(width, height, static_cast<int>(views_.size()), "a coarse scan, halved", &budget);
  float* to = half.counts_.data();
  for (std::size_t n = 0; n < views_.size(); ++n) {
    const float* const from = image(n).data();
    for (int row = 0; row < height; ++row)
      for (int column = 0; column < width; ++column) {
        const int left = 2 * column;
        float sum = 0;
        for (int k = 0; k < by_rows; ++k) {
          const float* const at =
              from + static_cast<std::ptrdiff_t>(row * by_rows + k) * scan_.detector.columns + left;
          sum += at[0] + at[1];
        }
        *to++ = share * sum;
      }
  }
  return half;
}

std::span<const float> CoarseScan::image(std::size_t view) const {
  return counts_.view().planes(static_cast<int>(view), 1).values();
}

void CoarseScan::read(std::span<const int> views, const geometry::PixelWindow& window, void* counts) const {
  auto* out = static_cast<float*>(counts);
  for (const int view : views) {
    const float* const from = image(static_cast<std::size_t>(view)).data();
    for (int row = window.rows.first; row < window.rows.end; ++row) {
      const float* const line = from + static_cast<std::ptrdiff_t>(row) * scan_.detector.columns;
      out = std::copy(line + window.columns.first, line + window.columns.end, out);
    }
  }
}

}  // namespace feldspar::recon
