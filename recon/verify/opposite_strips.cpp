// Every ray against the same one measured from its other end, at all heights: the sense of rotation, the
// angles, and whether the object stood still.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "base/parallel.hpp"
#include "base/units.hpp"
#include "recon/verify/mid_plane.hpp"
#include "recon/verify/scan_checks.hpp"

namespace feldspar::recon {
namespace {

using std::numbers::pi;

constexpr double least_turn = 350 * radians_per_degree;
constexpr double nearly_level = 0.12;  // slope
constexpr double least_rays = 500;
constexpr double sense_sigmas = 4, sense_share = 0.03;
constexpr double sense_power = 0.1;  // of what opposite rays differ by that another angle must make
constexpr double turn_share = 0.13, plain_turn = 0.3, turn_limit = 0.8 * radians_per_degree,
                 turn_step = 0.25;  // of the angle between views: a lost one is a whole
constexpr double motion_share = 0.3, motion_limit = 0.5;
constexpr double sigmas = 6;                            // of the range over a dozen sectors
constexpr double change_over = 2 * radians_per_degree;  // to either side
constexpr double most_blind_turn = 1.5 * radians_per_degree, most_blind_motion = 2.0;

double within_turn(double angle) { return angle - 2 * pi * std::floor(angle / (2 * pi)); }

/// A place between two views and two columns.
struct Place {
  int before = -1, after = -1, column = 0;
  float share = 0, column_share = 0;
  [[nodiscard]] bool found() const { return before >= 0; }
};

class Opposites {
 public:
  explicit Opposites(const Strips& strips) : s_(strips), order_(static_cast<std::size_t>(strips.views)) {
    std::iota(order_.begin(), order_.end(), 0);
    for (const double azimuth : s_.azimuths) at_.push_back(within_turn(azimuth));
    std::sort(order_.begin(), order_.end(), [&](int a, int b) { return angle(a) < angle(b); });
    std::vector<double> gaps;
    for (std::size_t n = 1; n < order_.size(); ++n) {
      sorted_.push_back(angle(order_[n - 1]));
      gaps.push_back(angle(order_[n]) - sorted_.back());
    }
    sorted_.push_back(angle(order_.back()));
    widest_ = 2.5 * median(std::move(gaps));
    for (int j = 0; j < s_.columns; ++j) mirrors_.push_back(column_of(-s_.fans[static_cast<std::size_t>(j)]));
  }

  /// Where the ray of (view, column) is met from its other end; `sense` -1 had the object turned the other
  /// way.
  [[nodiscard]] Place opposite(int view, int column, int sense) const {
    const double mirror = mirrors_[static_cast<std::size_t>(column)];
    if (!(mirror >= 0 && mirror <= s_.columns - 1)) return {};
    const double fan = s_.parallel ? 0 : s_.fans[static_cast<std::size_t>(column)],
                 wanted = within_turn(angle(view) + pi + 2 * sense * fan);
    const auto above = std::upper_bound(sorted_.begin(), sorted_.end(), wanted);
    const std::size_t next = above == sorted_.end() ? 0 : static_cast<std::size_t>(above - sorted_.begin()),
                      last = next == 0 ? sorted_.size() - 1 : next - 1;
    const double gap = within_turn(sorted_[next] - sorted_[last]);
    if (!(gap > 0) || gap > widest_) return {};
    const int whole = std::min(static_cast<int>(mirror), s_.columns - 2);
    return {order_[last], order_[next], whole, static_cast<float>(within_turn(wanted - sorted_[last]) / gap),
            static_cast<float>(mirror - whole)};
  }

  [[nodiscard]] float value(const Place& place, std::size_t strip) const {
    const std::size_t at =
        strip * static_cast<std::size_t>(s_.columns) + static_cast<std::size_t>(place.column);
    const float *const a = s_.view(place.before) + at, *const b = s_.view(place.after) + at;
    const float left = (1 - place.share) * a[0] + place.share * b[0],
                right = (1 - place.share) * a[1] + place.share * b[1];
    return (1 - place.column_share) * left + place.column_share * right;
  }

 private:
  [[nodiscard]] double angle(int view) const { return at_[static_cast<std::size_t>(view)]; }
  /// The column of a ray at `fan`, between columns; NaN beyond them. Fans fall or rise from column to column.
  [[nodiscard]] double column_of(double fan) const {
    const std::vector<double>& f = s_.fans;
    const double sign = f.back() > f.front() ? 1 : -1;
    for (std::size_t j = 1; j < f.size(); ++j)
      if (sign * f[j - 1] <= sign * fan && sign * fan <= sign * f[j])
        return static_cast<double>(j - 1) + (fan - f[j - 1]) / (f[j] - f[j - 1]);
    return NAN;
  }

