// FDK back-projection on a GPU, up to 64 views a launch.
#include "kernels/back_projector.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/error.hpp"
#include "kernels/cuda/launch.hpp"
#include "kernels/cuda/operators.hpp"
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

class CudaBackProjector final : public BackProjector {
 public:
  CudaBackProjector(SharedQueue queue, Interpolation interpolation, double radius)
      : queue_(std::move(queue)), interpolation_(interpolation), radius_(radius) {}
  CudaBackProjector(const CudaBackProjector&) = delete;
  CudaBackProjector& operator=(const CudaBackProjector&) = delete;
  ~CudaBackProjector() override {  // a kernel may still read the texture
    (void)cudaStreamSynchronize(queue_->stream());
  }

  [[nodiscard]] std::size_t workspace_bytes(int, int, int) const override { return 0; }

  void accumulate(std::span<const geometry::View> views, geometry::Range rows,
                  DeviceView3<const float> projections, const geometry::VolumeGrid& grid,
                  geometry::Range slices, DeviceView3<float> volume) override {
    expects(rows.count() == projections.ny, "back-projector: the projections are not of their rows' number");
    expects(views.size() == static_cast<std::size_t>(projections.nz),
            "back-projector: there must be one projection a view");
    expects(volume.nx == grid.nx && volume.ny == grid.ny && volume.nz == slices.count(),
            "back-projector: the volume is not of its slices' size");
    const std::size_t pixels = DeviceView3<const float>{nullptr, projections.nx, projections.ny, 1}.size();
    expects(pixels <= static_cast<std::size_t>(std::numeric_limits<int>::max()),
            "back-projector: a projection has more than 2^31 - 1 pixels", ErrorKind::unsupported);
    if (projections.size() == 0 || volume.size() == 0) return;
    queue_->activate();
    const FdkTarget target{volume.data,  volume.nx, volume.ny,
                           slices.first, volume.nz, disc_of(radius_, grid)};
    for (int first = 0; first < projections.nz; first += ViewBatch::capacity) {
      ViewBatch batch{};
      batch.count = std::min(ViewBatch::capacity, projections.nz - first);
      bool upright = true;
      for (int n = 0; n < batch.count; ++n) {
        batch.view[n] = make_view_matrix(views[static_cast<std::size_t>(first + n)], grid);
        upright = upright && is_upright(batch.view[n], grid.nz, projections.nx);
      }
      const float* data = projections.data + static_cast<std::size_t>(first) * pixels;
      add(batch, LinearStack{data, projections.nx, rows.first, projections.ny}, target, upright);
    }
  }

 private:
  void add(const ViewBatch& batch, const LinearStack& stack, const FdkTarget& target, bool upright) {
    if (interpolation_ == Interpolation::exact) {
      launch_fdk(batch, stack, target, upright, queue_->stream());
      return;
    }
    if (!texture_.holds(stack.columns, stack.rows, batch.count)) {
      queue_->wait();  // a kernel may still read the old one
      texture_ = {};
      texture_ = LayeredTexture(*queue_, stack.columns, stack.rows, batch.count);
    }
    texture_.fill(*queue_, stack.pixels, batch.count);
    launch_fdk(batch, TextureStack{texture_.get(), stack.first_row}, target, upright, queue_->stream());
  }

  SharedQueue queue_;
  Interpolation interpolation_;
  double radius_;
  LayeredTexture texture_;
};

}  // namespace

std::unique_ptr<BackProjector> make_back_projector(SharedQueue queue, Interpolation interpolation,
                                                   double radius) {
  return std::make_unique<CudaBackProjector>(std::move(queue), interpolation, radius);
}

}  // namespace feldspar::kernels::cuda
