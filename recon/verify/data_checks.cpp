#include "recon/verify/data_checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

namespace feldspar::recon {
namespace {

using std::numbers::pi;

constexpr double order_limit = 0.08;  // of the way between the neighbours: a step lost beside it makes 1/6
constexpr double order_sigmas = 10;   // of the spread over all views
constexpr double widest_step = 0.05;  // rad: further apart, views are not each other's neighbours
constexpr double air_limit = 0.02;    // the beam drifts by less than this
constexpr double air_share = 0.03;    // of the object's own line integrals
constexpr double air_sigmas = 5;
constexpr double object_over_edge = 0.3;  // an edge this high is no wrong level but the object

/// A row summed over running windows of `width` columns.
std::vector<double> smoothed(const Sinogram& s, int view, int width) {
  std::vector<double> result;
  double sum = 0;
  for (int i = s.trusted.first; i < s.trusted.end; ++i) {
    sum += s.row(view)[i];
    if (i - s.trusted.first >= width) sum -= s.row(view)[i - width];
    if (i - s.trusted.first >= width - 1) result.push_back(sum / width);
  }
  return result;
}

struct Place {
  int view = 0;
  double angle = 0;  ///< rad, growing
};

/// The views by their direction around the turn.
std::vector<Place> by_angle(const Sinogram& s) {
  std::vector<Place> order;
  for (int n = 0; n < s.count(); ++n) {
    const geometry::View& v = s.views[static_cast<std::size_t>(n)];
    order.push_back({n, v.is_parallel() ? std::atan2(-v.direction.y, -v.direction.x)
                                        : std::atan2(v.source.y, v.source.x)});
  }
  std::sort(order.begin(), order.end(), [](const Place& a, const Place& b) { return a.angle < b.angle; });
  return order;
}

/// Five neighbours in angle, of which the middle one is looked at.
struct Neighbours {
  const std::vector<double>* rows[5];
  double angles[5];
};

struct Displacement {
  double share = 0;  ///< of the distance between the two next to it
  double error = 0;  ///< one standard deviation by noise
};

/// How far the middle row lies from where its angle puts it between the others, to third order in the angle.
Displacement displacement(const Neighbours& around, double noise) {
  double weights[5] = {};
  for (const int a : {0, 1, 3, 4}) {
    weights[a] = 1;
    for (const int b : {0, 1, 3, 4})
      if (b != a) weights[a] *= (around.angles[2] - around.angles[b]) / (around.angles[a] - around.angles[b]);
  }
  double across = 0, along = 0, spread = 1;
  for (const int a : {0, 1, 3, 4}) spread += weights[a] * weights[a];
  for (std::size_t i = 0; i < around.rows[2]->size(); ++i) {
    double expected = 0;
    for (const int a : {0, 1, 3, 4}) expected += weights[a] * (*around.rows[a])[i];
    const double change = (*around.rows[3])[i] - (*around.rows[1])[i];
    across += change * change, along += change * ((*around.rows[2])[i] - expected);
  }
  if (!(across > 0)) return {0, INFINITY};
  // The noise of a running mean is smaller by the root of its width, and tied together over as much.
  return {along / across, noise * std::sqrt(spread / across)};
}

bool follow_each_other(const double (&angles)[5], double step) {
  for (int m = 1; m < 5; ++m) {
    const double gap = angles[m] - angles[m - 1];
    if (!(gap > 0.2 * step && gap < 2.5 * step)) return false;
  }
  return true;
}

/// One side's outermost columns.
struct Edge {
  double level = 0, error = 0, slope = 0;
  double unrest = 0;  ///< from view to view
};

Edge look_at_edge(const Sinogram& s, int first, int end, double noise) {
  std::vector<double> columns;
  for (int i = first; i < end; ++i) {
    std::vector<double> values;
    for (int n = 0; n < s.count(); ++n) values.push_back(s.row(n)[i]);
    columns.push_back(median(std::move(values)));
  }
  std::vector<double> unrest;
  for (int n = 0; n < s.count(); ++n) {
    double sum = 0;
    for (int i = first; i < end; ++i) sum += s.row(n)[i];
    unrest.push_back(std::abs(sum / (end - first) - median(columns)));
  }
  return {median(columns), 1.25 * noise / std::sqrt(static_cast<double>(s.count())),
          std::abs(columns.front() - columns.back()), 1.4826 * median(std::move(unrest))};
}

/// A high quantile of all line integrals: what rays through the object's middle read.
double object_level(const Sinogram& s) {
  std::vector<double> values;
  for (int n = 0; n < s.count(); n += std::max(1, s.count() / 128))
    values.insert(values.end(), s.row(n) + s.trusted.first, s.row(n) + s.trusted.end);
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(0.95 * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

}  // namespace

Check check_order(const Sinogram& s, double noise) {
  Check check{.name = "order of the views"};
  const std::vector<Place> order = by_angle(s);
  const auto count = order.size();
  std::vector<double> gaps;
  for (std::size_t n = 1; n < count; ++n) gaps.push_back(order[n].angle - order[n - 1].angle);
  const double step = median(gaps);
  if (count < 24 || !(step > 0) || step > widest_step)
    return check.text = "the views are too few to be each other's neighbours", check;
  // Twice as wide as any feature moves from view to view, so that rows change smoothly with the angle.
  const int width = std::clamp(static_cast<int>(std::ceil(2 * s.columns * step)), 4, s.trusted.count() / 6);
  std::vector<std::vector<double>> rows;
  for (const Place& place : order) rows.push_back(smoothed(s, place.view, width));
  std::vector<Displacement> found(count, Displacement{0, INFINITY});
  std::vector<double> spread;
  for (std::size_t n = 0; n < count; ++n) {
    Neighbours around{};
    for (std::size_t m = 0; m < 5; ++m) {
      const std::size_t at = (n + count + m - 2) % count;
      around.rows[m] = &rows[at];
      around.angles[m] = order[at].angle + (n + m < 2 ? -2 * pi : n + m >= count + 2 ? 2 * pi : 0);
    }
    if (!follow_each_other(around.angles, step)) continue;
    found[n] = displacement(around, noise);
    if (found[n].error < order_limit) spread.push_back(std::abs(found[n].share));
  }
  if (spread.size() < count / 4)
    return check.text = "neighbouring views are too alike, or too noisy, to be told apart", check;
  const double usual = 1.4826 * median(spread);
  std::string where;
  int wrong = 0;
  double worst = 0;
  for (std::size_t n = 0; n < count; ++n) {
    const double limit = std::max(order_limit, order_sigmas * std::hypot(usual, found[n].error));
    const double excess = std::abs(found[n].share) / limit;
    worst = std::max(worst, excess);
    if (excess > 1 && ++wrong <= 6) where += fmt::format(" {}", order[n].view);
  }
  check.outcome = wrong > 0 ? Check::Outcome::failed : Check::Outcome::passed;
  check.text = fmt::format(
      "each view lies between its neighbours where its angle puts it, to {:.4f} of their distance; the worst "
      "has {:.2f} of its limit{}",
      usual, worst,
      wrong > 0 ? fmt::format(": {} do not, view{}{}: an angle is wrong, or an image is lost or in another's "
                              "place",
                              wrong, where, wrong > 6 ? " ..." : "")
                : "");
  return check;
}

Check check_air(const Sinogram& s, double noise) {
  Check check{.name = "level of air"};
  const int margin = std::clamp(s.columns / 32, 3, 32);
  if (s.trusted.count() < 4 * margin) return check.text = "the rows are too short", check;
  const double object = object_level(s);
  double level = INFINITY, error = 0;
  for (const int first : {s.trusted.first, s.trusted.end - margin}) {
    const Edge edge = look_at_edge(s, first, first + margin, noise);
    const bool flat = edge.slope < 0.2 * std::abs(edge.level) + air_sigmas * edge.error + 1e-3 &&
                      edge.unrest < 2 * noise / std::sqrt(margin) + 4e-3;
    if (flat && edge.level < object_over_edge * object && std::abs(edge.level) < std::abs(level))
      level = edge.level, error = edge.error;
  }
  if (!std::isfinite(level)) return check.text = "no column at the edges sees air only", check;
  const double limit = std::max({air_limit, air_share * object, air_sigmas * error});
  const bool wrong = std::abs(level) > limit;
  check.outcome = wrong ? Check::Outcome::failed : Check::Outcome::passed;
  check.text = fmt::format(
      "rays beside the object read {:+.4f} instead of 0 (limit {:.4f}){}", level, limit,
      wrong
          ? fmt::format(": the white level is off by a factor of {:.3f}; set --white-level", std::exp(level))
          : "");
  return check;
}

}  // namespace feldspar::recon
