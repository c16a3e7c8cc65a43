#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "base/parallel.hpp"
#include "kernels/shared/parts.hpp"
#include "recon/verify/data_checks.hpp"

namespace feldspar::recon {
namespace {

using geometry::Vec3;
using std::numbers::pi;

constexpr double least_pairs = 500;
constexpr double sigmas = 4;        // of errors that are doubled already
constexpr double axis_limit = 0.5;  // columns: edges are doubled by twice this
constexpr double scale_limit = 0.005;
constexpr double pixel_error = 1e-4;  // one count of 16 bits behind a line integral of 2

double azimuth(const geometry::View& view) {
  return view.is_parallel() ? std::atan2(-view.direction.y, -view.direction.x)
                            : std::atan2(view.source.y, view.source.x);
}

double within_turn(double angle) { return angle - 2 * pi * std::floor(angle / (2 * pi)); }

/// What is supposed of the detector beside what the geometry says of it.
struct Supposed {
  double shift = 0;  ///< columns
  double scale = 0;  ///< share
};

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
    for (int view = 0; view < s_.count(); ++view) middles_.push_back(column(view, 0));
  }

  [[nodiscard]] double angle(int view) const { return at_[static_cast<std::size_t>(view)]; }
  [[nodiscard]] double step() const { return step_; }

  /// Where a view shows a ray.
  struct Place {
    const float* row;
    double middle, column;  ///< of the ray to the axis, and of the ray
  };
  /// The same ray in the views around an angle.
  struct Between {
    Place before, after;
    double share = 0;  ///< of the view after
  };

  [[nodiscard]] Place place(int view, double column) const {
    return {s_.row(view), middles_[static_cast<std::size_t>(view)], column};
  }
  /// The ray at angle `fan` from the one to the axis (or at distance `fan` beside it) at `azimuth`; false
  /// where no views are near.
  bool find(double azimuth, double fan, Between& found) const {
    azimuth = within_turn(azimuth);
    const auto above = std::upper_bound(order_.begin(), order_.end(), azimuth,
                                        [&](double a, int view) { return a < angle(view); });
    const int next = above == order_.end() ? order_.front() : *above;
    const int previous = above == order_.begin() ? order_.back() : *(above - 1);
    const double gap = within_turn(angle(next) - angle(previous));
    if (!(gap > 0) || gap > 2.5 * step_) return false;
    found = {place(previous, column(previous, fan)), place(next, column(next, fan)),
             within_turn(azimuth - angle(previous)) / gap};
    return true;
  }

  /// What is measured there; false beyond what was measured.
  bool sample(const Place& place, const Supposed& supposed, double& out) const {
    const kernels::Parts<double> at = kernels::parts_of(
        place.middle + (place.column - place.middle) * (1 + supposed.scale) + supposed.shift);
    if (!(at.whole >= s_.trusted.first && at.whole + 1 < s_.trusted.end)) return false;
    const float* const p = place.row + static_cast<int>(at.whole);
    out = (1 - at.fraction) * p[0] + at.fraction * p[1];
    return true;
  }
  bool sample(const Between& places, const Supposed& supposed, double& out) const {
    double a = 0, b = 0;
    if (!sample(places.before, supposed, a) || !sample(places.after, supposed, b)) return false;
    out = (1 - places.share) * a + places.share * b;
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
  std::vector<double> at_, middles_;
  double step_ = 0;
};

/// Sums over rays that can be compared whatever is supposed.
struct Comparison {
  static constexpr double shift_step = 0.25, scale_step = 0.005;
  static constexpr Supposed supposed[5] = {
      {}, {shift_step, 0}, {-shift_step, 0}, {0, scale_step}, {0, -scale_step}};
  double squares[5] = {};
  double count = 0;

