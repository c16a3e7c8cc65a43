#include "recon/find/centre.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <optional>

#include "base/error.hpp"
#include "base/memory.hpp"
#include "base/stop.hpp"
#include "recon/find/conjugate_rays.hpp"

namespace feldspar::recon {
namespace {

constexpr double steepest = 0.0875;        ///< tangent of 5 degrees
constexpr int coarse_columns = 256;        ///< of the first search
constexpr double rays_of_search = 4e5;     ///< compared for one position
constexpr double least_overlap = 0.1;      ///< of the columns must have their mirror on the detector
constexpr double least_shadow = 0.02;      ///< line integral that a row's object must reach
constexpr double worst_cost = 0.5;         ///< rays that agree no better are strangers
constexpr double correlation = 10;         ///< smoothed neighbours, and each pair counted from both ends
constexpr double warned_difference = 0.3;  ///< columns

float integral(float count, float dark, float white) {
  const float transmission = (count - dark) / std::max(white - dark, 1.0f);
  return std::isfinite(transmission) ? -std::log(std::clamp(transmission, 1e-5f, 10.0f)) : 0.0f;
}

/// Binomial weights of 1.4 pixels' standard deviation: interpolation then keeps the noise nearly as it is, so
/// that no position between pixels looks better than another.
void smooth(std::span<float> row) {
  for (int pass = 0; pass < 4; ++pass) {
    float before = row.front();
    for (std::size_t n = 0; n < row.size(); ++n) {
      const float here = row[n], after = row[std::min(n + 1, row.size() - 1)];
      row[n] = 0.25f * (before + 2 * here + after);
      before = here;
    }
  }
}

/// The row with the image moved back to where the detector's description puts it.
void unshift(std::span<float> row, double shift) {
  const std::vector<float> was(row.begin(), row.end());
  const auto last = static_cast<double>(row.size() - 1);
  for (std::size_t n = 0; n < row.size(); ++n) {
    const double at = std::clamp(static_cast<double>(n) + shift, 0.0, last);
    const auto low = static_cast<std::size_t>(at), high = std::min(low + 1, row.size() - 1);
    row[n] = was[low] + static_cast<float>(at - static_cast<double>(low)) * (was[high] - was[low]);
  }
}

RowSinogram read_row(const io::ScanSource& source, const geometry::CircularScan& scan,
                     std::span<const int> views, int row) {
  const auto columns = static_cast<std::size_t>(scan.detector.columns);
  const auto reference = [&](const std::vector<float>& image, std::size_t column) {
    if (image.empty()) return 0.0f;
    return image[image.size() == 1 ? 0 : static_cast<std::size_t>(row) * columns + column];
  };
  RowSinogram sinogram{scan.detector.columns, std::vector<float>(views.size() * columns)};
  const Block raw(columns * io::bytes_of(source.count_type()), "a detector row");
  const geometry::PixelWindow window{{0, scan.detector.columns}, {row, row + 1}};
  for (std::size_t n = 0; n < views.size(); ++n) {
    stop_if_requested();
    source.read(views.subspan(n, 1), window, raw.data());
    const std::span line(sinogram.values.data() + n * columns, columns);
    for (std::size_t c = 0; c < columns; ++c) {
      const float count = source.count_type() == io::CountType::uint16
                              ? static_cast<float>(static_cast<const std::uint16_t*>(raw.data())[c])
                              : static_cast<const float*>(raw.data())[c];
      line[c] =
          integral(count, reference(source.references().dark, c), reference(source.references().white, c));
    }
    smooth(line);
    if (!scan.shifts.empty())
      unshift(line, scan.shifts[static_cast<std::size_t>(views[n])].column / scan.detector.column_pitch);
  }
  return sinogram;
}

/// mm at the axis that one column spans, and the offset of the axis that projects to the detector's middle.
double pixel_of(const geometry::CircularScan& scan) {
  return scan.detector.column_pitch / scan.magnification();
}

int stride_of(const ConjugateRays& rays, int columns) {
  return std::max(1, static_cast<int>(static_cast<double>(rays.views()) * columns / rays_of_search));
}

/// The offset whose mirror agrees best, on a grid over all that the detector allows, then finer around it.
double search(const RowSinogram& sinogram, const ConjugateRays& rays, const geometry::CircularScan& scan) {
  const int bin = std::max(1, sinogram.columns / coarse_columns);
  const RowSinogram coarse = binned(sinogram, bin);
  const double pixel = pixel_of(scan), middle = scan.detector.column_offset / scan.magnification();
  const double reach = 0.5 * (1 - least_overlap) * sinogram.columns * pixel;
  double best = middle, least = 2;
  const auto scan_around = [&](const RowSinogram& from, int group, double around, double half, double step) {
    least = 2;
    const int stride = stride_of(rays, from.columns), steps = static_cast<int>(half / step);
    for (int n = -steps; n <= steps; ++n) {
      const double cost = rays.compare(from, group, around + n * step, stride).cost;
      if (cost < least) least = cost, best = around + n * step;
    }
  };
  scan_around(coarse, bin, middle, reach, bin * pixel);
  scan_around(sinogram, 1, best, (bin + 1) * pixel, 0.5 * pixel);
  return best;
}

/// The vertex of the parabola through three costs half a column apart, and its standard deviation from the
/// residual: of a sum of squares C over n differences it is sqrt(2 C / (n C'')).
std::optional<RowCentre> refine(const RowSinogram& sinogram, const ConjugateRays& rays,
                                const geometry::CircularScan& scan, double start) {
  const double step = 0.5 * pixel_of(scan);
  const int stride = stride_of(rays, sinogram.columns);
  RowCentre found{.offset = start};
  for (int round = 0; round < 3; ++round) {
    const Agreement here = rays.compare(sinogram, 1, found.offset, stride);
    const double below = rays.compare(sinogram, 1, found.offset - step, stride).cost,
                 above = rays.compare(sinogram, 1, found.offset + step, stride).cost;
    const double curvature = (below + above - 2 * here.cost) / (step * step);
    if (!(curvature > 0) || !(here.cost < worst_cost) || !(here.pairs > 0)) return std::nullopt;
    found.offset += std::clamp(0.5 * (below - above) / (step * curvature), -2 * step, 2 * step);
    found.uncertainty = std::sqrt(2 * correlation * here.cost / (here.pairs * curvature));
  }
  return found;
}

std::vector<int> rows_to_use(const geometry::CircularScan& scan, int count) {
  const geometry::Detector& d = scan.detector;
  const double middle = 0.5 * (d.rows - 1) - d.row_offset / d.row_pitch;
  const double reach =
      scan.beam == geometry::Beam::parallel ? d.rows : steepest * scan.source_detector_distance / d.row_pitch;
  const double edge = d.rows > 20 ? 0.05 * d.rows : 0;
  const int low = static_cast<int>(std::ceil(std::max(edge, middle - reach))),
            high = static_cast<int>(std::floor(std::min(d.rows - 1 - edge, middle + reach)));
  std::vector<int> rows;
  count = std::min(count, high - low + 1);
  for (int n = 0; n < count; ++n)
    rows.push_back(count == 1 ? (low + high) / 2 : low + (high - low) * n / (count - 1));
  return rows;
}

struct Line {
  double at_zero = 0, slope = 0, at_zero_error = 0, slope_error = 0;
};

/// The squared distances of the rows from a line, in their uncertainties.
double misfit_of(const Line& line, const std::vector<RowCentre>& rows, double floor) {
  double misfit = 0;
  for (const RowCentre& row : rows) {
    const double off = row.offset - line.at_zero - line.slope * row.height;
    misfit += off * off / (row.uncertainty * row.uncertainty + floor * floor);
  }
  return misfit;
}

/// Weighted least squares; a scatter beyond the rows' own uncertainties widens the errors.
Line fit(const std::vector<RowCentre>& rows, bool sloped, double floor) {
  double w = 0, wz = 0, wa = 0, wzz = 0, wza = 0;
  for (const RowCentre& row : rows) {
    const double weight = 1 / (row.uncertainty * row.uncertainty + floor * floor);
    w += weight, wz += weight * row.height, wa += weight * row.offset;
    wzz += weight * row.height * row.height, wza += weight * row.height * row.offset;
  }
  if (!sloped) wz = wza = 0, wzz = 1;
  const double determinant = w * wzz - wz * wz;
  Line line{(wzz * wa - wz * wza) / determinant, (w * wza - wz * wa) / determinant, 0, 0};
  const double misfit = misfit_of(line, rows, floor);
  const double freedom = static_cast<double>(rows.size()) - (sloped ? 2 : 1);
  const double wider = freedom > 0 ? std::max(1.0, misfit / freedom) : 1;
  line.at_zero_error = std::sqrt(wider * wzz / determinant);
  line.slope_error = sloped ? std::sqrt(wider * w / determinant) : 0;
  return line;
}

/// Leaves out rows that lie further from the others' line than four times the median distance.
std::vector<RowCentre> without_outliers(const std::vector<RowCentre>& rows, bool sloped, double pixel) {
  const Line line = fit(rows, sloped, pixel);
  const auto distance = [&](const RowCentre& row) {
    return std::abs(row.offset - line.at_zero - line.slope * row.height);
  };
  std::vector<double> distances;
  for (const RowCentre& row : rows) distances.push_back(distance(row));
  std::nth_element(distances.begin(), distances.begin() + static_cast<std::ptrdiff_t>(distances.size() / 2),
                   distances.end());
  const double limit = 4 * distances[distances.size() / 2] + 0.1 * pixel;
  std::vector<RowCentre> kept;
  std::copy_if(rows.begin(), rows.end(), std::back_inserter(kept),
               [&](const RowCentre& row) { return distance(row) <= limit; });
  return kept;
}

CentreEstimate conclude(const geometry::CircularScan& scan, std::vector<RowCentre> rows) {
  CentreEstimate found;
  found.axis = scan.axis, found.pixel = pixel_of(scan);
  rows = without_outliers(rows, rows.size() >= 4, found.pixel);
  found.roll_known = rows.size() >= 3;
  const Line line = fit(rows, found.roll_known, 0.01 * found.pixel);
  found.axis.offset = line.at_zero;
  found.offset_uncertainty = line.at_zero_error;
  if (found.roll_known) found.axis.roll = std::atan(line.slope), found.roll_uncertainty = line.slope_error;
  found.rows = std::move(rows);
  found.metadata_difference = (found.axis.offset - scan.axis.offset) / found.pixel;
  if (std::abs(found.metadata_difference) > warned_difference)
    found.findings.push_back(
        {"axis.contradicted",
         fmt::format("the projections put the rotation axis at {:.4f} mm, the scan says {:.4f} mm: {:+.2f} "
                     "pixels apart",
                     found.axis.offset, scan.axis.offset, found.metadata_difference),
         "",
         {{"axis-offset", fmt::format("{:.4f}mm", found.axis.offset), "compare a volume with"}}});
  return found;
}

const Remedies way_out{{"axis-offset", "", "scan a full turn, or state the axis by hand with"}};

/// Throws unless enough rays are measured in both senses: as many as one view has.
void require_reverses(const geometry::CircularScan& scan, const std::vector<double>& angles) {
  const int columns = scan.detector.columns;
  double pairs = 0;
  if (columns >= 16 && angles.size() >= 2) {
    const RowSinogram empty{columns, std::vector<float>(angles.size() * static_cast<std::size_t>(columns))};
    const double middle = scan.detector.column_offset / scan.magnification();
    pairs = ConjugateRays(scan, angles, scan.detector.rows / 2).compare(empty, 1, middle, 1).pairs;
  }
  if (pairs < 0.5 * columns || pairs == 0)
    throw Error(ErrorKind::unsupported,
                fmt::format("the rotation axis cannot be found from reverse rays: {} views of {} columns "
                            "measure {} rays twice, at least {} are needed",
                            angles.size(), columns, pairs, (columns + 1) / 2),
                way_out);
}

}  // namespace

std::size_t centre_bytes(const io::ScanSource& source, std::size_t views) {
  const auto columns = static_cast<std::size_t>(source.scan().detector.columns);
  constexpr std::size_t sinograms = 2, facts = 64;  // a row's and one of coarse columns; of a view and a ray
  return sinograms * sizeof(float) * views * columns + facts * (views + columns);
}

CentreEstimate find_centre(const io::ScanSource& source, const geometry::CircularScan& scan,
                           std::span<const int> view_indices, const Resources& resources, int row_count) {
  std::vector<int> all(view_indices.empty() ? scan.angles.size() : 0);
  std::iota(all.begin(), all.end(), 0);
  if (view_indices.empty()) view_indices = all;
  std::vector<double> angles;
  for (const int view : view_indices) angles.push_back(scan.angles[static_cast<std::size_t>(view)]);
  const Reservation room(resources.budget, centre_bytes(source, view_indices.size()),
                         "looking for reverse rays");
  require_reverses(scan, angles);
  const geometry::Detector& d = scan.detector;
  std::vector<RowCentre> rows;
  for (const int row : rows_to_use(scan, row_count)) {
    const ConjugateRays rays(scan, angles, row);
    const RowSinogram sinogram = read_row(source, scan, view_indices, row);
    if (*std::max_element(sinogram.values.begin(), sinogram.values.end()) < least_shadow) continue;
    auto centre = refine(sinogram, rays, scan, search(sinogram, rays, scan));
    if (!centre || centre->uncertainty > 2 * pixel_of(scan)) continue;
    centre->row = row;
    centre->height = ((row - 0.5 * (d.rows - 1)) * d.row_pitch + d.row_offset) / scan.magnification();
    rows.push_back(*centre);
  }
  if (rows.empty())
    throw Error(
        ErrorKind::unsupported,
        fmt::format("the rotation axis cannot be found: in no row do reverse rays agree better about one "
                    "axis than about another (no object, too much noise, or a wrong rotation sense)"),
        {{"reverse-rotation", "", "try"}, {"axis-offset", "", "state the axis by hand with"}});
  return conclude(scan, std::move(rows));
}

}  // namespace feldspar::recon
