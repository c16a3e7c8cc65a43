// Attenuation on a GPU: reference images stay on the device, and so does the tally until it is asked for.
#include "kernels/attenuation.hpp"

#include <utility>

#include "base/error.hpp"
#include "kernels/cuda/launch.hpp"
#include "kernels/cuda/operators.hpp"

namespace feldspar::kernels::cuda {
namespace {

/// One reference level on the device.
class LevelMemory {
 public:
  LevelMemory(const Queue& queue, const std::vector<float>& values, const char* purpose) {
    if (values.size() == 1) value_ = values.front();
    if (values.size() <= 1) return;
    image_ = DeviceMemory(queue, values.size() * sizeof(float), purpose);
    check(
        cudaMemcpyAsync(image_.data(), values.data(), image_.bytes(), cudaMemcpyHostToDevice, queue.stream()),
        std::string("cudaMemcpyAsync of ") + purpose);
  }
  [[nodiscard]] Level level() const { return {image_.as<float>(), value_}; }

 private:
  DeviceMemory image_;
  float value_ = 0;
};

class CudaAttenuation final : public Attenuation {
 public:
  CudaAttenuation(SharedQueue queue, const AttenuationSpec& spec)
      : queue_(std::move(queue)),
        columns_(spec.columns),
        rows_(spec.rows),
        saturation_(spec.saturation),
        white_(*queue_, spec.white, "the white image"),
        dark_(*queue_, spec.dark, "the dark image"),
        tally_(*queue_, sizeof(DeviceTally), "the tally of pixels"),
        tally_copy_(*queue_, sizeof(DeviceTally), "the tally of pixels") {
    check(cudaMemsetAsync(tally_.data(), 0, tally_.bytes(), queue_->stream()), "cudaMemsetAsync");
    queue_->wait();  // the specification's images may go now
  }

  void apply(DeviceView3<const std::uint16_t> counts, const geometry::PixelWindow& window,
             DeviceView3<float> line_integrals) override {
    apply_any(counts, window, line_integrals);
  }
  void apply(DeviceView3<const float> counts, const geometry::PixelWindow& window,
             DeviceView3<float> line_integrals) override {
    apply_any(counts, window, line_integrals);
  }

  [[nodiscard]] AttenuationTally tally() const override {
    queue_->activate();
    check(cudaMemcpyAsync(tally_copy_.data(), tally_.data(), sizeof(DeviceTally), cudaMemcpyDeviceToHost,
                          queue_->stream()),
          "cudaMemcpyAsync of the tally");
    queue_->wait();
    const DeviceTally& met = *static_cast<const DeviceTally*>(tally_copy_.data());
    const auto number = [](unsigned long long n) { return static_cast<std::int64_t>(n); };
    return {.pixels = pixels_,
            .floored = number(met.floored),
            .saturated = number(met.saturated),
            .dead = number(met.dead),
            .not_finite = number(met.not_finite)};
  }

 private:
  template <class Count>
  void apply_any(DeviceView3<const Count> counts, const geometry::PixelWindow& window,
                 DeviceView3<float> target) {
    expects(counts.nx == target.nx && counts.ny == target.ny && counts.nz == target.nz,
            "attenuation: counts and line integrals differ in size");
    expects(counts.nx == window.columns.count() && counts.ny == window.rows.count() &&
                window.columns.first >= 0 && window.rows.first >= 0 && window.columns.end <= columns_ &&
                window.rows.end <= rows_,
            "attenuation: the window is not on the detector or not of the counts' size");
    if (counts.size() == 0) return;
    queue_->activate();
    launch(
        AttenuateBlock<Count>{counts.data, target.data, counts.nx, counts.ny, white_.level(), dark_.level(),
                              saturation_, window.columns.first, window.rows.first, columns_},
        lines_of(counts.ny, counts.nz), tally_.as<DeviceTally>(), queue_->stream());
    pixels_ += static_cast<std::int64_t>(counts.size());
  }

  SharedQueue queue_;
  int columns_;
  int rows_;
  float saturation_;
  LevelMemory white_;
  LevelMemory dark_;
  DeviceMemory tally_;
  PinnedMemory tally_copy_;
  std::int64_t pixels_ = 0;
};

}  // namespace

std::unique_ptr<Attenuation> make_attenuation(SharedQueue queue, const AttenuationSpec& spec) {
  validate(spec);
  queue->activate();
  return std::make_unique<CudaAttenuation>(std::move(queue), spec);
}

}  // namespace feldspar::kernels::cuda
