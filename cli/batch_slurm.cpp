#include "cli/batch_slurm.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/units.hpp"
#include "cli/child.hpp"

namespace feldspar::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t mebibyte = std::size_t{1} << 20;
constexpr std::size_t array_size = 1000;  // what Slurm takes unless it is told otherwise

/// What a task is to be given. Tasks with the same needs share an array.
struct Needs {
  std::size_t budget_mib = 0;  ///< the program's --memory
  int minutes = 0;
  int gpus = 0;
  friend auto operator<=>(const Needs&, const Needs&) = default;
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

class Submission {
 public:
  Submission(const Batch& batch, bool dry_run, bool restart)
      : batch_(batch),
        dry_run_(dry_run),
        restart_(restart),
        tasks_(tasks_of(batch)),
        ids_(read_submitted(batch)) {}

  void run() {
    if (!dry_run_ && ask("command -v sbatch").exit_code != 0)
      throw Error(ErrorKind::unsupported, "sbatch is not there: call this where Slurm is, or use --local N");
    const auto queued = queued_tasks(batch_);
    std::map<Needs, std::vector<std::size_t>> groups;
    std::vector<std::size_t> joins;
    for (std::size_t n = 0; n < tasks_.size(); ++n) {
      const BatchTask& task = tasks_[n];
      const TaskState state = status_of(batch_, task).state;
      if (state == TaskState::running || queued.count(task.name) > 0 ||
          (state == TaskState::done && !restart_))
        continue;
      if (task.is_join())
        joins.push_back(n);
      else if (const auto needs = plan(task))
        groups[*needs].push_back(n);
    }
    std::size_t arrays = 0;
    for (const auto& [needs, members] : groups)
      for (std::size_t first = 0; first < members.size(); first += array_size)
        submit_array(
            ++arrays, needs,
            {members.begin() + static_cast<std::ptrdiff_t>(first),
             members.begin() + static_cast<std::ptrdiff_t>(std::min(members.size(), first + array_size))});
    for (const std::size_t n : joins) submit_join(n);
    std::cout << fmt::format(
        "{} {} arrays of tasks and {} joins; `feldspar batch status {}` says how they stand\n",
        dry_run_ ? "wrote" : "submitted", arrays, joins.size(), batch_.file.string());
  }

 private:
  /// Asks the program itself, in a process of its own, so that a broken scan costs only itself.
  std::optional<Needs> plan(const BatchTask& task) {
    TaskOptions options{batch_.slurm.memory, batch_.slurm.cpus, false};
    std::string command = shell_word(own_program());
    for (const std::string& word : arguments_of(batch_, task, options))
      command += fmt::format(" {}", shell_word(word));
    command += " --dry-run --json";
    const std::string errors = (batch_.folder / (task.name + ".plan")).string();
    Answer answer = ask(command + " 2>" + shell_word(errors));
    if (answer.exit_code == static_cast<int>(ErrorKind::device))  // no GPU here: the CPU's plan needs no less
      answer = ask(command + " --device cpu 2>" + shell_word(errors));
    const auto plan = nlohmann::json::parse(answer.output, nullptr, false);
    if (answer.exit_code != 0 || !plan.is_object()) {
      const TaskStatus failed =
          record_failure(batch_, task, std::max(1, answer.exit_code), last_error(errors));
      log_warning(fmt::format("{}: {}", task.name, failed.reason));
      return std::nullopt;
    }
    std::error_code ignored;
    fs::remove(errors, ignored);
    Needs needs;
    needs.budget_mib = static_cast<std::size_t>(coarse(1.1 * plan["memory_bytes"].get<double>() / mebibyte));
    const double transfer_s =
        (plan["bytes_to_read"].get<double>() + plan["bytes_to_write"].get<double>()) / 100e6;
    needs.minutes = coarse(10 + 3 * (plan["estimated_seconds"].get<double>() + transfer_s) / 60);
    needs.gpus = task.job->device.starts_with("cuda") ? batch_.slurm.gpus : 0;
    return needs;
  }

  static std::string last_error(const std::string& file) {
    std::ifstream lines(file);
    std::string error = "it cannot be planned";
    for (std::string line; std::getline(lines, line);)
      if (line.starts_with("error: ")) error = line.substr(7);
    return error;
  }

