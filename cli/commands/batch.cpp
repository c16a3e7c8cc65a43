// `feldspar batch`: many scans, on this machine or on a cluster, and how they stand.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/units.hpp"
#include "cli/batch/batch_files.hpp"
#include "cli/batch/batch_local.hpp"
#include "cli/batch/batch_slurm.hpp"
#include "cli/commands.hpp"
#include "run/workshop.hpp"

namespace feldspar::cli {
namespace {

struct BatchOptions {
  std::filesystem::path file;
  int local = 0;
  std::string memory;
  int threads = 0;
  bool slurm = false;
  bool dry_run = false;
  bool restart = false;
  bool json = false;
  std::string task;
};

/// How a volume stands: its last task decides, or the first part that failed.
struct JobStatus {
  const BatchJob* job = nullptr;
  std::string state;
  TaskStatus task;
  int parts_done = 0;
  std::filesystem::path log = {};  ///< of that task
};

/// What Slurm knows of a task that neither runs nor is done.
void see_queue(const SubmittedTasks& submitted, const BatchTask& task, TaskStatus& now) {
  if (now.state == TaskState::done || now.state == TaskState::running) return;
  if (const auto queued = submitted.queued.find(task.name); queued != submitted.queued.end())
    now = {TaskState::waiting, 0, queued->second};
  else if (const auto gone = submitted.gone.find(task.name);
           now.state == TaskState::waiting && gone != submitted.gone.end())
    now = {TaskState::interrupted, 0,
           "ended without an outcome, and Slurm no longer has it: it was job " + gone->second};
}

std::vector<JobStatus> statuses_of(const Batch& batch) {
  const std::vector<BatchTask> tasks = tasks_of(batch);
  const SubmittedTasks submitted = submitted_tasks(batch);
  std::vector<JobStatus> all;
  for (const BatchJob& job : batch.jobs) {
    JobStatus status{&job, {}, {}, 0};
    std::size_t peak = 0;
    double seconds = 0;
    int warnings = 0;
    bool any_running = false, any_failed = false;
    for (const BatchTask& task : tasks) {
      if (task.job != &job) continue;
      TaskStatus now = status_of(batch, task);
      see_queue(submitted, task, now);
      peak = std::max(peak, now.peak);
      seconds += now.seconds;
      warnings += now.warnings;
      status.parts_done += !task.is_join() && now.state == TaskState::done;
      any_running = any_running || now.state == TaskState::running;
      if (any_failed) continue;
      any_failed = now.state == TaskState::failed;
      status.task = now;
      status.log = log_of(batch, task);
    }
    status.task.peak = peak;
    status.task.seconds = seconds;
    status.task.warnings = warnings;
    if (any_running && status.task.state != TaskState::failed) status.task.state = TaskState::running;
    status.state = name_of(status.task.state);
    all.push_back(status);
  }
  return all;
}

std::string summary_of(const std::vector<JobStatus>& all) {
  const auto count = [&](TaskState state) {
    return std::count_if(all.begin(), all.end(),
                         [&](const JobStatus& one) { return one.task.state == state; });
  };
  std::string text = fmt::format("{} of {} volumes done", count(TaskState::done), all.size());
  for (const TaskState state :
       {TaskState::running, TaskState::failed, TaskState::interrupted, TaskState::waiting})
    if (count(state) > 0) text += fmt::format(", {} {}", count(state), name_of(state));
  std::size_t peak = 0;
  for (const JobStatus& one : all) peak = std::max(peak, one.task.peak);
  const auto warned = std::count_if(all.begin(), all.end(), [](const JobStatus& one) {
    return one.task.state == TaskState::done && one.task.warnings > 0;
  });
  if (warned > 0) text += fmt::format("; {} done with warnings, in their logs", warned);
  if (peak > 0) text += fmt::format("; at most {} for one task", format_bytes(peak));
  return text;
}

/// One line a job; only those that are not done where `brief`.
std::string text_of(const JobStatus& one) {
  const bool done = one.task.state == TaskState::done;
  std::string text = done
                         ? fmt::format("{} in {}", one.job->output.string(), format_seconds(one.task.seconds))
                         : one.task.reason;
  if (done && one.task.warnings > 0)
    text += fmt::format(", {} warning{}; log: {}", one.task.warnings, one.task.warnings == 1 ? "" : "s",
                        one.log.string());
  if (one.job->shares > 1 && !done)
    text = fmt::format("{} of {} parts{}{}", one.parts_done, one.job->shares, text.empty() ? "" : "; ", text);
  if (one.task.state == TaskState::failed)
    text += fmt::format(" (exit code {}; log: {})", one.task.exit_code, one.log.string());
  return text;
}

void print(const std::vector<JobStatus>& all, bool brief) {
  std::size_t width = 0;
  for (const JobStatus& one : all) width = std::max(width, one.job->name.size());
  for (const JobStatus& one : all) {
    if (brief && one.task.state == TaskState::done) continue;
    std::cout << fmt::format("{:{}}  {:11}  {}\n", one.job->name, width, one.state, text_of(one));
  }
  std::cout << summary_of(all) << '\n';
}

void print_json(const std::vector<JobStatus>& all) {
  nlohmann::json jobs = nlohmann::json::array();
  for (const JobStatus& one : all)
    jobs.push_back({{"name", one.job->name},
                    {"output", one.job->output.string()},
                    {"state", one.state},
                    {"parts", one.job->shares},
                    {"parts_done", one.parts_done},
                    {"exit_code", one.task.exit_code},
                    {"reason", one.task.reason},
                    {"seconds", one.task.seconds},
                    {"peak_bytes", one.task.peak},
                    {"warnings", one.task.warnings},
                    {"log", one.log.string()}});
  std::cout << jobs.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
}

void run_here(const Batch& batch, const BatchOptions& options) {
  const std::size_t memory =
      options.memory.empty() ? run::default_memory() : parse_bytes(options.memory, "--memory");
  run_locally(batch, {options.local, memory, options.restart});
  const auto all = statuses_of(batch);
  if (options.json)
    print_json(all);
  else
    print(all, true);
  const auto failed = std::find_if(all.begin(), all.end(),
                                   [](const JobStatus& one) { return one.task.state != TaskState::done; });
  if (failed != all.end())
    throw Error(static_cast<ErrorKind>(std::max(1, failed->task.exit_code)),
                "not every volume was made; once the cause is gone, the same command does what is left");
}

void run(const Batch& batch, const BatchOptions& options) {
  if ((options.local > 0) == options.slurm)
    throw Error(ErrorKind::usage, "where? give --local N for N tasks at once on this machine, or --slurm");
  io::check_outputs(files_of(batch));
  if (options.slurm) {
    submit(batch, options.dry_run, options.restart);
  } else if (options.dry_run) {
    for (const BatchTask& task : tasks_of(batch))
      std::cout << fmt::format("{}  {}\n", name_of(status_of(batch, task).state), task.output().string());
  } else {
    run_here(batch, options);
  }
}

void run_task(const Batch& batch, const BatchOptions& options) {
  const auto tasks = tasks_of(batch);
  const auto task = std::find_if(tasks.begin(), tasks.end(),
                                 [&](const BatchTask& one) { return one.name == options.task; });
  if (task == tasks.end())
    throw Error(ErrorKind::usage, fmt::format("{}: has no task '{}'", batch.file.string(), options.task));
  const TaskStatus status = run_one(batch, *task, {options.memory, options.threads});
  if (status.state != TaskState::done)
    throw Error(static_cast<ErrorKind>(status.exit_code), fmt::format("{}: {}", task->name, status.reason));
}

void add_status(CLI::App& command, const std::shared_ptr<BatchOptions>& options, const CLI::App& recon) {
  CLI::App* status = command.add_subcommand("status", "Say what is done, running, failed, and why");
  status->add_option("jobs", options->file, "The description of the jobs, a TOML file")->required();
  status->add_flag("--json", options->json, "Print it as JSON");
  status->footer("Example: feldspar batch status jobs.toml");
  status->callback([options, &recon] {
    const Batch batch = read_batch(options->file, recon);
    const auto all = statuses_of(batch);
    if (options->json)
      print_json(all);
    else
      print(all, false);
  });
}

void add_task(CLI::App& command, const std::shared_ptr<BatchOptions>& options, const CLI::App& recon) {
  CLI::App* task = command.add_subcommand("task", "Do one task here, as the scripts for Slurm do");
  task->add_option("jobs", options->file, "The description of the jobs, a TOML file")->required();
  task->add_option("task", options->task, "Its name, as that of its log")->required();
  task->add_option("--memory", options->memory, "Most memory for it, where its job leaves that open");
  task->add_option("--threads", options->threads, "Threads for it");
  task->footer("Example: feldspar batch task jobs.toml cell01.part-3-of-4");
  task->callback([options, &recon] { run_task(read_batch(options->file, recon), *options); });
}

}  // namespace

void add_batch_command(CLI::App& program) {
  auto options = std::make_shared<BatchOptions>();
  CLI::App* command = program.add_subcommand("batch", "Reconstruct many scans, here or on a Slurm cluster");
  const CLI::App& recon = *program.get_subcommand("recon");
  command->footer(
      "Examples: feldspar batch jobs.toml --local 4\n          feldspar batch jobs.toml --slurm\n"
      "          feldspar batch status jobs.toml");
  command->add_option("jobs", options->file, "The description of the jobs, a TOML file (docs/batch.md)");
  command->add_option("--local", options->local, "On this machine, so many tasks at once")
      ->check(CLI::Range(1, 1000));
  command->add_option("--memory", options->memory,
                      "With --local: most memory for all tasks together; default: 3/4 of what is free");
  command->add_flag("--slurm", options->slurm, "Write job arrays for Slurm and submit them");
  command->add_flag("--dry-run", options->dry_run, "Write the scripts or list the tasks, and stop");
  command->add_flag("--restart", options->restart, "Begin again instead of going on with what is there");
  command->add_flag("--json", options->json, "Print the summary as JSON");
  add_status(*command, options, recon);
  add_task(*command, options, recon);
  command->callback([command, options, &recon] {
    if (!command->get_subcommands().empty()) return;
    if (options->file.empty())
      throw Error(ErrorKind::usage, "which jobs? name the TOML file that describes them");
    run(read_batch(options->file, recon), *options);
  });
}

}  // namespace feldspar::cli
