// Rectification on threads, with the arithmetic that the CUDA backend shares.
#include <algorithm>
#include <array>
#include <vector>

#include "base/error.hpp"
#include "kernels/cpu/operators.hpp"
#include "kernels/shared/cubic_sampler.hpp"

namespace feldspar::kernels::cpu {
namespace {

class CpuRectifier final : public Rectifier {
 public:
  explicit CpuRectifier(Machine& machine) : machine_(machine) {}

  void apply(std::span<const std::array<double, 9>> homographies, int columns, int rows,
             const geometry::PixelWindow& source_window, DeviceView3<const float> source,
             const geometry::PixelWindow& target_window, DeviceView3<float> target) override {
    expects(homographies.size() == static_cast<std::size_t>(source.nz) && source.nz == target.nz,
            "one homography a view");
    std::vector<Homography> each;
    for (const auto& h : homographies) std::copy(h.begin(), h.end(), each.emplace_back().h);
    const RectifyBlock block{{source.data, source.nx, source.ny, source_window.columns.first,
                              source_window.rows.first, columns, rows},
                             each.data(),
                             target.data,
                             target.nx,
                             target.ny,
                             target_window.columns.first,
                             target_window.rows.first};
    machine_.pool.for_each(static_cast<std::ptrdiff_t>(target.nz) * target.ny, [&](std::ptrdiff_t line, int) {
      for (int column = 0; column < target.nx; ++column) block(column, line);
    });
  }

 private:
  Machine& machine_;
};

}  // namespace

std::unique_ptr<Rectifier> make_rectifier(Machine& machine) {
  return std::make_unique<CpuRectifier>(machine);
}

}  // namespace feldspar::kernels::cpu
