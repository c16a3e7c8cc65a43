// One task of a batch: a process that makes a volume, a part of one, or joins the parts. Its log and its
// outcome lie in the batch's folder, so that any process and node can tell how it stands.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/batch/batch_file.hpp"

namespace feldspar::cli {

struct BatchTask {
  const BatchJob* job = nullptr;
  int share = 0;  ///< from 1; 0 joins the parts
  std::string name;
  int edition = 0;  ///< of the parts: how often they were made again beside those of a finished volume

  [[nodiscard]] bool is_join() const { return share == 0; }
  [[nodiscard]] std::filesystem::path output() const;
  /// What the parts are called after. A joined volume refers to its parts: those that are to replace them
  /// get names of their own, so that it stays whole until the next is joined.
  [[nodiscard]] std::filesystem::path parts_of() const;
};

/// The tasks of all jobs; a join comes right after its parts. They refer to the batch.
[[nodiscard]] std::vector<BatchTask> tasks_of(const Batch& batch);

enum class TaskState { waiting, running, done, failed, interrupted };
[[nodiscard]] const char* name_of(TaskState state) noexcept;

struct TaskStatus {
  TaskState state = TaskState::waiting;
  int exit_code = 0;
  std::string reason;    ///< of a failure, one line
  double seconds = 0;    ///< of the run that ended
  std::size_t peak = 0;  ///< bytes of memory at its peak
  int warnings = 0;      ///< in its log, of the run that ended
};

/// Where what a task says goes.
[[nodiscard]] std::filesystem::path log_of(const Batch& batch, const BatchTask& task);

/// How a task stands, from its log (locked while it runs), its outcome and its output.
[[nodiscard]] TaskStatus status_of(const Batch& batch, const BatchTask& task);

struct TaskOptions {
  std::string memory;  ///< for tasks that leave it open; empty for recon's own default
  int threads = 0;     ///< for all tasks; 0 for recon's own default
};

/// A task that runs as a child of this process, and ends when this process does.
class RunningTask {
 public:
  /// Starts it. Throws Error(io), also when another process runs the same task.
  RunningTask(const Batch& batch, const BatchTask& task, const TaskOptions& options);

  /// Its status once it has ended, which is then also on the disk; nothing while it runs.
  [[nodiscard]] std::optional<TaskStatus> poll();
  /// Asks it to stop politely.
  void stop() const;
  [[nodiscard]] const BatchTask& task() const { return task_; }

 private:
  const Batch& batch_;
  const BatchTask& task_;
  pid_t process_ = -1;
  std::uintmax_t log_start_ = 0;
  double start_s_ = 0;
};

/// Writes an outcome of a task that was never started: its plan failed, or its parts did.
TaskStatus record_failure(const Batch& batch, const BatchTask& task, int exit_code,
                          const std::string& reason);

/// Takes an earlier outcome back, for a task that is about to be done again.
void forget_outcome(const Batch& batch, const BatchTask& task);

/// Writes a small file whole at once, so that who reads meanwhile sees the old one or the new one. One that
/// holds the text already is left alone. Throws Error(io).
void write_file(const std::filesystem::path& path, const std::string& text);

/// Writes the options of every job where its tasks read them, and makes the folders. What is there already
/// stays as it is.
void prepare_folder(const Batch& batch);

/// Notes that every task is to be done again, whatever process does it. A finished volume stays until the new
/// one takes its place. Throws Error(usage) while a task runs.
void begin_again(const Batch& batch);

/// What a `feldspar` process is called with to do the task.
[[nodiscard]] std::vector<std::string> arguments_of(const Batch& batch, const BatchTask& task,
                                                    const TaskOptions& options);

}  // namespace feldspar::cli
