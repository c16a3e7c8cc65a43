// The description of many reconstructions: one TOML file with shared settings and a table a job.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace feldspar::cli {

struct BatchJob {
  std::string name;              ///< of its files; no two jobs share one
  std::filesystem::path scan;    ///< absolute
  std::filesystem::path output;  ///< of the volume, absolute
  int shares = 1;                ///< of the slabs, each a task of its own
  std::string config;            ///< the options of `feldspar recon`, as TOML
  std::string memory;            ///< the option of that name; empty when it is left open
  std::string device;
};

/// What a cluster is asked for where the plan does not say.
struct SlurmSettings {
  std::string memory = "16GiB";      ///< most a task may plan with, where the job does not say
  int cpus = 4;                      ///< of a task
  int gpus = 1;                      ///< of a task whose device is cuda
  std::string time;                  ///< of a task, as Slurm takes it; empty for an estimate
  std::vector<std::string> options;  ///< for sbatch, as they are: "--partition=gpu"
};

struct Batch {
  std::filesystem::path file;    ///< absolute
  std::filesystem::path folder;  ///< where scripts, logs and outcomes go: jobs.batch beside jobs.toml
  std::vector<BatchJob> jobs;
  SlurmSettings slurm;
};

/// Reads the description. Paths are relative to its folder; a scan with wildcards stands for a job for each
/// match. Options are checked against those of `recon`. Throws Error(usage) naming file, key and the way out.
[[nodiscard]] Batch read_batch(const std::filesystem::path& file, const CLI::App& recon);

}  // namespace feldspar::cli
