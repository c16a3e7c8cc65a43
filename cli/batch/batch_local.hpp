// A batch on one machine: so many tasks at once, each in a process of its own.
#pragma once

#include "cli/batch/batch_task.hpp"

namespace feldspar::cli {

struct LocalOptions {
  int at_once = 1;
  std::size_t memory = 0;  ///< bytes for all tasks together
  bool restart = false;
};

/// Does every task that is not done, parts before the volumes they make. A task that fails costs its own
/// volume only. Throws Error(cancelled) when interrupted, after the running tasks have stopped.
void run_locally(const Batch& batch, const LocalOptions& options);

/// Does one task, as a cluster's node does, and returns how it ended. Throws what starting it throws, and
/// Error(cancelled).
[[nodiscard]] TaskStatus run_one(const Batch& batch, const BatchTask& task, const TaskOptions& options);

}  // namespace feldspar::cli
