// FDK back-projection on a GPU, up to 64 views a launch, by any of the methods there are.
#include "kernels/back_projector.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/error.hpp"
#include "kernels/cuda/launch.hpp"
#include "kernels/cuda/merged_projector.hpp"
#include "kernels/cuda/operators.hpp"
#include "kernels/cuda/packed_projections.hpp"
#include "kernels/view_matrix.hpp"

namespace feldspar::kernels::cuda {
namespace {

/// The voxels within `radius` mm, and those that straddle it.
Disc disc_of(double radius, const geometry::VolumeGrid& grid) {
  if (!std::isfinite(radius)) return {};
  const double reach = radius + std::max(grid.spacing.x, grid.spacing.y);
  const auto relative = [reach](double length) { return static_cast<float>(length / reach); };
  return {relative(grid.origin.x), relative(grid.spacing.x), relative(grid.origin.y),
          relative(grid.spacing.y)};
}

void expect_sizes(std::span<const geometry::View> views, geometry::Range rows,
                  const DeviceView3<const float>& projections, const geometry::VolumeGrid& grid,
                  geometry::Range slices, const DeviceView3<float>& volume) {
  expects(rows.count() == projections.ny, "back-projector: the projections are not of their rows' number");
  expects(views.size() == static_cast<std::size_t>(projections.nz),
          "back-projector: there must be one projection a view");
  expects(volume.nx == grid.nx && volume.ny == grid.ny && volume.nz == slices.count(),
          "back-projector: the volume is not of its slices' size");
  const std::size_t pixels = DeviceView3<const float>{nullptr, projections.nx, projections.ny, 1}.size();
  expects(pixels <= static_cast<std::size_t>(std::numeric_limits<int>::max()),
          "back-projector: a projection has more than 2^31 - 1 pixels", ErrorKind::unsupported);
}

class CudaBackProjector final : public BackProjector {
 public:
  CudaBackProjector(SharedQueue queue, Method method, const BackProjectorSpec& spec)
      : queue_(std::move(queue)), method_(method), spec_(spec), merged_(queue_, spec.merging) {}
  CudaBackProjector(const CudaBackProjector&) = delete;
  CudaBackProjector& operator=(const CudaBackProjector&) = delete;
  ~CudaBackProjector() override {  // a kernel may still read what is freed now
    (void)cudaStreamSynchronize(queue_->stream());
  }

  [[nodiscard]] std::size_t workspace_bytes(int columns, int rows, int views) const override {
    const PairShape shape{columns, 0, rows};
    if (spec_.merging.views > 1) return merged_.workspace_bytes(rows);
    if (method_ == Method::blocks) return PackedProjections<FloatPair>::bytes(shape, views);
    if (method_ == Method::half_blocks) return PackedProjections<HalfPair>::bytes(shape, views);
    const auto size = [](int n) { return static_cast<std::size_t>(n); };
    if (method_ == Method::texture)
      return size(columns) * size(rows) * size(std::min(views, ViewBatch::capacity)) * sizeof(float);
    return 0;
  }

  void accumulate(std::span<const geometry::View> views, geometry::Range rows,
                  DeviceView3<const float> projections, const geometry::VolumeGrid& grid,
                  geometry::Range slices, DeviceView3<float> volume) override {
    expect_sizes(views, rows, projections, grid, slices, volume);
    if (projections.size() == 0 || volume.size() == 0) return;
    queue_->activate();
    const FdkTarget target{volume.data,  volume.nx, volume.ny,
                           slices.first, volume.nz, disc_of(spec_.radius, grid)};
    if (spec_.merging.views > 1 && add_merged(views, rows, projections, grid, slices, target)) return;
    const std::size_t pixels = static_cast<std::size_t>(projections.nx) * projections.ny;
    const bool packed = method_ == Method::blocks || method_ == Method::half_blocks;
    const int most = packed ? PackedProjections<FloatPair>::most_views : ViewBatch::capacity;
    for (int first = 0; first < projections.nz; first += most) {
      ViewBatch batch{};
      batch.count = std::min(most, projections.nz - first);
      bool upright = true;
      const auto of_batch = views.subspan(static_cast<std::size_t>(first));
      for (int n = 0; n < batch.count; ++n) {
        batch.view[n] = make_view_matrix(of_batch[static_cast<std::size_t>(n)], grid);
        upright = upright && is_upright(batch.view[n], grid.nz, projections.nx);
      }
      const float* data = projections.data + static_cast<std::size_t>(first) * pixels;
      add(batch, LinearStack{data, projections.nx, rows.first, projections.ny}, target, upright);
    }
  }

 private:
  /// False where these views cannot be merged.
  bool add_merged(std::span<const geometry::View> views, geometry::Range rows,
                  const DeviceView3<const float>& projections, const geometry::VolumeGrid& grid,
                  geometry::Range slices, const FdkTarget& target) {
    std::vector<ExactViewMatrix> matrices;
    for (const geometry::View& view : views) matrices.push_back(make_exact_view_matrix(view, grid));
    const MergeScene scene{grid, slices, rows, projections.nx, spec_.radius};
    if (!can_merge(matrices, scene)) return false;
    merged_.add(matrices, scene, {projections.data, projections.nx, rows.first, projections.ny},
                all_of(target));
    return true;
  }

  void add(const ViewBatch& batch, const LinearStack& stack, const FdkTarget& target, bool upright) {
    if (method_ == Method::texture)
      launch_fdk(batch, textured(stack, batch.count), target, upright, queue_->stream());
    else if (method_ == Method::columns || !upright || spec_.merging.views > 1 ||  // the workspace is taken
             !PairShape{stack.columns, stack.first_row, stack.rows}.is_countable())
      launch_fdk(batch, stack, target, upright, queue_->stream());
    else if (method_ == Method::blocks)
      launch(FdkBlock<FloatPair>{all_of(target), pairs_.pack(*queue_, stack, batch.count)}, batch,
             queue_->stream());
    else
      launch(FdkBlock<HalfPair>{all_of(target), halves_.pack(*queue_, stack, batch.count)}, batch,
             queue_->stream());
  }

  [[nodiscard]] static BlockTarget all_of(const FdkTarget& target) {
    return {target.volume, target.nx,          target.ny,     0,          0, target.nx,
            target.ny,     target.first_slice, target.slices, target.disc};
  }

  [[nodiscard]] TextureStack textured(const LinearStack& stack, int views) {
    if (!texture_.holds(stack.columns, stack.rows, views)) {
      queue_->wait();  // a kernel may still read the old one
      texture_ = {};
      texture_ = LayeredTexture(*queue_, stack.columns, stack.rows, views);
    }
    texture_.fill(*queue_, stack.pixels, views);
    return {texture_.get(), stack.first_row};
  }

  SharedQueue queue_;
  Method method_;
  BackProjectorSpec spec_;
  LayeredTexture texture_;
  PackedProjections<FloatPair> pairs_;
  PackedProjections<HalfPair> halves_;
  MergedProjector merged_;
};

}  // namespace

std::unique_ptr<BackProjector> make_back_projector(SharedQueue queue, Method method,
                                                   const BackProjectorSpec& spec) {
  return std::make_unique<CudaBackProjector>(std::move(queue), method, spec);
}

}  // namespace feldspar::kernels::cuda
