// Views against their neighbours around the turn: repeated, out of their order, lost, dark.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/units.hpp"
#include "recon/verify/mid_plane.hpp"
#include "recon/verify/scan_checks.hpp"

namespace feldspar::recon {
namespace {

constexpr int fewest_views = 16;
constexpr double widest_gap = 10 * radians_per_degree;  // views further apart are strangers
constexpr double odd = 1.5;     // times the usual change from view to view; good scans stay below 1.2
constexpr double odd_rays = 3;  // times the usual difference from opposite rays
constexpr double odd_jump = 2;  // times the change before and after, and the usual one
constexpr double power = 1.5;   // a view in another's place must stand out by so much more
constexpr double level_step = 0.05, level_spreads = 8;

double quantile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  const auto at =
      values.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

/// "3, 7 to 9 ...".
std::string list_of(std::vector<int> views) {
  std::sort(views.begin(), views.end());
  std::string text;
  int ranges = 0;
  for (std::size_t n = 0; n < views.size(); ++ranges) {
    std::size_t last = n;
    while (last + 1 < views.size() && views[last + 1] <= views[last] + 1) ++last;
    if (ranges == 8) return text + " ...";
    text += (n > 0 ? ", " : "") + std::to_string(views[n]);
    if (last > n) text += " to " + std::to_string(views[last]);
    n = last + 1;
  }
  return text;
}

/// The views around the turn, and how they change.
class Ring {
 public:
  explicit Ring(const Strips& strips) : s_(strips), order_(static_cast<std::size_t>(strips.views)) {
    std::iota(order_.begin(), order_.end(), 0);
    std::stable_sort(order_.begin(), order_.end(), [&](int a, int b) { return azimuth(a) < azimuth(b); });
    for (int k = 0; k + 1 < s_.views; ++k) gaps_.push_back(azimuth(at(k + 1)) - azimuth(at(k)));
    usual_gap_ = median(gaps_);
    for (int k = 0; k + 1 < s_.views; ++k) steps_.push_back(distance(at(k), at(k + 1)) * share_of_usual(k));
  }

  [[nodiscard]] int at(int k) const { return order_[static_cast<std::size_t>(k)]; }
  /// From the k-th view to the next, as it would be over the usual angle.
  [[nodiscard]] const std::vector<double>& steps() const { return steps_; }
  /// rms difference of two views.
  [[nodiscard]] double distance(int a, int b) const { return from_between(a, b, b, 0); }

  /// How far the k-th view is from between its neighbours, and they from each other.
  [[nodiscard]] double beside(int k) const {
    const double before = gap(k - 1), both = before + gap(k);
    return from_between(at(k), at(k - 1), at(k + 1), both > 0 ? before / both : 0.5);
  }
  [[nodiscard]] double across(int k) const { return distance(at(k - 1), at(k + 1)); }
  /// The usual angle from view to view, rad.
  [[nodiscard]] double usual_gap() const { return usual_gap_; }
  /// What views a quarter of the scan apart differ by.
  [[nodiscard]] double apart() const {
    std::vector<double> all;
    const int quarter = s_.views / 4;
    for (int k = 0; k + quarter < s_.views; ++k) all.push_back(distance(at(k), at(k + quarter)));
    return median(std::move(all));
  }

 private:
  [[nodiscard]] double azimuth(int view) const { return s_.azimuths[static_cast<std::size_t>(view)]; }
  [[nodiscard]] double gap(int k) const { return gaps_[static_cast<std::size_t>(k)]; }
  [[nodiscard]] double share_of_usual(int k) const {
    return usual_gap_ > 0 ? std::clamp(usual_gap_ / std::max(gap(k), 0.25 * usual_gap_), 0.25, 4.0) : 1;
  }
  [[nodiscard]] double from_between(int view, int a, int b, double share) const {
    const float *const p = s_.view(view), *const q = s_.view(a), *const r = s_.view(b);
    const float w = static_cast<float>(share);
    double sum = 0;
    for (std::size_t i = 0; i < s_.size(); ++i) {
      const float d = p[i] - (1 - w) * q[i] - w * r[i];
      sum += double{d} * double{d};
    }
    return std::sqrt(sum / static_cast<double>(s_.size()));
  }

