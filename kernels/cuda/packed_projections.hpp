// Projections packed in pairs on the device, for the back-projector of blocks.
#pragma once

#include <algorithm>

#include "kernels/cuda/launch.hpp"
#include "kernels/cuda/resources.hpp"

namespace feldspar::kernels::cuda {

template <class Pair>
class PackedProjections {
 public:
  static constexpr int most_views = 32;  ///< that are packed at a time
  static_assert(most_views <= ViewBatch::capacity && most_views % FdkBlock<Pair>::group == 0);

  [[nodiscard]] static std::size_t bytes(const PairShape& shape, int views) {
    return static_cast<std::size_t>(shape.plane()) * std::min(views, most_views) * sizeof(Pair);
  }

  /// Queues the packing of `views` projections. What was packed before is lost to all that is queued later.
  [[nodiscard]] PairStack<Pair> pack(const Queue& queue, const LinearStack& stack, int views) {
    const PairShape shape{stack.columns, stack.first_row, stack.rows};
    constexpr bool scaled = sizeof(Pair) < sizeof(FloatPair);
    if (bytes(shape, views) > pairs_.bytes()) {
      queue.wait();  // a kernel may still read the old ones
      pairs_ = {};
      pairs_ = DeviceMemory(queue, bytes(shape, views), "packed projections");
    }
    if (scaled && scales_.bytes() == 0)
      scales_ = DeviceMemory(queue, most_views * sizeof(float), "scales of packed projections");
    auto* const scales = scales_.as<float>();
    if (scaled) launch_half_scales(stack.pixels, shape, views, scales, queue.stream());
    launch(PairPacking<Pair>{stack.pixels, shape, pairs_.as<Pair>(), scales}, views, queue.stream());
    return {pairs_.as<Pair>(), shape, scales};
  }

 private:
  DeviceMemory pairs_;
  DeviceMemory scales_;
};

}  // namespace feldspar::kernels::cuda
