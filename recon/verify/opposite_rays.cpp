#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "recon/verify/data_checks.hpp"

namespace feldspar::recon {
namespace {

using geometry::Vec3;
using std::numbers::pi;

constexpr double least_pairs = 500;
constexpr double sigmas = 4;        // of errors that are doubled already
constexpr double axis_limit = 0.5;  // columns: edges are doubled by twice this
constexpr double scale_limit = 0.005;
constexpr double clearly = 1.2;  // ratio of two misfits of thousands of rays each

double azimuth(const geometry::View& view) {
  return view.is_parallel() ? std::atan2(-view.direction.y, -view.direction.x)
                            : std::atan2(view.source.y, view.source.x);
}

double within_turn(double angle) { return angle - 2 * pi * std::floor(angle / (2 * pi)); }

/// A value of a view's row between its columns, and its slope; false beyond what was measured.
struct Sample {
  double value = 0, slope = 0;
};
bool sample(const Sinogram& s, int view, double column, Sample& out) {
  const double cell = std::floor(column);
  if (!(cell >= s.trusted.first + 1 && cell + 2 < s.trusted.end)) return false;
  const float* const p = s.row(view) + static_cast<int>(cell);
  const double a = column - cell;
  out.value = (1 - a) * p[0] + a * p[1];
  out.slope = (1 - a) * 0.5 * (p[1] - p[-1]) + a * 0.5 * (p[2] - p[0]);
  return true;
}

/// The views around the turn, to be asked for any angle.
class Turn {
 public:
  explicit Turn(const Sinogram& sinogram) : s_(sinogram), order_(static_cast<std::size_t>(s_.count())) {
    std::iota(order_.begin(), order_.end(), 0);
    for (const geometry::View& view : s_.views) at_.push_back(within_turn(azimuth(view)));
    std::sort(order_.begin(), order_.end(), [&](int a, int b) { return angle(a) < angle(b); });
    std::vector<double> gaps;
    for (std::size_t n = 1; n < order_.size(); ++n) gaps.push_back(angle(order_[n]) - angle(order_[n - 1]));
    step_ = median(gaps);
  }

  [[nodiscard]] double angle(int view) const { return at_[static_cast<std::size_t>(view)]; }
  [[nodiscard]] double step() const { return step_; }

  /// The ray at angle `fan` from the one to the axis (or at distance `fan` beside it) in a view at `azimuth`,
  /// interpolated between two views; false where none is near.
  bool look(double azimuth, double fan, Sample& out) const {
    azimuth = within_turn(azimuth);
    const auto above = std::upper_bound(order_.begin(), order_.end(), azimuth,
                                        [&](double a, int view) { return a < angle(view); });
    const int next = above == order_.end() ? order_.front() : *above;
    const int previous = above == order_.begin() ? order_.back() : *(above - 1);
    const double gap = within_turn(angle(next) - angle(previous)),
                 share = within_turn(azimuth - angle(previous)) / gap;
    if (!(gap > 0) || gap > 2.5 * step_) return false;
    Sample a, b;
    if (!sample(s_, previous, column(previous, fan), a) || !sample(s_, next, column(next, fan), b))
      return false;
    out = {(1 - share) * a.value + share * b.value, (1 - share) * a.slope + share * b.slope};
    return true;
  }

  /// Column of the ray at `fan`, positive to the left of the one to the axis seen from above.
  [[nodiscard]] double column(int view, double fan) const {
    const geometry::View& v = s_.views[static_cast<std::size_t>(view)];
    if (v.is_parallel()) return project(v, {-fan * v.direction.y, fan * v.direction.x, s_.height}).column;
    const double c = std::cos(fan), s = std::sin(fan);
    const Vec3 to_axis{-v.source.x, -v.source.y, 0};
    return project(v, {v.source.x + c * to_axis.x - s * to_axis.y, v.source.y + s * to_axis.x + c * to_axis.y,
                       s_.height})
        .column;
  }

  /// The angle (or distance) of a column's ray: the inverse of column().
  [[nodiscard]] double fan(int view, double column) const {
    const geometry::View& v = s_.views[static_cast<std::size_t>(view)];
    const Vec3 pixel = v.pixel_origin + column * v.column_step;
    if (v.is_parallel()) return -pixel.x * v.direction.y + pixel.y * v.direction.x;
    const Vec3 ray = pixel - v.source;
    return std::atan2(-v.source.x * ray.y + v.source.y * ray.x, -v.source.x * ray.x - v.source.y * ray.y);
  }

 private:
  const Sinogram& s_;
  std::vector<int> order_;
  std::vector<double> at_;
  double step_ = 0;
};

/// The normal equations of difference = shift * A + scale * B + level.
struct Fit {
  double count = 0, aa = 0, ab = 0, bb = 0, a = 0, b = 0, da = 0, db = 0, d = 0, dd = 0;

  void add(double difference, double x, double y) {
    count += 1, aa += x * x, ab += x * y, bb += y * y, a += x, b += y;
    da += difference * x, db += difference * y, d += difference, dd += difference * difference;
  }

