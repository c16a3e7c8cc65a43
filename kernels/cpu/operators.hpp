// The CPU operators, one file each, and what they share.
#pragma once

#include <memory>

#include "base/parallel.hpp"
#include "kernels/attenuation.hpp"
#include "kernels/back_projector.hpp"
#include "kernels/correction.hpp"
#include "kernels/cpu/simd.hpp"
#include "kernels/filter.hpp"
#include "kernels/forward_projector.hpp"
#include "kernels/rectifier.hpp"
#include "kernels/row_extender.hpp"
#include "kernels/view_matrix.hpp"

namespace feldspar::kernels::cpu {

/// What an opened CPU backend computes with; outlives its operators.
struct Machine {
  const SimdKernels* simd;
  ThreadPool pool;
  MemoryBudget* budget;
};

[[nodiscard]] std::unique_ptr<Attenuation> make_attenuation(Machine& machine, const AttenuationSpec& spec);
[[nodiscard]] std::unique_ptr<Correction> make_correction(Machine& machine, const CorrectionSpec& spec);
[[nodiscard]] std::unique_ptr<Rectifier> make_rectifier(Machine& machine);
[[nodiscard]] std::unique_ptr<Filter> make_filter(Machine& machine, const FilterSpec& spec);
[[nodiscard]] std::unique_ptr<BackProjector> make_back_projector(Machine& machine,
                                                                 const BackProjectorSpec& spec);
[[nodiscard]] std::unique_ptr<ForwardProjector> make_forward_projector(Machine& machine);
[[nodiscard]] std::unique_ptr<RowExtender> make_row_extender(Machine& machine);

/// Back-projection for any geometry, voxel by voxel: what the column kernel does not take.
void accumulate_general(Machine& machine, std::span<const ExactViewMatrix> views, geometry::Range rows,
                        View3<const float> projections, geometry::Range slices, View3<float> volume);

/// A view of host memory that an operator was given.
template <class T>
[[nodiscard]] View3<T> on_host(DeviceView3<T> view) {
  return {view.data, view.nx, view.ny, view.nz};
}

}  // namespace feldspar::kernels::cpu
