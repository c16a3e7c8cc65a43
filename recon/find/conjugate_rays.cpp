#include "recon/find/conjugate_rays.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

namespace feldspar::recon {
namespace {

constexpr double turn = 2 * std::numbers::pi;
constexpr double widest_gap = 2.5;       ///< typical steps between views that may still be interpolated
constexpr double furthest_beyond = 1.2;  ///< typical steps that a half turn may be continued by
constexpr double same_angle = 0.02;      ///< of a step: nearer than this no second view is needed

double within_turn(double angle) {
  angle = std::fmod(angle, turn);
  return angle < 0 ? angle + turn : angle;
}

/// Catmull-Rom; column must have two neighbours on the right and one on the left.
float cubic(const float* row, double column) {
  const auto n = static_cast<std::ptrdiff_t>(column);
  const auto t = static_cast<float>(column - static_cast<double>(n));
  const float a = row[n - 1], b = row[n], c = row[n + 1], d = row[n + 2];
  return b + 0.5f * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)));
}

}  // namespace

RowSinogram binned(const RowSinogram& fine, int bin) {
  RowSinogram coarse{fine.columns / bin, {}};
  const std::size_t views = fine.values.size() / static_cast<std::size_t>(fine.columns);
  coarse.values.reserve(views * static_cast<std::size_t>(coarse.columns));
  for (std::size_t view = 0; view < views; ++view)
    for (int column = 0; column < coarse.columns; ++column) {
      const float* from = fine.row(view) + static_cast<std::ptrdiff_t>(column) * bin;
      coarse.values.push_back(std::accumulate(from, from + bin, 0.0f) / static_cast<float>(bin));
    }
  return coarse;
}

ConjugateRays::ConjugateRays(const geometry::CircularScan& scan, std::vector<double> angles, int row)
    : parallel_(scan.beam == geometry::Beam::parallel),
      distance_(scan.source_object_distance),
      angles_(std::move(angles)) {
  geometry::CircularScan still = scan;  // without axis and turn the world is the laboratory
  still.axis = {}, still.shifts = {};
  still.angles.assign(1, 0.0);
  const geometry::View view = geometry::make_views(still).front();
  first_pixel_ = view.pixel_origin + static_cast<double>(row) * view.row_step;
  step_ = view.column_step;

  order_.resize(angles_.size());
  std::iota(order_.begin(), order_.end(), 0);
  const auto angle_of = [&](int n) { return within_turn(angles_[static_cast<std::size_t>(n)]); };
  std::sort(order_.begin(), order_.end(), [&](int a, int b) { return angle_of(a) < angle_of(b); });
  for (const int n : order_) sorted_.push_back(angle_of(n));
  std::vector<double> gaps;
  for (std::size_t n = 1; n < sorted_.size(); ++n)
    if (sorted_[n] - sorted_[n - 1] > 1e-7) gaps.push_back(sorted_[n] - sorted_[n - 1]);
  std::nth_element(gaps.begin(), gaps.begin() + static_cast<std::ptrdiff_t>(gaps.size() / 2), gaps.end());
  step_angle_ = gaps.empty() ? 0 : gaps[gaps.size() / 2];
  const std::size_t sectors = 2 * sorted_.size();
  for (std::size_t n = 0, next = 0; n < sectors; ++n) {
    while (next < sorted_.size() &&
           sorted_[next] < turn * static_cast<double>(n) / static_cast<double>(sectors))
      ++next;
    start_.push_back(static_cast<int>(next));
  }
  for (int n = 0; n < static_cast<int>(angles_.size()); ++n)
    if (!parallel_ || at(angles_[static_cast<std::size_t>(n)] + std::numbers::pi).first >= 0)
      candidates_.push_back(n);
}

ConjugateRays::Partner ConjugateRays::at(double angle) const {
  angle = within_turn(angle);
  const std::size_t count = sorted_.size();
  const auto sector = std::min(start_.size() - 1,
                               static_cast<std::size_t>(angle / turn * static_cast<double>(start_.size())));
  auto high = static_cast<std::size_t>(start_[sector]);
  while (high < count && sorted_[high] <= angle) ++high;
  const std::size_t low = (high + count - 1) % count;
  const double before = angle - sorted_[low] + (high == 0 ? turn : 0);
  const double after = sorted_[high % count] - angle + (high == count ? turn : 0);
  if (before < same_angle * step_angle_) return {order_[low], order_[low], 0};
  if (after < same_angle * step_angle_) return {order_[high % count], order_[high % count], 0};
  if (before + after > widest_gap * step_angle_) return beyond(low, high % count, before, after);
  return {order_[low], order_[high % count], before / (before + after)};
}

ConjugateRays::Partner ConjugateRays::beyond(std::size_t low, std::size_t high, double before,
                                             double after) const {
  const std::size_t count = sorted_.size();
  if (!parallel_ || count < 3) return {};
  const std::size_t end = before < after ? low : high,
                    next = (end + (before < after ? count - 1 : 1)) % count;
  const double distance = std::min(before, after),
               step =
                   within_turn(before < after ? sorted_[end] - sorted_[next] : sorted_[next] - sorted_[end]);
  if (distance > furthest_beyond * step_angle_ || step > widest_gap * step_angle_) return {};
  return {order_[end], order_[next], -distance / step};
}

double ConjugateRays::position(double column) const {
  const geometry::Vec3 p = first_pixel_ + column * step_;
  return parallel_ ? p.x : std::atan2(p.x, p.y + distance_);
}

double ConjugateRays::column_at(double position) const {
  if (parallel_) return (position - first_pixel_.x) / step_.x;
  const double t = std::tan(position);
  return (t * (first_pixel_.y + distance_) - first_pixel_.x) / (step_.x - t * step_.y);
}

double ConjugateRays::mirror(double offset) const {
  return 2 * (parallel_ ? offset : std::atan2(offset, distance_));
}

Agreement ConjugateRays::compare(const RowSinogram& sinogram, int bin, double offset, int stride) const {
  struct Ray {
    int column;
    double reverse, turned;
  };
  const double middle = 0.5 * (bin - 1), twice = mirror(offset);
  std::vector<Ray> rays;
  for (int column = 0; column < sinogram.columns; ++column) {
    const double here = position(column * bin + middle);
    const double there = (column_at(twice - here) - middle) / bin;
    if (there >= 1 && there < sinogram.columns - 2)
      rays.push_back({column, there, std::numbers::pi + (parallel_ ? 0 : 2 * here - twice)});
  }
  double difference = 0, square = 0;
  std::size_t pairs = 0;
  for (std::size_t n = 0; n < candidates_.size(); n += static_cast<std::size_t>(stride)) {
    const auto view = static_cast<std::size_t>(candidates_[n]);
    const float* const row = sinogram.row(view);
    for (const Ray& ray : rays) {
      const Partner partner = at(angles_[view] + ray.turned);
      if (partner.first < 0) continue;
      const double one = cubic(sinogram.row(static_cast<std::size_t>(partner.first)), ray.reverse);
      const double two = cubic(sinogram.row(static_cast<std::size_t>(partner.second)), ray.reverse);
      const double reverse = one + partner.share * (two - one), value = row[ray.column];
      difference += (value - reverse) * (value - reverse);
      square += value * value + reverse * reverse;
      ++pairs;
    }
  }
  return {square > 0 ? difference / square : 1, static_cast<double>(pairs)};
}

}  // namespace feldspar::recon
