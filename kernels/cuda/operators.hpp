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

/// How views are back-projected. All but `texture` interpolate in single precision.
enum class Method {
  blocks,       ///< neighbouring threads along z, from pairs of pixels (FdkBlock); needs a copy of 32 views
  half_blocks,  ///< the same with pixels rounded to half precision: 2^-11 of each
  columns,      ///< neighbouring threads along x, from the projections as they are (FdkColumn)
  texture       ///< as `columns`, by the texture unit, which rounds weights to 1/256; a copy of 64 views
};

[[nodiscard]] std::unique_ptr<Attenuation> make_attenuation(SharedQueue queue, const AttenuationSpec& spec);
[[nodiscard]] std::unique_ptr<Correction> make_correction(SharedQueue queue, const CorrectionSpec& spec);
[[nodiscard]] std::unique_ptr<Rectifier> make_rectifier(SharedQueue queue);
[[nodiscard]] std::unique_ptr<Filter> make_filter(SharedQueue queue, const FilterSpec& spec);
/// Views of a detector that is not upright (is_upright()) go by `columns` where `blocks` is asked for.
[[nodiscard]] std::unique_ptr<BackProjector> make_back_projector(SharedQueue queue, Method method,
                                                                 const BackProjectorSpec& spec);

[[nodiscard]] std::unique_ptr<ForwardProjector> make_forward_projector(SharedQueue queue);
[[nodiscard]] std::unique_ptr<RowExtender> make_row_extender(SharedQueue queue);

/// The number of rows of a block of projections. Throws Error(unsupported) beyond what one launch can take.
[[nodiscard]] std::int64_t lines_of(int rows, int views);

}  // namespace feldspar::kernels::cuda
