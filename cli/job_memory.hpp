// What a job will need of its memory budget, known from the geometry before a pixel is read.
#pragma once

#include "cli/job.hpp"

namespace feldspar::cli {

/// Throws Error(out_of_memory), naming the stage that needs most and the smallest --memory that suffices,
/// unless every search, correction and check that the options ask for, and the smallest slabs, fit into the
/// budget of `job`, whose source and devices are open; returns what suffices. `stated` is the scan before
/// anything was looked for.
[[nodiscard]] std::size_t foresee_memory(const JobOptions& options, const Job& job,
                                         const geometry::CircularScan& stated);

/// The same of the slabs alone, once region and continuation of the rows are known, and before corrections
/// are measured.
void require_slabs(const JobOptions& options, const Job& job);

}  // namespace feldspar::cli
