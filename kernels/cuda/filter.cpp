// Weighting and ramp filtering on a GPU with cuFFT, as many rows at a time as a bounded workspace holds.
#include "kernels/filter.hpp"

#include <algorithm>
#include <utility>

#include "base/error.hpp"
#include "kernels/cuda/launch.hpp"
#include "kernels/cuda/operators.hpp"

namespace feldspar::kernels::cuda {
namespace {

/// Enough rows to fill the largest device (16,000 of a 2000 pixel detector), little next to a slab.
constexpr std::size_t workspace_limit = std::size_t{256} << 20;

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

class CudaFilter final : public Filter {
 public:
  CudaFilter(SharedQueue queue, const FilterSpec& spec)
      : queue_(std::move(queue)), columns_(spec.columns), length_(ramp_length(spec.columns)) {
    std::vector<float> response;  // cuFFT's inverse lacks the factor 1 / length
    for (const double value : ramp_response(length_, spec.ramp))
      response.push_back(static_cast<float>(value / length_));
    response_ = static_cast<const float*>(response_table_.upload(
        *queue_, response.data(), response.size() * sizeof(float), "the ramp's response"));
  }

  [[nodiscard]] std::size_t workspace_bytes() const override { return 0; }

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
    const std::int64_t lines = lines_of(projections.ny, projections.nz);
    make_room(lines);
    std::vector<PixelWeight> single(weights.size());
    std::transform(weights.begin(), weights.end(), single.begin(),
                   [&](const FdkWeight& weight) { return single_precision(weight, first_row); });
    FilterBatch batch{projections.data, padded_.as<float>(), columns_, projections.ny, 0, lines, length_};
    const auto* view_weights = static_cast<const PixelWeight*>(
        weights_.upload(*queue_, single.data(), single.size() * sizeof(PixelWeight), "FDK weights"));
    const auto* columns =
        column_weights.empty()
            ? nullptr
            : static_cast<const float*>(column_weights_.upload(
                  *queue_, column_weights.data(), column_weights.size_bytes(), "column weights"));
    for (; batch.first_line < lines; batch.first_line += slots_) {
      launch(WeighAndPad{batch, view_weights, columns}, slots_, queue_->stream());
      transforms_.forward(batch.padded);
      launch(ApplyResponse{batch, response_}, slots_, queue_->stream());
      transforms_.inverse(batch.padded);
      launch(Crop{batch}, slots_, queue_->stream());
    }
  }

 private:
  /// Rows are transformed `slots_` at a time, the last time too: one plan serves blocks of any size.
  void make_room(std::int64_t lines) {
    const std::size_t row_bytes = (static_cast<std::size_t>(length_) + 2) * sizeof(float);
    const auto most = static_cast<std::int64_t>(std::max<std::size_t>(workspace_limit / row_bytes, 1));
    const int wanted = static_cast<int>(std::min(most, lines));
    if (wanted <= slots_) return;
    queue_->wait();
    slots_ = 0;
    transforms_ = {};
    padded_ = {};
    padded_ = DeviceMemory(static_cast<std::size_t>(wanted) * row_bytes, "padded rows of the filter");
    transforms_ = RowTransforms(*queue_, length_, wanted);
    slots_ = wanted;
  }

  SharedQueue queue_;
  int columns_;
  int length_;
  int slots_ = 0;
  StagedTable response_table_;
  const float* response_ = nullptr;
  StagedTable weights_;
  StagedTable column_weights_;
  DeviceMemory padded_;
  RowTransforms transforms_;
};

}  // namespace

std::unique_ptr<Filter> make_filter(SharedQueue queue, const FilterSpec& spec) {
  expects(spec.columns > 0, "filter: the number of columns must be positive");
  validate(spec.ramp);
  queue->activate();
  return std::make_unique<CudaFilter>(std::move(queue), spec);
}

}  // namespace feldspar::kernels::cuda
