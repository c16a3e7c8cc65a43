#include "recon/verify/volume_checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <optional>
#include <string>

namespace feldspar::recon {
namespace {

constexpr double outside_share = 0.02;  // of all attenuation that may lie beside the volume
constexpr double fit_limit = 0.15;      // of the rays' rms
constexpr double level_limit = 0.03,
                 steep_level_limit = 0.12;  // beside the plane of the source a hardened
                                            // beam and the cone do not agree with any volume
constexpr double level_share = 1;           // of the rest of the misfit: streaks and edges carry some level
constexpr int fewest_views = 24;            // below, streaks are as strong as the object
constexpr double mass_limit = 0.03;
constexpr double mass_sigmas = 5;
constexpr double coarsest_mass = 1.5;  // columns a voxel
constexpr double view_factor = 4;
constexpr double view_share = 0.05;
constexpr double order_limit = 0.12;  // of the distance between a view's neighbours: two swapped are 1/2 off
constexpr double order_sigmas = 4;
constexpr double largest_order_error = 0.06;
constexpr double most_unexplained = 0.45;  // of that distance: else the grid hides what one view says
constexpr double most_hidden = 1.5;        // the same for all views together
constexpr double turned = 0.6;             // correlation of a view's misfit with a turn; chance reaches 0.55
constexpr double all_turned = 0.3;         // its median over all views; chance gives 0.13, a lost image 0.5

/// The share of the measured attenuation on rays that miss the volume, but for the tenth of the views with
/// the most there: a few that are dark say nothing of the object.
double share_outside(const Sinogram& measured, const Sinogram& lengths) {
  std::vector<std::pair<double, double>> views;
  for (int n = 0; n < measured.count(); ++n) {
    double outside = 0, all = 0;
    for (int i = measured.trusted.first; i < measured.trusted.end; ++i) {
      const double p = measured.row(n)[i];
      all += p;
      if (lengths.row(n)[i] <= 0) outside += p;
    }
    views.emplace_back(std::abs(outside), std::abs(all));
  }
  std::sort(views.begin(), views.end());
  views.resize((views.size() * 9 + 9) / 10);
  double outside = 0, all = 0;
  for (const auto& [missed, measured_there] : views) outside += missed, all += measured_there;
  return all > 0 ? outside / all : 0;
}

/// The views by their direction around the turn.
std::vector<int> by_angle(const Sinogram& s) {
  std::vector<int> order(static_cast<std::size_t>(s.count()));
  std::iota(order.begin(), order.end(), 0);
  const auto angle = [&](int n) {
    const geometry::View& v = s.views[static_cast<std::size_t>(n)];
    return v.is_parallel() ? std::atan2(-v.direction.y, -v.direction.x) : std::atan2(v.source.y, v.source.x);
  };
  std::sort(order.begin(), order.end(), [&](int a, int b) { return angle(a) < angle(b); });
  return order;
}

struct Difference {
  double squares = 0, measured = 0, crossed = 0, count = 0;
  double sum = 0, cast_sum = 0;  ///< of the means
  double steps = 0;              ///< of the cast row from one mean to the next, squared

