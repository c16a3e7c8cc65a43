// What the commands share of their options: a TOML file in place of the command line, the effective
// configuration, and the options that say how a scan is read.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "io/open_scan.hpp"

namespace CLI {
class App;
}

namespace feldspar::cli {

/// From now on every option of `command` and of the commands in it refuses empty values, and every one that
/// takes a number what is no plain one, such as nan, inf or 0,5; on the command line and in TOML files.
void check_values(CLI::App& command);

/// Gives every option of `command` that the command line left out the value it has in the TOML file: key
/// "voxel-size" is option --voxel-size. Throws Error(usage) naming the file and the key for an unknown one.
void apply_config(CLI::App& command, const std::filesystem::path& file);

/// The same from a text that stands in `source`.
void apply_config_text(CLI::App& command, const std::string& text, const std::string& source);

/// The options of `command` that have a value, as such a TOML file, without those named in `leave_out`.
[[nodiscard]] std::string effective_config(const CLI::App& command,
                                           const std::vector<std::string>& leave_out);

/// Writes the configuration that a volume was made with beside it, as NAME.toml.
void write_replay(const std::filesystem::path& volume);

/// `key = "value"` with what TOML wants escaped, and a line end.
[[nodiscard]] std::string toml_line(const std::string& key, const std::string& value);

/// Adds --white-level, --angles, --pixel-size, --reverse-rotation and --allow-missing, which fill `options`.
void add_open_options(CLI::App& command, io::OpenOptions& options);

/// Views "first:end:step" as in Python, out of `count`; empty for all. Throws Error(usage).
[[nodiscard]] std::vector<int> parse_views(const std::string& text, int count);

/// Three numbers "x,y,z", each through `parse_one`. Throws Error(usage) naming `what`.
[[nodiscard]] std::vector<std::string> split_list(const std::string& text, std::size_t count,
                                                  const std::string& what);

}  // namespace feldspar::cli
