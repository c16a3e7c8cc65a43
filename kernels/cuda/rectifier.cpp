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

void check_sizes(std::size_t homographies, const WindowImages<const float>& source,
                 const WindowImages<float>& target) {
  const auto& [from, in] = source;
  const auto& [to, out] = target;
  expects(homographies == static_cast<std::size_t>(in.nz) && in.nz == out.nz,
          "rectifier: homographies, source and target differ in the number of views");
  expects(in.nx == from.columns.count() && in.ny == from.rows.count(),
          "rectifier: the source is not of its window's size");
  expects(out.nx == to.columns.count() && out.ny == to.rows.count(),
          "rectifier: the target is not of its window's size");
}

class CudaRectifier final : public Rectifier {
 public:
  explicit CudaRectifier(SharedQueue queue) : queue_(std::move(queue)) {}

  void apply(std::span<const std::array<double, 9>> homographies, int columns, int rows,
             const WindowImages<const float>& source, const WindowImages<float>& target) override {
    const auto& [from, in] = source;
    const auto& [to, out] = target;
    check_sizes(homographies.size(), source, target);
    if (out.size() == 0) return;
    queue_->activate();
    if (in.size() == 0) {  // the window's shadow misses the detector
      check(cudaMemsetAsync(out.data, 0, out.size() * sizeof(float), queue_->stream()), "cudaMemsetAsync");
      return;
    }
    static_assert(sizeof(Homography) == sizeof(homographies[0]));
    const auto* table = static_cast<const Homography*>(
        homographies_.upload(*queue_, homographies.data(), homographies.size_bytes(), "homographies"));
    const CubicSampler sampler{in.data, in.nx, in.ny, from.columns.first, from.rows.first, columns, rows};
    launch(RectifyBlock{sampler, table, out.data, out.nx, out.ny, to.columns.first, to.rows.first},
           lines_of(out.ny, out.nz), queue_->stream());
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