  Difference& operator+=(const Difference& o) {
    squares += o.squares, measured += o.measured, crossed += o.crossed, count += o.count, steps += o.steps;
    sum += o.sum, cast_sum += o.cast_sum;
    return *this;
  }
};

/// Sums over the rays of view `n` that meet the volume, in means of neighbours.
Difference compare(const Level& level, int n) {
  Difference sum;
  const float* const lengths = level.lengths.row(n);
  const int together = level.groups.together;
  double last = NAN;
  for (int group = 0; group < level.compared.columns; ++group) {
    const float* const l = lengths + level.groups.column(group, 0);
    if (*std::min_element(l, l + together) <= 0) continue;
    double a = 0, b = 0;
    for (int within = 0; within < together; ++within) {
      a += double{level.compared.row(n * together + within)[group]} / together;
      b += double{level.cast.row(n * together + within)[group]} / together;
    }
    sum.squares += (a - b) * (a - b), sum.measured += a * a, sum.crossed += a * b, sum.count += 1;
    sum.sum += a, sum.cast_sum += b;
    if (std::isfinite(last)) sum.steps += (b - last) * (b - last);
    last = b;
  }
  return sum;
}

/// Why the volume cannot be compared with what was measured; empty where it can.
std::string why_incomparable(const Sinogram& measured, const Sinogram& lengths) {
  if (!is_whole(measured)) return "the object reaches beyond the detector: what lies outside cannot be cast";
  const double outside = share_outside(measured, lengths);
  if (outside < outside_share) return {};
  return fmt::format("{:.0f} % of what was measured lies beside the volume", 100 * outside);
}
std::string why_incomparable(const Level& at) { return why_incomparable(at.measured, at.lengths); }

}  // namespace

Check check_views(const Level& at) {
  const Check check{"every-view"};
  const Sinogram& measured = at.measured;
  if (measured.count() < fewest_views)
    return check.not_applicable("too few views to compare with each other");
  if (const auto why = why_incomparable(at); !why.empty()) return check.not_applicable(why);
  constexpr int around = 10;
  std::vector<double> misfit, level, edges;
  for (int n = 0; n < measured.count(); ++n) {
    const Difference d = compare(at, n);
    misfit.push_back(d.count > 0 ? std::sqrt(d.squares / d.count) : 0);
    edges.push_back(d.count > 0 ? std::sqrt(d.steps / d.count) : 0);
    level.push_back(d.count > 0 ? std::sqrt(d.measured / d.count) : 0);
  }
  const double usual_level = median(level);
  double worst = 0;
  int wrong = 0;
  std::string where;
  for (int n = 0; n < measured.count(); ++n) {
    const int first = std::clamp(n - around, 0, std::max(0, measured.count() - 2 * around - 1)),
              end = std::min(measured.count(), first + 2 * around + 1);
    const double usual = median({misfit.begin() + first, misfit.begin() + end});
    // Seen along its sides a flat object has sharper edges, which no grid holds: it may be missed by as much
    // more.
    const double sharper = std::max(1.0, edges[static_cast<std::size_t>(n)] /
                                             (median({edges.begin() + first, edges.begin() + end}) + 1e-9));
    const double excess = misfit[static_cast<std::size_t>(n)] / (sharper * std::max(usual, at.noise + 1e-6));
    worst = std::max(worst, excess);
    if (excess > view_factor && misfit[static_cast<std::size_t>(n)] > view_share * usual_level &&
        ++wrong <= 6)
      where += fmt::format(" {}", n);
  }
  return check.judged(
      wrong > 0,
      fmt::format("the view that the volume explains worst is {:.1f} times worse than those beside it{}",
                  worst,
                  wrong > 0 ? fmt::format(": {} view{} not of this object at this angle:{}{}", wrong,
                                          wrong > 1 ? "s are" : " is", where, wrong > 6 ? " ..." : "")
                            : ""));
}

namespace {

/// How far each view lies from where its angle puts it, in units of the distance between its neighbours.
struct Turns {
  std::vector<int> views;
  std::vector<double> sizes, errors;
  std::vector<double> unexplained;   ///< all that the volume misses of a view, in the same unit
  std::vector<double> correlations;  ///< the share of that which is a turn: size / unexplained
};

Turns turns_of(const Level& level) {
  const std::vector<int> order = by_angle(level.measured);
  const int together = level.groups.together;
  Turns turns;
  for (std::size_t n = 1; n + 1 < order.size(); ++n) {
    double across = 0, along = 0, apart = 0;
    for (int within = 0; within < together; ++within) {
      const auto row = [&](const Sinogram& s, int view) { return s.row(view * together + within); };
      const float *const before = row(level.cast, order[n - 1]), *const here = row(level.cast, order[n]),
                         *const after = row(level.cast, order[n + 1]),
                         *const measured = row(level.compared, order[n]);
      for (int i = 0; i < level.compared.columns; ++i) {
        const double change = after[i] - before[i], off = measured[i] - here[i];
        across += change * change, along += change * off, apart += off * off;
      }
    }
    if (!(across > 0) || !(apart > 0)) continue;
    turns.views.push_back(order[n]);
    turns.sizes.push_back(std::abs(along) / across), turns.errors.push_back(level.noise / std::sqrt(across));
    turns.unexplained.push_back(std::sqrt(apart / across));
    turns.correlations.push_back(std::abs(along) / std::sqrt(across * apart));
  }
  return turns;
}

}  // namespace

Check check_order(const Level& at) {
  const Check check{"view-order"};
  const Sinogram& measured = at.measured;
  if (measured.count() < fewest_views)
    return check.not_applicable("too few views to be each other's neighbours");
  if (const auto why = why_incomparable(at); !why.empty()) return check.not_applicable(why);
  const Turns turns = turns_of(at);
  const double error = median(turns.errors);
  if (turns.views.size() < static_cast<std::size_t>(measured.count()) / 2 || !(error < largest_order_error) ||
      median(turns.unexplained) > most_hidden)
    return check.not_applicable(
        "neighbouring views are too alike, too noisy or held too coarsely to be told apart");
  const double correlation = median(turns.correlations), usual = 1.4826 * median(turns.sizes);
  const bool all = correlation > all_turned,
             alone = median(turns.unexplained) < most_unexplained;  // single views can be judged
  int wrong = 0;
  std::string where;
  for (std::size_t n = 0; alone && n < turns.views.size(); ++n) {
    const double limit = std::max(order_limit, order_sigmas * std::hypot(usual, turns.errors[n]));
    if (turns.sizes[n] > limit && turns.correlations[n] > turned && ++wrong <= 6)
      where += fmt::format(" {}", turns.views[n]);
  }
  std::string text = fmt::format(
      "views lie {:.3f} +- {:.3f} of the distance between their neighbours from where their angles put them, "
      "and {:.2f} of what the volume misses is a turn (limit {})",
      usual, error, correlation, all_turned);
  if (wrong > 0)
    text += fmt::format(
        ": {} more than others, view{}{}: an angle is wrong, or an image is lost or in "
        "another's place",
        wrong, where, wrong > 6 ? " ..." : "");
  else if (!all && !alone)
    text += "; the grid hides where single views are, but together they are at their angles";
  else if (all)
    text += ": the angles of a part of the views are wrong against the others', as after a lost image";
  return check.judged(wrong > 0 || all, text);
}

namespace {

/// What the volume casts of what was measured at one height.
struct Fit {
  double level = 1, misfit = 0, limit = fit_limit, blur = 0, of_level = level_limit;
  /// How far beyond the limits: above 1 is wrong.
  [[nodiscard]] double excess() const {
    const double off = std::abs(level - 1), rest = std::sqrt(std::max(0.0, misfit * misfit - off * off));
    return std::max(misfit / limit, off / (of_level + blur + level_share * rest));
  }
};

std::optional<Fit> fit_of(const Level& at) {
  Difference all;
  for (int n = 0; n < at.measured.count(); ++n) all += compare(at, n);
  constexpr double least = 1e-3;  // line integrals, rms: what is less is rounding where there is no noise
  const double of_noise = all.count * at.noise * at.noise;
  if (!(all.measured > std::max(16 * of_noise, all.count * least * least))) return {};
  // Small things lose height to the grid, but not their sum; rays that are continued keep height, but not
  // sum.
  const double height = all.crossed / all.measured, sum = all.sum > 0 ? all.cast_sum / all.sum : height;
  return Fit{
      std::abs(sum - 1) < std::abs(height - 1) ? sum : height,
      std::sqrt(std::max(0.0, all.squares - of_noise) / (all.measured - of_noise / at.groups.together)),
      fit_limit * std::max(1.0, at.groups.together / 4.0), at.blur};
}

}  // namespace

Check check_fit(std::span<const Level> levels) {
  const Check check{"re-projection"};
  if (levels.empty() || levels.front().measured.count() < fewest_views)
    return check.not_applicable("too few views to be explained by a volume");
  std::string why = "nothing stands out of the noise";
  std::optional<Fit> worst;
  int judged = 0;
  double height = 0;
  for (const Level& at : levels) {
    const auto incomparable = why_incomparable(at);
    auto fit = incomparable.empty() ? fit_of(at) : std::nullopt;
    if (!incomparable.empty()) why = incomparable;
    if (!fit) continue;
    ++judged;
    if (at.blur > 0) fit->of_level = steep_level_limit;
    if (!worst || fit->excess() > worst->excess()) worst = fit, height = at.measured.height;
  }
  if (!worst) return check.not_applicable(why);
  const bool wrong = worst->excess() > 1;
  return check.judged(
      wrong, fmt::format(
                 "at the worst of {} height{}, {:+.4g} mm, the volume casts {:.4f} of what was measured, and "
                 "misses it by {:.4f} of its rms beyond the noise (limit {:.2f}){}",
                 judged, judged > 1 ? "s" : "", height, worst->level, worst->misfit, worst->limit,
                 wrong ? ": it is not the volume of these projections" : ""));
}

namespace {

/// mm from the axis to the ray at `column`, positive on one side.
double distance(const geometry::View& v, double column) {
  const geometry::Vec3 pixel = v.pixel_origin + column * v.column_step;
  const geometry::Vec3 ray = v.is_parallel() ? v.direction : pixel - v.source;
  return (pixel.y * ray.x - pixel.x * ray.y) / std::hypot(ray.x, ray.y);
}

/// (1/2pi) times the sum of p w ds dbeta, in mm.
double mass_of_rays(const Sinogram& measured, const FdkSetup& setup) {
  double rays = 0;
  for (int n = 0; n < measured.count(); ++n) {
    const geometry::View& view = measured.views[static_cast<std::size_t>(n)];
    const float* const weights =
        setup.column_weights.empty()
            ? nullptr
            : setup.column_weights.data() + static_cast<std::ptrdiff_t>(n) * setup.columns;
    double sum = 0;
    for (int i = measured.trusted.first; i < measured.trusted.end; ++i)
      sum += measured.row(n)[i] * (weights ? weights[i] : 1) *
             std::abs(distance(view, i + 0.5) - distance(view, i - 0.5));
    rays += sum * setup.coverage.steps[static_cast<std::size_t>(n)];
  }
  return rays / (2 * std::numbers::pi);
}

/// Of a slice's voxels within `radius` of the axis, in mm.
double mass_of_slice(const FinishedVolume& volume, int slice, double radius) {
  const geometry::VolumeGrid& grid = volume.grid;
  const Array3<float> voxels = volume.read(slice, 1);
  double sum = 0;
  for (int y = 0; y < grid.ny; ++y)
    for (int x = 0; x < grid.nx; ++x) {
      const geometry::Vec3 at = grid.centre_of(x, y, slice);
      const float value = voxels.view().row(y, 0)[x];
      if (std::isfinite(value) && at.x * at.x + at.y * at.y < radius * radius) sum += double{value};
    }
  return sum * grid.spacing.x * grid.spacing.y;
}

/// Beyond what every view measured there is no object, but there are streaks.
double measured_radius(const Sinogram& measured) {
  double radius = INFINITY;
  for (const geometry::View& view : measured.views)
    radius = std::min({radius, std::abs(distance(view, measured.trusted.first)),
                       std::abs(distance(view, measured.trusted.end - 1))});
  return radius;
}

}  // namespace

Check check_mass(const Sinogram& measured, const Sinogram& lengths, const FdkSetup& setup,
                 const FinishedVolume& volume) {
  const Check check{"mass"};
  if (const auto why = why_incomparable(measured, lengths); !why.empty()) return check.not_applicable(why);
  const double column = column_at_axis(measured),
               real_column = column * (setup.rectification ? setup.rectification->finer : 1),
               coarse = volume.grid.spacing.x / real_column;
  if (coarse > coarsest_mass)
    return check.not_applicable(fmt::format(
        "voxels of {:.1f} columns are points of the slice, not means: their sum is no mass", coarse));
  const double slice = (measured.height - volume.grid.origin.z) / volume.grid.spacing.z;
  if (!(slice >= -0.5 && slice <= volume.grid.nz - 0.5))
    return check.not_applicable("the volume does not hold the plane of the source");
  const double rays = mass_of_rays(measured, setup),
               noise = noise_of(measured) * column *
                       std::sqrt(static_cast<double>(measured.trusted.count()) / measured.count());
  constexpr double faint = 1e-4;  // line integrals, mean: parts that lie elsewhere cast more upon the plane
  if (!(rays > std::max(mass_sigmas / mass_limit * noise, faint * column * measured.trusted.count())))
    return check.not_applicable("there is too little attenuation in the plane of the source");
  const int below = std::clamp(static_cast<int>(std::floor(slice)), 0, volume.grid.nz - 1),
            above = std::min(below + 1, volume.grid.nz - 1);
  const double share = std::clamp(slice - below, 0.0, 1.0), radius = measured_radius(measured);
  const double voxels =
      (1 - share) * mass_of_slice(volume, below, radius) + share * mass_of_slice(volume, above, radius);
  const bool wrong = std::abs(voxels / rays - 1) > mass_limit + mass_sigmas * noise / rays;
  return check.judged(
      wrong,
      fmt::format("the voxels of the plane of the source sum to {:.4f} mm, its rays to {:.4f} mm ({:+.2f} %)",
                  voxels, rays, 100 * (voxels / rays - 1)));
}

}  // namespace feldspar::recon
