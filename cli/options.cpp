#include "cli/options.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>
#include <CLI/CLI.hpp>

#include <algorithm>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "io/hdf5/plan_record.hpp"
#include "io/hdf5/volume_mark.hpp"
#include "io/stack/toml_text.hpp"

namespace feldspar::cli {
namespace {

/// Gives the options of `command` that the command line left out the values of `table`.
/// Has the option take what was added to it; errors begin with `where`.
void take_results(CLI::Option& option, const std::string& where) {
  try {
    option.run_callback();
  } catch (const CLI::Error& error) {
    throw Error(ErrorKind::usage, fmt::format("{}: {}", where, error.what()));
  } catch (const Error& error) {
    throw Error(error, fmt::format("{}: {}", where, error.what()));
  }
}

void apply_table(CLI::App& command, const toml::table& table, const std::string& source) {
  for (const auto& [key, value] : table) {
    const std::string name(key.str()), where = fmt::format("{}: {}", source, name);
    CLI::Option* option = command.get_option_no_throw("--" + name);
    if (!option || name == "config" || name == "help")
      throw Error(ErrorKind::usage,
                  fmt::format("{}: `feldspar {}` has no such option", where, command.get_name()));
    if (option->count() > 0) continue;  // the command line wins
    if (const auto* list = value.as_array()) {
      for (const auto& element : *list) option->add_result(io::stack::text_of_value(element, where));
    } else {
      option->add_result(io::stack::text_of_value(value, where));
    }
    take_results(*option, where);
  }
}

/// One option: kept as typed, and refused at once where it cannot be.
CLI::Option* add_one(CLI::App& command, const run::Option& option,
                     std::map<std::string, std::string>& typed) {
  const auto take = [&option, &typed](const std::string& text) {
    run::Request nowhere;
    option.set(nowhere, text, std::string("--") + option.name);
    typed[option.name] = text;
  };
  if (option.flag)
    return command.add_flag_function(
        std::string("--") + option.name, [take](std::int64_t count) { take(count > 0 ? "true" : "false"); },
        option.help);
  const std::string name = option.name;
  const std::string names = name == "scan" ? "scan,--scan" : name == "output" ? "-o,--output" : "--" + name;
  CLI::Option* const added = command.add_option_function<std::string>(names, take, option.help);
  added->type_name(option.value);
  const std::string usual = option.text(run::Request{});
  if (!usual.empty()) added->default_str(usual);
  return added;
}

/// The same request wherever its files are named from.
std::string sense_of(run::Request request) {
  for (std::filesystem::path* file : {&request.scan, &request.like, &request.context})
    if (!file->empty()) *file = std::filesystem::absolute(*file).lexically_normal();
  return run::to_toml(request);
}

}  // namespace

void check_values(CLI::App& command) {
  const auto refuse = [](const std::string& text, const char* what) {
    return fmt::format("'{}' is {}", text, what);
  };
  const CLI::Validator given(
      [refuse](std::string& text) { return trimmed(text).empty() ? refuse(text, "empty") : ""; }, "");
  const CLI::Validator number(
      [refuse](std::string& text) {
        double value = 0;
        return parse_number(text, value) ? "" : refuse(text, "no plain number, as 0.5 or 60000");
      },
      "");
  for (CLI::Option* option : command.get_options()) {
    if (option->get_expected_max() == 0) continue;  // a flag
    option->check(given);
    if (option->get_type_name().starts_with("FLOAT")) option->check(number);
  }
  for (CLI::App* inner : command.get_subcommands({})) check_values(*inner);
}

void RequestOptions::add(CLI::App& command, const std::vector<run::Topic>& topics,
                         const std::vector<std::string>& leave_out) {
  for (const run::Option& option : run::options()) {
    if (std::ranges::find(topics, option.topic) == topics.end()) continue;
    if (std::ranges::find(leave_out, option.name) != leave_out.end()) continue;
    add_one(command, option, typed_)->group(run::name_of(option.topic));
  }
}

run::Request RequestOptions::request() const { return request(run::Request()); }

run::Request RequestOptions::request(run::Request base) const {
  for (const auto& [name, text] : typed_) run::find_option(name)->set(base, text, "--" + name);
  return base;
}

Configuration apply_config(CLI::App& command, const std::filesystem::path& file) {
  Configuration config;
  if (file.empty()) return config;
  if (!io::is_volume(file)) {
    apply_table(command, io::stack::read_toml(file, ErrorKind::usage), file.string());
    return config;
  }
  const auto stored = io::read_plan(file);
  if (!stored)
    throw Error(ErrorKind::usage,
                fmt::format("--config {}: is a volume without a plan, as earlier versions wrote them; "
                            "`feldspar info --config` prints its options",
                            file.string()));
  config.plan = run::restore(*stored, file);
  config.request = config.plan->request;
  return config;
}

const run::Plan* plan_for(const run::Request& request, const Configuration& config) {
  if (!config.plan) return nullptr;
  if (sense_of(request) == sense_of(config.plan->request)) return &*config.plan;
  log_info("the options differ from those of the plan, so that all is looked for again");
  return nullptr;
}

}  // namespace feldspar::cli
