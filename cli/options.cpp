#include "cli/options.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <optional>
#include <sstream>

#include "base/error.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "io/hdf5/volume_file.hpp"
#include "io/stack/toml_text.hpp"

namespace feldspar::cli {
namespace {

/// A TOML value as the text the option would have on the command line.
std::string as_text(const toml::node& value, const std::string& where) {
  if (const auto text = value.value_exact<std::string>()) return *text;
  if (const auto flag = value.value_exact<bool>()) return *flag ? "true" : "false";
  if (value.is_number()) {
    std::ostringstream out;
    if (const auto whole = value.value_exact<std::int64_t>())
      out << *whole;
    else
      out << fmt::format("{}", *value.value<double>());
    return out.str();
  }
  throw Error(ErrorKind::usage,
              fmt::format("{}: the value must be a text, a number, true or false, or a list of them", where));
}

std::string toml_text(const std::string& text) {
  std::ostringstream out;
  out << toml::value<std::string>(text);
  return out.str();
}

/// Gives the options of `command` that the command line left out the values of `table`.
void apply_table(CLI::App& command, const toml::table& table, const std::string& source) {
  for (const auto& [key, value] : table) {
    const std::string name(key.str()), where = fmt::format("{}: {}", source, name);
    CLI::Option* option = command.get_option_no_throw("--" + name);
    if (!option || name == "config" || name == "help")
      throw Error(ErrorKind::usage,
                  fmt::format("{}: `feldspar {}` has no such option", where, command.get_name()));
    if (option->count() > 0) continue;  // the command line wins
    if (const auto* list = value.as_array()) {
      for (const auto& element : *list) option->add_result(as_text(element, where));
    } else {
      option->add_result(as_text(value, where));
    }
    try {
      option->run_callback();
    } catch (const CLI::Error& error) {
      throw Error(ErrorKind::usage, fmt::format("{}: {}", where, error.what()));
    }
  }
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

std::string toml_line(const std::string& key, const std::string& value) {
  return fmt::format("{} = {}\n", key, toml_text(value));
}

void write_replay(const std::filesystem::path& volume) {
  auto beside = volume;
  std::ofstream(beside.replace_extension(".toml"))
      << "# feldspar recon --config THIS -o OUT.h5 repeats this reconstruction\n"
      << io::VolumeReader(volume).text("reconstruction/configuration");
}

void apply_config(CLI::App& command, const std::filesystem::path& file) {
  apply_table(command, io::stack::read_toml(file, ErrorKind::usage), file.string());
}

void apply_config_text(CLI::App& command, const std::string& text, const std::string& source) {
  apply_table(command, io::stack::parse_toml(text, source, ErrorKind::usage), source);
}

std::string effective_config(const CLI::App& command, const std::vector<std::string>& leave_out) {
  std::string text;
  for (const CLI::Option* option : command.get_options()) {
    const auto& names = option->get_lnames();
    if (names.empty() || std::find(leave_out.begin(), leave_out.end(), names[0]) != leave_out.end()) continue;
    std::vector<std::string> values =
        option->count() > 0 ? option->results() : std::vector<std::string>{option->get_default_str()};
    if (values.empty() || values[0].empty()) continue;
    const bool flag = option->get_expected_max() == 0;
    if (flag) {
      text += fmt::format("{} = {}\n", names[0], values[0] == "false" ? "false" : "true");
    } else if (values.size() == 1) {
      text += toml_line(names[0], values[0]);
    } else {
      for (std::string& value : values) value = toml_text(value);
      text += fmt::format("{} = [{}]\n", names[0], fmt::join(values, ", "));
    }
  }
  return text;
}

void add_open_options(CLI::App& command, io::OpenOptions& options) {
  command
      .add_option("--white-level", options.white_level,
                  "Counts of the open beam, instead of the scan's own value")
      ->check(CLI::PositiveNumber);
  command
      .add_option(
          "--angles", options.angles,
          "Angles of the views: nominal (start and step), file (as measured) or auto (as the scan says)")
      ->check(CLI::IsMember({"auto", "nominal", "file"}))
      ->capture_default_str();
  command.add_option_function<std::string>(
      "--pixel-size",
      [&options](const std::string& text) { options.pixel_pitch = parse_length_mm(text, "--pixel-size"); },
      "Detector pitch as 6.5um, for NXtomo and Data Exchange files that lack it");
  command.add_flag("--reverse-rotation", options.reverse_rotation,
                   "The object turned the other way than the format says");
  command.add_flag("--allow-missing", options.allow_missing,
                   "Leave out projections that are missing or unreadable");
}

std::vector<int> parse_views(const std::string& text, int count) {
  std::vector<int> views;
  if (text.empty()) return views;
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == ':')
      parts.emplace_back();
    else
      parts.back() += c;
  }
  const auto refuse = [&] {
    return Error(ErrorKind::usage,
                 fmt::format("--views: '{}' is not understood; write first:end:step, for example 0:{}:2",
                             text, count));
  };
  if (parts.size() < 2 || parts.size() > 3) throw refuse();
  const auto number = [&](std::size_t n, int otherwise) {
    if (n >= parts.size() || parts[n].empty()) return otherwise;
    int value = 0;
    const auto [end, error] = std::from_chars(parts[n].data(), parts[n].data() + parts[n].size(), value);
    if (error != std::errc{} || end != parts[n].data() + parts[n].size()) throw refuse();
    return value;
  };
  const int first = number(0, 0), end = number(1, count), step = number(2, 1);
  if (first < 0 || end > count || step < 1 || first >= end)
    throw Error(ErrorKind::usage,
                fmt::format("--views: '{}' leaves no view of the {} there are", text, count));
  for (int n = first; n < end; n += step) views.push_back(n);
  return views;
}

std::vector<std::string> split_list(const std::string& text, std::size_t count, const std::string& what) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == ',')
      parts.emplace_back();
    else
      parts.back() += c;
  }
  if (parts.size() != count)
    throw Error(ErrorKind::usage,
                fmt::format("{}: '{}' must be {} values separated by commas", what, text, count));
  return parts;
}

}  // namespace feldspar::cli
