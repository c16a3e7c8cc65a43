#include "recon/truncation/context_match.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <optional>

#include "base/error.hpp"
#include "kernels/forward_projector.hpp"
#include "recon/device_array.hpp"
#include "recon/measure/projection_sample.hpp"

namespace feldspar::recon {
namespace {

/// Blocks of `size` x `size` pixels of the detector; what does not fill a block is left out.
struct Blocks {
  int size, across, along;
};

/// Line integrals averaged over blocks.
std::vector<float> measured(const io::ScanSource& source, int view, const Blocks& blocks,
                            MemoryBudget& budget) {
  constexpr float darkest = 1e-5f;  // as no signal
  std::size_t saturated = 0;
  const Array3<float> image = transmissions(source, view, saturated, budget);
  std::vector<float> means;
  for (int j = 0; j < blocks.along; ++j)
    for (int i = 0; i < blocks.across; ++i) {
      double sum = 0;
      for (int row = j * blocks.size; row < (j + 1) * blocks.size; ++row)
        for (int column = i * blocks.size; column < (i + 1) * blocks.size; ++column)
          sum -= std::log(std::max(image(column, row, 0), darkest));
      means.push_back(static_cast<float>(sum / (static_cast<double>(blocks.size) * blocks.size)));
    }
  return means;
}

/// Some views of a scan beside what a context casts on them.
class Comparison {
 public:
  Comparison(const io::ScanSource& source, const geometry::CircularScan& scan,
             std::span<const int> view_indices, const Resources& resources, const Context& context, int count)
      : backend_(resources.backend),
        context_(context),
        blocks_(blocks_of(scan, context)),
        views_(geometry::make_views(scan)) {
    const auto host = context.voxels();
    if (!backend_.uses_host_memory()) {
      copy_.emplace(backend_, host.size(), "the wide volume");
      copy_->upload(host.data, host.size());
    }
    count = std::min(count, static_cast<int>(view_indices.size()));
    for (int n = 0; n < count; ++n) {
      chosen_.push_back(
          view_indices[view_indices.size() * static_cast<std::size_t>(n) / static_cast<std::size_t>(count)]);
      measured_.push_back(measured(source, chosen_.back(), blocks_, resources.budget));
    }
    for (int n = 0; n < this->count(); ++n)
      coarse_.push_back(smoothed(measured_[static_cast<std::size_t>(n)]));
  }

  [[nodiscard]] int count() const { return static_cast<int>(chosen_.size()); }

  /// What stands in the views first, first + step, ... one after the other: measured, and cast by the context
  /// at `place`. Both smoothed over five by five blocks if `coarsely`.
  [[nodiscard]] std::vector<float> seen(int first, int step, bool coarsely) const {
    std::vector<float> all;
    for (int n = first; n < count(); n += step) {
      const std::vector<float>& one = (coarsely ? coarse_ : measured_)[static_cast<std::size_t>(n)];
      all.insert(all.end(), one.begin(), one.end());
    }
    return all;
  }
  [[nodiscard]] std::vector<float> cast(const Placement& place, int first, int step, bool coarsely) const {
    std::vector<geometry::View> views;
    for (int n = first; n < count(); n += step)
      views.push_back(
          place.moved(from_blocks(views_[static_cast<std::size_t>(chosen_[static_cast<std::size_t>(n)])])));
    std::vector<float> values = expected(views);
    if (!coarsely) return values;
    const auto size = static_cast<std::ptrdiff_t>(blocks_.across * blocks_.along);
    for (auto from = values.begin(); from != values.end(); from += size) {
      const std::vector<float> smooth = smoothed({from, from + size});
      std::copy(smooth.begin(), smooth.end(), from);
    }
    return values;
  }

