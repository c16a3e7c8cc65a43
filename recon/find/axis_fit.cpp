#include "recon/find/axis_fit.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "geometry/coverage.hpp"

namespace feldspar::recon {
namespace {

constexpr double turn = 2 * std::numbers::pi;
constexpr int margin = 3;  ///< coarse columns that smoothing repeats at either end
constexpr int most_rounds = 25;
constexpr double settled = 1e-3;   ///< coarse columns
constexpr double step = 0.25;      ///< coarse columns, of differences
constexpr double cauchy = 2.4;     ///< standard deviations
constexpr double correlation = 6;  ///< rays that count as one, since they are smoothed and seen twice
constexpr double offset_factor = 1.6, offset_floor = 0.0015;  ///< of coarse columns
constexpr double roll_factor = 2.0, roll_floor = 7e-5;        ///< rad
constexpr int block_pixels = 15;
constexpr std::ptrdiff_t chunk = 2048;  ///< rays of one task

/// Catmull-Rom; column must have two neighbours on the right and one on the left.
double cubic(const float* row, double column) {
  const auto n = static_cast<std::ptrdiff_t>(column);
  const double t = column - static_cast<double>(n);
  const double a = row[n - 1], b = row[n], c = row[n + 1], d = row[n + 2];
  return b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)));
}

/// A row and what to add of its neighbour.
struct RowPlace {
  int low = 0, high = 0;
  double share = 0;
};

RowPlace place_in(int rows, double row) {
  const double at = std::clamp(row, 0.0, rows - 1.0);
  const int low = std::min(static_cast<int>(at), std::max(0, rows - 2));
  return {low, std::min(low + 1, rows - 1), at - low};
}

}  // namespace

RayComparison::RayComparison(const AxisSample& sample)
    : sample_(sample),
      views_(sample.scan.angles, sample.scan.beam == geometry::Beam::parallel),
      rays_(sample.scan) {}

RayComparison::Shift RayComparison::shift_of(int view) const {
  const geometry::CircularScan& scan = sample_.scan;
  if (scan.shifts.empty()) return {};
  const geometry::ViewShift& shift = scan.shifts[static_cast<std::size_t>(view)];
  return {shift.column / scan.detector.column_pitch, shift.row / scan.detector.row_pitch};
}

bool RayComparison::look(const RowBand& band, int view, const ReverseRay& at, double& value,
                         double& slope) const {
  const View3<float> values = band.values.view();
  const Shift shift = shift_of(view);
  const double column = at.column + shift.columns, row = at.row + shift.rows - band.first;
  if (!(column >= margin && column < values.nx - 1 - margin && row >= -0.5 && row <= values.ny - 0.5))
    return false;
  const RowPlace place = place_in(values.ny, row);
  const double low = cubic(values.row(place.low, view), column),
               high = cubic(values.row(place.high, view), column);
  value = low + place.share * (high - low), slope = high - low;
  return true;
}

bool RayComparison::compare(const SampledRay& ray, const AxisPlane& plane, RayPair& pair) const {
  const RowBand& band = sample_.bands[static_cast<std::size_t>(ray.band)];
  const View3<float> values = band.values.view();
  const Shift shift = shift_of(ray.view);
  const double column = ray.column - shift.columns;
  const ReverseRay reverse = rays_.reverse(plane, column, band.first + ray.row - shift.rows);
  const double angle = sample_.scan.angles[static_cast<std::size_t>(ray.view)];
  const ViewPair views = views_.at(angle + reverse.turned);
  double one = 0, two = 0, slope_one = 0, slope_two = 0;
  if (views.first < 0 || !look(band, views.first, reverse, one, slope_one) ||
      !look(band, views.second, reverse, two, slope_two))
    return false;
  pair.value = values(ray.column, ray.row, ray.view);
  pair.reverse = one + views.share * (two - one);
  const int above = std::min(ray.row + 1, values.ny - 1), below = std::max(ray.row - 1, 0);
  const double slope = above > below
                           ? (values(ray.column, above, ray.view) - values(ray.column, below, ray.view)) /
                                 static_cast<double>(above - below)
                           : 0;
  pair.steepness = reverse.slope * (slope + slope_one + views.share * (slope_two - slope_one));
  pair.direction = std::fmod(angle + reverse.direction + 4 * turn, 0.5 * turn);
  pair.from_axis = 0.5 * std::abs(column - reverse.column);
  return true;
}

