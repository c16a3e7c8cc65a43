// Checks what a row extender is given and puts it into the numbers that CPU and CUDA compute with.
#pragma once

#include "kernels/row_extender.hpp"
#include "kernels/shared/extended_row.hpp"

namespace feldspar::kernels {

/// Throws Error(internal) when the blocks do not fit together or the model does not enclose the rows.
[[nodiscard]] ExtendedRows make_extended_rows(const RowExtension& how, int first_row,
                                              DeviceView3<const float> projections,
                                              const ModelSampling& sampling, DeviceView3<const float> model,
                                              DeviceView3<float> wide);

}  // namespace feldspar::kernels