  /// Over the views first, first + step, ...
  [[nodiscard]] ContextMatch match(const Placement& place, int first, int step, bool coarsely = false) const {
    double both = 0, squares = 0, power = 0, sum = 0;
    const std::vector<float> p = seen(first, step, coarsely), m = cast(place, first, step, coarsely);
    for (std::size_t i = 0; i < p.size(); ++i) {
      const double measured = static_cast<double>(p[i]), cast = static_cast<double>(m[i]);
      both += measured * cast, squares += cast * cast, power += measured * measured, sum += measured;
    }
    const double gain = squares > 0 ? both / squares : 0;
    if (!(power > 0)) return {.gain = gain, .mismatch = 1, .varies = 0};
    return {.gain = gain,
            .mismatch = std::sqrt(std::max(0.0, power - gain * both) / power),
            .varies = std::sqrt(std::max(0.0, power - sum * sum / static_cast<double>(p.size())) / power)};
  }

 private:
  static Blocks blocks_of(const geometry::CircularScan& scan, const Context& context) {
    const geometry::Detector& d = scan.detector;
    const double pixel = d.column_pitch / scan.magnification();
    const int size =
        std::clamp(static_cast<int>(context.grid().spacing.x / pixel), 1, std::min(d.columns, d.rows));
    return {size, d.columns / size, d.rows / size};
  }
  [[nodiscard]] geometry::View from_blocks(const geometry::View& view) const {
    const double middle = 0.5 * (blocks_.size - 1);
    geometry::View coarse = from_pixel(view, middle, middle);
    coarse.column_step = static_cast<double>(blocks_.size) * coarse.column_step;
    coarse.row_step = static_cast<double>(blocks_.size) * coarse.row_step;
    return coarse;
  }
  /// The context's line integrals through the middles of the blocks of `coarse` views.
  [[nodiscard]] std::vector<float> expected(std::span<const geometry::View> coarse) const {
    std::vector<float> values(coarse.size() * static_cast<std::size_t>(blocks_.across) *
                              static_cast<std::size_t>(blocks_.along));
    const auto host = context_.voxels();
    const kernels::DeviceView3<const float> voxels{copy_ ? copy_->view(1, 1, 1).data : host.data, host.nx,
                                                   host.ny, host.nz};
    DeviceArray3<float> images(backend_, values.size(), "projections of the wide volume");
    images.fill_zero(values.size());
    projector_->accumulate(coarse, {{0, blocks_.across}, {0, blocks_.along}},
                           images.view(blocks_.across, blocks_.along, static_cast<int>(coarse.size())),
                           context_.grid(), {0, context_.grid().nz}, voxels);
    images.download(values.data(), values.size());
    backend_.wait();
    return values;
  }
  /// Means over up to five by five blocks.
  [[nodiscard]] std::vector<float> smoothed(const std::vector<float>& values) const {
    constexpr int reach = 2;
    std::vector<float> result(values.size());
    for (int j = 0; j < blocks_.along; ++j)
      for (int i = 0; i < blocks_.across; ++i) {
        float sum = 0;
        int among = 0;
        for (int b = std::max(0, j - reach); b <= std::min(blocks_.along - 1, j + reach); ++b)
          for (int a = std::max(0, i - reach); a <= std::min(blocks_.across - 1, i + reach); ++a, ++among)
            sum += values[static_cast<std::size_t>(b * blocks_.across + a)];
        result[static_cast<std::size_t>(j * blocks_.across + i)] = sum / static_cast<float>(among);
      }
    return result;
  }

