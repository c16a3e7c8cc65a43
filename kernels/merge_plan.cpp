#include "kernels/merge_plan.hpp"

#include <algorithm>
#include <cmath>

namespace feldspar::kernels {
namespace {

constexpr int margin =
    4;  // rows and columns beyond the detector, all zero, that are as good as those further

ExactViewMatrix mean_of(std::span<const ExactViewMatrix> views) {
  const auto count = static_cast<double>(views.size());
  const auto add = [count](MatrixRow<double>& mean, const MatrixRow<double>& row) {
    mean.i += row.i / count, mean.j += row.j / count, mean.k += row.k / count;
    mean.constant += row.constant / count;
  };
  ExactViewMatrix mean{};
  for (const ExactViewMatrix& view : views) add(mean.u, view.u), add(mean.v, view.v), add(mean.w, view.w);
  return mean;
}

/// Voxels of a tile.
struct TileBounds {
  geometry::Range i, j, k;
};

struct TileShadow {
  double lowest_u = 1e30, highest_u = -1e30, lowest_v = 1e30, highest_v = -1e30;
};

TileShadow shadow_of(const ExactViewMatrix& view, const TileBounds& tile) {
  TileShadow s;
  for (const int i : {tile.i.first, tile.i.end - 1})
    for (const int j : {tile.j.first, tile.j.end - 1}) {
      const double scale = 1.0 / view.w.at(i, j), u = view.u.at(i, j) * scale;
      s.lowest_u = std::min(s.lowest_u, u), s.highest_u = std::max(s.highest_u, u);
      for (const int k : {tile.k.first, tile.k.end - 1}) {
        const double v = view.v.at(i, j, k) * scale;
        s.lowest_v = std::min(s.lowest_v, v), s.highest_v = std::max(s.highest_v, v);
      }
    }
  return s;
}

/// The pixels of a merged detector in place of the mean view's, voxels counted from (i, j).
ViewMatrix merged_matrix(const ExactViewMatrix& mean, double first_u, int i, int j) {
  const auto column = [&](double n, double w) {
    return static_cast<float>((n - first_u * w) / MergeTile::step_u);
  };
  const auto single = [](double x) { return static_cast<float>(x); };
  const auto& [u, v, w] = mean;
  return {{column(u.i, w.i), column(u.j, w.j), 0.0f, column(u.at(i, j), w.at(i, j))},
          {single(v.i), single(v.j), single(v.k), single(v.at(i, j))},
          {single(w.i), single(w.j), 0.0f, single(w.at(i, j))}};
}

/// Through (i, j), in the direction (e_i, e_j).
PlaneView along_plane(const ExactViewMatrix& view, double i, double j, double e_i, double e_j) {
  const auto change = [&](const MatrixRow<double>& row) { return row.i * e_i + row.j * e_j; };
  const auto& [u, v, w] = view;
  return {u.at(i, j), change(u), w.at(i, j), change(w), v.at(i, j), change(v), v.k};
}

class Planner {
 public:
  Planner(std::span<const ExactViewMatrix> views, const ViewMerging& merging, const MergeScene& scene)
      : views_(views), each_(static_cast<std::size_t>(merging.views)), scene_(scene) {
    for (std::size_t first = 0; first < views.size(); first += each_)
      means_.push_back(mean_of(group(first / each_)));
    plan_.sizes.slots = merging.batch_unit();
  }

  void add(const TileBounds& bounds) {
    MergeTile tile{};
    tile.first_i = bounds.i.first, tile.end_i = bounds.i.end;
    tile.first_j = bounds.j.first, tile.end_j = bounds.j.end;
    tile.groups = static_cast<int>(means_.size());
    set_shape(tile, bounds);
    for (std::size_t g = 0; g < MergeTile::most_groups; ++g) add_group(tile, g);
    MergeSizes& sizes = plan_.sizes;
    sizes.columns = std::max(sizes.columns, tile.shape.columns);
    sizes.pairs = std::max(sizes.pairs, tile.shape.plane() * MergeTile::most_groups);
    plan_.tiles.push_back(tile);
  }

  [[nodiscard]] MergePlan take() { return std::move(plan_); }

 private:
  [[nodiscard]] std::span<const ExactViewMatrix> group(std::size_t g) const {
    if (g * each_ >= views_.size()) return {};
    return views_.subspan(g * each_, std::min(each_, views_.size() - g * each_));
  }

  void set_shape(MergeTile& tile, const TileBounds& bounds) const {
    double lowest_v = 1e30, highest_v = -1e30;
    for (std::size_t g = 0; g < means_.size(); ++g) {
      const TileShadow shadow = shadow_of(means_[g], bounds);
      const auto near_columns = [&](double u) { return std::clamp(u, -2.0, scene_.detector_columns + 1.0); };
      tile.first_u[g] = near_columns(shadow.lowest_u) - 0.5 * MergeTile::step_u;
      const double width = (near_columns(shadow.highest_u) - tile.first_u[g]) / MergeTile::step_u;
      tile.shape.columns = std::max(tile.shape.columns, static_cast<int>(std::ceil(width)) + 2);
      lowest_v = std::min(lowest_v, shadow.lowest_v), highest_v = std::max(highest_v, shadow.highest_v);
    }
    const auto near_rows = [&](double v) {
      return static_cast<int>(std::floor(std::clamp(v, static_cast<double>(scene_.rows.first - margin),
                                                    static_cast<double>(scene_.rows.end + margin))));
    };
    tile.shape.first_row = near_rows(lowest_v) - 1;
    tile.shape.rows = near_rows(highest_v) + 3 - tile.shape.first_row;
  }

