// A batch on a cluster: scripts for Slurm, submitted as job arrays, with the joins depending on their parts.
#pragma once

#include <map>

#include "cli/batch_task.hpp"

namespace feldspar::cli {

/// Plans every task that is neither done, running nor queued, writes the scripts into the batch's folder and,
/// unless `dry_run`, submits them. A scan that cannot be planned is recorded as failed and costs only itself.
/// Throws Error(io) when sbatch refuses, Error(unsupported) when there is none.
void submit(const Batch& batch, bool dry_run, bool restart);

/// What Slurm says of the tasks that were submitted and have not ended, by their names: "PENDING
/// (Resources)". Empty where nothing was submitted or Slurm is not there.
[[nodiscard]] std::map<std::string, std::string> queued_tasks(const Batch& batch);

}  // namespace feldspar::cli
