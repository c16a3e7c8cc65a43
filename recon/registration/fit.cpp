// With U(x) the way from the fixed volume F to the moving one M, every place gives one equation
//   F(x) = g M(U(x)) + o,
// linear in g and o, and linearised in a shift of the moving volume's point and in a small turn w and growth
// e of the fixed one's about its centre c:  U((1 + e) (x - c + w x (x - c)) + c) + b.
#include "recon/registration/fit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include "base/error.hpp"
#include "base/least_squares.hpp"
#include "recon/registration/tricubic.hpp"

namespace feldspar::recon::registration {
namespace {

using geometry::Similarity;
using geometry::Vec3;

enum Unknown { gain, offset, shift_x, shift_y, shift_z, turn_x, turn_y, turn_z, growth, unknowns };
constexpr int parts = 8;  // of the places, that errors are estimated from

/// Evenly spread bits of an index (the finaliser of SplitMix64).
std::uint64_t scrambled(std::uint64_t n) {
  n = (n ^ (n >> 30)) * 0xbf58476d1ce4e5b9ull;
  n = (n ^ (n >> 27)) * 0x94d049bb133111ebull;
  return n ^ (n >> 31);
}

bool is_near_object(View3<const float> v, int i, int j, int k, float level) {
  const auto bright = [&](int x, int y, int z) {
    return x >= 0 && y >= 0 && z >= 0 && x < v.nx && y < v.ny && z < v.nz && v(x, y, z) > level;
  };
  return !std::isnan(v(i, j, k)) &&
         (bright(i, j, k) || bright(i - 2, j, k) || bright(i + 2, j, k) || bright(i, j - 2, k) ||
          bright(i, j + 2, k) || bright(i, j, k - 2) || bright(i, j, k + 2));
}

/// The moving volume at every place, and how fast it changes with a mm.
std::vector<Sample> samples_of(const FitLevel& level, const Similarity& to_moving, ThreadPool& pool) {
  std::vector<Sample> samples(level.places.size());
  const geometry::VolumeGrid& grid = level.moving->grid;
  const double per_mm = 1 / grid.spacing.x;
  constexpr std::ptrdiff_t block = 4096;
  const auto count = static_cast<std::ptrdiff_t>(samples.size());
  pool.for_each((count + block - 1) / block, [&](std::ptrdiff_t n, int) {
    for (std::ptrdiff_t m = n * block; m < std::min(count, (n + 1) * block); ++m) {
      const Vec3 at = to_moving(level.places[static_cast<std::size_t>(m)]) - grid.origin;
      Sample s = sample(level.moving->voxels.view(), per_mm * at);
      s.gradient = per_mm * s.gradient;
      samples[static_cast<std::size_t>(m)] = s;
    }
  });
  return samples;
}

/// Gain, offset, correlation and overlap of samples.
void relate(const FitLevel& level, const std::vector<Sample>& samples, Fit& fit) {
  double n = 0, f = 0, m = 0, ff = 0, mm = 0, fm = 0;
  for (std::size_t p = 0; p < samples.size(); ++p) {
    const double fixed = level.values[p], moving = samples[p].value;
    if (std::isnan(moving)) continue;
    n += 1, f += fixed, m += moving, ff += fixed * fixed, mm += moving * moving, fm += fixed * moving;
  }
  fit.overlap = n / static_cast<double>(samples.size());
  const double vf = ff - f * f / n, vm = mm - m * m / n, cov = fm - f * m / n;
  fit.correlation = fit.overlap > 0.25 && vf > 0 && vm > 0 ? cov / std::sqrt(vf * vm) : -1;
  fit.gain = vm > 0 ? cov / vm : 1;
  fit.offset = n > 0 ? (f - fit.gain * m) / n : 0;
}

/// Residuals beyond this count less, in proportion.
double huber_limit(const FitLevel& level, const std::vector<Sample>& samples, const Fit& fit) {
  std::vector<double> sizes;
  for (std::size_t p = 0; p < samples.size(); ++p)
    if (!std::isnan(samples[p].value))
      sizes.push_back(std::abs(level.values[p] - fit.gain * samples[p].value - fit.offset));
  const auto middle = sizes.begin() + static_cast<std::ptrdiff_t>(sizes.size() / 2);
  std::nth_element(sizes.begin(), middle, sizes.end());
  return 1.345 * 1.4826 * *middle;  // Huber's constant, and the median's share of a normal deviation
}

std::vector<LeastSquares> equations(const FitLevel& level, const std::vector<Sample>& samples, const Fit& fit,
                                    bool rigid) {
  std::vector<LeastSquares> all(parts, LeastSquares(rigid ? unknowns - 1 : unknowns));
  const double limit = huber_limit(level, samples, fit);
  const double block = 1 / (8 * level.moving->grid.spacing.x);
  const auto cell = [&](double mm) {
    return static_cast<std::uint64_t>(static_cast<std::int64_t>(std::floor(mm * block)) & 0xfffff);
  };
  const Similarity& u = fit.to_moving;
  const Similarity back{1, transposed(u.rotation), {}};
  std::array<double, unknowns> row{};
  double energy = 0, count = 0;
  for (std::size_t p = 0; p < samples.size(); ++p) {
    const Sample& s = samples[p];
    if (std::isnan(s.value)) continue;
    const Vec3 x = level.places[p], y = x - level.centre;
    const Vec3 g = fit.gain * s.gradient, h = u.scale * back(g);  // by the moving and the fixed point
    const Vec3 torque = cross(y, h);
    row = {s.value, 1, g.x, g.y, g.z, torque.x, torque.y, torque.z, dot(h, y)};
    const double error = level.values[p] - fit.gain * s.value - fit.offset;
    const double weight = std::abs(error) <= limit ? 1 : limit / std::abs(error);
    const std::uint64_t part = scrambled(cell(x.x) | cell(x.y) << 20 | cell(x.z) << 40) % parts;
    const std::size_t used = rigid ? unknowns - 1 : unknowns;
    all[part].add(std::span(row).first(used), error + fit.gain * s.value + fit.offset, weight);
    energy += weight * dot(g, g), count += weight;
  }
  constexpr double damping = 1e-4;  // freezes what changes the image a hundred times less than a shift does
  for (LeastSquares& part : all)
    for (int n = turn_x; n <= turn_z; ++n) {
      row = {};
      row[static_cast<std::size_t>(n)] = 1;
      part.add(std::span(row).first(rigid ? unknowns - 1 : unknowns), 0,
               damping * energy / parts * level.reach * level.reach);
    }
  return all;
}

Similarity stepped(const FitLevel& level, const Similarity& u, std::span<const double> x) {
  const double grown = x.size() > growth ? 1 + x[growth] : 1;
  Similarity inner{grown, geometry::rotation_about({x[turn_x], x[turn_y], x[turn_z]}), {}};
  inner.shift = level.centre - inner(level.centre);
  Similarity next = chained(inner, u);
  next.shift = next.shift + Vec3{x[shift_x], x[shift_y], x[shift_z]};
  return next;
}

/// Standard deviations of the mean of parts that were solved each for itself.
void estimate_errors(const std::vector<LeastSquares>& all, Fit& fit) {
  std::vector<std::vector<double>> solved;
  for (const LeastSquares& part : all)
    if (auto x = part.solve(); !x.empty()) solved.push_back(std::move(x));
  const auto count = static_cast<double>(solved.size());
  const auto error = [&](std::size_t unknown) {
    double sum = 0, squares = 0;
    for (const auto& x : solved) sum += x[unknown], squares += x[unknown] * x[unknown];
    return std::sqrt(std::max(0.0, squares - sum * sum / count) / ((count - 1) * count));
  };
  if (solved.size() < 2) return;
  if (solved.front().size() > growth) fit.scale_error = fit.to_moving.scale * error(growth);
  fit.turn_error = error(turn_z);
  fit.shift_error = std::hypot(error(shift_x), error(shift_y), error(shift_z));
}

}  // namespace

FitLevel make_level(const CoarseVolume& fixed, const CoarseVolume& moving, std::size_t most, double share) {
  const View3<const float> v = fixed.voxels.view();
  const float level = static_cast<float>(share) * brightest(fixed);
  FitLevel made;
  made.moving = &moving;
  std::vector<std::size_t> near;
  std::size_t index = 0;
  for (int k = 0; k < v.nz; ++k)
    for (int j = 0; j < v.ny; ++j)
      for (int i = 0; i < v.nx; ++i, ++index)
        if (is_near_object(v, i, j, k, level)) near.push_back(index);
  if (near.empty() || !(level > 0))
    throw Error(ErrorKind::usage, "nothing stands out in the first volume: there is nothing to align");
  const double taken = static_cast<double>(most) / static_cast<double>(near.size());
  const auto width = static_cast<std::size_t>(v.nx), height = static_cast<std::size_t>(v.ny);
  double weight = 0, squares = 0;
  for (const std::size_t n : near) {
    if (static_cast<double>(scrambled(n) >> 11) * 0x1p-53 >= taken) continue;
    const std::size_t row = n / width, i = n % width, j = row % height, k = row / height;
    const Vec3 p =
        fixed.grid.centre_of(static_cast<double>(i), static_cast<double>(j), static_cast<double>(k));
    made.places.push_back(p);
    made.values.push_back(v.data[n]);
    const double w = std::max(0.0f, v.data[n]);
    made.centre = made.centre + w * p;
    weight += w;
  }
  if (!(weight > 0)) throw Error(ErrorKind::usage, "the first volume has no object to align");
  made.centre = (1 / weight) * made.centre;
  for (const Vec3 p : made.places) squares += dot(p - made.centre, p - made.centre);
  made.reach = std::sqrt(squares / static_cast<double>(made.places.size()));
  return made;
}

Fit evaluate(const FitLevel& level, const Similarity& to_moving, ThreadPool& pool) {
  Fit fit;
  fit.to_moving = to_moving;
  relate(level, samples_of(level, to_moving, pool), fit);
  return fit;
}

Fit refine(const FitLevel& level, const Similarity& start, bool rigid, ThreadPool& pool) {
  constexpr int most_steps = 40;
  constexpr double near_enough = 0.001;  // voxel: a tenth of what is reached, at the places' mean distance
  Fit fit = evaluate(level, start, pool), best = fit;
  for (int n = 0; n < most_steps && fit.correlation > -1; ++n) {
    const std::vector<Sample> samples = samples_of(level, fit.to_moving, pool);
    const std::vector<LeastSquares> all = equations(level, samples, fit, rigid);
    LeastSquares whole(rigid ? unknowns - 1 : unknowns);
    for (const LeastSquares& part : all) whole.add(part);
    const std::vector<double> x = whole.solve();
    if (x.empty()) break;
    const double before = best.correlation;
    fit = evaluate(level, stepped(level, fit.to_moving, x), pool);
    if (fit.correlation < before - 0.02) break;  // it went astray
    best = fit;
    const double moved =
        std::hypot(x[shift_x], x[shift_y], x[shift_z]) +
        level.reach * (std::hypot(x[turn_x], x[turn_y], x[turn_z]) + (rigid ? 0 : std::abs(x[growth])));
    if (moved < near_enough * level.moving->grid.spacing.x) break;
  }
  if (best.correlation > -1)
    estimate_errors(equations(level, samples_of(level, best.to_moving, pool), best, rigid), best);
  return best;
}

}  // namespace feldspar::recon::registration
