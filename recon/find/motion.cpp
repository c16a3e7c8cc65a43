#include "recon/find/motion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <numeric>

#include "base/least_squares.hpp"
#include "recon/find/motion_fit.hpp"
#include "recon/find/object_extent.hpp"

namespace feldspar::recon {
namespace {

constexpr int rounds_of_half = 12, rounds_of_full = 4;
constexpr std::size_t remembered = 4;    ///< steps that the next one is combined from
constexpr double settled = 0.003;        ///< coarse pixels: steps that small end the search
constexpr double times_uncertainty = 3;  ///< that motion must be to be believed
constexpr double worthwhile = 0.1;       ///< source pixels (rms): less blurs nothing
constexpr double better = 0.97;          ///< of the misfit may be left
constexpr std::size_t least_views = 40;
constexpr int least_columns = 24;

std::vector<double> joined(const Shifts& shifts) {
  std::vector<double> all = shifts.column;
  all.insert(all.end(), shifts.row.begin(), shifts.row.end());
  return all;
}

Shifts parted(const std::vector<double>& all) {
  const auto middle = all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2);
  return {{all.begin(), middle}, {middle, all.end()}};
}

double rms(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value * value;
  return std::sqrt(sum / static_cast<double>(values.size()));
}

/// Combines the last steps so that what is left would be least (Anderson, J. ACM 12, 547, 1965): motion that
/// opposite views agree about is found slowly by single steps.
class Acceleration {
 public:
  std::vector<double> next(const std::vector<double>& at, const std::vector<double>& step) {
    if (!last_at_.empty()) {
      moves_.push_back(difference(at, last_at_)), changes_.push_back(difference(step, last_step_));
      if (moves_.size() > remembered) moves_.pop_front(), changes_.pop_front();
    }
    last_at_ = at, last_step_ = step;
    std::vector<double> result(at.size());
    for (std::size_t n = 0; n < at.size(); ++n) result[n] = at[n] + step[n];
    if (moves_.empty()) return result;
    LeastSquares combination(static_cast<int>(moves_.size()));
    std::vector<double> row(moves_.size());
    for (std::size_t n = 0; n < at.size(); ++n) {
      for (std::size_t k = 0; k < row.size(); ++k) row[k] = changes_[k][n];
      combination.add(row, step[n]);
    }
    const std::vector<double> shares = combination.solve();
    for (std::size_t k = 0; k < shares.size(); ++k)
      for (std::size_t n = 0; n < at.size(); ++n) result[n] -= shares[k] * (moves_[k][n] + changes_[k][n]);
    return result;
  }

