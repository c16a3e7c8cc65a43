// Joseph's forward projection on a GPU. The adjoint adds atomically, so the order of its sums, and with it
// their last bits, may differ from run to run.
#include "kernels/forward_projector.hpp"

#include <utility>
#include <vector>

#include "base/error.hpp"
#include "kernels/cuda/launch.hpp"
#include "kernels/cuda/operators.hpp"
#include "kernels/ray_view.hpp"

namespace feldspar::kernels::cuda {
namespace {

class CudaForwardProjector final : public ForwardProjector {
 public:
  explicit CudaForwardProjector(SharedQueue queue) : queue_(std::move(queue)) {}

  void accumulate(std::span<const geometry::View> views, const geometry::PixelWindow& window,
                  DeviceView3<float> projections, const geometry::VolumeGrid& grid, geometry::Range slices,
                  DeviceView3<const float> volume) override {
    check_sizes(views, window, projections, grid, slices, volume);
    if (projections.size() == 0 || volume.size() == 0) return;
    launch_projection(block_of(views, window, grid, slices), lines_of(projections.ny, projections.nz),
                      volume.data, projections.data, queue_->stream());
  }

  void accumulate_adjoint(std::span<const geometry::View> views, const geometry::PixelWindow& window,
                          DeviceView3<const float> projections, const geometry::VolumeGrid& grid,
                          geometry::Range slices, DeviceView3<float> volume) override {
    check_sizes(views, window, projections, grid, slices, volume);
    if (projections.size() == 0 || volume.size() == 0) return;
    launch_adjoint(block_of(views, window, grid, slices), lines_of(projections.ny, projections.nz),
                   projections.data, volume.data, queue_->stream());
  }

 private:
  static void check_sizes(std::span<const geometry::View> views, const geometry::PixelWindow& window,
                          DeviceView3<const float> projections, const geometry::VolumeGrid& grid,
                          geometry::Range slices, DeviceView3<const float> volume) {
    expects(projections.nx == window.columns.count() && projections.ny == window.rows.count() &&
                views.size() == static_cast<std::size_t>(projections.nz),
            "forward projector: the projections are not of the size of window and views");
    expects(volume.nx == grid.nx && volume.ny == grid.ny && volume.nz == slices.count(),
            "forward projector: the volume is not of its slices' size");
  }

  RayBlock block_of(std::span<const geometry::View> views, const geometry::PixelWindow& window,
                    const geometry::VolumeGrid& grid, geometry::Range slices) {
    std::vector<RayView> rays;
    for (const geometry::View& view : views) rays.push_back(make_ray_view(view, grid));
    queue_->activate();
    const auto* table = static_cast<const RayView*>(
        views_.upload(*queue_, rays.data(), rays.size() * sizeof(RayView), "views"));
    return {table,
            {grid.nx, grid.ny, slices.first, slices.end},
            window.columns.first,
            window.columns.count(),
            window.rows.first,
            window.rows.count()};
  }

  SharedQueue queue_;
  StagedTable views_;
};

}  // namespace

std::unique_ptr<ForwardProjector> make_forward_projector(SharedQueue queue) {
  return std::make_unique<CudaForwardProjector>(std::move(queue));
}

}  // namespace feldspar::kernels::cuda
