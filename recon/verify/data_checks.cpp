#include "recon/verify/data_checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

namespace feldspar::recon {
namespace {

using std::numbers::pi;

constexpr double order_limit = 1.5;  // of a step's length to the longer one beside it: 2 where a view is lost
constexpr double order_sigmas = 5;
constexpr double most_order_error = 0.4;
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

double gap_after(const std::vector<Place>& order, std::size_t n) {
  return n + 1 < order.size() ? order[n + 1].angle - order[n].angle
                              : order[0].angle + 2 * pi - order[n].angle;
}

double usual_gap(const std::vector<Place>& order) {
  std::vector<double> gaps;
  for (std::size_t n = 0; n < order.size(); ++n) gaps.push_back(gap_after(order, n));
  return median(gaps);
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

void ViewSteps::add(const Sinogram& s, double noise) {
  const std::vector<Place> order = by_angle(s);
  const double usual = usual_gap(order);
  if (steps_.empty()) {
    if (order.size() < 24 || !(usual > 0) || usual > widest_step) return;
    steps_.resize(order.size());
  }
  // Wider than any feature moves in three steps, so that rows change in proportion to the angle.
  const int width = std::clamp(static_cast<int>(std::ceil(3 * s.columns * usual)), 4, s.trusted.count() / 6);
  std::vector<std::vector<double>> rows;
  for (const Place& place : order) rows.push_back(smoothed(s, place.view, width));
  for (std::size_t n = 0; n < order.size(); ++n) {
    const std::size_t next = (n + 1) % order.size();
    const double gap = gap_after(order, n) / usual;
    Step& step = steps_[n];
    step.before = order[n].view, step.after = order[next].view;
    step.usable = gap > 0.4 && gap < 2.5;
    if (!step.usable) continue;
    double squares = 0;
    for (std::size_t i = 0; i < rows[n].size(); ++i)
      squares += (rows[n][i] - rows[next][i]) * (rows[n][i] - rows[next][i]);
    // Noise adds n v to the sum of squares, v = 2 noise^2 / width, give or take v sqrt(2 n width), and
    // 2 sqrt(v width squares) where it happens to agree with the difference.
    const double count = static_cast<double>(rows[n].size()), v = 2 * noise * noise / width,
                 signal = squares - count * v, scale = 1 / (gap * gap);
    step.squares += signal * scale;
    step.variance += (2 * v * v * count * width + 4 * v * width * std::max(0.0, signal)) * scale * scale;
  }
}

Check ViewSteps::check() const {
  Check check{.name = "order of the views"};
  if (steps_.empty()) return check.text = "the views are too few to be each other's neighbours", check;
  const std::size_t count = steps_.size();
  const auto length = [](const Step& step) { return std::sqrt(std::max(0.0, step.squares)); };
  const auto error = [](const Step& step) {
    return step.usable && step.squares > 0 ? 0.5 * std::sqrt(step.variance) / step.squares : INFINITY;
  };
  std::string where;
  int wrong = 0, known = 0;
  double worst = 0;
  for (std::size_t n = 0; n < count; ++n) {
    const Step &step = steps_[n], &before = steps_[(n + count - 1) % count], &after = steps_[(n + 1) % count];
    const double by_noise = order_sigmas * std::max({error(step), error(before), error(after)});
    if (!(by_noise < most_order_error)) continue;
    ++known;
    const double ratio = length(step) / std::max(length(before), length(after));
    worst = std::max(worst, ratio);
    if (ratio > order_limit + by_noise && ++wrong <= 4)
      where += fmt::format("{}{} to {}", where.empty() ? " " : ", ", step.before, step.after);
  }
  if (known < static_cast<int>(count / 10))
    return check.text = "neighbouring views are too alike, or too noisy, to be told apart", check;
  check.outcome = wrong > 0 ? Check::Outcome::failed : Check::Outcome::passed;
  check.text = fmt::format(
      "of {} steps from view to view the longest is {:.2f} times as long as those beside it (limit {}){}",
      known, worst, order_limit,
      wrong > 0 ? fmt::format(": view{}{}: an angle is wrong, or an image is lost or in another's place",
                              where, wrong > 4 ? " ..." : "")
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
