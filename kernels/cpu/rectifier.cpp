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
             const WindowImages<const float>& source, const WindowImages<float>& target) override {
    const auto& [from, in] = source;
    const auto& [to, out] = target;
    expects(homographies.size() == static_cast<std::size_t>(in.nz) && in.nz == out.nz,
            "one homography a view");
    std::vector<Homography> each;
    for (const auto& h : homographies) std::copy(h.begin(), h.end(), each.emplace_back().h);
    const RectifyBlock block{{in.data, in.nx, in.ny, from.columns.first, from.rows.first, columns, rows},
                             each.data(),
                             out.data,
                             out.nx,
                             out.ny,
                             to.columns.first,
                             to.rows.first};
    machine_.pool.for_each(static_cast<std::ptrdiff_t>(out.nz) * out.ny, [&](std::ptrdiff_t line, int) {
      for (int column = 0; column < block.columns; ++column) block(column, line);
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