  const Strips& s_;
  std::vector<int> order_;
  std::vector<double> at_, sorted_, mirrors_;
  double widest_ = 0;
};

/// Mean angle between views, rad.
double step_of(const Strips& s) {
  return std::abs(s.azimuths.back() - s.azimuths.front()) / std::max(1, s.views - 1);
}

/// Views on either side over which the change with the angle is measured: fewer would be all noise.
int reach_of(const Strips& s) {
  return std::clamp(static_cast<int>(std::lround(change_over / std::max(step_of(s), 1e-6))), 1, 32);
}

/// The change with the angle and along the columns, of the j-th ray of all at view n.
struct Changes {
  double along = 0, across = 0;
};

class Neighbourhood {
 public:
  Neighbourhood(const Strips& strips, int n, int reach)
      : s_(strips), n_(n), before_(std::max(0, n - reach)), after_(std::min(strips.views - 1, n + reach)) {
    const double step =
        s_.azimuths[static_cast<std::size_t>(after_)] - s_.azimuths[static_cast<std::size_t>(before_)];
    per_rad_ = std::abs(step) > 1e-9 ? 1 / step : 0;
  }
  /// Per rad and per detector column, at the place `at` of the view, which is not at its edges.
  [[nodiscard]] Changes at(std::size_t at) const {
    return {double{s_.view(after_)[at] - s_.view(before_)[at]} * per_rad_,
            0.5 * double{s_.view(n_)[at + 1] - s_.view(n_)[at - 1]} / s_.bin};
  }