  kernels::Backend& backend_;
  const Context& context_;
  Blocks blocks_;
  std::vector<geometry::View> views_;
  std::unique_ptr<kernels::ForwardProjector> projector_ = backend_.make_forward_projector();
  std::optional<DeviceArray3<float>> copy_;
  std::vector<int> chosen_;
  std::vector<std::vector<float>> measured_, coarse_;
};

/// How far a context is from where it was said to be: shift in mm, turn in rad times the field's radius.
using Offset = std::array<double, 4>;
constexpr int unknowns = 5;  // and the gain

Placement displaced(const Placement& place, const Offset& by, double radius) {
  return {place.shift + geometry::Vec3{by[0], by[1], by[2]}, place.turn + by[3] / radius};
}

/// Solves the positive definite `matrix` x = `right` in place (Cholesky), which then is x.
void solve(std::array<std::array<double, unknowns>, unknowns>& matrix, std::array<double, unknowns>& right) {
  for (int i = 0; i < unknowns; ++i) {
    for (int j = 0; j <= i; ++j) {
      double sum = matrix[i][j];
      for (int k = 0; k < j; ++k) sum -= matrix[i][k] * matrix[j][k];
      matrix[i][j] = i == j ? std::sqrt(std::max(sum, 1e-300)) : sum / matrix[j][j];
    }
    for (int k = 0; k < i; ++k) right[i] -= matrix[i][k] * right[k];
    right[i] /= matrix[i][i];
  }
  for (int i = unknowns - 1; i >= 0; --i) {
    for (int k = i + 1; k < unknowns; ++k) right[i] -= matrix[k][i] * right[k];
    right[i] /= matrix[i][i];
  }
}

/// Least squares over the views first, first + step, ... from `start` on.
class PlaceFit {
 public:
  /// `radius` of the field, mm.
  PlaceFit(const Comparison& comparison, const Placement& given, double radius, double voxel)
      : comparison_(comparison), given_(given), radius_(radius), voxel_(voxel) {}

  [[nodiscard]] Placement at(const Offset& offset) const { return displaced(given_, offset, radius_); }

  /// The place nearest to the given one, or one further off if that explains the views better by a tenth.
  [[nodiscard]] Offset best(int first, int step) const {
    const Offset starts[] = {
        {}, search(voxel_, 4, first, step, false), search(0.5 * radius_, 8, first, 2 * step, true)};
    Offset best{};
    double least = 1e300;
    for (const Offset& start : starts)
      for (const bool coarsely_first : {true, false}) {
        const Offset near = coarsely_first ? refine(start, first, step, true) : start;
        const Offset found = refine(near, first, step, false);
        const double mismatch = comparison_.match(at(found), first, step).mismatch;
        if (mismatch < 0.9 * least) least = mismatch, best = found;
      }
    return best;
  }

  /// Falls from `offset` to where the mismatch is least; smoothed images see further.
  [[nodiscard]] Offset refine(Offset offset, int first, int step, bool coarsely) const {
    constexpr int rounds = 12;
    double before = comparison_.match(at(offset), first, step, coarsely).mismatch;
    for (int round = 0; round < rounds; ++round) {
      const Offset change = step_from(offset, first, step, coarsely);
      double share = 1;
      Offset next = offset;
      double after = before;
      for (int halving = 0; halving < 4; ++halving, share *= 0.5) {
        for (std::size_t k = 0; k < change.size(); ++k) next[k] = offset[k] + share * change[k];
        after = comparison_.match(at(next), first, step, coarsely).mismatch;
        if (after < before) break;
      }
      if (!(after < before * (1 - 1e-4))) break;
      offset = next, before = after;
    }
    return offset;
  }

 private:
  /// The best of a lattice of shifts in x and y, `most` steps of `spacing` mm to either side of nothing.
  [[nodiscard]] Offset search(double spacing, int most, int first, int step, bool coarsely) const {
    Offset best{};
    double least = 1e300;
    for (int j = -most; j <= most; ++j)
      for (int i = -most; i <= most; ++i) {
        const Offset offset{i * spacing, j * spacing, 0, 0};
        const double mismatch = comparison_.match(at(offset), first, step, coarsely).mismatch;
        if (mismatch < least) least = mismatch, best = offset;
      }
    return best;
  }

