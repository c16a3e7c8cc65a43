#include "kernels/reference/reference_backend.hpp"

#include "kernels/host_backend.hpp"
#include "kernels/reference/operators.hpp"

namespace feldspar::kernels {
namespace {

class ReferenceBackend final : public HostBackend {
 public:
  using HostBackend::HostBackend;
  [[nodiscard]] std::string name() const override { return "reference"; }
  [[nodiscard]] std::unique_ptr<Attenuation> make_attenuation(const AttenuationSpec& spec) override {
    return reference::make_attenuation(spec);
  }
  [[nodiscard]] std::unique_ptr<Correction> make_correction(const CorrectionSpec& spec) override {
    return reference::make_correction(spec);
  }
  [[nodiscard]] std::unique_ptr<Rectifier> make_rectifier() override { return reference::make_rectifier(); }
  [[nodiscard]] std::unique_ptr<Filter> make_filter(const FilterSpec& spec) override {
    return reference::make_filter(spec);
  }
  [[nodiscard]] std::unique_ptr<BackProjector> make_back_projector(const BackProjectorSpec&) override {
    return reference::make_back_projector();
  }
  [[nodiscard]] std::unique_ptr<ForwardProjector> make_forward_projector() override {
    return reference::make_forward_projector();
  }
  [[nodiscard]] std::unique_ptr<RowExtender> make_row_extender() override {
    return reference::make_row_extender();
  }
};

}  // namespace

DeviceInfo reference_device() {
  return {.name = "reference",
          .description = "double precision on one thread: slow, for checking",
          .preference = 0,
          .memory = 0,
          .unavailable = {}};
}

std::unique_ptr<Backend> open_reference(const BackendOptions& options) {
  return std::make_unique<ReferenceBackend>(options.budget);
}

}  // namespace feldspar::kernels