  const Strips& s_;
  std::vector<int> order_;
  std::vector<double> gaps_, steps_;
  double usual_gap_ = 0;
};

/// Each view's difference from its opposite rays over that of the twenty beside it; 0 where it has none.
std::vector<double> odd_among_opposites(const std::vector<OppositeSums>& opposites) {
  constexpr int around = 10;
  const int views = static_cast<int>(opposites.size());
  std::vector<double> rms, result;
  for (const OppositeSums& sums : opposites)
    rms.push_back(sums.rays > 16 ? std::sqrt(std::max(0.0, sums.dd - sums.d * sums.d / sums.rays) / sums.rays)
                                 : 0);
  for (int n = 0; n < views; ++n) {
    const int first = std::clamp(n - around, 0, std::max(0, views - 2 * around - 1)),
              end = std::min(views, first + 2 * around + 1);
    std::vector<double> beside;
    for (int m = first; m < end; ++m)
      if (rms[static_cast<std::size_t>(m)] > 0) beside.push_back(rms[static_cast<std::size_t>(m)]);
    const double usual = median(std::move(beside));
    result.push_back(usual > 0 ? rms[static_cast<std::size_t>(n)] / usual : 0);
  }
  return result;
}

/// Views before which the beam jumps, and by how much.
std::string level_jumps(const std::vector<double>& levels) {
  std::vector<double> sizes;
  for (std::size_t n = 1; n < levels.size(); ++n) sizes.push_back(std::abs(levels[n] - levels[n - 1]));
  const double limit = std::max(level_step, level_spreads * 1.4826 * median(sizes));
  std::string text;
  int count = 0;
  for (std::size_t n = 1; n < levels.size(); ++n)
    if (sizes[n - 1] > limit && ++count <= 6)
      text += fmt::format("{}{:+.2f} before view {}", count > 1 ? ", " : "", levels[n] - levels[n - 1], n);
  if (count == 0) return {};
  return fmt::format("the mean attenuation jumps by {}{} (limit {:.2f}): views are dark, bright or empty",
                     text, count > 6 ? " ..." : "", limit);
}

/// Views that stand out, and how far the worst of all does.
struct Odd {
  std::vector<int> views;
  double worst = 0;
};

/// Those that are not between their neighbours. `rays` as odd_among_opposites() gives them.
Odd beside_neighbours(const Ring& ring, int views, double usual, const std::vector<double>& rays) {
  Odd found;
  for (int k = 1; k + 1 < views; ++k) {
    const double beside = ring.beside(k), times = beside / (usual + 1e-9),
                 alone = beside / (ring.across(k) + 1e-9),
                 from_rays = rays[static_cast<std::size_t>(ring.at(k))];
    found.worst = std::max(found.worst, std::min(times, alone));
    // What is edge-on for a moment is so from its other end as well.
    const bool agrees = from_rays > 0 && from_rays < odd;
    if (alone > odd && ((times > odd && !agrees) || from_rays > odd_rays)) found.views.push_back(ring.at(k));
  }
  return found;
}

/// Those before which the object jumps. A thin plate that is seen edge-on changes fast twice, before and
/// after that view, so the two changes on either side are asked.
Odd after_jumps(const Ring& ring, int views, double usual) {
  Odd found;
  const auto step = [&](int at) { return ring.steps()[static_cast<std::size_t>(at)]; };
  for (int k = 1; k + 2 < views; ++k) {
    const double further = std::max(step(std::max(0, k - 2)), step(std::min(views - 2, k + 2))),
                 times = step(k) / (std::max({step(k - 1), step(k + 1), further, usual}) + 1e-9);
    found.worst = std::max(found.worst, times);
    if (times > odd_jump) found.views.push_back(ring.at(k + 1));
  }
  return found;
}

/// What is wrong with the views; empty for nothing.
std::string text_of(const std::vector<int>& repeated, const Odd& beside, const Odd& jumps) {
  const std::size_t many = beside.views.size();
  if (!repeated.empty())
    return fmt::format(
        "{} view{} the one before bit by bit: {}: the detector or its file stood still while the object "
        "turned",
        repeated.size(), repeated.size() > 1 ? "s repeat" : " repeats", list_of(repeated));
  if (many > 0)
    return fmt::format("{} view{} not between {} neighbours: {}: in another's place, or of something else",
                       many, many > 1 ? "s are" : " is", many > 1 ? "their" : "its", list_of(beside.views));
  if (!jumps.views.empty())
    return fmt::format(
        "the object jumps before view {} (by {:.1f} times what it changes by before and after): views are "
        "lost, "
        "or it moved",
        list_of(jumps.views), jumps.worst);
  return {};
}

/// What a ray of the median view differs from its opposite by; infinite where half of the views have none.
double usual_difference(const std::vector<OppositeSums>& opposites) {
  std::vector<double> all;
  for (const OppositeSums& sums : opposites)
    if (sums.rays > 16) all.push_back(std::sqrt(std::max(0.0, sums.dd) / sums.rays));
  return 2 * all.size() > opposites.size() ? median(std::move(all)) : INFINITY;
}

}  // namespace

Check check_neighbours(const Strips& strips, const std::vector<double>& levels,
                       const std::vector<int>& repeated, const std::vector<OppositeSums>& opposites) {
  const Check check{"neighbouring-views"};
  if (strips.views < fewest_views) return check.not_applicable("too few views to be each other's neighbours");
  if (const std::string steps = level_jumps(levels); !steps.empty()) return check.judged(true, steps);
  const Ring ring(strips);
  const double usual = quantile(ring.steps(), 0.9), apart = ring.apart();
  // A body without noise that is round looks alike from all sides.
  const bool alike = 2 * static_cast<int>(repeated.size()) >= strips.views || !(usual > 0);
  const Odd beside = beside_neighbours(ring, strips.views, usual, odd_among_opposites(opposites)),
            jumps = after_jumps(ring, strips.views, usual);
  const bool told = ring.usual_gap() < widest_gap &&
                    (apart > power * odd * usual || apart > power * odd_rays * usual_difference(opposites));
  const std::string wrong =
      text_of(alike ? std::vector<int>{} : repeated, told ? beside : Odd{}, told ? jumps : Odd{});
  if (!wrong.empty()) return check.judged(true, wrong);
  if (!told)
    return check.not_applicable(
        fmt::format("views a quarter of the scan apart differ by {:.2f} times what neighbours do: too little "
                    "to see one in "
                    "another's place",
                    apart / (usual + 1e-9)));
  return check.judged(
      false,
      fmt::format("no view is further than {:.2f} times the usual change from between its neighbours (limit "
                  "{}), no change larger than {:.2f} times those beside it (limit {})",
                  beside.worst, odd, jumps.worst, odd_jump));
}

}  // namespace feldspar::recon
