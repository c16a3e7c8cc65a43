// The slice along rays from the axis, its maxima, and chains of them around it.
#include "recon/measure/windings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/error.hpp"

namespace feldspar::recon::measure {
namespace {

constexpr double turn = 2 * std::numbers::pi;
constexpr int shortest_chain = Roll::azimuths / 18;

float interpolate(View3<const float> slice, double x, double y) {
  const int i = static_cast<int>(x), j = static_cast<int>(y);
  const auto u = static_cast<float>(x - i), v = static_cast<float>(y - j);
  return (1 - v) * ((1 - u) * slice(i, j, 0) + u * slice(i + 1, j, 0)) +
         v * ((1 - u) * slice(i, j + 1, 0) + u * slice(i + 1, j + 1, 0));
}

std::vector<double> gaussian(double sigma) {
  std::vector<double> kernel;
  double sum = 0;
  const int reach = static_cast<int>(std::ceil(4 * sigma));
  for (int n = -reach; n <= reach; ++n) {
    kernel.push_back(std::exp(-0.5 * n * n / (sigma * sigma)));
    sum += kernel.back();
  }
  for (double& weight : kernel) weight /= sum;
  return kernel;
}

/// Maxima of the smoothed slice along one ray, mm from the axis.
std::vector<double> maxima_along(View3<const float> slice, const Roll& roll, double azimuth) {
  const double step = std::min(0.25 * roll.spacing, roll.pitch / 16);
  const std::vector<double> kernel = gaussian(roll.pitch / 6 / step);
  const int reach = static_cast<int>(kernel.size() / 2);
  const int count = static_cast<int>((roll.outer - roll.inner) / step) + 1;
  std::vector<double> raw(static_cast<std::size_t>(count) + kernel.size() - 1), smooth;
  const double cos = std::cos(azimuth), sin = std::sin(azimuth);
  for (std::size_t n = 0; n < raw.size(); ++n) {
    const double place = static_cast<double>(n) - reach;
    const double r = (roll.inner + step * std::clamp(place, 0.0, count - 1.0)) / roll.spacing;
    raw[n] = interpolate(slice, roll.x + r * cos, roll.y + r * sin);
  }
  for (int n = 0; n < count; ++n) {
    double sum = 0;
    for (std::size_t k = 0; k < kernel.size(); ++k) sum += kernel[k] * raw[static_cast<std::size_t>(n) + k];
    smooth.push_back(sum);
  }
  std::vector<double> maxima;
  for (std::size_t n = 1; n + 1 < smooth.size(); ++n) {
    const double before = smooth[n - 1], here = smooth[n], after = smooth[n + 1];
    if (!(here > before && here >= after)) continue;
    const double beside = 0.5 * (after - before) / (2 * here - before - after);
    maxima.push_back(roll.inner + step * (static_cast<double>(n) + beside));
  }
  return maxima;
}

/// The index of the radius nearest to `radius` within `reach`, or -1.
int nearest(const std::vector<double>& radii, double radius, double reach) {
  const auto after = std::lower_bound(radii.begin(), radii.end(), radius);
  int best = -1;
  double distance = reach;
  for (auto it = after == radii.begin() ? after : after - 1; it != radii.end() && it <= after; ++it)
    if (std::abs(*it - radius) < distance) {
      distance = std::abs(*it - radius);
      best = static_cast<int>(it - radii.begin());
    }
  return best;
}

/// For each maximum how many azimuths the chain that it belongs to spans, counted over one turn and a bit so
/// that chains across azimuth 0 are whole.
std::vector<std::vector<int>> chain_lengths(const Windings& maxima, double reach) {
  const std::size_t count = maxima.size(), more = count + std::size_t{2} * shortest_chain;
  std::vector<std::vector<int>> since(more), length(count);
  for (std::size_t k = 0; k < more; ++k) {
    const std::vector<double>& here = maxima[k % count];
    for (const double radius : here) {
      const int back = k > 0 ? nearest(maxima[(k - 1) % count], radius, reach) : -1;
      since[k].push_back(back >= 0 ? since[k - 1][static_cast<std::size_t>(back)] + 1 : 1);
    }
  }
  std::vector<int> until;
  for (std::size_t k = more; k-- > 0;) {
    const std::vector<double>& here = maxima[k % count];
    std::vector<int> ahead;
    for (const double radius : here) {
      const int next = k + 1 < more ? nearest(maxima[(k + 1) % count], radius, reach) : -1;
      ahead.push_back(next >= 0 ? until[static_cast<std::size_t>(next)] + 1 : 1);
    }
    length[k % count].resize(here.size());
    for (std::size_t m = 0; m < here.size(); ++m)
      length[k % count][m] = std::max(length[k % count][m], since[k][m] + ahead[m] - 1);
    until = std::move(ahead);
  }
  return length;
}

}  // namespace

Windings trace_windings(View3<const float> slice, const Roll& roll) {
  const double reach = roll.outer / roll.spacing + 1;
  if (!(roll.pitch > 0 && roll.spacing > 0 && roll.inner >= 0 && roll.outer > roll.inner + roll.pitch) ||
      roll.x - reach < 0 || roll.y - reach < 0 || roll.x + reach > slice.nx - 1 ||
      roll.y + reach > slice.ny - 1)
    throw Error(
        ErrorKind::usage,
        fmt::format("windings: a roll of {:.2f} to {:.2f} mm and a pitch of {:.3f} mm around voxel "
                    "({:.1f}, {:.1f}) does not fit a slice of {} x {} voxels of {:.4f} mm",
                    roll.inner, roll.outer, roll.pitch, roll.x, roll.y, slice.nx, slice.ny, roll.spacing));
  Windings maxima;
  for (int k = 0; k < Roll::azimuths; ++k)
    maxima.push_back(maxima_along(slice, roll, turn * k / Roll::azimuths));
  const auto lengths = chain_lengths(maxima, roll.pitch / 8);
  Windings traced(maxima.size());
  for (std::size_t k = 0; k < maxima.size(); ++k)
    for (std::size_t m = 0; m < maxima[k].size(); ++m)
      if (lengths[k][m] >= shortest_chain) traced[k].push_back(maxima[k][m]);
  return traced;
}

namespace {

/// Radii that are near none of `others`.
std::ptrdiff_t strangers(const std::vector<double>& radii, const std::vector<double>& others, double reach) {
  return std::count_if(radii.begin(), radii.end(),
                       [&](double radius) { return nearest(others, radius, reach) < 0; });
}

}  // namespace

TraceScore score_windings(const Windings& traced, const Windings& truth, double pitch) {
  if (traced.size() != truth.size())
    throw Error(ErrorKind::usage, fmt::format("windings: {} azimuths are compared with {} of the truth",
                                              traced.size(), truth.size()));
  double found = 0, all = 0, wrong = 0, squares = 0, points = 0;
  for (std::size_t k = 0; k < truth.size(); ++k) {
    for (const double radius : truth[k]) {
      const int match = nearest(traced[k], radius, pitch / 4);
      ++all;
      if (match < 0) continue;
      ++found;
      const double error = traced[k][static_cast<std::size_t>(match)] - radius;
      squares += error * error;
    }
    points += static_cast<double>(traced[k].size());
    wrong += static_cast<double>(strangers(traced[k], truth[k], pitch / 4));
  }
  if (all == 0) throw Error(ErrorKind::usage, "windings: the truth has none to compare with");
  return {found / all, points > 0 ? wrong / points : 0, found > 0 ? std::sqrt(squares / found) : 0};
}

}  // namespace feldspar::recon::measure
