// Resampling onto the virtual detector on a GPU.
#include "kernels/rectifier.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "kernels/cuda/launch.hpp"
#include "kernels/cuda/operators.hpp"

namespace feldspar::kernels::cuda {
namespace {

class CudaRectifier final : public Rectifier {
 public:
  explicit CudaRectifier(SharedQueue queue) : queue_(std::move(queue)) {}

  void apply(std::span<const std::array<double, 9>> homographies, int columns, int rows,
             const geometry::PixelWindow& source_window, DeviceView3<const float> source,
             const geometry::PixelWindow& target_window, DeviceView3<float> target) override {
    expects(homographies.size() == static_cast<std::size_t>(source.nz) && source.nz == target.nz,
            "rectifier: homographies, source and target differ in the number of views");
    expects(source.nx == source_window.columns.count() && source.ny == source_window.rows.count(),
            "rectifier: the source is not of its window's size");
    expects(target.nx == target_window.columns.count() && target.ny == target_window.rows.count(),
            "rectifier: the target is not of its window's size");
    if (target.size() == 0) return;
    queue_->activate();
    if (source.size() == 0) {  // the window's shadow misses the detector
      check(cudaMemsetAsync(target.data, 0, target.size() * sizeof(float), queue_->stream()),
            "cudaMemsetAsync");
      return;
    }
    static_assert(sizeof(Homography) == sizeof(homographies[0]));
    const auto* table = static_cast<const Homography*>(
        homographies_.upload(*queue_, homographies.data(), homographies.size_bytes(), "homographies"));
    const CubicSampler sampler{
        source.data, source.nx, source.ny, source_window.columns.first, source_window.rows.first,
        columns,     rows};
    launch(RectifyBlock{sampler, table, target.data, target.nx, target.ny, target_window.columns.first,
                        target_window.rows.first},
           lines_of(target.ny, target.nz), queue_->stream());
  }

 private:
  SharedQueue queue_;
  StagedTable homographies_;
};

}  // namespace

std::unique_ptr<Rectifier> make_rectifier(SharedQueue queue) {
  return std::make_unique<CudaRectifier>(std::move(queue));
}

}  // namespace feldspar::kernels::cuda
