#include "cli/batch/batch_slurm.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/stop.hpp"
#include "base/units.hpp"
#include "cli/batch/child.hpp"
#include "cli/console.hpp"

namespace feldspar::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t mebibyte = std::size_t{1} << 20;
/// What a task is to be given. Tasks with the same needs share an array.
struct Needs {
  std::size_t budget_mib = 0;  ///< the program's --memory
  int minutes = 0;
  int gpus = 0;
  bool operator<(const Needs& other) const {
    return std::tie(budget_mib, minutes, gpus) < std::tie(other.budget_mib, other.minutes, other.gpus);
  }
};

/// `value` with a margin, in coarse steps, so that alike scans need alike.
int coarse(double value) {
  const double step = std::pow(2, std::floor(std::log2(std::max(value, 1.0)))) / 4;
  return static_cast<int>(std::ceil(value / std::max(step, 1.0)) * std::max(step, 1.0));
}

fs::path submitted_file(const Batch& batch) { return batch.folder / "slurm.json"; }

nlohmann::json read_submitted(const Batch& batch) {
  std::ifstream file(submitted_file(batch));
  auto submitted = nlohmann::json::parse(file, nullptr, false);
  return submitted.is_object() ? submitted : nlohmann::json::object();
}

/// What Slurm has, by id; nothing when it cannot be asked.
std::optional<std::map<std::string, std::string>> queue() {
  const Answer answer = ask({"squeue", "-h", "-r", "-o", "%i|%T|%r"});
  if (answer.exit_code != 0) return std::nullopt;
  std::map<std::string, std::string> states;
  std::istringstream lines(answer.output);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t first = line.find('|'), second = line.find('|', first + 1);
    if (second == std::string::npos) continue;
    states[line.substr(0, first)] =
        fmt::format("{} ({})", line.substr(first + 1, second - first - 1), line.substr(second + 1));
  }
  return states;
}

/// The most tasks that one array may have here: the cluster's MaxArraySize, at least 1.
std::size_t largest_array(bool warns) {
  constexpr std::size_t by_default = 1001;
  std::istringstream lines(ask({"scontrol", "show", "config"}).output);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("MaxArraySize")) continue;
    double size = 0;
    std::string number = line.substr(line.find('=') + 1);
    number.erase(std::remove(number.begin(), number.end(), ' '), number.end());
    if (parse_number(number, size)) return size < 1 ? 1 : static_cast<std::size_t>(size);
  }
  if (warns)
    log_warning(
        fmt::format("the cluster does not say its MaxArraySize: taken for {}, as where nothing else is "
                    "set; an array that it refuses is halved",
                    by_default));
  return by_default;
}

/// An option for sbatch as its words: "-p gpu" and "--account ct" are two.
void add_option(std::vector<std::string>& words, const std::string& option) {
  const std::size_t space = option.find_first_of(" \t"), value = option.find_first_not_of(" \t", space);
  if (space == std::string::npos || value == std::string::npos || option.find('=') < space) {
    words.push_back(option);
    return;
  }
  words.push_back(option.substr(0, space));
  words.push_back(option.substr(value));
}

std::string without_controls(std::string text) {
  for (char& c : text)
    if ((c >= 0 && c < ' ') || c == '\x7f') c = '_';
  return text;
}

class Submission {
 public:
  Submission(const Batch& batch, bool dry_run, bool restart)
      : batch_(batch), dry_run_(dry_run), restart_(restart), ids_(read_submitted(batch)) {}

  void run() {
    if (!dry_run_ && ask({"sbatch", "--version"}).exit_code == 127)
      throw Error(ErrorKind::unsupported, "sbatch is not there: call this where Slurm is, or use --local N");
    submitted_ = submitted_tasks(batch_);
    if (!submitted_.known && !dry_run_)
      throw Error(
          ErrorKind::io,
          "squeue does not answer, so that nothing is known of the tasks that were submitted before, and "
          "they could be submitted twice; try again later");
    if (restart_ && !dry_run_) begin_again();
    tasks_ = tasks_of(batch_);
    std::map<Needs, std::vector<std::size_t>> groups;
    std::vector<std::size_t> joins;
    for (std::size_t n = 0; n < tasks_.size(); ++n) {
      const BatchTask& task = tasks_[n];
      const TaskState state = status_of(batch_, task).state;
      if (state == TaskState::running || submitted_.queued.count(task.name) > 0 ||
          (state == TaskState::done && !restart_))
        continue;
      if (task.is_join())
        joins.push_back(n);
      else if (const auto needs = plan(task))
        groups[*needs].push_back(n);
    }
    const std::size_t most = largest_array(!dry_run_);
    for (const auto& [needs, members] : groups)
      for (std::size_t first = 0; first < members.size(); first += most)
        submit_array(needs,
                     {members.begin() + static_cast<std::ptrdiff_t>(first),
                      members.begin() + static_cast<std::ptrdiff_t>(std::min(members.size(), first + most))});
    for (const std::size_t n : joins) submit_join(n);
    std::cout << fmt::format(
        "{} {} arrays of tasks and {} joins; `feldspar batch status {}` says how they stand\n",
        dry_run_ ? "wrote" : "submitted", arrays_, joins.size(), shell_word(batch_.file.string()));
  }

