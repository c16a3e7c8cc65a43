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
std::vector<Place> around(const Sinogram& s) {
  std::vector<Place> order;
  for (int n = 0; n < s.count(); ++n) {
    const geometry::View& v = s.views[static_cast<std::size_t>(n)];
    order.push_back({n, v.is_parallel() ? std::atan2(-v.direction.y, -v.direction.x)
                                        : std::atan2(v.source.y, v.source.x)});
  }
  std::sort(order.begin(), order.end(), [](const Place& a, const Place& b) { return a.angle < b.angle; });
  return order;
}

/// Where a view lies between its neighbours, in shares of their distance, beside where its angle puts it.
/// NaN where the neighbours are too alike to tell.
double displacement(const std::vector<double>& before, const std::vector<double>& here,
                    const std::vector<double>& after, double share, double noise) {
  double across = 0, along = 0;
  for (std::size_t i = 0; i < here.size(); ++i) {
    const double change = after[i] - before[i];
    across += change * change;
    along += change * (here[i] - (1 - share) * before[i] - share * after[i]);
  }
  const double by_noise = 2 * noise * noise * static_cast<double>(here.size());
  return across > 9 * by_noise ? along / across : NAN;
}

/// One side's outermost columns.
struct Edge {
  double level = 0, error = 0, slope = 0;
};

Edge look_at_edge(const Sinogram& s, int first, int end, double noise) {
  std::vector<double> columns;
  for (int i = first; i < end; ++i) {
    std::vector<double> values;
    for (int n = 0; n < s.count(); ++n) values.push_back(s.row(n)[i]);
    columns.push_back(median(std::move(values)));
  }
  return {median(columns), 1.25 * noise / std::sqrt(static_cast<double>(s.count())),
          std::abs(columns.front() - columns.back())};
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
  const std::vector<Place> order = around(s);
  const auto count = order.size();
  std::vector<double> gaps, away(count, NAN), known;
  for (std::size_t n = 1; n < count; ++n) gaps.push_back(order[n].angle - order[n - 1].angle);
  const double step = median(gaps);
  if (count < 24 || !(step > 0) || step > widest_step)
    return check.text = "the views are too few to be each other's neighbours", check;
  // Wide enough that no feature moves by more than a window from a view to the one after the next.
  const int width = std::clamp(static_cast<int>(std::ceil(s.columns * step)), 1, s.trusted.count() / 8);
  std::vector<std::vector<double>> rows;
  for (const Place& place : order) rows.push_back(smoothed(s, place.view, width));
  for (std::size_t n = 0; n < count; ++n) {
    const std::size_t a = (n + count - 1) % count, b = (n + 1) % count;
    const auto turn = [](double angle) { return angle - 2 * pi * std::floor(angle / (2 * pi)); };
    const double before = turn(order[n].angle - order[a].angle),
                 after = turn(order[b].angle - order[n].angle);
    if (before + after > 4 * step || !(before + after > step)) continue;
    away[n] = displacement(rows[a], rows[n], rows[b], before / (before + after), noise / std::sqrt(width));
    if (std::isfinite(away[n])) known.push_back(away[n]);
  }
  if (known.size() < count / 2)
    return check.text = "neighbouring views are too alike, or too noisy, to be told apart", check;
  const double middle = median(known);
  std::vector<double> apart;
  for (const double d : known) apart.push_back(std::abs(d - middle));
  const double limit = std::max(order_limit, order_sigmas * 1.4826 * median(apart));
  std::string where;
  int wrong = 0;
  double worst = 0;
  for (std::size_t n = 0; n < count; ++n) {
    if (!std::isfinite(away[n])) continue;
    worst = std::max(worst, std::abs(away[n] - middle));
    if (std::abs(away[n] - middle) > limit && ++wrong <= 6) where += fmt::format(" {}", order[n].view);
  }
  check.outcome = wrong > 0 ? Check::Outcome::failed : Check::Outcome::passed;
  check.text = fmt::format(
      "views lie within {:.3f} of the distance between their neighbours of where their angles put "
      "them (limit {:.3f}){}",
      worst, limit,
      wrong > 0 ? fmt::format(": {} do not, view{}{}: an angle is wrong, or an image is lost or "
                              "in another's place",
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
    const bool flat = edge.slope < 0.2 * std::abs(edge.level) + air_sigmas * edge.error + 1e-3;
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
