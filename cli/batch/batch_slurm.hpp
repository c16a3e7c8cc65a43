// A batch on a cluster: scripts for Slurm, submitted as job arrays, with the joins depending on their parts.
#pragma once

#include <map>

#include "cli/batch/batch_task.hpp"

namespace feldspar::cli {

/// Plans every task that is neither done, running nor queued, writes the scripts into the batch's folder and,
/// unless `dry_run`, submits them. A scan that cannot be planned is recorded as failed and costs only itself.
/// Throws Error(io) when sbatch refuses or the queue cannot be asked, Error(unsupported) when there is no
/// sbatch, Error(usage) for a restart of tasks that are running or queued, Error(cancelled).
void submit(const Batch& batch, bool dry_run, bool restart);

/// The tasks that were submitted, by their names.
struct SubmittedTasks {
  bool known = true;  ///< false when Slurm could not be asked: then nothing is known of any
  std::map<std::string, std::string> queued;  ///< what Slurm says of it: "PENDING (Resources)"
  std::map<std::string, std::string> gone;    ///< its id and log, of one that Slurm no longer has
};
[[nodiscard]] SubmittedTasks submitted_tasks(const Batch& batch);

}  // namespace feldspar::cli