 private:
  void begin_again() const {
    if (!submitted_.queued.empty())
      throw Error(ErrorKind::usage,
                  fmt::format("--restart: {} is still in Slurm's queue as {}; scancel it first, or "
                              "wait for it",
                              submitted_.queued.begin()->first,
                              ids_[submitted_.queued.begin()->first].get<std::string>()));
    cli::begin_again(batch_);
  }

  /// Asks the program itself, in a process of its own, so that a broken scan costs only itself.
  std::optional<Needs> plan(const BatchTask& task) {
    std::vector<std::string> words = arguments_of(batch_, task, {batch_.slurm.memory, batch_.slurm.cpus});
    words.insert(words.begin(), own_program());
    words.insert(words.end(), {"--dry-run", "--json"});
    Answer answer = ask(words);
    if (answer.exit_code ==
        static_cast<int>(ErrorKind::device)) {  // no GPU here: the CPU's plan needs no less
      words.insert(words.end(), {"--device", "cpu"});
      answer = ask(words);
    }
    stop_if_requested();
    const auto plan = nlohmann::json::parse(answer.output, nullptr, false);
    if (answer.exit_code != 0 || !plan.is_object()) {
      const TaskStatus failed =
          record_failure(batch_, task, std::max(1, answer.exit_code), last_error(answer.errors));
      log_warning(fmt::format("{}: {}", task.name, failed.reason));
      return std::nullopt;
    }
    Needs needs;
    needs.budget_mib = static_cast<std::size_t>(coarse(1.1 * plan["memory_bytes"].get<double>() / mebibyte));
    const double transfer_s =
        (plan["bytes_to_read"].get<double>() + plan["bytes_to_write"].get<double>()) / 100e6;
    needs.minutes = coarse(10 + 3 * (plan["estimated_seconds"].get<double>() + transfer_s) / 60);
    needs.gpus = task.job->device.starts_with("cuda") ? batch_.slurm.gpus : 0;
    return needs;
  }

  static std::string last_error(const std::string& errors) {
    std::istringstream lines(errors);
    std::string error = "it cannot be planned";
    for (std::string line; std::getline(lines, line);)
      if (line.starts_with("error: ")) error = line.substr(7);
    return error;
  }

  /// The log of Slurm itself, as sbatch takes it: % begins a field there, unless there is a backslash, which
  /// takes the next character as it is and turns all fields off.
  [[nodiscard]] std::string log_pattern(bool is_array) const {
    const std::string folder = batch_.folder.string();
    const char special = folder.find('\\') == std::string::npos ? '%' : '\\';
    std::string pattern;
    for (const char c : folder) pattern.append(c == special ? 2 : 1, c);
    if (special == '\\') return pattern + "/slurm.log";
    return pattern + (is_array ? "/slurm-%A_%a.log" : "/slurm-%j.log");
  }

  /// sbatch and its options, as words that no shell reads: lines of a script could not quote what is in them.
  [[nodiscard]] std::vector<std::string> sbatch(const Needs& needs, std::size_t tasks) const {
    // The budget is what the program plans with; the rest is for what the system counts beside it.
    std::vector<std::string> words{
        "sbatch",
        "--parsable",
        "--job-name=" + without_controls(batch_.file.stem().string()),
        "--requeue",
        "--open-mode=append",
        "--ntasks=1",
        "--output=" + log_pattern(tasks > 1),
        fmt::format("--mem={}M", needs.budget_mib + 256),
        fmt::format("--cpus-per-task={}", batch_.slurm.cpus),
        "--time=" + (batch_.slurm.time.empty() ? fmt::format("{}", needs.minutes) : batch_.slurm.time)};
    if (needs.gpus > 0) words.push_back(fmt::format("--gres=gpu:{}", needs.gpus));
    if (tasks > 1) words.push_back(fmt::format("--array=0-{}", tasks - 1));
    for (const std::string& option : batch_.slurm.options) add_option(words, option);
    return words;
  }

