#include "cli/sample.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>

#include "base/error.hpp"
#include "base/units.hpp"

namespace feldspar::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t most_bytes = 1 << 20;  // of a TOML file
constexpr std::size_t longest_text = 4096, longest_name = 64, longest_line = 1 << 16;

[[noreturn]] void refuse(const fs::path& file, const std::string& why) {
  throw Error(ErrorKind::bad_file, fmt::format("{}: {}", file.string(), why));
}

std::string value_of(const toml::node& node, const std::string& key, const fs::path& file) {
  std::ostringstream text;
  if (const auto number = node.value<double>(); node.is_number() && !std::isfinite(*number))
    refuse(file, fmt::format("{} is not finite", key));
  if (node.is_array() || node.is_table())
    refuse(file, fmt::format("{} is a list or a table; write one value a key, as cycle = 1061", key));
  if (const auto* string = node.as_string())
    text << string->get();
  else if (const auto* number = node.as_floating_point())
    text << fmt::format("{}", number->get());  // no more digits than it takes
  else
    node.visit([&](const auto& value) {
      if constexpr (!toml::is_table<decltype(value)> && !toml::is_array<decltype(value)>) text << value;
    });
  if (text.str().size() > longest_text)
    refuse(file, fmt::format("{} has {} letters, more than {}", key, text.str().size(), longest_text));
  return text.str();
}

bool is_name(const std::string& key) {
  return !key.empty() && key.size() <= longest_name &&
         std::ranges::all_of(key, [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '-'; });
}

io::Record read_toml(const fs::path& file) {
  std::error_code failed;
  if (fs::file_size(file, failed) > most_bytes && !failed)
    refuse(file, fmt::format("is larger than {}: too much to say of a sample", format_bytes(most_bytes)));
  toml::table table;
  try {
    table = toml::parse_file(file.string());
  } catch (const toml::parse_error& error) {
    refuse(file, fmt::format("line {}: {}", error.source().begin.line, std::string(error.description())));
  }
  io::Record sample;
  for (const auto& [key, node] : table) {
    const std::string name(key.str());
    if (!is_name(name))
      refuse(file, fmt::format("the key '{}' has more than letters, digits, - and _, or is longer than {}",
                               name.substr(0, longest_name), longest_name));
    sample.emplace_back(name, value_of(node, name, file));
  }
  if (sample.empty()) refuse(file, "says nothing; write for example cycle = 1061 and capacity_Ah = 3.1");
  return sample;
}

/// Cells of a line, without blanks and quotes around them.
std::vector<std::string> cells_of(const std::string& line, char separator) {
  std::vector<std::string> cells;
  std::string cell;
  bool quoted = false;
  for (const char c : line + separator) {
    if (c == '"') {
      quoted = !quoted;
    } else if (c == separator && !quoted) {
      const auto first = cell.find_first_not_of(" \r"), last = cell.find_last_not_of(" \r");
      cells.push_back(first == std::string::npos ? "" : cell.substr(first, last - first + 1));
      cell.clear();
    } else {
      cell += c;
    }
  }
  return cells;
}

/// "Amp-hr" and "AMP HR" are one name.
std::string plain(const std::string& text) {
  std::string letters;
  for (const unsigned char c : text)
    if (std::isalnum(c)) letters += static_cast<char>(std::tolower(c));
  return letters;
}

/// Where the columns stand; names as the program's versions have written them.
struct Columns {
  char separator = '\t';
  std::optional<std::size_t> cycle, capacity, state, resistance;
  double ampere_hours = 1;

  /// False for a line that is not the one with their names.
  bool find(const std::string& line) {
    separator = line.find('\t') != std::string::npos ? '\t' : ',';
    const std::vector<std::string> cells = cells_of(line, separator);
    for (std::size_t n = 0; n < cells.size(); ++n) {
      const std::string name = plain(cells[n]);
      const auto is = [&](std::initializer_list<const char*> names) {
        return std::ranges::find(names, name) != names.end();
      };
      if (is({"cyc", "cycle", "cycc"})) cycle = n;
      if (is({"amphr", "capacityah", "capah", "capacity"})) capacity = n, ampere_hours = 1;
      if (is({"mamphr", "capacitymah", "capmah"})) capacity = n, ampere_hours = 1e-3;
      if (is({"state", "md", "mode"})) state = n;
      if (is({"dcirohms", "dcirohm", "dcir"})) resistance = n;
      if (is({"acimpohms", "acimpohm", "acr"}) && !resistance) resistance = n;
    }
    return cycle && capacity && state;
  }
};

