#include <algorithm>
#include <cmath>
#include <numbers>

#include "kernels/reference/operators.hpp"

namespace feldspar::kernels::reference {
namespace {

/// One row and its model, both as functions of the detector's column.
struct Row {
  View3<const float> projections, model;
  ModelSampling sampling;
  int first_row, row, view;

  [[nodiscard]] double model_at(int column) const {
    const double x = static_cast<double>(column - sampling.first_column) / sampling.step;
    const double y = static_cast<double>(first_row + row) / sampling.step - sampling.first_row;
    double sum = 0;
    for (int j = 0; j < model.ny; ++j)
      for (int i = 0; i < model.nx; ++i) {
        const double weight = std::max(0.0, 1 - std::abs(x - i)) * std::max(0.0, 1 - std::abs(y - j));
        if (weight > 0) sum += weight * model(i, j, view);
      }
    return sum;
  }

  [[nodiscard]] double missing(const RowExtension& how, int column) const {
    const bool at_right = column >= how.measured.end;
    const int first = at_right ? how.measured.end - how.edge : how.measured.first;
    double level = 0, expected = 0;
    for (int c = first; c < first + how.edge; ++c)
      level += static_cast<double>(projections(c, row, view)) / how.edge, expected += model_at(c) / how.edge;
    const double scale = how.scale_to_edge ? level / std::max(expected, how.least_level) : 1;
    const double distance = at_right ? column - how.measured.end + 1 : how.measured.first - column;
    const double taper = distance < how.reach ? std::cos(std::numbers::pi / 2 * distance / how.reach) : 0;
    return scale * model_at(column) + (level - scale * expected) * taper * taper;
  }
};

class ReferenceRowExtender final : public RowExtender {
 public:
  void extend(const RowExtension& how, int first_row, DeviceView3<const float> projections,
              const ModelSampling& sampling, DeviceView3<const float> model,
              DeviceView3<float> wide) override {
    const View3<const float> in{projections.data, projections.nx, projections.ny, projections.nz};
    const View3<float> out{wide.data, wide.nx, wide.ny, wide.nz};
    for (int view = 0; view < in.nz; ++view)
      for (int row = 0; row < in.ny; ++row) {
        const Row line{in, {model.data, model.nx, model.ny, model.nz}, sampling, first_row, row, view};
        for (int column = -how.left; column < in.nx + how.right; ++column) {
          const bool measured = column >= how.measured.first && column < how.measured.end;
          out(how.left + column, row, view) =
              measured ? in(column, row, view) : static_cast<float>(line.missing(how, column));
        }
      }
  }

  void crop(const RowExtension& how, DeviceView3<const float> wide, DeviceView3<float> projections) override {
    const View3<const float> in{wide.data, wide.nx, wide.ny, wide.nz};
    const View3<float> out{projections.data, projections.nx, projections.ny, projections.nz};
    for (int view = 0; view < out.nz; ++view)
      for (int row = 0; row < out.ny; ++row)
        for (int column = 0; column < out.nx; ++column)
          out(column, row, view) = in(how.left + column, row, view);
  }
};

}  // namespace

std::unique_ptr<RowExtender> make_row_extender() { return std::make_unique<ReferenceRowExtender>(); }

}  // namespace feldspar::kernels::reference
