// Continuation of truncated rows on a GPU.
#include "kernels/row_extender.hpp"

#include <utility>

#include "base/error.hpp"
#include "kernels/cuda/launch.hpp"
#include "kernels/cuda/operators.hpp"
#include "kernels/extended_rows.hpp"

namespace feldspar::kernels::cuda {
namespace {

class CudaRowExtender final : public RowExtender {
 public:
  explicit CudaRowExtender(SharedQueue queue) : queue_(std::move(queue)) {}

  void extend(const RowExtension& how, int first_row, DeviceView3<const float> projections,
              const ModelSampling& sampling, DeviceView3<const float> model,
              DeviceView3<float> wide) override {
    const ExtendedRows rows = make_extended_rows(how, first_row, projections, sampling, model, wide);
    if (wide.size() == 0) return;
    queue_->activate();
    launch(rows, lines_of(projections.ny, projections.nz), wide.data, queue_->stream());
  }

  void crop(const RowExtension& how, DeviceView3<const float> wide, DeviceView3<float> projections) override {
    expects(wide.nx == how.left + projections.nx + how.right && wide.ny == projections.ny &&
                wide.nz == projections.nz,
            "row extender: the blocks are not of the same rows and views");
    if (projections.size() == 0) return;
    queue_->activate();
    launch_crop({wide.data, wide.nx, how.left}, lines_of(projections.ny, projections.nz), projections.data,
                projections.nx, queue_->stream());
  }

 private:
  SharedQueue queue_;
};

}  // namespace

std::unique_ptr<RowExtender> make_row_extender(SharedQueue queue) {
  return std::make_unique<CudaRowExtender>(std::move(queue));
}

}  // namespace feldspar::kernels::cuda
