#include "cli/batch/batch_local.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <list>
#include <thread>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/parallel.hpp"
#include "base/units.hpp"
#include "cli/console.hpp"

namespace feldspar::cli {
namespace {

constexpr auto pause = std::chrono::milliseconds(5);  // between looks at the processes

class LocalRun {
 public:
  LocalRun(const Batch& batch, const LocalOptions& options)
      : batch_(batch), options_(options), share_(options.memory / static_cast<std::size_t>(options.at_once)) {
    started_.memory = fmt::format("{}B", share_);
    started_.threads = std::max(1, usable_processors() / options.at_once);
  }

  void run() {
    const std::vector<BatchTask> tasks = tasks_of(batch_);
    for (const BatchTask& task : tasks)
      if (status_of(batch_, task).state != TaskState::done) waiting_.push_back(&task);
    total_ = waiting_.size();
    while (!running_.empty() || (!waiting_.empty() && !stopping_)) {
      if (!stopping_) start_what_fits();
      collect();
      if (interrupted() && !stopping_) stop();
      std::this_thread::sleep_for(pause);
    }
    if (stopping_) throw Error(ErrorKind::cancelled, "stopped; the same command goes on");
  }

 private:
  [[nodiscard]] std::size_t need_of(const BatchTask& task) const {
    return task.is_join() || task.job->memory.empty() ? share_ : parse_bytes(task.job->memory, "memory");
  }

  /// Some part of the volume is not made yet.
  [[nodiscard]] bool waits_for_parts(const BatchTask& task) const {
    const auto is_part = [&](const BatchTask* other) { return other->job == task.job && !other->is_join(); };
    return task.is_join() && (std::any_of(waiting_.begin(), waiting_.end(), is_part) ||
                              std::any_of(running_.begin(), running_.end(),
                                          [&](const RunningTask& other) { return is_part(&other.task()); }));
  }

  void start_what_fits() {
    for (auto next = waiting_.begin(); next != waiting_.end();) {
      const BatchTask& task = **next;
      const bool fits = running_.empty() || (static_cast<int>(running_.size()) < options_.at_once &&
                                             used_ + need_of(task) <= options_.memory);
      if (!fits) return;
      if (waits_for_parts(task)) {
        ++next;
        continue;
      }
      next = waiting_.erase(next);
      start(task);
    }
  }

  void start(const BatchTask& task) {
    try {
      running_.emplace_back(batch_, task, started_);
      used_ += need_of(task);
    } catch (const Error& error) {
      ++ended_;
      log_warning(fmt::format("{}: not started: {}", task.name, error.what()));
    }
  }

  void collect() {
    for (auto task = running_.begin(); task != running_.end();) {
      const auto status = task->poll();
      if (!status) {
        ++task;
        continue;
      }
      used_ -= need_of(task->task());
      ++ended_;
      log_info(fmt::format("[{}/{}] {} {} in {}{}{}", ended_, total_, task->task().name,
                           name_of(status->state), format_seconds(status->seconds),
                           status->reason.empty() ? "" : ": ", status->reason));
      task = running_.erase(task);
    }
  }

  void stop() {
    stopping_ = true;
    log_info(fmt::format("stopping {} tasks", running_.size()));
    for (const RunningTask& task : running_) task.stop();
  }

  const Batch& batch_;
  const LocalOptions& options_;
  std::size_t share_;
  TaskOptions started_;
  std::list<const BatchTask*> waiting_;
  std::list<RunningTask> running_;
  std::size_t used_ = 0, ended_ = 0, total_ = 0;
  bool stopping_ = false;
};

}  // namespace

void run_locally(const Batch& batch, const LocalOptions& options) {
  catch_interrupts();
  prepare_folder(batch);
  if (options.restart) begin_again(batch);
  LocalRun(batch, options).run();
}

TaskStatus run_one(const Batch& batch, const BatchTask& task, const TaskOptions& options) {
  catch_interrupts();
  RunningTask running(batch, task, options);
  for (bool stopping = false;;) {
    if (const auto status = running.poll()) return *status;
    if (interrupted() && !stopping) {
      stopping = true;
      running.stop();
    }
    std::this_thread::sleep_for(pause);
  }
}

}  // namespace feldspar::cli
