// The reference operators, one file each.
#pragma once

#include <memory>

#include "kernels/attenuation.hpp"
#include "kernels/back_projector.hpp"
#include "kernels/correction.hpp"
#include "kernels/filter.hpp"
#include "kernels/forward_projector.hpp"
#include "kernels/rectifier.hpp"
#include "kernels/row_extender.hpp"

namespace feldspar::kernels::reference {

[[nodiscard]] std::unique_ptr<Attenuation> make_attenuation(const AttenuationSpec& spec);
[[nodiscard]] std::unique_ptr<Correction> make_correction(const CorrectionSpec& spec);
[[nodiscard]] std::unique_ptr<Rectifier> make_rectifier();
[[nodiscard]] std::unique_ptr<Filter> make_filter(const FilterSpec& spec);
[[nodiscard]] std::unique_ptr<BackProjector> make_back_projector();
[[nodiscard]] std::unique_ptr<ForwardProjector> make_forward_projector();
[[nodiscard]] std::unique_ptr<RowExtender> make_row_extender();

}  // namespace feldspar::kernels::reference
