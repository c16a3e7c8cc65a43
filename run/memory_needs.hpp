// What a reconstruction will need of its memory budget, known from the geometry before a pixel is read.
#pragma once

#include "run/reconstruction.hpp"

namespace feldspar::run {

/// Throws Error(out_of_memory), naming the stage that needs most and the smallest --memory that suffices,
/// unless every search, correction and check that is asked for, and the smallest slabs, fit into the budget
/// of `work`, whose source and devices are open; returns what suffices. `known`: its plan has all answers
/// already; `verified`: the volume will be.
[[nodiscard]] std::size_t foresee_memory(const Reconstruction& work, bool known, bool verified);

/// The same of the slabs alone, once region and continuation of the rows are known, and before corrections
/// are measured.
void require_slabs(const Reconstruction& work);

}  // namespace feldspar::run
