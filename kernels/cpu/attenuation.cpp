#include <fmt/format.h>

#include <mutex>

#include "base/error.hpp"
#include "kernels/cpu/operators.hpp"

namespace feldspar::kernels::cpu {
namespace {

class CpuAttenuation final : public Attenuation {
 public:
  CpuAttenuation(Machine& machine, const AttenuationSpec& spec) : machine_(machine), spec_(spec) {
    validate(spec_);
  }

  void apply(DeviceView3<const std::uint16_t> counts, const geometry::PixelWindow& window,
             DeviceView3<float> line_integrals) override {
    apply_rows(on_host(counts), window, on_host(line_integrals), machine_.simd->line_integrals_u16);
  }
  void apply(DeviceView3<const float> counts, const geometry::PixelWindow& window,
             DeviceView3<float> line_integrals) override {
    apply_rows(on_host(counts), window, on_host(line_integrals), machine_.simd->line_integrals_f32);
  }
  [[nodiscard]] AttenuationTally tally() const override { return tally_; }

 private:
  /// The part of an image under one row of the window; null for a single value.
  [[nodiscard]] const float* row_of(const std::vector<float>& image, const geometry::PixelWindow& window,
                                    int row) const {
    if (image.size() <= 1) return nullptr;
    return image.data() +
           static_cast<std::size_t>(window.rows.first + row) * static_cast<std::size_t>(spec_.columns) +
           window.columns.first;
  }

  template <class Count, class Kernel>
  void apply_rows(View3<const Count> counts, const geometry::PixelWindow& window, View3<float> out,
                  Kernel kernel) {
    expects(counts.size() == out.size() && counts.nx == window.columns.count() &&
                counts.ny == window.rows.count(),
            "counts, window and line integrals have different sizes");
    machine_.pool.for_each(counts.nz, [&](std::ptrdiff_t n, int) {
      PixelTally local{};
      for (int row = 0; row < counts.ny; ++row) {
        const PixelRun run{.count = counts.nx,
                           .white = row_of(spec_.white, window, row),
                           .dark = row_of(spec_.dark, window, row),
                           .white_value = spec_.white[0],
                           .dark_value = spec_.dark.empty() ? 0.0f : spec_.dark[0],
                           .saturation = spec_.saturation,
                           .line_integrals = out.row(row, static_cast<int>(n))};
        kernel(run, counts.row(row, static_cast<int>(n)), local);
      }
      const std::scoped_lock lock(mutex_);
      tally_.pixels += static_cast<std::int64_t>(counts.nx) * counts.ny;
      tally_.floored += local.floored;
      tally_.saturated += local.saturated;
      tally_.dead += local.dead;
      tally_.not_finite += local.not_finite;
    });
  }

  Machine& machine_;
  AttenuationSpec spec_;
  std::mutex mutex_;
  AttenuationTally tally_;
};

}  // namespace

std::unique_ptr<Attenuation> make_attenuation(Machine& machine, const AttenuationSpec& spec) {
  return std::make_unique<CpuAttenuation>(machine, spec);
}

}  // namespace feldspar::kernels::cpu