  void add_group(MergeTile& tile, std::size_t g) {
    const auto views = group(g);
    if (!views.empty()) {
      const ExactViewMatrix& mean = means_[g];
      const double i = 0.5 * (tile.first_i + tile.end_i - 1), j = 0.5 * (tile.first_j + tile.end_j - 1),
                   u = mean.u.at(i, j) / mean.w.at(i, j);
      e_i_ = mean.u.i - u * mean.w.i, e_j_ = mean.u.j - u * mean.w.j;
      tile.mean[g] = along_plane(mean, i, j, e_i_, e_j_);
      tile.view[g] = merged_matrix(mean, tile.first_u[g], tile.first_i, tile.first_j);
      for (std::size_t n = 0; n < views.size(); ++n)
        plan_.sources.push_back(
            source_of(tile, g, along_plane(views[n], i, j, e_i_, e_j_), static_cast<int>(g * each_ + n)));
    }
    for (std::size_t n = views.size(); n < each_; ++n) plan_.sources.push_back({{}, -1, 0, 0});
  }

  /// The columns read are those between the first and the last column's, for places rise with columns; one
  /// more on either side, should the device round another way.
  MergeSource source_of(const MergeTile& tile, std::size_t g, const PlaneView& plane, int view) {
    const double last_u = tile.first_u[g] + (tile.shape.columns - 1) * MergeTile::step_u;
    const auto at = [&](double u) {
      return static_cast<int>(std::floor(place_in(plane, tile.mean[g], u, scene_.detector_columns).u));
    };
    const auto [lowest, highest] = std::minmax({at(tile.first_u[g]), at(last_u)});
    const MergeSource source{plane, view, lowest - 2, highest - lowest + 6};
    plan_.sizes.sources = std::max(plan_.sizes.sources, source.count);
    return source;
  }

  std::span<const ExactViewMatrix> views_;
  std::size_t each_;
  const MergeScene& scene_;
  std::vector<ExactViewMatrix> means_;
  MergePlan plan_;
  double e_i_ = 0, e_j_ = 0;
};

bool is_beyond(const TileBounds& tile, const geometry::VolumeGrid& grid, double radius) {
  const auto nearest = [](double first, double last) { return std::max({first, -last, 0.0}); };
  const geometry::Vec3 first = grid.centre_of(tile.i.first, tile.j.first, 0),
                       last = grid.centre_of(tile.i.end - 1, tile.j.end - 1, 0);
  return std::hypot(nearest(first.x, last.x), nearest(first.y, last.y)) > radius;
}

}  // namespace

bool can_merge(std::span<const ExactViewMatrix> views, const MergeScene& scene) {
  constexpr double nearest = 0.02;  // of the distance to the axis
  constexpr double rounding = 0x1p-24;
  const geometry::VolumeGrid& grid = scene.grid;
  return std::all_of(views.begin(), views.end(), [&](const ExactViewMatrix& view) {
    double lowest_w = view.w.constant;
    for (const int i : {0, grid.nx - 1})
      for (const int j : {0, grid.ny - 1}) lowest_w = std::min(lowest_w, view.w.at(i, j));
    return lowest_w > nearest && view.v.k != 0 && std::abs(view.w.k) * grid.nz <= rounding &&
           std::abs(view.u.k) * grid.nz <= rounding * scene.detector_columns;
  });
}

MergePlan plan_merging(std::span<const ExactViewMatrix> views, const ViewMerging& merging,
                       const MergeScene& scene) {
  Planner planner(views, merging, scene);
  const geometry::VolumeGrid& grid = scene.grid;
  for (int j = 0; j < grid.ny; j += merging.tile)
    for (int i = 0; i < grid.nx; i += merging.tile) {
      const TileBounds tile{
          {i, std::min(i + merging.tile, grid.nx)}, {j, std::min(j + merging.tile, grid.ny)}, scene.slices};
      if (!is_beyond(tile, grid, scene.radius)) planner.add(tile);
    }
  return planner.take();
}

MergeSizes largest_merge_sizes(const ViewMerging& merging, int rows) {
  const double shadow = std::sqrt(2.0) * merging.tile * ViewMerging::most_pixels_per_voxel;
  MergeSizes sizes{};
  sizes.slots = merging.batch_unit();
  sizes.columns = static_cast<int>(shadow / MergeTile::step_u) + 4;
  sizes.sources = 2 * static_cast<int>(shadow) + 16;  // another view's magnification may differ a little
  sizes.pairs = PairShape{sizes.columns, 0, rows + 2 * margin + 4}.plane() * MergeTile::most_groups;
  return sizes;
}

}  // namespace feldspar::kernels