  [[nodiscard]] std::string script(const Needs& needs, const std::vector<std::size_t>& members) const {
    std::string text = "#!/bin/bash\ntasks=(\n";
    for (const std::size_t n : members) text += fmt::format("  {}\n", shell_word(tasks_[n].name));
    return text + fmt::format(
                      ")\nexec {} batch task --memory={}MiB --threads={} -- {} "
                      "\"${{tasks[${{SLURM_ARRAY_TASK_ID:-0}}]}}\"\n",
                      shell_word(own_program()), needs.budget_mib, batch_.slurm.cpus,
                      shell_word(batch_.file.string()));
  }

  /// The id of the job; empty for a dry run.
  Answer send(std::vector<std::string> words, const fs::path& path, const std::string& text) {
    stop_if_requested();
    write_file(path, text);
    words.push_back(path.string());
    if (dry_run_) {
      for (std::string& word : words) word = shell_word(word);
      std::cout << fmt::format("{}\n", fmt::join(words, " "));
      return {0, {}, {}};
    }
    Answer answer = ask(words, {.may_be_stopped = false});
    answer.output = answer.output.substr(0, answer.output.find_first_of(";\n"));
    return answer;
  }

  [[noreturn]] static void refuse(const fs::path& script, const Answer& answer) {
    throw Error(ErrorKind::io,
                fmt::format("{}: sbatch refused it: {}{}", script.string(), answer.output, answer.errors));
  }

  /// A single task is no array, which some clusters have turned off.
  void submit_array(const Needs& needs, const std::vector<std::size_t>& members) {
    const fs::path path = batch_.folder / fmt::format("array-{}.sbatch", ++arrays_);
    if (!dry_run_)
      for (const std::size_t n : members) forget_outcome(batch_, tasks_[n]);
    const Answer answer = send(sbatch(needs, members.size()), path, script(needs, members));
    if (answer.exit_code != 0 && members.size() > 1 && answer.errors.find("array") != std::string::npos) {
      const auto middle = members.begin() + static_cast<std::ptrdiff_t>(members.size() / 2);
      --arrays_;
      submit_array(needs, {members.begin(), middle});
      submit_array(needs, {middle, members.end()});
      return;
    }
    if (answer.exit_code != 0) refuse(path, answer);
    for (std::size_t n = 0; n < members.size(); ++n)
      ids_[tasks_[members[n]].name] =
          members.size() > 1 ? fmt::format("{}_{}", answer.output, n) : answer.output;
    remember(members);
  }

  void submit_join(std::size_t n) {
    std::string after;  // whatever became of the parts: the join then says which one is missing
    for (const BatchTask& part : tasks_)
      if (part.job == tasks_[n].job && !part.is_join() &&
          (fresh_.count(part.name) > 0 || submitted_.queued.count(part.name) > 0))
        after += fmt::format(":{}", ids_[part.name].get<std::string>());
    const Needs needs{512, 60, 0};
    if (!dry_run_) forget_outcome(batch_, tasks_[n]);
    std::vector<std::string> words = sbatch(needs, 1);
    if (!after.empty()) words.push_back("--dependency=afterany" + after);
    const fs::path path = batch_.folder / (tasks_[n].name + ".join.sbatch");
    const Answer answer = send(words, path, script(needs, {n}));
    if (answer.exit_code != 0) refuse(path, answer);
    ids_[tasks_[n].name] = answer.output;
    remember({n});
  }

  /// At once, so that nothing that was submitted is forgotten when the next submission fails.
  void remember(const std::vector<std::size_t>& members) {
    if (dry_run_) return;
    for (const std::size_t n : members) fresh_.insert(tasks_[n].name);
    write_file(submitted_file(batch_),
               ids_.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
  }

  const Batch& batch_;
  bool dry_run_, restart_;
  std::vector<BatchTask> tasks_;
  nlohmann::json ids_;
  SubmittedTasks submitted_;     ///< before
  std::set<std::string> fresh_;  ///< submitted now
  std::size_t arrays_ = 0;
};

}  // namespace

void submit(const Batch& batch, bool dry_run, bool restart) {
  catch_interrupts();
  prepare_folder(batch);
  Submission(batch, dry_run, restart).run();
}

SubmittedTasks submitted_tasks(const Batch& batch) {
  SubmittedTasks tasks;
  const auto submitted = read_submitted(batch);
  if (submitted.empty()) return tasks;
  const auto states = queue();
  tasks.known = states.has_value();
  if (!states) return tasks;
  for (const auto& [name, value] : submitted.items()) {
    const std::string id = value.get<std::string>();
    if (const auto state = states->find(id); state != states->end())
      tasks.queued[name] = state->second;
    else
      tasks.gone[name] = fmt::format("{}; log: {}", id, (batch.folder / ("slurm-" + id + ".log")).string());
  }
  return tasks;
}

}  // namespace feldspar::cli