std::vector<SampledRay> rays_with_reverse(const RayComparison& comparison, const geometry::RotationAxis& axis,
                                          std::size_t most) {
  const AxisSample& sample = comparison.sample();
  const AxisPlane plane = comparison.about(axis);
  const int columns = sample.scan.detector.columns - 2 * margin - 1;
  const int views = static_cast<int>(sample.scan.angles.size());
  std::vector<SampledRay> found;
  if (columns < 1) return found;
  const auto visit = [&](std::size_t stride, const auto& use) {
    std::size_t at = 0;
    for (int band = 0; band < static_cast<int>(sample.bands.size()); ++band) {
      const int rows = sample.bands[static_cast<std::size_t>(band)].values.view().ny;
      const std::size_t total = static_cast<std::size_t>(views) * static_cast<std::size_t>(rows) *
                                static_cast<std::size_t>(columns);
      for (; at < total; at += stride) {
        const auto line = static_cast<int>(at / static_cast<std::size_t>(columns));
        const SampledRay ray{line / rows, band, line % rows,
                             margin + static_cast<int>(at % static_cast<std::size_t>(columns))};
        RayPair pair;
        if (comparison.compare(ray, plane, pair)) use(ray);
      }
      at -= total;
    }
  };
  std::size_t all = 0;
  for (const RowBand& band : sample.bands)
    all += static_cast<std::size_t>(views) * static_cast<std::size_t>(band.values.view().ny) *
           static_cast<std::size_t>(columns);
  // An odd stride that is no multiple of small numbers visits all columns of all views.
  const auto odd = [](std::size_t stride) { return stride < 2 ? 1 : stride | 1; };
  const std::size_t sparse = odd(all / 20000);
  std::size_t seen = 0;
  visit(sparse, [&](const SampledRay&) { ++seen; });
  const std::size_t stride = odd(seen * sparse / most);
  visit(stride, [&](const SampledRay& ray) { found.push_back(ray); });
  return found;
}

namespace {

/// A ray's part in the fit: its residual and what offset, roll and the height of its block change of it.
struct Equation {
  float residual = NAN;  ///< NaN where it could not be compared
  float offset = 0, roll = 0, lever = 0;
  float weight = 0;
  float direction = 0, from_axis = 0;
};

struct Normal {
  double oo = 0, orr = 0, rr = 0;  ///< of offset and roll
  double o = 0, r = 0;

  void add(double weight, double offset, double roll, double residual) {
    oo += weight * offset * offset, orr += weight * offset * roll, rr += weight * roll * roll;
    o += weight * offset * residual, r += weight * roll * residual;
  }
};

/// Inverse of the matrix of a Normal; without roll only the first element.
struct Inverse {
  double oo = 0, orr = 0, rr = 0;
};

Inverse inverse_of(const Normal& n, bool with_roll) {
  if (!with_roll) return {1 / n.oo, 0, 0};
  const double determinant = n.oo * n.rr - n.orr * n.orr;
  return {n.rr / determinant, -n.orr / determinant, n.oo / determinant};
}

/// Errors of both, in the units of the fit.
struct Errors {
  double offset = 0, roll = 0;
  void hold(double of_offset, double of_roll) {
    offset = std::max(offset, of_offset), roll = std::max(roll, of_roll);
  }
};

class Fit {
 public:
  Fit(const RayComparison& comparison, const std::vector<SampledRay>& rays, bool with_roll, ThreadPool& pool)
      : comparison_(comparison), rays_(rays), with_roll_(with_roll), pool_(pool), equations_(rays.size()) {
    const geometry::CircularScan& scan = comparison.sample().scan;
    const geometry::Detector& d = scan.detector;
    pixel_ = d.column_pitch / scan.magnification();
    offset_step_ = step * pixel_;
    roll_step_ = step * d.column_pitch / (std::max(8.0, 0.5 * d.rows) * d.row_pitch);
    const bool parallel = scan.beam == geometry::Beam::parallel;
    partial_ = !parallel && !geometry::angular_coverage(scan.angles).complete;
    spread_ = 0.125 * d.columns * pixel_;  // half the radius of an object of half the width
  }

  AxisFit run(geometry::RotationAxis axis) {
    AxisFit result{axis, INFINITY, INFINITY};
    for (int round = 0; round < most_rounds; ++round) {
      linearize(axis);
      weigh();
      const Inverse inverse = solve();
      const double offset = -(inverse.oo * normal_.o + inverse.orr * normal_.r),
                   roll = -(inverse.orr * normal_.o + inverse.rr * normal_.r);
      if (!std::isfinite(offset) || !std::isfinite(roll)) return result;
      const double shorter = std::min(1.0, 8 / std::max({std::abs(offset), std::abs(roll), 1e-9}));
      axis.offset += shorter * offset * offset_step_;
      if (with_roll_) axis.roll += shorter * roll * roll_step_;
      if (std::max(std::abs(offset), std::abs(roll)) * step > settled) continue;
      const Errors errors = errors_of(inverse);
      result.axis = axis;
      result.offset_sigma = pixel_ * std::hypot(offset_factor * errors.offset * step, offset_floor);
      if (with_roll_) result.roll_sigma = std::hypot(roll_factor * errors.roll * roll_step_, roll_floor);
      return result;
    }
    return result;
  }

