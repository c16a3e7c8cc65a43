// The one table of what a request can say in words: on a command line, in a TOML file, in the record of a
// volume.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "run/request.hpp"

namespace feldspar::run {

/// What an option is about, in the order that help shows.
enum class Topic { input, region, geometry, corrections, filter, output, machine };
/// As help calls it.
[[nodiscard]] const char* name_of(Topic topic) noexcept;

/// One of them.
struct Option {
  const char* name;   ///< "voxel-size": a flag of the command line, or the key of a TOML file
  Topic topic;        ///< where help lists it
  bool flag;          ///< "true" or "false"
  bool shapes;        ///< the voxels, or what is said of them: part of the record and of a run's identity
  const char* value;  ///< what help calls its value: "LENGTH"
  const char* help;   ///< one sentence
  /// Throws Error(usage) that begins with `what`.
  void (*set)(Request& request, const std::string& text, const std::string& what);
  /// As set() takes it, to the last bit; empty where nothing is said.
  std::string (*text)(const Request& request);
};

/// All of them, in the order that help shows.
[[nodiscard]] std::span<const Option> options();
/// Null for a name that is none.
[[nodiscard]] const Option* find_option(std::string_view name);

/// The text of a TOML file, `what` naming it in errors, applied to `request`. Throws Error(usage) naming the
/// key.
void apply_toml(Request& request, const std::string& toml, const std::string& what);

/// What is said in `request`, one option a line, as apply_toml() takes it; only what shapes the voxels unless
/// `all`.
[[nodiscard]] std::string to_toml(const Request& request, bool all = false);

/// The same of what shapes the voxels, without the names of files: what these hold counts, not their names.
[[nodiscard]] std::string choices_of(Request request);

/// `key = "value"` with what TOML wants escaped, and a line end.
[[nodiscard]] std::string toml_line(const std::string& key, const std::string& value);

/// "a,b,c" as three texts. Throws Error(usage) naming `what` where there are not `count`.
[[nodiscard]] std::vector<std::string> split_list(const std::string& text, std::size_t count,
                                                  const std::string& what);

/// "first:end:step". Throws Error(usage).
[[nodiscard]] ViewRange parse_view_range(const std::string& text, const std::string& what);

}  // namespace feldspar::run
