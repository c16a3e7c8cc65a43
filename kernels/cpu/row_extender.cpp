// Continuation of truncated rows on threads, with the arithmetic that the CUDA backend shares.
#include <algorithm>

#include "kernels/cpu/operators.hpp"
#include "kernels/extended_rows.hpp"

namespace feldspar::kernels::cpu {
namespace {

class CpuRowExtender final : public RowExtender {
 public:
  explicit CpuRowExtender(Machine& machine) : machine_(machine) {}

  void extend(const RowExtension& how, int first_row, DeviceView3<const float> projections,
              const ModelSampling& sampling, DeviceView3<const float> model,
              DeviceView3<float> wide) override {
    const ExtendedRows rows = make_extended_rows(how, first_row, projections, sampling, model, wide);
    machine_.pool.for_each(
        static_cast<std::ptrdiff_t>(projections.ny) * projections.nz, [&](std::ptrdiff_t line, int) {
          const auto left = rows.side_of(false, line), right = rows.side_of(true, line);
          const float* from = projections.data + line * rows.columns;
          float* to = wide.data + line * rows.width() + rows.left;
          for (int c = -rows.left; c < rows.measured_first; ++c) to[c] = rows.missing(left, c, line);
          std::copy(from + rows.measured_first, from + rows.measured_end, to + rows.measured_first);
          for (int c = rows.measured_end; c < rows.columns + rows.right; ++c)
            to[c] = rows.missing(right, c, line);
        });
  }

  void crop(const RowExtension& how, DeviceView3<const float> wide, DeviceView3<float> projections) override {
    machine_.pool.for_each(static_cast<std::ptrdiff_t>(projections.ny) * projections.nz,
                           [&](std::ptrdiff_t line, int) {
                             const float* from = wide.data + line * wide.nx + how.left;
                             std::copy(from, from + projections.nx, projections.data + line * projections.nx);
                           });
  }

 private:
  Machine& machine_;
};

}  // namespace

std::unique_ptr<RowExtender> make_row_extender(Machine& machine) {
  return std::make_unique<CpuRowExtender>(machine);
}

}  // namespace feldspar::kernels::cpu
