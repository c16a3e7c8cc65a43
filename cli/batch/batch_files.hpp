// What all tasks of a batch read and write, so that none writes what another reads.
#pragma once

#include "cli/batch/batch_file.hpp"
#include "io/output_rule.hpp"

namespace feldspar::cli {

/// For io::check_outputs(), before the first task: volumes that are there may be those of an earlier run.
[[nodiscard]] io::RunFiles files_of(const Batch& batch);

}  // namespace feldspar::cli
