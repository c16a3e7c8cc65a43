// Weighting and ramp filtering on a GPU, two rows a block of threads.
#include "kernels/filter.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "kernels/cuda/launch.hpp"
#include "kernels/cuda/operators.hpp"

namespace feldspar::kernels::cuda {
namespace {

/// Blocks that work outside shared memory: enough to fill the largest device.
constexpr int most_in_global_memory = 1024;

void set(float (&target)[3], geometry::Vec3 v) {
  target[0] = static_cast<float>(v.x);
  target[1] = static_cast<float>(v.y);
  target[2] = static_cast<float>(v.z);
}

/// The weight of a block whose row 0 is the detector's row `first_row`.
PixelWeight single_precision(const FdkWeight& weight, int first_row) {
  PixelWeight single{};
  set(single.ray, weight.ray + static_cast<double>(first_row) * weight.row_step);
  set(single.column_step, weight.column_step);
  set(single.row_step, weight.row_step);
  set(single.to_axis, weight.to_axis);
  single.scale = static_cast<float>(weight.scale);
  return single;
}

/// The ramp's spectrum as the transform leaves it, with the factor 1 / length that its reverse lacks.
std::vector<float> scrambled_response(int length, const RampOptions& ramp) {
  const std::vector<double> response = ramp_response(length, ramp);
  std::vector<float> scrambled;
  for (int n = 0; n < length; ++n) {
    const int frequency = frequency_at(n, length);
    const auto bin = static_cast<std::size_t>(std::min(frequency, length - frequency));
    scrambled.push_back(static_cast<float>(response[bin] / length));
  }
  return scrambled;
}

std::vector<Complex> turns_of(int length) {
  std::vector<Complex> turns;
  for (int k = 0; k < length / 4; ++k) {
    const double angle = -2 * std::numbers::pi * k / length;
    turns.push_back({static_cast<float>(std::cos(angle)), static_cast<float>(std::sin(angle))});
  }
  return turns;
}

class CudaFilter final : public Filter {
 public:
  CudaFilter(SharedQueue queue, const FilterSpec& spec)
      : queue_(std::move(queue)), columns_(spec.columns), length_(ramp_length(spec.columns)) {
    response_ = constant(response_table_, scrambled_response(length_, spec.ramp), "the ramp's response");
    turns_ = constant(turn_table_, turns_of(length_), "the turns of the row transform");
    const std::size_t row_bytes = sizeof(Complex) * static_cast<std::size_t>(length_);
    if (!allow_shared_rows(queue_->device(), row_bytes))
      workspace_ = DeviceMemory(*queue_, row_bytes * most_in_global_memory, "rows of the filter");
  }

  [[nodiscard]] std::size_t workspace_bytes() const override { return workspace_.bytes(); }

  void apply(std::span<const FdkWeight> weights, std::span<const float> column_weights, int first_row,
             DeviceView3<float> projections) override {
    expects(projections.nx == columns_,
            "filter: the projections have another width than the filter was made for");
    expects(weights.size() == static_cast<std::size_t>(projections.nz),
            "filter: there must be one weight a view");
    expects(column_weights.empty() ||
                column_weights.size() == weights.size() * static_cast<std::size_t>(columns_),
            "filter: column weights are not columns x views");
    if (projections.size() == 0) return;
    queue_->activate();
    std::vector<PixelWeight> single(weights.size());
    std::transform(weights.begin(), weights.end(), single.begin(),
                   [&](const FdkWeight& weight) { return single_precision(weight, first_row); });
    RowFilter filter{projections.data, columns_, projections.ny, length_,
                     nullptr,          nullptr,  response_,      turns_};
    filter.weights = static_cast<const PixelWeight*>(
        weights_.upload(*queue_, single.data(), single.size() * sizeof(PixelWeight), "FDK weights"));
    if (!column_weights.empty())
      filter.column_weights = static_cast<const float*>(column_weights_.upload(
          *queue_, column_weights.data(), column_weights.size_bytes(), "column weights"));
    const std::int64_t pairs = lines_of(filter.pairs_of_a_view(), projections.nz);
    launch(filter, static_cast<int>(pairs), {workspace_.as<Complex>(), most_in_global_memory},
           queue_->stream());
  }

 private:
  template <class T>
  [[nodiscard]] const T* constant(StagedTable& table, const std::vector<T>& values, const char* purpose) {
    return static_cast<const T*>(table.upload(*queue_, values.data(), values.size() * sizeof(T), purpose));
  }

  SharedQueue queue_;
  int columns_;
  int length_;
  StagedTable response_table_;
  StagedTable turn_table_;
  StagedTable weights_;
  StagedTable column_weights_;
  const float* response_ = nullptr;
  const Complex* turns_ = nullptr;
  DeviceMemory workspace_;
};

}  // namespace

std::unique_ptr<Filter> make_filter(SharedQueue queue, const FilterSpec& spec) {
  expects(spec.columns > 0, "filter: the number of columns must be positive");
  validate(spec.ramp);
  queue->activate();
  return std::make_unique<CudaFilter>(std::move(queue), spec);
}

}  // namespace feldspar::kernels::cuda