 private:
  static std::vector<double> difference(const std::vector<double>& a, const std::vector<double>& b) {
    std::vector<double> result(a.size());
    for (std::size_t n = 0; n < a.size(); ++n) result[n] = a[n] - b[n];
    return result;
  }
  std::vector<double> last_at_, last_step_;
  std::deque<std::vector<double>> moves_, changes_;
};

/// The middle one of five neighbours in time: single views that found nothing do not matter, and a jump stays
/// one.
std::vector<double> without_outliers(const std::vector<double>& values) {
  std::vector<double> result;
  const auto count = static_cast<std::ptrdiff_t>(values.size());
  for (std::ptrdiff_t n = 0; n < count; ++n) {
    const auto first = values.begin() + std::clamp<std::ptrdiff_t>(n - 2, 0, count - 5);
    std::vector<double> near(first, first + 5);
    std::nth_element(near.begin(), near.begin() + 2, near.end());
    result.push_back(near[2]);
  }
  return result;
}

Shifts without_outliers(const Shifts& shifts) {
  return {without_outliers(shifts.column), without_outliers(shifts.row)};
}

struct Found {
  Shifts shifts;    ///< pixels of the scan that was searched
  MotionStep last;  ///< about them
};

/// Goes on from `shifts` until nothing moves any more.
Found search(const CoarseScan& scan, Shifts shifts, int rounds, const Resources& resources) {
  Acceleration acceleration;
  Found found{std::move(shifts), {}};
  for (int round = 0;; ++round) {
    found.last = compare_with_reprojections(scan, found.shifts, resources);
    Shifts step = without_outliers(found.last.further);
    remove_translation(step, scan.scan().angles);
    if (round == rounds || std::max(rms(step.column), rms(step.row)) < settled) return found;
    found.shifts = parted(acceleration.next(joined(found.shifts), joined(step)));
    remove_translation(found.shifts, scan.scan().angles);
  }
}

/// `doubt` of the views about their shifts; `scale` makes source pixels of both.
MotionAlong judge(const std::vector<double>& shifts, const std::vector<double>& doubt, double scale) {
  MotionAlong along;
  const auto [low, high] = std::minmax_element(shifts.begin(), shifts.end());
  along.range = scale * (*high - *low);
  along.mean =
      scale * std::accumulate(shifts.begin(), shifts.end(), 0.0) / static_cast<double>(shifts.size());
  along.rms = std::sqrt(std::max(0.0, std::pow(scale * rms(shifts), 2) - along.mean * along.mean));
  along.uncertainty = scale * rms(without_outliers(doubt));
  along.found = along.rms > std::max(worthwhile, times_uncertainty * along.uncertainty);
  return along;
}

/// Adds to the shifts of all views, in mm, those found in some of them, and straight lines between.
void spread(const CoarseScan& coarse, std::span<const int> views, const std::vector<double>& found,
            double pitch, double geometry::ViewShift::*along, std::vector<geometry::ViewShift>& shifts) {
  std::size_t after = 0;
  const std::vector<int>& known = coarse.views();
  std::size_t last = 0, next = 0;
  for (std::size_t n = 0; n < views.size(); ++n) {
    if (after < known.size() && views[n] == known[after]) last = n, ++after;
    const std::size_t at = after - 1;
    double value = found[at];
    if (after < known.size()) {
      for (next = last + 1; views[next] != known[after];) ++next;
      value += (found[after] - found[at]) * static_cast<double>(n - last) / static_cast<double>(next - last);
    }
    shifts[static_cast<std::size_t>(views[n])].*along += pitch * value;
  }
}

namespace {

std::string describe_left_alone(const MotionEstimate& found) {
  return fmt::format(
      "left alone: views seem to move by {:.2f} and {:.2f} pixels (rms) along columns "
      "and rows, known to {:.2f} and {:.2f}; re-projections would differ by {:.2f} instead of "
      "{:.2f} %",
      found.columns.rms, found.rows.rms, found.columns.uncertainty, found.rows.uncertainty,
      100 * found.misfit_after, 100 * found.misfit_before);
}

}  // namespace

std::string describe(const MotionEstimate& found) {
  const auto part = [](const char* name, const MotionAlong& along) {
    return fmt::format("{:.2f} pixels along {} ({:.2f} rms, known to {:.2f})", along.range, name, along.rms,
                       along.uncertainty);
  };
  if (!found.found()) return describe_left_alone(found);
  std::string text = "views move by ";
  if (found.columns.found) text += part("columns", found.columns);
  if (found.columns.found && found.rows.found) text += " and ";
  if (found.rows.found) text += part("rows", found.rows);
  if (found.columns.found)
    text += fmt::format(", on average by {:+.2f} pixels along columns", found.columns.mean);
  return text + fmt::format("; put into the geometry; re-projections differ by {:.2f} instead of {:.2f} %",
                            100 * found.misfit_after, 100 * found.misfit_before);
}

std::string why_not(const geometry::CircularScan& scan, std::span<const int> views) {
  std::vector<double> angles;
  for (const int view : views) angles.push_back(scan.angles[static_cast<std::size_t>(view)]);
  if (views.size() < least_views || scan.detector.columns < least_columns)
    return fmt::format("not looked for: {} views of {} columns are fewer than {} of {}", views.size(),
                       scan.detector.columns, least_views, least_columns);
  if (!geometry::angular_coverage(angles).complete)
    return "not looked for: without a full turn no opposite views tell what moved";
  return {};
}

}  // namespace

std::size_t motion_bytes(const io::ScanSource& source, const geometry::CircularScan& scan,
                         std::span<const int> views, const Resources& resources) {
  if (!why_not(scan, views).empty()) return 0;
  return std::max(find_object_bytes(source), reprojection_bytes(source, scan, views.size(), resources));
}

MotionEstimate estimate_motion(const io::ScanSource& source, const geometry::CircularScan& scan,
                               std::span<const int> views, const Resources& resources) {
  MotionEstimate found;
  found.shifts = scan.shifts;
  found.text = why_not(scan, views);
  if (!found.text.empty()) return found;
  const CoarseScan full(source, scan, views, resources, {});
  const CoarseScan half = full.halved(resources.budget);
  const std::vector<double> none(full.views().size());
  found.misfit_before = compare_with_reprojections(full, {none, none}, resources).misfit;
  Shifts start = search(half, {none, none}, rounds_of_half, resources).shifts;
  const double rows_of_half = half.scan().detector.row_pitch / full.scan().detector.row_pitch;
  for (double& shift : start.column) shift *= 2;
  for (double& shift : start.row) shift *= rows_of_half;
  const Found motion = search(full, std::move(start), rounds_of_full, resources);
  found.misfit_after = motion.last.misfit;
  const geometry::Detector &d = scan.detector, &coarse = full.scan().detector;
  found.columns = judge(motion.shifts.column, motion.last.doubt.column, coarse.column_pitch / d.column_pitch);
  found.rows = judge(motion.shifts.row, motion.last.doubt.row, coarse.row_pitch / d.row_pitch);
  if (found.misfit_after > better * found.misfit_before) found.columns.found = found.rows.found = false;
  if (found.found()) found.shifts.resize(scan.angles.size());
  if (found.columns.found)
    spread(full, views, motion.shifts.column, coarse.column_pitch, &geometry::ViewShift::column,
           found.shifts);
  if (found.rows.found)
    spread(full, views, motion.shifts.row, coarse.row_pitch, &geometry::ViewShift::row, found.shifts);
  found.text = describe(found);
  return found;
}

}  // namespace feldspar::recon