  /// From the parabola through three sums of squares S(x): its lowest point, and the error of that,
  /// sqrt(S / count) / sqrt(S'' / 2). Neighbouring pairs share pixels: four count as one, which doubles it.
  /// No pixel is better than its last count: of a round body in the middle, of which every scale is true, S
  /// says nothing. Where noise is most of S, as in views of fine windings, it also errs by its own scatter:
  /// a squared difference of noise has the variance 2 (S / count)^2, and S(x) and S(-x) meet other noise, for
  /// neighbours have little of their squares in common.
  void lowest(int plus, int minus, double step, double& at, double& error) const {
    const double slope = (squares[plus] - squares[minus]) / (2 * step),
                 bend = (squares[plus] + squares[minus] - 2 * squares[0]) / (step * step);
    error = INFINITY;
    if (!(bend > 0)) return;
    at = -slope / bend;
    const double left = std::max(squares[0] - 0.5 * slope * slope / bend, 0.0);
    const double of_signal = 2 * std::sqrt(left / count + pixel_error * pixel_error) / std::sqrt(0.5 * bend),
                 of_noise = left / std::sqrt(count) / (step * bend);
    error = std::hypot(of_signal, of_noise);
  }
};

/// The squared differences of a ray of the n-th view from its reverse; false where some cannot be told.
bool compare_ray(const Turn& turn, const Sinogram& sinogram, int n, double column, double (&squares)[5]) {
  const bool parallel = sinogram.views[static_cast<std::size_t>(n)].is_parallel();
  const double fan = turn.fan(n, column), bend = parallel ? 0 : 2 * fan;
  Turn::Between reverse;
  if (!turn.find(turn.angle(n) + pi + bend, -fan, reverse)) return false;
  for (int s = 0; s < 5; ++s) {
    double from = 0, opposite = 0;
    if (!turn.sample(turn.place(n, column), Comparison::supposed[s], from) ||
        !turn.sample(reverse, Comparison::supposed[s], opposite))
      return false;
    squares[s] = (from - opposite) * (from - opposite);
  }
  return true;
}

/// The n-th view's rays against their reverses.
Comparison compare_view(const Turn& turn, const Sinogram& sinogram, int n) {
  constexpr double golden = 0.6180339887498949;
  Comparison sums;
  const double rays = sinogram.trusted.count() - 3;
  for (int i = sinogram.trusted.first + 1; i + 2 < sinogram.trusted.end; ++i) {
    // Between two columns, never on one: so all that is supposed meets the same blur of interpolation.
    double squares[5] = {};
    if (!compare_ray(turn, sinogram, n, i + std::fmod((n * rays + i) * golden, 1.0), squares)) continue;
    for (int s = 0; s < 5; ++s) sums.squares[s] += squares[s];
    sums.count += 1;
  }
  return sums;
}

}  // namespace

OppositeRays compare_opposite_rays(const Sinogram& sinogram, int threads) {
  OppositeRays result;
  const int views = sinogram.count();
  if (views < 16) return result;
  const Turn turn(sinogram);
  const int stride = std::max(1, views / 400);
  std::vector<Comparison> of_views(static_cast<std::size_t>((views + stride - 1) / stride));
  ThreadPool(threads).for_each(static_cast<std::ptrdiff_t>(of_views.size()), [&](std::ptrdiff_t n, int) {
    of_views[static_cast<std::size_t>(n)] = compare_view(turn, sinogram, static_cast<int>(n) * stride);
  });
  Comparison sums;
  for (const Comparison& view : of_views) {
    for (int s = 0; s < 5; ++s) sums.squares[s] += view.squares[s];
    sums.count += view.count;
  }
  result.pairs = sums.count;
  if (sums.count < least_pairs) return result;
  result.misfit = std::sqrt(sums.squares[0] / sums.count);
  sums.lowest(3, 4, Comparison::scale_step, result.scale, result.scale_error);
  return result;
}

Check check_axis_by_mass(const Sinogram& sinogram) {
  const Check check{"rotation-axis"};
  const CentreOfMass mass = follow_centre_of_mass(sinogram);
  // An axis that is off by far is seen for all its error.
  if (!std::isfinite(mass.shift_error) ||
      (sigmas * mass.shift_error >= axis_limit && std::abs(mass.shift) < 2 * sigmas * mass.shift_error))
    return check.not_applicable("no ray is measured from both ends, and the centre of mass says too little");
  const bool wrong = std::abs(mass.shift) > axis_limit + sigmas * mass.shift_error;
  return check.judged(
      wrong,
      fmt::format("the path of the centre of mass puts the axis {:+.3f} +- {:.3f} columns from "
                  "where the geometry has it{}",
                  mass.shift, mass.shift_error, wrong ? ": edges are doubled" : ""),
      {{"axis-offset", "auto", "try"}});
}

Check check_distances(const Sinogram& sinogram, const OppositeRays& rays, bool resampled) {
  const Check check{"distances"};
  if (resampled)
    return check.not_applicable(
        "resampling onto an upright detector blurs unevenly, which looks like another scale");
  if (sinogram.views.front().is_parallel()) return check.not_applicable("a parallel beam has none");
  if (rays.pairs < least_pairs || !(sigmas * rays.scale_error < scale_limit))
    return check.not_applicable(fmt::format(
        "the fan is too narrow, or the object too plain, to see SDD to {:.1f} %", 100 * scale_limit));
  const bool wrong = std::abs(rays.scale) > scale_limit + sigmas * rays.scale_error;
  return check.judged(
      wrong, fmt::format("opposite rays put pitch / SDD {:+.2f} +- {:.2f} % from where the geometry has it{}",
                         100 * rays.scale, 100 * rays.scale_error,
                         wrong ? ": the distance to the detector or its pitch is wrong" : ""));
}

}  // namespace feldspar::recon
