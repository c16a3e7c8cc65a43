// Crossings of a straight path with spiral layers: monotone pieces of the phase, and its levels in each.
#include "simulate/winding.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

namespace feldspar::simulate {
namespace {

constexpr double turn = 2 * std::numbers::pi;

/// The radius before buckling and its derivatives by radius and azimuth.
struct WoundRadius {
  double value, by_radius, by_azimuth;
};

WoundRadius wound_radius(const Winding& winding, double r, double azimuth) {
  const Buckle& buckle = winding.buckle;
  if (buckle.depth == 0) return {r, 1, 0};
  const double from_centre = azimuth - buckle.azimuth;
  const double q = 0.5 * (1 + std::cos(from_centre)), q3 = q * q * q, q7 = q3 * q3 * q;
  const double fall = buckle.depth * std::exp(-std::max(0.0, r - winding.core_radius()) / buckle.decay);
  return {r + fall * q7 * q, 1 - fall * q7 * q / buckle.decay, -4 * fall * q7 * std::sin(from_centre)};
}

/// The phase along a path, with the azimuth followed continuously past the axis.
class PhaseAlong {
 public:
  PhaseAlong(const Winding& winding, const PlanPath& path)
      : winding_(winding),
        pitch_(winding.pitch()),
        offset_(path.offset),
        sense_(path.offset < 0 ? -1 : 1),
        azimuth_of_foot_(std::atan2(-sense_ * path.direction_x, sense_ * path.direction_y)) {}

  struct Value {
    double phase, slope;  ///< slope per mm
  };
  [[nodiscard]] Value operator()(double t) const {
    const double r2 = t * t + offset_ * offset_, r = std::sqrt(r2);
    const double azimuth = azimuth_of_foot_ + sense_ * std::atan2(t, std::abs(offset_));
    const double azimuth_slope = offset_ / r2;
    const WoundRadius rho = wound_radius(winding_, r, azimuth);
    return {(rho.value - winding_.inner_radius) / pitch_ - azimuth / turn,
            (rho.by_radius * t / r + rho.by_azimuth * azimuth_slope) / pitch_ - azimuth_slope / turn};
  }

  /// Where the slope vanishes without a buckle: t r = pitch offset / 2 pi.
  [[nodiscard]] double turning_point() const {
    const double c = pitch_ * offset_ / turn, b2 = offset_ * offset_;
    const double t2 = 2 * c * c / (b2 + std::sqrt(b2 * b2 + 4 * c * c));
    return c == 0 ? 0 : std::copysign(std::sqrt(t2), c);
  }

 private:
  const Winding& winding_;
  double pitch_, offset_, sense_, azimuth_of_foot_;
};

/// A place on the path, with the phase there.
struct PathPoint {
  double t, phase, slope;
};

/// Where the phase is `level`, between `from` and `high`, in which it is monotone: Newton's method from
/// `from`, halved when it would leave the bracket. Its error after a step d is about d^2 over the distance to
/// the piece's end, so a step of 1e-7 mm is the last.
PathPoint crossing(const PhaseAlong& phase, double level, const PathPoint& from, double high, bool rising) {
  double low = from.t, slope = from.slope;
  double t = from.t, next = from.t + (level - from.phase) / slope;
  for (int step = 0; step < 80; ++step) {
    const bool inside = next > low - 1e-9 && next < high + 1e-9;
    if (!inside) next = 0.5 * (low + high);
    if (std::abs(next - t) < (inside ? 1e-7 : 1e-12)) break;
    t = next;
    const auto here = phase(t);
    ((here.phase < level) == rising ? low : high) = t;
    slope = here.slope;
    next = t - (here.phase - level) / slope;
  }
  return {next, level, slope};
}

/// Levels m + fraction between the phases at the two ends of a monotone piece, in the order of the path.
void cut_piece(const PhaseAlong& phase, const std::vector<double>& fractions, double begin, double end,
               std::vector<double>& cuts) {
  const auto [first, first_slope] = phase(begin);
  const double last = phase(end).phase;
  const bool rising = last > first;
  const auto count = static_cast<int>(fractions.size());
  const double low = std::min(first, last), high = std::max(first, last);
  std::vector<double> levels;
  for (auto m = static_cast<int>(std::floor(low)); m <= high; ++m)
    for (int n = 0; n < count; ++n) {
      const double level = m + fractions[static_cast<std::size_t>(n)];
      if (level > low && level < high) levels.push_back(level);
    }
  if (!rising) std::reverse(levels.begin(), levels.end());
  PathPoint point{begin, first, first_slope};
  for (const double level : levels) {
    point = crossing(phase, level, point, end, rising);
    cuts.push_back(point.t);
  }
}

/// Ends of the pieces between which the phase is monotone.
std::vector<double> monotone_pieces(const Winding& winding, const PhaseAlong& phase, double begin,
                                    double end) {
  std::vector<double> ends{begin};
  if (winding.buckle.depth == 0) {
    const double t = phase.turning_point();
    if (t > begin && t < end) ends.push_back(t);
  } else {
    constexpr double stride = 0.01;
    const auto steps = static_cast<int>(std::ceil((end - begin) / stride));
    double low = begin;
    bool was_rising = phase(begin).slope > 0;
    for (int n = 1; n <= steps; ++n) {
      const double high = n == steps ? end : begin + n * stride;
      const bool rising = phase(high).slope > 0;
      if (rising != was_rising) {
        double a = low, b = high;
        while (b - a > 1e-10) (((phase(0.5 * (a + b)).slope > 0) == was_rising) ? a : b) = 0.5 * (a + b);
        ends.push_back(0.5 * (a + b));
      }
      was_rising = rising;
      low = high;
    }
  }
  ends.push_back(end);
  return ends;
}

}  // namespace

double Winding::pitch() const { return std::accumulate(thickness.begin(), thickness.end(), 0.0); }

WoundPlace locate(const Winding& winding, double x, double y) {
  const double azimuth = std::atan2(y, x), pitch = winding.pitch();
  const double rho = wound_radius(winding, std::sqrt(x * x + y * y), azimuth).value;
  const double phase = (rho - winding.inner_radius) / pitch - azimuth / turn;
  const double whole = std::floor(phase);
  double depth = (phase - whole) * pitch;
  int layer = 0;
  const auto last = static_cast<int>(winding.thickness.size()) - 1;
  while (layer < last && depth >= winding.thickness[static_cast<std::size_t>(layer)])
    depth -= winding.thickness[static_cast<std::size_t>(layer++)];
  return {layer, whole + azimuth / turn};
}

void cut_by_layers(const Winding& winding, const PlanPath& path, double begin, double end,
                   std::vector<double>& cuts) {
  if (!(end > begin)) return;
  const PhaseAlong phase(winding, path);
  const double pitch = winding.pitch();
  std::vector<double> fractions;
  double depth = 0;
  for (const double thickness : winding.thickness) {
    if (thickness > 0) fractions.push_back(depth / pitch);
    depth += thickness;
  }
  const std::vector<double> ends = monotone_pieces(winding, phase, begin, end);
  for (std::size_t n = 0; n + 1 < ends.size(); ++n) cut_piece(phase, fractions, ends[n], ends[n + 1], cuts);
}

}  // namespace feldspar::simulate
