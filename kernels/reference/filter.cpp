#include <cmath>
#include <numbers>

#include "base/error.hpp"
#include "kernels/reference/operators.hpp"

namespace feldspar::kernels::reference {
namespace {

/// The kernel in space of a real, even spectrum given at k = 0 .. length/2: a sum of cosines.
std::vector<double> kernel_of(const std::vector<double>& response, int length, int reach) {
  std::vector<double> kernel(static_cast<std::size_t>(reach));
  const int half = length / 2;
  for (int n = 0; n < reach; ++n) {
    double sum = 0;
    for (int k = 0; k <= half; ++k) {
      const double weight = k == 0 || k == half ? 1 : 2;
      sum += weight * response[static_cast<std::size_t>(k)] *
             std::cos(2 * std::numbers::pi * static_cast<double>(static_cast<long long>(k) * n % length) /
                      length);
    }
    kernel[static_cast<std::size_t>(n)] = sum / length;
  }
  return kernel;
}

/// Convolves in space, so that nothing of a Fourier transform can be wrong in it.
class ReferenceFilter final : public Filter {
 public:
  explicit ReferenceFilter(const FilterSpec& spec)
      : columns_(spec.columns),
        kernel_(kernel_of(ramp_response(ramp_length(spec.columns), spec.ramp), ramp_length(spec.columns),
                          spec.columns)) {}

  [[nodiscard]] std::size_t workspace_bytes() const override { return 0; }

  void apply(std::span<const FdkWeight> weights, std::span<const float> column_weights, int first_row,
             DeviceView3<float> projections) override {
    const View3<float> stack{projections.data, projections.nx, projections.ny, projections.nz};
    expects(stack.nx == columns_, "the projections have another width than the filter was made for");
    std::vector<double> weighted(static_cast<std::size_t>(columns_));
    for (int n = 0; n < stack.nz; ++n)
      for (int row = 0; row < stack.ny; ++row) {
        for (int i = 0; i < columns_; ++i) {
          const std::size_t view = static_cast<std::size_t>(n), column = static_cast<std::size_t>(i);
          const double redundancy = column_weights.empty() ? 1 : column_weights[view * columns_ + column];
          weighted[column] = stack(i, row, n) * redundancy * weight_at(weights[view], i, first_row + row);
        }
        for (int i = 0; i < columns_; ++i) {
          double sum = 0;
          for (int j = 0; j < columns_; ++j)
            sum += kernel_[static_cast<std::size_t>(std::abs(i - j))] * weighted[static_cast<std::size_t>(j)];
          stack(i, row, n) = static_cast<float>(sum);
        }
      }
  }

 private:
  int columns_;
  std::vector<double> kernel_;
};

}  // namespace

std::unique_ptr<Filter> make_filter(const FilterSpec& spec) {
  return std::make_unique<ReferenceFilter>(spec);
}

}  // namespace feldspar::kernels::reference
