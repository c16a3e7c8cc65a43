#include "kernels/correction.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "kernels/reference/operators.hpp"

namespace feldspar::kernels::reference {
namespace {

class ReferenceCorrection final : public Correction {
 public:
  explicit ReferenceCorrection(const CorrectionSpec& spec) : spec_(spec) { validate(spec_); }

  void apply(int first_view, geometry::Range rows, DeviceView3<float> measured, geometry::Range kept,
             DeviceView3<float> corrected) override {
    const View3<float> in{measured.data, measured.nx, measured.ny, measured.nz},
        out{corrected.data, corrected.nx, corrected.ny, corrected.nz};
    expects(in.nx == spec_.columns && in.ny == rows.count() && out.ny == kept.count() && in.nz == out.nz,
            "correction: the blocks are not whole rows of the same views");
    for (const CorrectionPatch& patch : spec_.patches) {
      const int row = static_cast<int>(patch.pixel / spec_.columns);
      if (patch.view >= first_view && patch.view < first_view + in.nz && row >= rows.first && row < rows.end)
        in(static_cast<int>(patch.pixel % spec_.columns), row - rows.first, patch.view - first_view) =
            patch.value;
    }
    const std::vector<float> before(in.values().begin(), in.values().end());
    for (int n = 0; n < in.nz; ++n)
      for (int row = kept.first; row < kept.end; ++row)
        for (int column = 0; column < in.nx; ++column) {
          const Values values{before, rows, in.nx, in.ny, n};
          const int view = first_view + n;
          double value = offset_value(values, column, row);
          if (!spec_.view_offset.empty()) value += spec_.view_offset[static_cast<std::size_t>(view)];
          out(column, row - kept.first, n) = static_cast<float>(polynomial(value));
        }
  }

 private:
  struct Values {
    const std::vector<float>& all;
    geometry::Range rows;
    int columns, count, view;
    [[nodiscard]] double operator()(int column, int row) const {
      return all[(static_cast<std::size_t>(view) * count + (row - rows.first)) * columns + column];
    }
  };

  [[nodiscard]] std::int64_t pixel(int column, int row) const {
    return std::int64_t{row} * spec_.columns + column;
  }
  [[nodiscard]] double pixel_offset(int column, int row) const {
    return spec_.pixel_offset.empty() ? 0.0
                                      : spec_.pixel_offset[static_cast<std::size_t>(pixel(column, row))];
  }
  [[nodiscard]] bool is_bad(int column, int row) const {
    return std::ranges::binary_search(spec_.bad_pixels, pixel(column, row));
  }

  [[nodiscard]] double offset_value(const Values& values, int column, int row) const {
    const double own = values(column, row) + pixel_offset(column, row);
    if (!is_bad(column, row)) return own;
    for (int radius = 1; radius <= CorrectionSpec::reach; ++radius) {
      double sum = 0, weights = 0;
      int good = 0, all = 0;
      for (int r = row - radius; r <= row + radius; ++r)
        for (int c = column - radius; c <= column + radius; ++c) {
          if (c < 0 || c >= spec_.columns || r < 0 || r >= spec_.rows) continue;
          ++all;
          if (is_bad(c, r)) continue;
          ++good;
          if (r < values.rows.first || r >= values.rows.end) return values(column, row);  // has no halo
          const double weight = 1 / std::pow(std::hypot(c - column, r - row), 2);
          sum += weight * (values(c, r) + pixel_offset(c, r)), weights += weight;
        }
      if (2 * good >= all || (radius == CorrectionSpec::reach && good > 0)) return sum / weights;
    }
    return own;
  }

  [[nodiscard]] double polynomial(double value) const {
    if (spec_.polynomial.empty()) return value;
    double sum = 0, power = 1;
    for (const float coefficient : spec_.polynomial) sum += coefficient * power, power *= value;
    return sum;
  }

  CorrectionSpec spec_;
};

}  // namespace

std::unique_ptr<Correction> make_correction(const CorrectionSpec& spec) {
  return std::make_unique<ReferenceCorrection>(spec);
}

}  // namespace feldspar::kernels::reference