 private:
  const Strips& s_;
  int n_, before_, after_;
  double per_rad_ = 0;
};

/// Heights at which the tilt of the rays makes less of a difference than what is looked for.
std::vector<bool> level_heights(const Strips& s, int reach) {
  constexpr double least = 0.5;  // of the limits
  std::vector<bool> level;
  for (std::size_t k = 0; k < s.heights.size(); ++k) {
    double along = 0, across = 0, count = 0;
    for (int n = 0; n < s.views; n += 4) {
      const Neighbourhood around(s, n, reach);
      for (int j = 1; j + 1 < s.columns; ++j) {
        const Changes c = around.at(k * static_cast<std::size_t>(s.columns) + static_cast<std::size_t>(j));
        along += c.along * c.along, across += c.across * c.across, count += 1;
      }
    }
    const double seen = std::min(turn_limit * std::sqrt(along / std::max(1.0, count)),
                                 motion_limit * s.bin * std::sqrt(across / std::max(1.0, count)));
    level.push_back(std::abs(s.slopes[k]) <= nearly_level && s.tilts[k] <= least * seen);
  }
  return level;
}

OppositeSums sums_of(const Strips& s, const Opposites& opposites, const std::vector<bool>& level, int n,
                     int reach) {
  OppositeSums sums;
  const Neighbourhood around(s, n, reach);
  for (int j = 1; j + 1 < s.columns; ++j) {
    const Place place = opposites.opposite(n, j, 1);
    if (!place.found()) continue;
    const Place reversed = opposites.opposite(n, j, -1);
    for (std::size_t k = 0; k < s.heights.size(); ++k) {
      const std::size_t at = k * static_cast<std::size_t>(s.columns) + static_cast<std::size_t>(j);
      const double p = double{s.view(n)[at]}, d = p - double{opposites.value(place, k)};
      sums.rays += 1, sums.d += d, sums.dd += d * d;
      if (reversed.found()) {
        const double r = p - double{opposites.value(reversed, k)};
        sums.reversed += r * r, sums.reversed_d += d * d;
      }
      if (!level[k]) continue;
      const auto [along, across] = around.at(at);
      sums.level_rays += 1, sums.level_d += d, sums.level_dd += d * d;
      sums.along += along, sums.along_2 += along * along, sums.d_along += d * along;
      sums.across += across, sums.across_2 += across * across, sums.d_across += d * across;
    }
  }
  return sums;
}

std::vector<OppositeSums> in_sectors(const std::vector<OppositeSums>& views, int count) {
  std::vector<OppositeSums> sectors(static_cast<std::size_t>(count));
  for (std::size_t n = 0; n < views.size(); ++n)
    sectors[n * static_cast<std::size_t>(count) / views.size()] += views[n];
  return sectors;
}

/// How a sector's differences go with a change of its views.
struct Share {
  double amount = 0, error = 0;  ///< of the change that explains them best
  double correlation = 0;        ///< share of the differences that it explains
  double blind = INFINITY;       ///< the amount that would be that large a share as is allowed
};

/// What is allowed of a change, and how noise takes part in its sums.
struct Allowed {
  double share = 0, noise = 0, change_noise = 0;
};

Share share_of(double rays, double dd, double changes, double d_change, const Allowed& allowed) {
  const double change = changes - rays * allowed.change_noise * allowed.change_noise;
  const double of_noise = 2 * rays * allowed.noise * allowed.noise;
  const double left = std::max(dd - 0.8 * of_noise, 0.2 * dd);
  if (!(change > 0.1 * changes) || !(left > 0)) return {};
  // Smoothed columns share noise, and so do rays with one partner between them: four count as one.
  return {d_change / change, 2 * std::sqrt(dd / rays * changes) / change, d_change / std::sqrt(change * left),
          allowed.share * std::sqrt(left / change)};
}

/// The range of the amounts over the sectors, its error, and the rms correlation.
struct Spread {
  int sectors = 0;
  double range = 0, error = 0, correlation = 0, blind = INFINITY;
  double scatter =
      0;  ///< of the amounts about those of their neighbours: what is lost or stretched makes none
};

/// Of the second differences of what follows each other.
double scatter_of(const std::vector<double>& amounts) {
  std::vector<double> second;
  for (std::size_t n = 2; n < amounts.size(); ++n)
    second.push_back(std::abs(amounts[n - 2] - 2 * amounts[n - 1] + amounts[n]));
  return 1.4826 * median(std::move(second)) / std::sqrt(6.0);
}

Spread spread_of(const std::vector<Share>& shares) {
  Spread spread;
  double lowest = INFINITY, highest = -INFINITY, squares = 0;
  std::vector<double> blind, amounts;
  for (const Share& share : shares) {
    if (!std::isfinite(share.blind)) continue;
    ++spread.sectors;
    amounts.push_back(share.amount);
    lowest = std::min(lowest, share.amount), highest = std::max(highest, share.amount);
    spread.error = std::max(spread.error, share.error);
    squares += share.correlation * share.correlation;
    blind.push_back(share.blind + sigmas * share.error);
  }
  if (spread.sectors < 2) return {};
  spread.range = highest - lowest, spread.correlation = std::sqrt(squares / spread.sectors);
  spread.blind = median(std::move(blind)), spread.scatter = scatter_of(amounts);
  return spread;
}

/// A change of the views in OppositeSums: its sum, that of its squares, and that of its products with d.
struct Change {
  double OppositeSums::*sum;
  double OppositeSums::*squares;
  double OppositeSums::*with_d;
};

/// Of a dozen sectors of the views, as far as they have opposites.
Spread spread_of(const std::vector<OppositeSums>& opposites, const Change& change, const Allowed& allowed) {
  constexpr int sectors = 12;
  std::vector<Share> shares;
  for (const OppositeSums& s : in_sectors(opposites, sectors))
    if (s.level_rays > least_rays / sectors)
      shares.push_back(share_of(s.level_rays, s.level_dd - s.level_d * s.level_d / s.level_rays,
                                s.*change.squares - s.*change.sum * s.*change.sum / s.level_rays,
                                s.*change.with_d - s.level_d * s.*change.sum / s.level_rays, allowed));
  return spread_of(shares);
}

const char* const no_pairs = "too few rays were measured from both ends";

/// Why parts of the scan cannot be held against each other: in a partial turn only its ends are.
std::string why_not_parts(const Strips& strips) {
  const double span = std::abs(strips.azimuths.back() - strips.azimuths.front()) + step_of(strips);
  return span < least_turn ? "of a partial turn only the ends are measured from both sides" : "";
}

}  // namespace

OppositeSums& OppositeSums::operator+=(const OppositeSums& o) {
  rays += o.rays, d += o.d, dd += o.dd, reversed += o.reversed, reversed_d += o.reversed_d;
  level_rays += o.level_rays, level_d += o.level_d, level_dd += o.level_dd;
  along += o.along, along_2 += o.along_2, d_along += o.d_along;
  across += o.across, across_2 += o.across_2, d_across += o.d_across;
  return *this;
}

std::vector<OppositeSums> compare_opposites(const Strips& strips, int threads) {
  std::vector<OppositeSums> views(static_cast<std::size_t>(strips.views));
  if (strips.views < 16 || strips.columns < 8) return views;
  const Opposites opposites(strips);
  const int reach = reach_of(strips);
  const std::vector<bool> level = level_heights(strips, reach);
  ThreadPool pool(threads);
  pool.for_each(strips.views, [&](std::ptrdiff_t n, int) {
    views[static_cast<std::size_t>(n)] = sums_of(strips, opposites, level, static_cast<int>(n), reach);
  });
  return views;
}

namespace {

/// What the view that a wrong sense would take for the opposite one differs by, over what opposite rays do:
/// of a body that looks alike from all sides it is nothing, and the sense cannot be told.
double power_of_sense(const Strips& strips, const std::vector<OppositeSums>& opposites) {
  double fans = 0, along = 0, dd = 0;
  for (const double fan : strips.fans) fans += 16 * fan * fan;  // (4 fan)^2 between the two
  for (const OppositeSums& sums : opposites) along += sums.along_2, dd += sums.level_dd;
  return dd > 0 ? std::sqrt(along * fans / static_cast<double>(strips.fans.size()) / dd) : 0;
}

}  // namespace

Check check_sense(const Strips& strips, const std::vector<OppositeSums>& opposites) {
  constexpr int sectors = 24, fewest = 8;
  const Check check{"rotation-sense"};
  if (strips.parallel)
    return check.not_applicable(
        "a parallel beam that turns the other way gives the mirror image, not a worse one");
  if (!(power_of_sense(strips, opposites) > sense_power))
    return check.not_applicable("the object looks alike from all sides");
  std::vector<double> ratios;
  double rays = 0;
  for (const OppositeSums& sector : in_sectors(opposites, sectors)) {
    rays += sector.rays;
    if (sector.reversed_d > 0 && sector.reversed > 0)
      ratios.push_back(0.5 * std::log(sector.reversed / sector.reversed_d));
  }
  const double count = static_cast<double>(ratios.size());
  if (ratios.size() < fewest || rays < least_rays) return check.not_applicable(no_pairs);
  const double mean = std::accumulate(ratios.begin(), ratios.end(), 0.0) / count;
  double squares = 0;
  for (const double ratio : ratios) squares += (ratio - mean) * (ratio - mean);
  const double error = std::sqrt(squares / (count - 1) / count) + 1e-6;
  const bool told = std::abs(mean) > sense_sigmas * error && std::abs(mean) > sense_share, wrong = mean < 0;
  const std::string text = fmt::format(
      "had the object turned the other way, opposite rays would differ by {:.3f} times as much ({:.1f} "
      "standard "
      "deviations from 1, limit {}){}",
      std::exp(mean), std::abs(mean) / error, sense_sigmas,
      !told   ? ": too little to tell"
      : wrong ? ": the angles run the wrong way"
              : "");
  return told ? check.judged(wrong, text, {{"reverse-rotation", "", "try"}}) : check.not_applicable(text);
}

Check check_turn(const Strips& strips, const std::vector<OppositeSums>& opposites, double noise) {
  const Check check{"turn"};
  if (const auto why = why_not_parts(strips); !why.empty()) return check.not_applicable(why);
  const double step = step_of(strips), over = 2 * reach_of(strips) * step;
  const Spread spread =
      spread_of(opposites, {&OppositeSums::along, &OppositeSums::along_2, &OppositeSums::d_along},
                {turn_share, noise, std::numbers::sqrt2 * noise / over});
  if (!(spread.blind < std::max(most_blind_turn, 0.5 * step)))
    return check.not_applicable(
        "opposite rays say too little of single angles: views look alike, or noise hides what they differ "
        "by");
  // Where little of the differences is a turn, sectors that scatter say how far edges can feign one.
  const double feigned = spread.correlation < plain_turn ? spread.scatter : 0,
               limit = std::max(turn_limit, turn_step * step) + sigmas * std::hypot(spread.error, feigned);
  const bool wrong = spread.correlation > turn_share && spread.range > limit;
  return check.judged(
      wrong, fmt::format("opposite rays put parts of the scan up to {:.2f} degrees from their angles against "
                         "each other (limit {:.2f}), which explains {:.3f} of their differences (limit {}){}",
                         spread.range / radians_per_degree, limit / radians_per_degree, spread.correlation,
                         turn_share, wrong ? ": views are lost, or the angles are stretched" : ""));
}

Check check_motion(const Strips& strips, const std::vector<OppositeSums>& opposites, double noise) {
  const Check check{"motion"};
  if (const auto why = why_not_parts(strips); !why.empty()) return check.not_applicable(why);
  const Spread spread =
      spread_of(opposites, {&OppositeSums::across, &OppositeSums::across_2, &OppositeSums::d_across},
                {motion_share, noise, 0.5 * noise / strips.bin});
  if (!(spread.blind < most_blind_motion * strips.bin))
    return check.not_applicable("opposite rays are too plain, or too noisy, to see a column's motion");
  const double limit = motion_limit * strips.bin + sigmas * spread.error;
  const bool wrong = spread.correlation > motion_share && spread.range > limit;
  return check.judged(
      wrong, fmt::format("opposite rays put parts of the scan {:.2f} columns from each other (limit {:.2f}), "
                         "which explains {:.3f} of their differences (limit {}){}",
                         spread.range, limit, spread.correlation, motion_share,
                         wrong ? ": the object or the instrument moved" : ""));
}

}  // namespace feldspar::recon
