#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/error.hpp"
#include "kernels/cpu/operators.hpp"

namespace feldspar::kernels::cpu {
namespace {

/// For each stage of the radix-4 transform, longest first: real and imaginary parts of w^k, w^2k, w^3k,
/// w = exp(-2 pi i / stage length), for k below a quarter of it.
std::vector<float> make_twiddles(int length) {
  std::vector<float> twiddles;
  for (int n = length; n >= 4; n /= 4)
    for (int k = 0; k < n / 4; ++k)
      for (int power = 1; power <= 3; ++power) {
        const double angle = -2 * std::numbers::pi * power * k / n;
        twiddles.push_back(static_cast<float>(std::cos(angle)));
        twiddles.push_back(static_cast<float>(std::sin(angle)));
      }
  return twiddles;
}

/// Appends the frequencies `first`, `first + step` ... of a transform of `length` in the order that
/// decimation in frequency leaves them.
void append_order(int length, int first, int step, std::vector<int>& order) {
  if (length == 1) return order.push_back(first);
  const int parts = length == 2 ? 2 : 4;
  for (int s = 0; s < parts; ++s) append_order(length / parts, first + s * step, parts * step, order);
}

std::vector<float> ordered_response(int length, const RampOptions& options) {
  const std::vector<double> response = ramp_response(length, options);
  std::vector<int> order;
  append_order(length, 0, 1, order);
  std::vector<float> ordered;
  ordered.reserve(order.size());
  for (const int k : order) ordered.push_back(static_cast<float>(response[std::min(k, length - k)] / length));
  return ordered;
}

class CpuFilter final : public Filter {
 public:
  CpuFilter(Machine& machine, const FilterSpec& spec)
      : machine_(machine),
        columns_(spec.columns),
        length_(ramp_length(spec.columns)),
        response_(ordered_response(length_, spec.ramp)),
        twiddles_(make_twiddles(length_)),
        scratch_(scratch_floats(), 1, machine.pool.size(), "filter rows", machine.budget) {}

  [[nodiscard]] std::size_t workspace_bytes() const override { return scratch_.view().bytes(); }

  void apply(std::span<const FdkWeight> weights, std::span<const float> column_weights, int first_row,
             DeviceView3<float> projections) override {
    const View3<float> stack = on_host(projections);
    expects(stack.nx == columns_, "the projections have another width than the filter was made for");
    expects(weights.size() == static_cast<std::size_t>(stack.nz), "there must be one weight a view");
    expects(first_row % 2 == 0, "rows are filtered in pairs, so a block must begin with an even row");
    const int rows_at_once = 2 * machine_.simd->lanes;
    const int blocks = (stack.ny + rows_at_once - 1) / rows_at_once;
    const RowFilterPlan plan{columns_, length_, response_.data(), twiddles_.data()};
    machine_.pool.for_each(
        static_cast<std::ptrdiff_t>(blocks) * stack.nz, [&](std::ptrdiff_t job, int worker) {
          const int n = static_cast<int>(job / blocks), row = static_cast<int>(job % blocks) * rows_at_once;
          RowBlock block = weighted(weights[static_cast<std::size_t>(n)]);
          block.rows = stack.row(row, n);
          block.row_stride = columns_;
          block.row_count = std::min(rows_at_once, stack.ny - row);
          block.first_row = first_row + row;
          block.column_weights = column_weights.empty()
                                     ? nullptr
                                     : column_weights.data() + static_cast<std::ptrdiff_t>(n) * columns_;
          block.scratch = scratch_.view().row(0, worker);
          machine_.simd->filter_rows(plan, block);
        });
  }

 private:
  [[nodiscard]] int scratch_floats() const { return 2 * machine_.simd->lanes * length_; }

  static RowBlock weighted(const FdkWeight& w) {
    RowBlock block{};
    const auto put = [](float(&to)[3], const geometry::Vec3& from) {
      to[0] = static_cast<float>(from.x), to[1] = static_cast<float>(from.y),
      to[2] = static_cast<float>(from.z);
    };
    put(block.ray, w.ray);
    put(block.column_step, w.column_step);
    put(block.row_step, w.row_step);
    put(block.to_axis, w.to_axis);
    block.scale = static_cast<float>(w.scale);
    return block;
  }

  Machine& machine_;
  int columns_;
  int length_;
  std::vector<float> response_;
  std::vector<float> twiddles_;
  Array3<float> scratch_;
};

}  // namespace

std::unique_ptr<Filter> make_filter(Machine& machine, const FilterSpec& spec) {
  return std::make_unique<CpuFilter>(machine, spec);
}

}  // namespace feldspar::kernels::cpu
