#include "cli/batch_task.hpp"

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
#include "cli/child.hpp"
#include "cli/slab_share.hpp"
#include "io/content_hash.hpp"

namespace feldspar::cli {
namespace {

namespace fs = std::filesystem;

fs::path outcome_of(const Batch& batch, const BatchTask& task) {
  return batch.folder / (task.name + ".outcome");
}
fs::path config_of(const Batch& batch, const BatchJob& job) { return batch.folder / (job.name + ".toml"); }

double now_s() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// What the outcome of a task belongs to: one of other options is none.
std::string identity_of(const BatchTask& task) {
  return io::text_hash(fmt::format("{}{}/{}", task.job->config, task.share, task.job->shares));
}

/// Whole at once, so that who reads meanwhile sees the old one or the new one.
void write_file(const fs::path& path, const std::string& text) {
  fs::path fresh = path;
  fresh += fmt::format(".{}", ::getpid());
  std::ofstream file(fresh, std::ios::binary);
  file << text;
  file.close();
  std::error_code error;
  if (file) fs::rename(fresh, path, error);
  if (!file || error) throw Error(ErrorKind::io, fmt::format("{}: cannot be written", path.string()));
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

std::optional<TaskStatus> read_outcome(const Batch& batch, const BatchTask& task) {
  std::ifstream file(outcome_of(batch, task));
  if (!file) return std::nullopt;
  const auto outcome = nlohmann::json::parse(file, nullptr, false);
  if (!outcome.is_object() || outcome.value("identity", "") != identity_of(task)) return std::nullopt;
  TaskStatus status;
  status.exit_code = outcome.value("exit_code", 1);
  status.state = status.exit_code == 0 ? TaskState::done : TaskState::failed;
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
  status.state = status.exit_code == 0 ? TaskState::done : TaskState::failed;
  return status;
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
  return is_join() ? job->output : part_path(job->output, share, job->shares);
}

std::vector<BatchTask> tasks_of(const Batch& batch) {
  std::vector<BatchTask> tasks;
  for (const BatchJob& job : batch.jobs) {
    for (int share = 1; share <= job.shares; ++share)
      tasks.push_back({&job, share, part_path(job.name + ".h5", share, job.shares).stem().string()});
    if (job.shares > 1) tasks.push_back({&job, 0, job.name});
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
  if (fs::exists(outcome_of(batch, task), ignored) || !fs::exists(log, ignored)) return {};
  return {TaskState::interrupted, 0, "ended without an outcome: killed, or its machine stopped"};
}

void prepare_folder(const Batch& batch) {
  fs::create_directories(batch.folder);
  for (const BatchJob& job : batch.jobs) {
    fs::create_directories(job.output.parent_path());
    write_file(config_of(batch, job), job.config);
  }
}

std::vector<std::string> arguments_of(const Batch& batch, const BatchTask& task, const TaskOptions& options) {
  const BatchJob& job = *task.job;
  if (task.is_join()) {
    std::vector<std::string> words{"join", "-o", job.output.string()};
    for (int share = 1; share <= job.shares; ++share)
      words.push_back(part_path(job.output, share, job.shares).string());
    return words;
  }
  std::vector<std::string> words{"recon", "--config", config_of(batch, job).string(), "-o",
                                 job.output.string()};
  if (!options.restart) words.emplace_back("--resume");
  if (job.shares > 1) words.insert(words.end(), {"--slabs", fmt::format("{}/{}", task.share, job.shares)});
  if (job.memory.empty() && !options.memory.empty()) words.insert(words.end(), {"--memory", options.memory});
  if (options.threads > 0) words.insert(words.end(), {"--threads", fmt::format("{}", options.threads)});
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
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  process_ = ::fork();
  if (process_ == 0) {
    (void)::setpgid(0, 0);
    const int nothing = ::open("/dev/null", O_RDONLY);
    (void)::dup2(nothing, STDIN_FILENO);
    (void)::dup2(log, STDOUT_FILENO);
    (void)::dup2(log, STDERR_FILENO);  // the lock lives as long as these do
    (void)::execv(pointers[0], pointers.data());
    ::_exit(127);
  }
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
  return status;
}

void RunningTask::stop() const { (void)::kill(process_, SIGTERM); }

TaskStatus record_failure(const Batch& batch, const BatchTask& task, int exit_code,
                          const std::string& reason) {
  const TaskStatus status{TaskState::failed, exit_code, reason, 0, 0};
  write_outcome(batch, task, status);
  return status;
}

void forget_outcome(const Batch& batch, const BatchTask& task) {
  std::error_code ignored;
  fs::remove(outcome_of(batch, task), ignored);
}

}  // namespace feldspar::cli