  [[nodiscard]] std::string head(const Needs& needs) const {
    // The budget is what the program plans with; the rest is for what the system counts beside it.
    std::string text = fmt::format(
        "#!/bin/bash\n#SBATCH --job-name={}\n#SBATCH --requeue\n#SBATCH --open-mode=append\n"
        "#SBATCH --ntasks=1\n",
        batch_.file.stem().string());
    text += fmt::format("#SBATCH --output={}/slurm-%A_%a.log\n", batch_.folder.string());
    text += fmt::format("#SBATCH --mem={}M\n#SBATCH --cpus-per-task={}\n", needs.budget_mib + 256,
                        batch_.slurm.cpus);
    text += fmt::format("#SBATCH --time={}\n",
                        batch_.slurm.time.empty() ? fmt::format("{}", needs.minutes) : batch_.slurm.time);
    if (needs.gpus > 0) text += fmt::format("#SBATCH --gres=gpu:{}\n", needs.gpus);
    for (const std::string& option : batch_.slurm.options) text += fmt::format("#SBATCH {}\n", option);
    return text;
  }

  [[nodiscard]] std::string call(const Needs& needs, const std::string& task) const {
    return fmt::format("exec {} batch task {} {} --memory {}MiB --threads {}{}\n", shell_word(own_program()),
                       shell_word(batch_.file.string()), task, needs.budget_mib, batch_.slurm.cpus,
                       restart_ ? " --restart" : "");
  }

  std::string send(const fs::path& script, const std::string& text, const std::string& options) {
    std::ofstream file(script);
    file << text;
    file.close();
    if (!file) throw Error(ErrorKind::io, fmt::format("{}: cannot be written", script.string()));
    if (dry_run_) {
      std::cout << script.string() << '\n';
      return {};
    }
    const Answer answer = ask("sbatch --parsable " + options + " " + shell_word(script.string()) + " 2>&1");
    if (answer.exit_code != 0)
      throw Error(ErrorKind::io, fmt::format("{}: sbatch refused it: {}", script.string(), answer.output));
    return answer.output.substr(0, answer.output.find_first_of(";\n"));
  }

  void submit_array(std::size_t number, const Needs& needs, const std::vector<std::size_t>& members) {
    std::string names;
    for (const std::size_t n : members) {
      names += fmt::format("  {}\n", shell_word(tasks_[n].name));
      if (!dry_run_) forget_outcome(batch_, tasks_[n]);
    }
    const std::string text =
        fmt::format("{}#SBATCH --array=0-{}\ntasks=(\n{})\n{}", head(needs), members.size() - 1, names,
                    call(needs, "\"${tasks[$SLURM_ARRAY_TASK_ID]}\""));
    const std::string id = send(batch_.folder / fmt::format("array-{}.sbatch", number), text, "");
    for (std::size_t n = 0; n < members.size(); ++n) remember(members[n], fmt::format("{}_{}", id, n));
  }

  void submit_join(std::size_t n) {
    std::string after;  // whatever became of the parts: the join then says which one is missing
    for (const BatchTask& part : tasks_)
      if (part.job == tasks_[n].job && !part.is_join() && fresh_.count(part.name) > 0)
        after += fmt::format(":{}", ids_[part.name].get<std::string>());
    const Needs needs{512, 60, 0};
    if (!dry_run_) forget_outcome(batch_, tasks_[n]);
    const std::string id = send(batch_.folder / (tasks_[n].name + ".join.sbatch"),
                                head(needs) + call(needs, shell_word(tasks_[n].name)),
                                after.empty() ? "" : "--dependency=afterany" + after);
    remember(n, id);
  }

  /// At once, so that nothing that was submitted is forgotten when the next submission fails.
  void remember(std::size_t n, const std::string& id) {
    if (dry_run_) return;
    ids_[tasks_[n].name] = id;
    fresh_[tasks_[n].name] = true;
    std::ofstream(submitted_file(batch_)) << ids_.dump(1) << '\n';
  }

  const Batch& batch_;
  bool dry_run_, restart_;
  std::vector<BatchTask> tasks_;
  nlohmann::json ids_;
  std::map<std::string, bool> fresh_;  ///< submitted now
};

}  // namespace

void submit(const Batch& batch, bool dry_run, bool restart) {
  prepare_folder(batch);
  Submission(batch, dry_run, restart).run();
}

std::map<std::string, std::string> queued_tasks(const Batch& batch) {
  std::map<std::string, std::string> queued;
  const auto submitted = read_submitted(batch);
  if (submitted.empty()) return queued;
  std::map<std::string, std::string> states;
  std::istringstream lines(ask("squeue -h -r -o '%i|%T|%r' 2>/dev/null").output);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t first = line.find('|'), second = line.find('|', first + 1);
    if (second == std::string::npos) continue;
    states[line.substr(0, first)] =
        fmt::format("{} ({})", line.substr(first + 1, second - first - 1), line.substr(second + 1));
  }
  for (const auto& [name, id] : submitted.items())
    if (const auto state = states.find(id.get<std::string>()); state != states.end())
      queued[name] = state->second;
  return queued;
}

}  // namespace feldspar::cli
