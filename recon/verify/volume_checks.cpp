#include "recon/verify/volume_checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>
#include <string>

#include "base/error.hpp"

namespace feldspar::recon {
namespace {

constexpr double outside_share = 0.02;  // of all attenuation that may lie beside the volume
constexpr double fit_limit = 0.15;      // of the rays' rms
constexpr double level_limit = 0.03;
constexpr double level_share = 0.25;  // of the misfit: streaks and edges carry some level
constexpr int fewest_views = 24;      // below, streaks are as strong as the object
constexpr double mass_limit = 0.03;
constexpr double view_factor = 4;
constexpr double view_share = 0.05;
constexpr double order_limit = 0.12;  // of the distance between a view's neighbours: two swapped are 1/2 off
constexpr double order_sigmas = 4;
constexpr double largest_order_error = 0.06;
constexpr double most_unexplained = 0.45;  // of that distance: else the grid hides what one view says
constexpr double most_hidden = 1.5;        // the same for all views together
constexpr double turned = 0.6;             // correlation of a view's misfit with a turn; chance reaches 0.55
constexpr double all_turned = 0.3;         // its median over all views; chance gives 0.13, a lost image 0.5

/// The share of the measured attenuation on rays that miss the volume.
double share_outside(const Sinogram& measured, const Sinogram& lengths) {
  double outside = 0, all = 0;
  for (int n = 0; n < measured.count(); ++n)
    for (int i = measured.trusted.first; i < measured.trusted.end; ++i) {
      const double p = std::abs(measured.row(n)[i]);
      all += p;
      if (lengths.row(n)[i] <= 0) outside += p;
    }
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
  double steps = 0;  ///< of the cast row from column to column, squared
};

/// Sums over the rays of view `n` that meet the volume. The row is compared in means of two columns: what a
/// grid of that pitch can hold at all.
Difference compare(const Sinogram& measured, const Sinogram& cast, const Sinogram& lengths, int n) {
  Difference sum;
  for (int i = measured.trusted.first; i + 1 < measured.trusted.end; ++i) {
    if (lengths.row(n)[i] <= 0 || lengths.row(n)[i + 1] <= 0) continue;
    const double p = 0.5 * (measured.row(n)[i] + measured.row(n)[i + 1]),
                 q = 0.5 * (cast.row(n)[i] + cast.row(n)[i + 1]);
    sum.squares += (p - q) * (p - q), sum.measured += p * p, sum.crossed += p * q, sum.count += 1;
    const double step = cast.row(n)[i + 1] - cast.row(n)[i];
    sum.steps += step * step;
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

void count(const View3<const float>& voxels, int slice, Census& census) {
  const auto values = voxels.values();
  std::int64_t bad = 0;
  bool flat = values.size() > 1;
  const float reference = values.front();
  for (const float value : values) {
    bad += !(std::abs(value) <= std::numeric_limits<float>::max());
    flat &= value == reference;
  }
  if (bad > 0 && census.not_finite == 0) census.first_not_finite = slice;
  if (flat && census.flat_slices == 0) census.first_flat = slice;
  census.not_finite += bad, census.flat_slices += flat;
}

/// Looks at slices [first, first + together).
void look_at(const FinishedVolume& volume, int first, int together, Census& census) {
  std::vector<std::string> hashes;
  const bool hashed = !volume.layer_hashes.empty();
  const Array3<float> voxels =
      hashed ? volume.read_hashed(first, together, hashes) : volume.read(first, together);
  for (int k = 0; k < together; ++k) {
    count(voxels.view().planes(k, 1), first + k, census);
    if (hashed &&
        hashes[static_cast<std::size_t>(k)] != volume.layer_hashes[static_cast<std::size_t>(first + k)])
      census.changed.push_back(first + k);
  }
}

/// "3, 7 to 9 and others".
std::string list_of(const std::vector<int>& slices) {
  std::string text;
  int ranges = 0;
  for (std::size_t n = 0; n < slices.size(); ++ranges) {
    std::size_t last = n;
    while (last + 1 < slices.size() && slices[last + 1] == slices[last] + 1) ++last;
    if (ranges == 8) return text + " and others";
    text += fmt::format("{}{}{}", n > 0 ? ", " : "", slices[n],
                        last > n ? fmt::format(" to {}", slices[last]) : "");
    n = last + 1;
  }
  return text;
}

/// At those that can be read.
void look_at_each(const FinishedVolume& volume, geometry::Range slices, Census& census) {
  for (int z = slices.first; z < slices.end; ++z) try {
      look_at(volume, z, 1, census);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::io) throw;
      census.unreadable.push_back(z);
    }
}

}  // namespace

Census take_census(const FinishedVolume& volume, MemoryBudget& budget, bool survey) {
  Census census;
  const int together = slices_at_once(volume.grid);
  const Reservation room(budget, static_cast<std::size_t>(together) * slice_bytes(volume.grid),
                         "slices of the volume");
  for (int first = 0; first < volume.grid.nz; first += together) {
    const int end = std::min(first + together, volume.grid.nz);
    try {
      look_at(volume, first, end - first, census);
      continue;
    } catch (const Error& error) {
      if (!survey || error.kind() != ErrorKind::io) throw;
    }
    look_at_each(volume, {first, end}, census);
  }
  return census;
}

Check check_layers(const Census& census, const FinishedVolume& volume) {
  const Check check{"layers"};
  if (census.changed.empty() && census.unreadable.empty()) {
    if (volume.layer_hashes.empty())
      return check.not_applicable(
          "the volume stores no hashes of its layers, as those of earlier versions: damage that leaves "
          "numbers cannot be seen");
    return check.judged(false, fmt::format("all {} layers are what was written", volume.grid.nz));
  }
  std::string text = fmt::format("of {} layers", volume.grid.nz);
  if (!census.changed.empty())
    text += fmt::format(" {} {} not what was written: {}", census.changed.size(),
                        census.changed.size() > 1 ? "are" : "is", list_of(census.changed));
  if (!census.unreadable.empty())
    text += fmt::format("{} {} cannot be read: {}", census.changed.empty() ? "" : ";",
                        census.unreadable.size(), list_of(census.unreadable));
  return check.judged(true, text);
}

Check check_numbers(const Census& census, int slices) {
  const Check check{"numbers"};
  if (census.not_finite == 0) return check.judged(false, "every voxel is a number");
  return check.judged(true, fmt::format("{} voxels are NaN or infinite, the first in slice {} of {}",
                                        census.not_finite, census.first_not_finite, slices));
}

Check check_views(const Sinogram& measured, const Sinogram& cast, const Sinogram& lengths, double noise) {
  const Check check{"every-view"};
  if (measured.count() < fewest_views)
    return check.not_applicable("too few views to compare with each other");
  if (const auto why = why_incomparable(measured, lengths); !why.empty()) return check.not_applicable(why);
  constexpr int around = 10;
  std::vector<double> misfit, level, edges;
  for (int n = 0; n < measured.count(); ++n) {
    const Difference d = compare(measured, cast, lengths, n);
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
    const double excess = misfit[static_cast<std::size_t>(n)] / (sharper * std::max(usual, noise + 1e-6));
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

Turns turns_of(const Sinogram& measured, const Sinogram& cast, double noise) {
  const std::vector<int> order = by_angle(cast);
  Turns turns;
  for (std::size_t n = 1; n + 1 < order.size(); ++n) {
    double across = 0, along = 0, apart = 0;
    for (int i = measured.trusted.first; i < measured.trusted.end; ++i) {
      const double change = cast.row(order[n + 1])[i] - cast.row(order[n - 1])[i];
      const double off = measured.row(order[n])[i] - cast.row(order[n])[i];
      across += change * change, along += change * off, apart += off * off;
    }
    if (!(across > 0) || !(apart > 0)) continue;
    turns.views.push_back(order[n]);
    turns.sizes.push_back(std::abs(along) / across), turns.errors.push_back(noise / std::sqrt(across));
    turns.unexplained.push_back(std::sqrt(apart / across));
    turns.correlations.push_back(std::abs(along) / std::sqrt(across * apart));
  }
  return turns;
}

}  // namespace

Check check_order(const Sinogram& measured, const Sinogram& cast, const Sinogram& lengths, double noise) {
  const Check check{"view-order"};
  if (measured.count() < fewest_views)
    return check.not_applicable("too few views to be each other's neighbours");
  if (const auto why = why_incomparable(measured, lengths); !why.empty()) return check.not_applicable(why);
  const Turns turns = turns_of(measured, cast, noise);
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
  if (!all && !alone)
    return check.not_applicable(
        "the grid hides what the angle of a single view is; together they are at theirs");
  std::string text = fmt::format(
      "views lie {:.3f} +- {:.3f} of the distance between their neighbours from where their angles put them, "
      "and {:.2f} of what the volume misses is a turn (limit {})",
      usual, error, correlation, all_turned);
  if (wrong > 0)
    text += fmt::format(
        ": {} more than others, view{}{}: an angle is wrong, or an image is lost or in "
        "another's place",
        wrong, where, wrong > 6 ? " ..." : "");
  else if (all)
    text += ": the angles of a part of the views are wrong against the others', as after a lost image";
  return check.judged(wrong > 0 || all, text);
}

namespace {

/// Of all views together.
Difference compare_all(const Sinogram& measured, const Sinogram& cast, const Sinogram& lengths) {
  Difference all;
  for (int n = 0; n < measured.count(); ++n) {
    const Difference d = compare(measured, cast, lengths, n);
    all.squares += d.squares, all.measured += d.measured, all.crossed += d.crossed, all.count += d.count;
  }
  return all;
}

}  // namespace

Check check_fit(const Sinogram& measured, const Sinogram& cast, const Sinogram& lengths, double noise) {
  const Check check{"re-projection"};
  if (measured.count() < fewest_views)
    return check.not_applicable("too few views to be explained by a volume");
  if (const auto why = why_incomparable(measured, lengths); !why.empty()) return check.not_applicable(why);
  const Difference all = compare_all(measured, cast, lengths);
  if (!(all.measured > 16 * noise * noise * all.count))
    return check.not_applicable("nothing stands out of the noise");
  const double level = all.crossed / all.measured, explained = all.measured - all.count * noise * noise / 2;
  const double misfit = std::sqrt(std::max(0.0, all.squares - all.count * noise * noise) / explained);
  const bool wrong = misfit > fit_limit || std::abs(level - 1) > level_limit + level_share * misfit;
  return check.judged(
      wrong,
      fmt::format("the volume casts {:.4f} of what was measured, and misses it by {:.4f} of its rms "
                  "beyond the noise (limit {}){}",
                  level, misfit, fit_limit, wrong ? ": it is not the volume of these projections" : ""));
}

Check check_mass(const Sinogram& measured, const Sinogram& lengths, const FdkSetup& setup,
                 const FinishedVolume& volume) {
  const Check check{"mass"};
  if (const auto why = why_incomparable(measured, lengths); !why.empty()) return check.not_applicable(why);
  const double slice = (measured.height - volume.grid.origin.z) / volume.grid.spacing.z;
  if (!(slice >= -0.5 && slice <= volume.grid.nz - 0.5))
    return check.not_applicable("the volume does not hold the plane of the source");
  const auto distance = [&](const geometry::View& v, double column) {
    const geometry::Vec3 pixel = v.pixel_origin + column * v.column_step;
    const geometry::Vec3 ray = v.is_parallel() ? v.direction : pixel - v.source;
    return (pixel.y * ray.x - pixel.x * ray.y) / std::hypot(ray.x, ray.y);
  };
  double rays = 0;
  for (int n = 0; n < measured.count(); ++n) {
    const geometry::View& view = measured.views[static_cast<std::size_t>(n)];
    const float* const weights =
        setup.column_weights.empty()
            ? nullptr
            : setup.column_weights.data() + static_cast<std::ptrdiff_t>(n) * setup.columns;
    double sum = 0;
    for (int i = 0; i < measured.columns; ++i)
      sum += measured.row(n)[i] * (weights ? weights[i] : 1) *
             std::abs(distance(view, i + 0.5) - distance(view, i - 0.5));
    rays += sum * setup.coverage.steps[static_cast<std::size_t>(n)];
  }
  rays /= 2 * std::numbers::pi;
  const int below = std::clamp(static_cast<int>(std::floor(slice)), 0, volume.grid.nz - 1),
            above = std::min(below + 1, volume.grid.nz - 1);
  const auto sum_of = [&](int k) {
    double sum = 0;
    const Array3<float> voxels = volume.read(k, 1);
    for (const float value : voxels.view().values()) sum += std::isfinite(value) ? value : 0;
    return sum;
  };
  const double share = std::clamp(slice - below, 0.0, 1.0);
  const double voxels =
      ((1 - share) * sum_of(below) + share * sum_of(above)) * volume.grid.spacing.x * volume.grid.spacing.y;
  if (!(rays > 0)) return check.not_applicable("there is no attenuation in the plane of the source");
  const bool wrong = std::abs(voxels / rays - 1) > mass_limit;
  return check.judged(
      wrong,
      fmt::format("the voxels of the plane of the source sum to {:.4f} mm, its rays to {:.4f} mm ({:+.2f} %)",
                  voxels, rays, 100 * (voxels / rays - 1)));
}

}  // namespace feldspar::recon