 private:
  void linearize(const geometry::RotationAxis& axis) {
    const auto about = [&](double offset, double roll) {
      geometry::RotationAxis moved = axis;
      moved.offset += offset * offset_step_, moved.roll += roll * roll_step_;
      return comparison_.about(moved);
    };
    const std::array<AxisPlane, 5> planes{about(0, 0), about(1, 0), about(-1, 0), about(0, 1), about(0, -1)};
    const auto count = static_cast<std::ptrdiff_t>(rays_.size());
    pool_.for_each((count + chunk - 1) / chunk, [&](std::ptrdiff_t n, int) {
      for (std::ptrdiff_t i = n * chunk; i < std::min(count, (n + 1) * chunk); ++i)
        equations_[static_cast<std::size_t>(i)] = equation_of(rays_[static_cast<std::size_t>(i)], planes);
    });
  }

  [[nodiscard]] Equation equation_of(const SampledRay& ray, const std::array<AxisPlane, 5>& planes) const {
    std::array<RayPair, 5> pairs;
    for (std::size_t n = 0; n < (with_roll_ ? 5U : 3U); ++n)
      if (!comparison_.compare(ray, planes[n], pairs[n])) return {};
    Equation e;
    e.residual = static_cast<float>(pairs[0].value - pairs[0].reverse);
    e.offset = static_cast<float>(0.5 * (pairs[2].reverse - pairs[1].reverse));
    if (with_roll_) e.roll = static_cast<float>(0.5 * (pairs[4].reverse - pairs[3].reverse));
    if (partial_) e.lever = static_cast<float>(pairs[0].steepness);
    e.direction = static_cast<float>(pairs[0].direction),
    e.from_axis = static_cast<float>(pairs[0].from_axis);
    return e;
  }

  /// Cauchy's weights, by the scatter of those rays that tell something.
  void weigh() {
    double square = 0, count = 0;
    for (const Equation& e : equations_)
      if (!std::isnan(e.residual)) square += double{e.offset} * e.offset, count += 1;
    const double telling = 0.3 * std::sqrt(square / std::max(1.0, count));
    std::vector<float> sizes;
    for (const Equation& e : equations_)
      if (!std::isnan(e.residual) && std::abs(e.offset) >= telling) sizes.push_back(std::abs(e.residual));
    scatter_ = 1e-6;
    if (!sizes.empty()) {
      const auto middle = sizes.begin() + static_cast<std::ptrdiff_t>(sizes.size() / 2);
      std::nth_element(sizes.begin(), middle, sizes.end());
      scatter_ = std::max(1.4826 * *middle, 1e-6);
    }
    for (Equation& e : equations_) {
      const double sigmas = e.residual / (cauchy * scatter_);
      e.weight = std::isnan(e.residual)
                     ? 0.0f
                     : static_cast<float>(1 / (scatter_ * scatter_ * (1 + sigmas * sigmas)));
      if (std::isnan(e.residual)) e.residual = 0;
    }
  }

  [[nodiscard]] std::size_t block_of(std::size_t ray) const {
    const SampledRay& at = rays_[ray];
    const geometry::CircularScan& scan = comparison_.sample().scan;
    const double angle = std::fmod(scan.angles[static_cast<std::size_t>(at.view)], turn);
    const auto sector = static_cast<std::size_t>(angle < 0 ? angle + turn : angle);
    const int row = comparison_.sample().bands[static_cast<std::size_t>(at.band)].first + at.row;
    const auto across = static_cast<std::size_t>(scan.detector.columns / block_pixels) + 1;
    return (static_cast<std::size_t>(row / block_pixels) * across +
            static_cast<std::size_t>(at.column / block_pixels)) *
               7 +
           sector;
  }

