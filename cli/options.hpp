// What the commands share of their options: those of a request, and a TOML file or a volume in place of the
// command line.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "run/options.hpp"
#include "run/plan.hpp"

namespace CLI {
class App;
}

namespace feldspar::cli {

/// From now on every option of `command` and of the commands in it refuses empty values, and every one that
/// takes a number what is no plain one, such as nan, inf or 0,5; on the command line and in TOML files.
void check_values(CLI::App& command);

/// The options of a request that a command takes, as they were typed.
class RequestOptions {
 public:
  /// Adds those of the run floor's table that belong to `topics`, under their headings, but for `leave_out`.
  void add(CLI::App& command, const std::vector<run::Topic>& topics,
           const std::vector<std::string>& leave_out = {});

  /// What was typed. Throws Error(usage).
  [[nodiscard]] run::Request request() const;
  /// `base` with what was typed.
  [[nodiscard]] run::Request request(run::Request base) const;

  /// The options that were given, and their values.
  [[nodiscard]] const std::map<std::string, std::string>& typed() const { return typed_; }

 private:
  std::map<std::string, std::string> typed_;
};

/// What a file that is given as --config says.
struct Configuration {
  run::Request request;           ///< of a volume; that of a TOML file has become part of what was typed
  std::optional<run::Plan> plan;  ///< of a volume that has one
};

/// Of a TOML file: gives every option of `command` that the command line left out the value it has there; key
/// "voxel-size" is option --voxel-size. Of a volume: what it was made by. Throws Error(usage) naming the file
/// and the key for an unknown one.
[[nodiscard]] Configuration apply_config(CLI::App& command, const std::filesystem::path& file);

/// The plan, if it answers `request`; else says that all is looked for again.
[[nodiscard]] const run::Plan* plan_for(const run::Request& request, const Configuration& config);

}  // namespace feldspar::cli
