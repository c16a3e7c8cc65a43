#include "kernels/extended_rows.hpp"

#include "base/error.hpp"

namespace feldspar::kernels {

ExtendedRows make_extended_rows(const RowExtension& how, int first_row, DeviceView3<const float> projections,
                                const ModelSampling& sampling, DeviceView3<const float> model,
                                DeviceView3<float> wide) {
  expects(wide.nx == how.left + projections.nx + how.right && wide.ny == projections.ny &&
              wide.nz == projections.nz && model.nz == projections.nz,
          "row extender: the blocks are not of the same rows and views");
  expects(how.edge > 0 && how.measured.first >= 0 && how.measured.end <= projections.nx &&
              how.edge <= how.measured.count(),
          "row extender: the edges reach beyond what was measured");
  const auto encloses = [&](int first, int count, int lowest, int highest) {
    return first <= lowest && first + (count - 1) * sampling.step > highest;
  };
  expects(
      encloses(sampling.first_column, model.nx, -how.left, projections.nx + how.right - 1) &&
          encloses(sampling.first_row * sampling.step, model.ny, first_row, first_row + projections.ny - 1),
      "row extender: the model does not enclose the rows");
  return {.projections = projections.data,
          .columns = projections.nx,
          .rows = projections.ny,
          .first_row = first_row,
          .model = model.data,
          .model_columns = model.nx,
          .model_rows = model.ny,
          .model_first_column = sampling.first_column,
          .model_first_row = sampling.first_row,
          .step = sampling.step,
          .measured_first = how.measured.first,
          .measured_end = how.measured.end,
          .left = how.left,
          .right = how.right,
          .edge = how.edge,
          .reach = static_cast<float>(how.reach),
          .scale_to_edge = how.scale_to_edge,
          .least_level = static_cast<float>(how.least_level)};
}

}  // namespace feldspar::kernels