/// Summed up row by row: exports have millions.
struct Cycles {
  std::map<int, double> discharged;  ///< Ah, the most of each cycle
  int last = -1;
  double resistance = 0;

  void add(const Columns& columns, const std::vector<std::string>& cells, const fs::path& file,
           std::size_t line) {
    const auto number = [&](std::size_t column, const char* name) {
      std::string text = column < cells.size() ? cells[column] : "";
      if (columns.separator == '\t') std::erase(text, ',');  // 1,061
      double value = 0;
      if (!parse_number(text, value) || !std::isfinite(value) || std::abs(value) > 1e9)
        refuse(file, fmt::format("line {}: {} is '{}', which is no number", line, name, text.substr(0, 40)));
      return value;
    };
    const int cycle = static_cast<int>(number(*columns.cycle, "the cycle"));
    last = std::max(last, cycle);
    const std::string state = *columns.state < cells.size() ? plain(cells[*columns.state]) : "";
    if (state == "d" || state == "dis" || state == "discharge") {
      double& most = discharged[cycle];
      most = std::max(most, columns.ampere_hours * std::abs(number(*columns.capacity, "the capacity")));
    }
    if (columns.resistance && *columns.resistance < cells.size() && !cells[*columns.resistance].empty())
      if (const double ohms = number(*columns.resistance, "the resistance"); ohms > 0) resistance = ohms;
  }

  [[nodiscard]] io::Record record() const {
    io::Record sample{{"cycle", fmt::format("{}", last)}};
    if (!discharged.empty()) {
      auto finished = std::prev(discharged.end());  // the last is one that was broken off if it has half only
      if (finished != discharged.begin() && finished->second < 0.5 * std::prev(finished)->second) --finished;
      sample.emplace_back("capacity_Ah", fmt::format("{:.6g}", finished->second));
      sample.emplace_back("capacity_of_cycle", fmt::format("{}", finished->first));
      sample.emplace_back("first_capacity_Ah", fmt::format("{:.6g}", discharged.begin()->second));
    }
    if (resistance > 0) sample.emplace_back("resistance_ohm", fmt::format("{:.6g}", resistance));
    return sample;
  }
};

io::Record read_maccor(const fs::path& file) {
  constexpr std::size_t longest_heading = 100;  // lines before the columns' names
  std::ifstream stream(file, std::ios::binary);
  Columns columns;
  Cycles cycles;
  bool found = false;
  std::size_t number = 0;
  for (std::string line; std::getline(stream, line);) {
    ++number;
    if (line.size() > longest_line || line.find('\0') != std::string::npos)
      refuse(file, fmt::format("line {} is no text; a sample's file is a .toml, or the text that a Maccor "
                               "cycler's program exports",
                               number));
    if (!found) {
      found = columns.find(line);
      if (!found && number > longest_heading) break;
    } else if (line.find_first_not_of(" \t\r,") != std::string::npos) {
      cycles.add(columns, cells_of(line, columns.separator), file, number);
    }
  }
  if (stream.bad()) throw Error(ErrorKind::io, fmt::format("{}: reading failed", file.string()));
  if (!found)
    refuse(file,
           "is neither a .toml nor a Maccor export: none of its lines names the columns Cyc#, Amp-hr and "
           "State");
  if (cycles.last < 0) refuse(file, "has the columns of a Maccor export, but no rows");
  return cycles.record();
}

}  // namespace

io::Record read_sample(const fs::path& file) {
  std::error_code failed;
  if (!fs::is_regular_file(file, failed) || !std::ifstream(file))
    throw Error(ErrorKind::io, fmt::format("{}: cannot be opened", file.string()));
  return file.extension() == ".toml" ? read_toml(file) : read_maccor(file);
}

}  // namespace feldspar::cli