  void solve(OppositeRays& result) const {
    const double saa = aa - a * a / count, sab = ab - a * b / count, sbb = bb - b * b / count,
                 sda = da - d * a / count, sdb = db - d * b / count, determinant = saa * sbb - sab * sab;
    if (!(saa > 0)) return;
    const bool both = determinant > 1e-6 * saa * sbb;
    const double shift = both ? (sda * sbb - sdb * sab) / determinant : sda / saa,
                 scale = both ? (sdb * saa - sda * sab) / determinant : 0;
    const double left = std::max(0.0, dd - d * d / count - shift * sda - scale * sdb) / count;
    result.shift = shift, result.scale = scale;
    // Interpolation and a row's noise in its slope tie neighbouring pairs together: four count as one.
    result.shift_error = 2 * std::sqrt(left * (both ? sbb / determinant : 1 / saa));
    result.scale_error = both ? 2 * std::sqrt(left * saa / determinant) : INFINITY;
  }
};

}  // namespace

OppositeRays compare_opposite_rays(const Sinogram& sinogram) {
  OppositeRays result;
  const int views = sinogram.count();
  if (views < 16) return result;
  const Turn turn(sinogram);
  const int stride = std::max(1, views / 500);
  Fit fit;
  double squares = 0, squares_reversed = 0, compared = 0;
  for (int n = 0; n < views; n += stride)
    for (int i = sinogram.trusted.first + 2; i + 2 < sinogram.trusted.end; ++i) {
      const bool parallel = sinogram.views[static_cast<std::size_t>(n)].is_parallel();
      const double fan = turn.fan(n, i), bend = parallel ? 0 : 2 * fan, here = turn.angle(n);
      Sample from, opposite, reversed;
      if (!sample(sinogram, n, i, from) || !turn.look(here + pi + bend, -fan, opposite)) continue;
      const double difference = from.value - opposite.value;
      const double u = i - turn.column(n, 0);
      fit.add(difference, opposite.slope - from.slope, u * (from.slope + opposite.slope));
      squares += difference * difference;
      if (!parallel && turn.look(here + pi - bend, -fan, reversed)) {
        squares_reversed += (from.value - reversed.value) * (from.value - reversed.value);
        compared += 1;
      }
    }
  result.pairs = fit.count;
  if (fit.count < least_pairs) return result;
  result.misfit = std::sqrt(squares / fit.count);
  result.reversed = compared > least_pairs ? std::sqrt(squares_reversed / compared) : INFINITY;
  fit.solve(result);
  return result;
}

Check check_turn(const Sinogram& sinogram, const OppositeRays& rays) {
  Check check{.name = "sense of rotation"};
  if (sinogram.views.front().is_parallel())
    return check.text = "a parallel beam that turns the other way gives the mirror image, not a worse one",
           check;
  if (rays.pairs < least_pairs || !std::isfinite(rays.reversed))
    return check.text = "too few rays were measured from both ends", check;
  const bool wrong = rays.misfit > clearly * rays.reversed, right = rays.reversed > clearly * rays.misfit;
  check.text =
      fmt::format("opposite rays differ by {:.4f}, and by {:.4f} had the object turned the other way{}",
                  rays.misfit, rays.reversed,
                  wrong   ? ": the angles run the wrong way; try --reverse-rotation"
                  : right ? ""
                          : ": too little to tell");
  if (wrong) check.outcome = Check::Outcome::failed;
  if (right) check.outcome = Check::Outcome::passed;
  return check;
}

Check check_axis(const Sinogram&, const OppositeRays& rays) {
  Check check{.name = "rotation axis"};
  if (rays.pairs < least_pairs || !(sigmas * rays.shift_error < axis_limit))
    return check.text = "too few rays were measured from both ends to see an axis that is off", check;
  const bool wrong = std::abs(rays.shift) > axis_limit + sigmas * rays.shift_error;
  check.outcome = wrong ? Check::Outcome::failed : Check::Outcome::passed;
  check.text = fmt::format(
      "opposite rays put the axis {:+.3f} +- {:.3f} columns from where the geometry has it{}", rays.shift,
      rays.shift_error, wrong ? ": edges are doubled; correct it with --axis-offset" : "");
  return check;
}

Check check_distances(const Sinogram& sinogram, const OppositeRays& rays) {
  Check check{.name = "distances"};
  if (sinogram.views.front().is_parallel()) return check.text = "a parallel beam has none", check;
  if (rays.pairs < least_pairs || !(sigmas * rays.scale_error < scale_limit))
    return check.text = fmt::format("the fan is too narrow, or the object too plain, to see SDD to {:.1f} %",
                                    100 * scale_limit),
           check;
  const bool wrong = std::abs(rays.scale) > scale_limit + sigmas * rays.scale_error;
  check.outcome = wrong ? Check::Outcome::failed : Check::Outcome::passed;
  check.text = fmt::format(
      "opposite rays put pitch / SDD {:+.2f} +- {:.2f} % from where the geometry has it{}", 100 * rays.scale,
      100 * rays.scale_error, wrong ? ": the distance to the detector or its pitch is wrong" : "");
  return check;
}

}  // namespace feldspar::recon
