#include <cmath>

#include "kernels/reference/operators.hpp"

namespace feldspar::kernels::reference {
namespace {

class ReferenceAttenuation final : public Attenuation {
 public:
  explicit ReferenceAttenuation(const AttenuationSpec& spec) : spec_(spec) { validate(spec_); }

  void apply(DeviceView3<const std::uint16_t> counts, const geometry::PixelWindow& window,
             DeviceView3<float> out) override {
    apply_any(counts, window, out);
  }
  void apply(DeviceView3<const float> counts, const geometry::PixelWindow& window,
             DeviceView3<float> out) override {
    apply_any(counts, window, out);
  }
  [[nodiscard]] AttenuationTally tally() const override { return tally_; }

 private:
  [[nodiscard]] double pixel_of(const std::vector<float>& image, int column, int row) const {
    if (image.empty()) return 0;
    return image.size() == 1 ? image[0] : image[static_cast<std::size_t>(row) * spec_.columns + column];
  }

  double line_integral(double counts, int column, int row) {
    const double dark = pixel_of(spec_.dark, column, row);
    const double beam = pixel_of(spec_.white, column, row) - dark;
    double signal = counts - dark;
    ++tally_.pixels;
    if (spec_.saturation > 0 && counts >= spec_.saturation) ++tally_.saturated;
    if (!std::isfinite(counts)) return ++tally_.not_finite, 0;
    if (!(beam > 1)) return ++tally_.dead, 0;
    if (!(signal >= 1)) ++tally_.floored, signal = 1;
    return -std::log(signal / beam);
  }

  template <class Count>
  void apply_any(DeviceView3<const Count> counts, const geometry::PixelWindow& window,
                 DeviceView3<float> out) {
    const View3<const Count> in{counts.data, counts.nx, counts.ny, counts.nz};
    for (int n = 0; n < in.nz; ++n)
      for (int row = 0; row < in.ny; ++row)
        for (int column = 0; column < in.nx; ++column)
          View3<float>{out.data, out.nx, out.ny, out.nz}(column, row, n) = static_cast<float>(
              line_integral(in(column, row, n), window.columns.first + column, window.rows.first + row));
  }

  AttenuationSpec spec_;
  AttenuationTally tally_;
};

}  // namespace

std::unique_ptr<Attenuation> make_attenuation(const AttenuationSpec& spec) {
  return std::make_unique<ReferenceAttenuation>(spec);
}

}  // namespace feldspar::kernels::reference
