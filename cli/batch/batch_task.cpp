#include "cli/batch/batch_task.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/error.hpp"
#include "cli/batch/child.hpp"
#include "io/content_hash.hpp"
#include "io/hdf5/volume_mark.hpp"
#include "io/partial_file.hpp"
#include "run/share.hpp"

namespace feldspar::cli {
namespace {

namespace fs = std::filesystem;

fs::path outcome_of(const Batch& batch, const BatchTask& task) {
  return batch.folder / (task.name + ".outcome");
}
/// There while the task is to be done again although its output exists.
fs::path again_of(const Batch& batch, const BatchTask& task) { return batch.folder / (task.name + ".again"); }
fs::path edition_of(const Batch& batch, const BatchJob& job) {
  return batch.folder / (job.name + ".edition");
}
fs::path config_of(const Batch& batch, const BatchJob& job) { return batch.folder / (job.name + ".toml"); }

double now_s() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// What the outcome of a task belongs to: one of other options is none.
std::string identity_of(const BatchTask& task) {
  const BatchJob& job = *task.job;
  return io::text_hash(fmt::format("{}\n{}{}/{}", job.scan.string(), job.config, task.share, job.shares));
}

std::string text_of(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

void write_outcome(const Batch& batch, const BatchTask& task, const TaskStatus& status) {
  write_file(outcome_of(batch, task), nlohmann::json{{"identity", identity_of(task)},
                                                     {"exit_code", status.exit_code},
                                                     {"reason", status.reason},
                                                     {"seconds", status.seconds},
                                                     {"peak_bytes", status.peak},
                                                     {"warnings", status.warnings}}
                                              .dump(2, ' ', false, nlohmann::json::error_handler_t::replace) +
                                          "\n");
}

TaskState state_of(int exit_code) {
  if (exit_code == 0) return TaskState::done;
  return exit_code == static_cast<int>(ErrorKind::cancelled) ? TaskState::interrupted : TaskState::failed;
}

std::optional<TaskStatus> read_outcome(const Batch& batch, const BatchTask& task) {
  std::ifstream file(outcome_of(batch, task));
  if (!file) return std::nullopt;
  const auto outcome = nlohmann::json::parse(file, nullptr, false);
  if (!outcome.is_object() || outcome.value("identity", "") != identity_of(task)) return std::nullopt;
  TaskStatus status;
  status.exit_code = outcome.value("exit_code", 1);
  status.state = state_of(status.exit_code);
  status.reason = outcome.value("reason", "");
  status.seconds = outcome.value("seconds", 0.0);
  status.peak = outcome.value("peak_bytes", std::size_t{0});
  status.warnings = outcome.value("warnings", 0);
  return status;
}

/// True while a process has the log, which is its stderr, locked.
bool is_running(const fs::path& log) {
  const int file = ::open(log.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  const bool locked = ::flock(file, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  (void)::close(file);
  return locked;
}

/// What a task wrote since `start`: its last error, else its last line, and how often it warned.
struct Words {
  std::string last;
  int warnings = 0;
};

Words words_of(const fs::path& log, std::uintmax_t start) {
  std::ifstream file(log);
  file.seekg(static_cast<std::streamoff>(start));
  std::string last, error;
  int warnings = 0;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty()) last = line;
    if (line.starts_with("error: ")) error = line.substr(7);
    warnings += line.starts_with("warning: ");
  }
  return {error.empty() ? last : error, warnings};
}

TaskStatus status_from(int wait_status, const Words& words) {
  TaskStatus status;
  status.warnings = words.warnings;
  if (WIFEXITED(wait_status)) {
    status.exit_code = WEXITSTATUS(wait_status);
    if (status.exit_code != 0) status.reason = words.last;
  } else {
    const int signal = WTERMSIG(wait_status);
    status.exit_code = static_cast<int>(ErrorKind::internal);
    status.reason = fmt::format("ended by signal {} ({}){}", signal, ::strsignal(signal),
                                signal == SIGKILL ? ", perhaps because the machine ran out of memory" : "");
  }
  status.state = state_of(status.exit_code);
  return status;
}

bool is_to_be_made_again(const Batch& batch, const BatchTask& task) {
  std::error_code ignored;
  return fs::exists(again_of(batch, task), ignored);
}

/// What may be replaced: nothing but a volume of this program that is to be made again.
bool may_replace(const Batch& batch, const BatchTask& task) {
  return is_to_be_made_again(batch, task) && io::is_volume(task.output());
}

/// The parts that the joined volume referred to before it was made again.
void remove_earlier_parts(const BatchTask& join) {
  std::error_code ignored;
  BatchTask part = join;
  fs::remove(join.parts_of() += ".plan", ignored);  // by which the parts of this edition were made
  for (part.edition = 0; part.edition < join.edition; ++part.edition)
    for (part.share = 1; part.share <= part.job->shares; ++part.share)
      for (const char* kind : {"", ".partial", ".journal"}) fs::remove(part.output() += kind, ignored);
}

}  // namespace

fs::path log_of(const Batch& batch, const BatchTask& task) { return batch.folder / (task.name + ".log"); }

const char* name_of(TaskState state) noexcept {
  switch (state) {
    case TaskState::waiting: return "waiting";
    case TaskState::running: return "running";
    case TaskState::done: return "done";
    case TaskState::failed: return "failed";
    case TaskState::interrupted: return "interrupted";
  }
  return "";
}

fs::path BatchTask::output() const {
  return is_join() ? job->output : run::part_path(parts_of(), {share, job->shares});
}

fs::path BatchTask::parts_of() const {
  if (edition == 0) return job->output;
  fs::path other = job->output;
  return other.replace_filename(
      fmt::format("{}.again-{}{}", other.stem().string(), edition, other.extension().string()));
}

std::vector<BatchTask> tasks_of(const Batch& batch) {
  std::vector<BatchTask> tasks;
  for (const BatchJob& job : batch.jobs) {
    int edition = 0;
    if (job.shares > 1) std::ifstream(edition_of(batch, job)) >> edition;
    for (int share = 1; share <= job.shares; ++share)
      tasks.push_back(
          {&job, share, run::part_path(job.name + ".h5", {share, job.shares}).stem().string(), edition});
    if (job.shares > 1) tasks.push_back({&job, 0, job.name, edition});
  }
  return tasks;
}

TaskStatus status_of(const Batch& batch, const BatchTask& task) {
  const fs::path log = log_of(batch, task);
  if (is_running(log)) return {TaskState::running, 0, {}};
  std::error_code ignored;
  if (auto outcome = read_outcome(batch, task)) {
    if (outcome->state != TaskState::done || fs::exists(task.output(), ignored)) return *outcome;
    return {};  // its output was removed: it is to be done again
  }
  if (is_to_be_made_again(batch, task)) return {TaskState::waiting, 0, "to be made again"};
  if (fs::exists(outcome_of(batch, task), ignored) || !fs::exists(log, ignored)) return {};
  return {TaskState::interrupted, 0, "ended without an outcome: killed, or its machine stopped"};
}

void write_file(const fs::path& path, const std::string& text) {
  std::error_code error;
  if (fs::is_regular_file(path, error) && text_of(path) == text) return;
  fs::path fresh = path;
  fresh += fmt::format(".{}", ::getpid());
  fs::remove(fresh, error);  // of a process that had this number and was killed
  io::write_new_file(fresh, text);
  fs::rename(fresh, path, error);
  if (error) throw Error(ErrorKind::io, fmt::format("{}: cannot be written", path.string()));
}

void prepare_folder(const Batch& batch) {
  fs::create_directories(batch.folder);
  for (const BatchJob& job : batch.jobs) {
    fs::create_directories(job.output.parent_path());
    write_file(config_of(batch, job), job.config);
  }
}

void begin_again(const Batch& batch) {
  const std::vector<BatchTask> tasks = tasks_of(batch);
  for (const BatchTask& task : tasks)
    if (is_running(log_of(batch, task)))
      throw Error(ErrorKind::usage,
                  fmt::format("--restart: {} is running; stop it first, or wait for it", task.name));
  for (const BatchTask& task : tasks) write_file(again_of(batch, task), "again\n");
  for (const BatchTask& task : tasks) {  // in this order no crash lets a new part pass for an old one's
    if (!task.is_join()) continue;
    forget_outcome(batch, task);
    std::error_code ignored;
    if (fs::exists(task.output(), ignored))
      write_file(edition_of(batch, *task.job), fmt::format("{}\n", task.edition + 1));
  }
  for (const BatchTask& task : tasks) forget_outcome(batch, task);
}

std::vector<std::string> arguments_of(const Batch& batch, const BatchTask& task, const TaskOptions& options) {
  const BatchJob& job = *task.job;
  if (task.is_join()) {
    std::vector<std::string> words{"join", "-o", job.output.string()};
    if (may_replace(batch, task)) words.emplace_back("--overwrite");
    for (int share = 1; share <= job.shares; ++share)
      words.push_back(run::part_path(task.parts_of(), {share, job.shares}).string());
    return words;
  }
  std::vector<std::string> words{"recon",           "--config", config_of(batch, job).string(), "--scan",
                                 job.scan.string(), "-o",       task.parts_of().string()};
  if (may_replace(batch, task)) words.emplace_back("--overwrite");
  if (!is_to_be_made_again(batch, task)) words.emplace_back("--resume");
  if (job.shares > 1) words.push_back(fmt::format("--slabs={}/{}", task.share, job.shares));
  if (job.memory.empty() && !options.memory.empty()) words.push_back("--memory=" + options.memory);
  if (options.threads > 0) words.push_back(fmt::format("--threads={}", options.threads));
  return words;
}

RunningTask::RunningTask(const Batch& batch, const BatchTask& task, const TaskOptions& options)
    : batch_(batch), task_(task), start_s_(now_s()) {
  const fs::path path = log_of(batch, task);
  const int log = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (log < 0)
    throw Error(ErrorKind::io, fmt::format("{}: cannot be written: {}", path.string(), std::strerror(errno)));
  if (::flock(log, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    (void)::close(log);
    throw Error(ErrorKind::io, fmt::format("{}: another process does this task", path.string()));
  }
  forget_outcome(batch, task);
  log_start_ = fs::file_size(path);
  std::vector<std::string> words = arguments_of(batch, task, options);
  words.insert(words.begin(), own_program());
  process_ = start_child(std::move(words), log, log);  // the lock lives as long as its descriptors do
  const int error = errno;
  (void)::close(log);
  if (process_ < 0)
    throw Error(ErrorKind::io, fmt::format("{}: cannot be started: {}", task.name, std::strerror(error)));
}

std::optional<TaskStatus> RunningTask::poll() {
  int wait_status = 0;
  rusage usage{};
  const pid_t ended = ::wait4(process_, &wait_status, WNOHANG, &usage);
  if (ended == 0 || (ended < 0 && errno == EINTR)) return std::nullopt;
  TaskStatus status = status_from(wait_status, words_of(log_of(batch_, task_), log_start_));
  status.seconds = now_s() - start_s_;
  status.peak = static_cast<std::size_t>(usage.ru_maxrss) * 1024;
  write_outcome(batch_, task_, status);
  if (status.state != TaskState::done) return status;
  std::error_code ignored;
  fs::remove(again_of(batch_, task_), ignored);
  if (task_.is_join()) remove_earlier_parts(task_);
  return status;
}

void RunningTask::stop() const { (void)::kill(process_, SIGTERM); }

TaskStatus record_failure(const Batch& batch, const BatchTask& task, int exit_code,
                          const std::string& reason) {
  TaskStatus status{TaskState::failed, exit_code, reason, 0, 0};
  write_outcome(batch, task, status);
  return status;
}

void forget_outcome(const Batch& batch, const BatchTask& task) {
  std::error_code ignored;
  fs::remove(outcome_of(batch, task), ignored);
}

}  // namespace feldspar::cli
