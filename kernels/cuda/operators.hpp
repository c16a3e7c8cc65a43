// The operators of the CUDA backend, all working on one queue.
#pragma once

#include <memory>

#include "kernels/attenuation.hpp"
#include "kernels/back_projector.hpp"
#include "kernels/correction.hpp"
#include "kernels/cuda/resources.hpp"
#include "kernels/filter.hpp"
#include "kernels/forward_projector.hpp"
#include "kernels/rectifier.hpp"
#include "kernels/row_extender.hpp"

namespace feldspar::kernels::cuda {

using SharedQueue = std::shared_ptr<const Queue>;

/// Who interpolates in a projection: `exact` the kernel in single precision; `texture` the texture unit,
/// which rounds the weights to 1/256 of a pixel and needs a copy of up to 64 projections.
enum class Interpolation { exact, texture };

[[nodiscard]] std::unique_ptr<Attenuation> make_attenuation(SharedQueue queue, const AttenuationSpec& spec);
[[nodiscard]] std::unique_ptr<Correction> make_correction(SharedQueue queue, const CorrectionSpec& spec);
[[nodiscard]] std::unique_ptr<Rectifier> make_rectifier(SharedQueue queue);
[[nodiscard]] std::unique_ptr<Filter> make_filter(SharedQueue queue, const FilterSpec& spec);
[[nodiscard]] std::unique_ptr<BackProjector> make_back_projector(SharedQueue queue,
                                                                 Interpolation interpolation, double radius);

[[nodiscard]] std::unique_ptr<ForwardProjector> make_forward_projector(SharedQueue queue);
[[nodiscard]] std::unique_ptr<RowExtender> make_row_extender(SharedQueue queue);

/// The number of rows of a block of projections. Throws Error(unsupported) beyond what one launch can take.
[[nodiscard]] std::int64_t lines_of(int rows, int views);

}  // namespace feldspar::kernels::cuda
