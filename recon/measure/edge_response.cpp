// Binning by distance from the circle, differences of bins, and a plain Fourier sum: a hundred bins at most.
#include "recon/measure/edge_response.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <numbers>

#include "base/error.hpp"
#include "base/least_squares.hpp"

namespace feldspar::recon::measure {
namespace {

constexpr double turn = 2 * std::numbers::pi;
constexpr double width_of_gaussian = 0.4413;  ///< its full width at half maximum times its frequency_at(0.5)

double interpolate(View3<const float> slice, double x, double y) {
  const int i = static_cast<int>(x), j = static_cast<int>(y);
  const double u = x - i, v = y - j;
  return (1 - v) * ((1 - u) * slice(i, j, 0) + u * slice(i + 1, j, 0)) +
         v * ((1 - u) * slice(i, j + 1, 0) + u * slice(i + 1, j + 1, 0));
}

/// Distance from the centre at which the slice falls off most steeply, as the centroid of its fall within
/// the ring; negative when it does not fall.
double edge_along(View3<const float> slice, const RoundEdge& ring, double azimuth) {
  constexpr double step = 0.25;
  const double cos = std::cos(azimuth), sin = std::sin(azimuth);
  const auto at = [&](double r) { return interpolate(slice, ring.x + r * cos, ring.y + r * sin); };
  double weight = 0, moment = 0;
  for (double r = ring.radius - ring.half_width; r + step <= ring.radius + ring.half_width; r += step) {
    const double fall = at(r) - at(r + step);
    weight += fall;
    moment += fall * (r + 0.5 * step);
  }
  const double found = weight > 0 ? moment / weight : -1;
  return std::abs(found - ring.radius) < ring.half_width ? found : -1;
}

/// Values given at rising `places` within half a bin of 0, 1, 2, ..., interpolated to these.
std::vector<double> at_middles(const std::vector<double>& places, const std::vector<double>& values) {
  std::vector<double> moved = values;
  for (std::size_t n = 1; n + 1 < values.size(); ++n) {
    const double off = static_cast<double>(n) - places[n];
    const std::size_t other = off > 0 ? n + 1 : n - 1;
    moved[n] += off * (values[other] - values[n]) / (places[other] - places[n]);
  }
  return moved;
}

/// 1 over the middle half, from where it falls to 0 at both ends as Hann's (Tukey's window): no narrower
/// than a line spread that fits the middle half.
double taper(double fraction) {
  const double from_end = std::min(fraction, 1 - fraction);
  return from_end >= 0.25 ? 1 : 0.5 - 0.5 * std::cos(turn * 2 * from_end);
}

double sinc(double x) { return x == 0 ? 1 : std::sin(std::numbers::pi * x) / (std::numbers::pi * x); }

/// Between the outermost places where the spread crosses half of its maximum.
double width_of(const std::vector<double>& spread, double step) {
  const auto peak = std::max_element(spread.begin(), spread.end());
  const double half = 0.5 * *peak;
  auto low = peak, high = peak;
  while (low != spread.begin() && *low > half) --low;
  while (high + 1 != spread.end() && *high > half) ++high;
  const double left = low == peak ? 0 : (half - *low) / (*(low + 1) - *low);
  const double right = high == peak ? 0 : (half - *high) / (*(high - 1) - *high);
  return step * (static_cast<double>(high - low) - left - right);
}

/// The fall from bin to bin.
std::vector<double> spread_of(const EdgeResponse& edge) {
  std::vector<double> spread;
  for (std::size_t n = 1; n < edge.values.size(); ++n) spread.push_back(edge.values[n - 1] - edge.values[n]);
  if (spread.size() < 8)
    throw Error(ErrorKind::usage,
                fmt::format("edge: {} bins; at least 9 are needed, take a wider ring", edge.values.size()));
  return spread;
}

/// Moduli of the spread's Fourier transform up to Nyquist's frequency, not normalised.
Modulation moduli_of(const std::vector<double>& spread, double step) {
  constexpr int frequencies = 65;
  Modulation found{0.5 / (frequencies - 1), {}, width_of(spread, step)};
  const auto bins = static_cast<double>(spread.size());
  for (int k = 0; k < frequencies; ++k) {
    const double f = found.step * k;
    std::complex<double> sum = 0;
    for (std::size_t n = 0; n < spread.size(); ++n) {
      const double place = static_cast<double>(n) + 0.5;
      sum += taper(place / bins) * spread[n] * std::polar(1.0, -turn * f * step * place);
    }
    const double own = sinc(f * step);
    found.values.push_back(std::abs(sum) / (own * own));
  }
  return found;
}

}  // namespace

EdgeResponse edge_response(View3<const float> slice, const RoundEdge& edge, double step) {
  const double outer = edge.radius + edge.half_width;
  if (!(step > 0) || !(edge.half_width > step) || edge.x - outer < 0 || edge.y - outer < 0 ||
      edge.x + outer > slice.nx - 1 || edge.y + outer > slice.ny - 1)
    throw Error(ErrorKind::usage,
                fmt::format("edge: a ring of radius {:.1f} voxels around ({:.1f}, {:.1f}) leaves a slice of "
                            "{} x {}; choose a smaller ring or a larger grid",
                            outer, edge.x, edge.y, slice.nx, slice.ny));
  const auto bins = static_cast<std::size_t>(2 * edge.half_width / step);
  std::vector<double> counts(bins), places(bins);  // a bin's voxels lie a little beside its middle
  EdgeResponse response{-edge.half_width + 0.5 * step, step, std::vector<double>(bins)};
  for (int j = 0; j < slice.ny; ++j)
    for (int i = 0; i < slice.nx; ++i) {
      const double place = (std::hypot(i - edge.x, j - edge.y) - edge.radius + edge.half_width) / step;
      if (!(place >= 0 && place < static_cast<double>(bins))) continue;
      response.values[static_cast<std::size_t>(place)] += slice(i, j, 0);
      places[static_cast<std::size_t>(place)] += place - 0.5;
      ++counts[static_cast<std::size_t>(place)];
    }
  for (std::size_t n = 0; n < bins; ++n) {
    if (counts[n] == 0)
      throw Error(ErrorKind::usage,
                  fmt::format("edge: no voxel lies {:.2f} voxels from the circle; take bins "
                              "wider than {} voxels",
                              response.first + static_cast<double>(n) * step, step));
    response.values[n] /= counts[n];
    places[n] /= counts[n];
  }
  response.values = at_middles(places, response.values);
  return response;
}

RoundEdge fit_edge(View3<const float> slice, const RoundEdge& guess) {
  constexpr int rays = 720;
  RoundEdge fitted = guess;
  for (int pass = 0; pass < 3; ++pass) {
    LeastSquares circle(3);  // x^2 + y^2 = 2 x cx + 2 y cy + (r^2 - cx^2 - cy^2), from the last centre
    int found = 0;
    const double reach = fitted.radius + fitted.half_width + 1;
    if (fitted.x - reach >= 0 && fitted.y - reach >= 0 && fitted.x + reach < slice.nx - 1 &&
        fitted.y + reach < slice.ny - 1)
      for (int n = 0; n < rays; ++n) {
        const double r = edge_along(slice, fitted, turn * n / rays);
        if (r <= 0) continue;
        const double x = r * std::cos(turn * n / rays), y = r * std::sin(turn * n / rays);
        circle.add(std::array{2 * x, 2 * y, 1.0}, r * r);
        ++found;
      }
    const std::vector<double> solved = circle.solve();
    if (found < rays / 2 || solved.empty())
      throw Error(ErrorKind::usage,
                  fmt::format("edge: only {} of {} rays from ({:.1f}, {:.1f}) meet a falling edge {:.1f} "
                              "voxels away; give the round body's centre and radius",
                              found, rays, fitted.x, fitted.y, fitted.radius));
    fitted.x += solved[0];
    fitted.y += solved[1];
    fitted.radius = std::sqrt(solved[2] + solved[0] * solved[0] + solved[1] * solved[1]);
  }
  return fitted;
}

double Modulation::frequency_at(double level) const {
  for (std::size_t n = 1; n < values.size(); ++n)
    if (values[n] <= level) {
      const double back = (level - values[n]) / (values[n - 1] - values[n]);
      return step * (static_cast<double>(n) - back);
    }
  return 0.5;
}

Modulation modulation_of(const EdgeResponse& edge) {
  const std::vector<double> spread = spread_of(edge);
  Modulation found = moduli_of(spread, edge.step);
  const double zero = found.values.front();
  for (double& value : found.values) value /= zero;
  return found;
}

namespace {

void require_alike(const EdgeResponse& edge, const EdgeResponse& truth) {
  if (edge.values.size() != truth.values.size() || edge.step != truth.step)
    throw Error(ErrorKind::usage,
                fmt::format("edge: {} bins of {} voxels are compared with {} of {}", edge.values.size(),
                            edge.step, truth.values.size(), truth.step));
}

}  // namespace

Modulation modulation_against(const EdgeResponse& edge, const EdgeResponse& truth) {
  require_alike(edge, truth);
  Modulation found = moduli_of(spread_of(edge), edge.step);
  const Modulation own = moduli_of(spread_of(truth), truth.step);
  LeastSquares gaussian(2);  // ln(found / own) = a - b f^2, where the truth has most to tell
  for (std::size_t k = 0; k < found.values.size(); ++k) {
    const double f = found.step * static_cast<double>(k);
    if (f > 0.05 && f < 0.25 && found.values[k] > 0 && own.values[k] > 0)
      gaussian.add(std::array{1.0, -f * f}, std::log(found.values[k] / own.values[k]),
                   own.values[k] * own.values[k]);
  }
  const std::vector<double> solved = gaussian.solve();
  if (solved.empty()) throw Error(ErrorKind::usage, "edge: the truth has no edge in this ring");
  for (std::size_t k = 0; k < found.values.size(); ++k)
    found.values[k] = own.values[k] > 0 ? found.values[k] / own.values[k] / std::exp(solved[0]) : 0;
  found.values.front() = 1;  // hardly any of a thin wall's edges: the inner one takes back the outer one
  found.width = width_of_gaussian / found.frequency_at(0.5);
  return found;
}

EdgeResponse outer_half(const EdgeResponse& edge) {
  const std::vector<double> spread = spread_of(edge);
  const auto peak = std::max_element(spread.begin(), spread.end());
  std::vector<double> both(peak, spread.end());
  std::reverse(both.begin(), both.end());
  both.insert(both.end(), peak + 1, spread.end());
  EdgeResponse mirrored{-0.5 * static_cast<double>(both.size()) * edge.step, edge.step, {0}};
  for (const double fall : both) mirrored.values.push_back(mirrored.values.back() - fall);
  for (double& value : mirrored.values) value -= mirrored.values.back();
  return mirrored;
}

}  // namespace feldspar::recon::measure