  /// A step of Gauss and Newton, at most two voxels long.
  [[nodiscard]] Offset step_from(const Offset& offset, int first, int step, bool coarsely) const {
    const double gain = comparison_.match(at(offset), first, step, coarsely).gain, h = 0.5 * voxel_;
    std::array<std::array<double, unknowns>, unknowns> matrix{};
    std::array<double, unknowns> right{};
    double squares = 0;
    const std::vector<float> p = comparison_.seen(first, step, coarsely),
                             m = comparison_.cast(at(offset), first, step, coarsely);
    std::array<std::vector<float>, 4> up, down;
    for (std::size_t k = 0; k < offset.size(); ++k) {
      Offset moved = offset;
      moved[k] += h, up[k] = comparison_.cast(at(moved), first, step, coarsely);
      moved[k] -= 2 * h, down[k] = comparison_.cast(at(moved), first, step, coarsely);
    }
    for (std::size_t i = 0; i < p.size(); ++i) {
      std::array<double, unknowns> slope{};
      for (std::size_t k = 0; k < offset.size(); ++k)
        slope[k] = gain * static_cast<double>(up[k][i] - down[k][i]) / (2 * h);
      slope[4] = static_cast<double>(m[i]);
      const double rest = static_cast<double>(p[i]) - gain * slope[4];
      squares += rest * rest;
      for (int a = 0; a < unknowns; ++a) {
        right[a] += slope[a] * rest;
        for (int b = 0; b <= a; ++b) matrix[a][b] += slope[a] * slope[b];
      }
    }
    hold(matrix, right, offset, squares / static_cast<double>(p.size()));
    solve(matrix, right);
    Offset change{};
    for (std::size_t k = 0; k < change.size(); ++k) change[k] = std::clamp(right[k], -2 * voxel_, 2 * voxel_);
    return change;
  }

  /// The given place counts like one observation of a field's radius: it holds what projections do not tell.
  void hold(std::array<std::array<double, unknowns>, unknowns>& matrix, std::array<double, unknowns>& right,
            const Offset& offset, double variance) const {
    const double weight = variance / (radius_ * radius_) + 1e-12;
    for (std::size_t k = 0; k < offset.size(); ++k) matrix[k][k] += weight, right[k] -= weight * offset[k];
    matrix[4][4] += 1e-12;
  }

  const Comparison& comparison_;
  Placement given_;
  double radius_, voxel_;
};

ContextMatch checked(const ContextMatch& match) {
  if (!(match.gain > 0.5 && match.gain < 2))
    throw Error(ErrorKind::bad_file,
                fmt::format("the wide volume's line integrals would have to be multiplied by {:.3g} to be "
                            "those of this scan; is it the same object, in 1/mm, and where it is said to be?",
                            match.gain),
                {{"context-at", "", "say where it lies with"}});
  return match;
}

}  // namespace

ContextMatch match_context(const io::ScanSource& source, const geometry::CircularScan& scan,
                           std::span<const int> view_indices, const Resources& resources,
                           const Context& context, int count) {
  return checked(
      Comparison(source, scan, view_indices, resources, context, count).match(context.placement(), 0, 1));
}

ContextPlace place_context(const io::ScanSource& source, const geometry::CircularScan& scan,
                           std::span<const int> view_indices, const Resources& resources,
                           const Context& context, int count) {
  constexpr double better = 0.9;
  const Comparison comparison(source, scan, view_indices, resources, context, count);
  const Placement& given = context.placement();
  ContextPlace result{given, false, {}, 0, comparison.match(given, 0, 1), {}};
  result.now = result.given;
  if (comparison.count() < 4) return result;
  const PlaceFit fit(comparison, given, geometry::field_of_view(scan).inner_radius, context.grid().spacing.x);
  const Offset half = fit.best(0, 2);
  const double unseen = comparison.match(fit.at(half), 1, 2).mismatch,
               unmoved = comparison.match(given, 1, 2).mismatch;
  if (!(unseen < better * unmoved)) return result;
  const Placement place = fit.at(fit.refine(half, 0, 1, false));
  return {place,
          true,
          place.shift - given.shift,
          place.turn - given.turn,
          result.given,
          comparison.match(place, 0, 1)};
}

}  // namespace feldspar::recon