  /// Fills normal_ with the blocks' heights eliminated, which leaves their residuals in the equations.
  Inverse solve() {
    struct Block {
      double levers, offset = 0, roll = 0, residual = 0;
    };
    normal_ = {};
    std::vector<Block> blocks;
    for (std::size_t n = 0; n < equations_.size(); ++n) {
      const Equation& e = equations_[n];
      normal_.add(e.weight, e.offset, e.roll, e.residual);
      if (!partial_ || e.weight == 0) continue;
      const std::size_t block = block_of(n);
      if (block >= blocks.size()) blocks.resize(block + 1, {1 / (spread_ * spread_)});
      Block& b = blocks[block];
      const double w = double{e.weight} * e.lever;
      b.levers += w * e.lever, b.offset += w * e.offset, b.roll += w * e.roll, b.residual += w * e.residual;
    }
    for (const Block& b : blocks) {
      normal_.add(-1 / b.levers, b.offset, b.roll, b.residual);
    }
    for (std::size_t n = 0; partial_ && n < equations_.size(); ++n) {
      Equation& e = equations_[n];
      if (e.weight == 0) continue;
      const Block& b = blocks[block_of(n)];
      const auto scale = static_cast<float>(1 / b.levers);
      e.residual -= e.lever * scale * static_cast<float>(b.residual);
      e.offset -= e.lever * scale * static_cast<float>(b.offset);
      e.roll -= e.lever * scale * static_cast<float>(b.roll);
    }
    if (!with_roll_) normal_.orr = normal_.r = 0;
    return inverse_of(normal_, with_roll_);
  }

  /// Rays of one cluster err together, clusters do not.
  template <class ClusterOf>
  void add_clusters(const Inverse& inverse, std::size_t count, const ClusterOf& cluster_of,
                    Errors& errors) const {
    constexpr std::size_t least = 4;
    std::vector<std::array<double, 2>> sums(count);
    std::vector<bool> used(count);
    for (std::size_t n = 0; n < equations_.size(); ++n) {
      const Equation& e = equations_[n];
      if (e.weight == 0) continue;
      const std::size_t cluster = std::min(count - 1, cluster_of(n));
      used[cluster] = true;
      sums[cluster][0] += double{e.weight} * e.offset * e.residual;
      sums[cluster][1] += double{e.weight} * e.roll * e.residual;
    }
    const auto clusters = static_cast<std::size_t>(std::count(used.begin(), used.end(), true));
    if (clusters < least) return;
    double offset = 0, roll = 0;
    for (const auto& sum : sums) {
      const double o = inverse.oo * sum[0] + inverse.orr * sum[1],
                   r = inverse.orr * sum[0] + inverse.rr * sum[1];
      offset += o * o, roll += r * r;
    }
    const double freedom = static_cast<double>(clusters) / static_cast<double>(clusters - 1);
    errors.hold(std::sqrt(freedom * offset), std::sqrt(freedom * roll));
  }

  [[nodiscard]] Errors errors_of(const Inverse& inverse) const {
    constexpr std::size_t directions[] = {24, 8};
    constexpr int rows = 8, columns = 8;
    Errors errors;
    errors.hold(std::sqrt(correlation * inverse.oo), std::sqrt(correlation * inverse.rr));
    const AxisSample& sample = comparison_.sample();
    const auto row_of = [&](std::size_t n) {
      const SampledRay& ray = rays_[n];
      return static_cast<std::size_t>((sample.bands[static_cast<std::size_t>(ray.band)].first + ray.row) /
                                      rows);
    };
    const std::size_t heights = static_cast<std::size_t>(sample.scan.detector.rows / rows) + 1;
    for (const std::size_t sectors : directions) {
      const auto sector_of = [&](std::size_t n) {
        return static_cast<std::size_t>(equations_[n].direction / (0.5 * turn) *
                                        static_cast<double>(sectors));
      };
      add_clusters(inverse, sectors, sector_of, errors);
      add_clusters(
          inverse, sectors * heights,
          [&](std::size_t n) { return std::min(sectors - 1, sector_of(n)) * heights + row_of(n); }, errors);
    }
    add_clusters(inverse, heights, row_of, errors);
    add_clusters(
        inverse, static_cast<std::size_t>(sample.scan.detector.columns / columns) + 1,
        [&](std::size_t n) { return static_cast<std::size_t>(equations_[n].from_axis / columns); }, errors);
    return errors;
  }

  const RayComparison& comparison_;
  const std::vector<SampledRay>& rays_;
  bool with_roll_, partial_ = false;
  ThreadPool& pool_;
  std::vector<Equation> equations_;
  Normal normal_;
  double pixel_ = 1, offset_step_ = 1, roll_step_ = 1, spread_ = 1, scatter_ = 1;
};

}  // namespace

AxisFit fit_axis(const RayComparison& comparison, const std::vector<SampledRay>& rays,
                 const geometry::RotationAxis& start, bool with_roll, ThreadPool& pool) {
  return Fit(comparison, rays, with_roll, pool).run(start);
}

}  // namespace feldspar::recon
