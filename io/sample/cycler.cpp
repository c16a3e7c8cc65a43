// Exports have millions of rows, so they are read twice: how their numbers are written is known at the end
// only.
#include "io/sample/cycler.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/error.hpp"
#include "base/text.hpp"
#include "base/units.hpp"

namespace feldspar::io {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t longest_line = 1 << 16;

[[noreturn]] void refuse(const fs::path& file, const std::string& why) {
  throw Error(ErrorKind::bad_file, fmt::format("{}: {}", file.string(), why));
}

/// Cells of a line, without blanks and quotes around them.
std::vector<std::string> cells_of(std::string_view line, char separator) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (const char c : line) {
    if (c == '"')
      quoted = !quoted;
    else if (c == separator && !quoted)
      cells.emplace_back();
    else
      cells.back() += c;
  }
  for (std::string& cell : cells) cell = trimmed(cell);
  return cells;
}

/// "Amp-hr" and "AMP HR" are one name; a mu is the u of micro.
std::string plain(const std::string& text) {
  std::string letters;
  for (std::size_t n = 0; n < text.size(); ++n) {
    const auto c = static_cast<unsigned char>(text[n]);
    const std::string_view two = std::string_view(text).substr(n, 2);
    if (two == "\u00b5" || two == "\u03bc") ++n;
    if (two == "\u00b5" || two == "\u03bc" || c == 0xB5) letters += 'u';
    if (c < 0x80 && std::isalnum(c)) letters += static_cast<char>(std::tolower(c));
  }
  return letters;
}

/// Ah in the unit that the name of a column of charge ends with, which is taken off; nothing without one.
std::optional<double> take_unit(std::string& name) {
  struct Unit {
    std::string_view word;
    double ampere_hours;
  };
  constexpr std::array units{Unit{"mamphr", 1e-3}, Unit{"amphr", 1},  Unit{"mahr", 1e-3}, Unit{"uahr", 1e-6},
                             Unit{"ahr", 1},       Unit{"mah", 1e-3}, Unit{"uah", 1e-6},  Unit{"ah", 1}};
  for (const Unit& unit : units)
    if (name.ends_with(unit.word)) {
      name.resize(name.size() - unit.word.size());
      return unit.ampere_hours;
    }
  return std::nullopt;
}

/// A column, and how good its name is: of several the one with the lowest rank counts.
struct Column {
  std::size_t at = 0;
  std::size_t rank = 0;
};

/// Where the columns stand; names as the programs' versions have written them, the best first.
struct Columns {
  char separator = '\t';
  std::size_t width = 0;
  std::optional<Column> cycle, capacity, discharged, state, resistance;
  std::string unitless;  ///< a capacity's name that has no unit
  double ampere_hours = 1;

  /// False for a line that is not the one with their names.
  bool find(std::string_view line) {
    for (const char candidate : {'\t', ';', ','}) {
      Columns found;
      found.separator = candidate;
      if (line.find(candidate) == line.npos || !found.find_all(cells_of(line, candidate))) continue;
      *this = found;
      return true;
    }
    return false;
  }

 private:
  using Names = std::initializer_list<const char*>;

  static void consider(std::optional<Column>& column, const std::string& name, std::size_t at, Names names) {
    const auto found = std::ranges::find(names, name);
    const auto rank = static_cast<std::size_t>(found - names.begin());
    if (found != names.end() && (!column || rank < column->rank)) column = {at, rank};
  }

  bool find_all(const std::vector<std::string>& cells) {
    width = cells.size();
    while (width > 0 && cells[width - 1].empty()) --width;
    double of_capacity = 1, of_discharged = 1;
    for (std::size_t n = 0; n < cells.size(); ++n) {
      std::string name = plain(cells[n]);
      consider(cycle, name, n,
               {"cyc", "cycle", "cyclec", "cycc", "cycleindex", "cyclenumber", "cycleno", "cycleid",
                "cyclenr", "cyccount", "cyclecount", "cycnr", "cyclep", "cycp"});
      consider(state, name, n, {"steptype", "command", "status", "md", "state", "mode"});
      consider(resistance, name, n,
               {"dcirohms", "dcirohm", "dcir", "internalresistanceohm", "internalresistance", "acimpohms",
                "acimpohm", "acr"});
      const auto unit = take_unit(name);
      const auto before = std::pair(capacity, discharged);
      consider(discharged, name, n,
               {"dischargecapacity", "dischargecap", "dchgcap", "dchgcapacity", "qdischarge", "discap",
                "discapacity", "capacitydischarge", "ahcycdischarge", "discharge", "ahdischarge", "ahdch"});
      consider(capacity, name, n, {"", "capacity", "cap", "ahset", "ahstep"});
      const bool is_capacity = capacity && capacity->at == n,
                 is_discharged = discharged && discharged->at == n;
      if ((is_capacity || is_discharged) && !unit) {
        if (!name.empty()) unitless = cells[n];
        std::tie(capacity, discharged) = before;
      } else if (is_capacity) {
        of_capacity = *unit;
      } else if (is_discharged) {
        of_discharged = *unit;
      }
    }
    ampere_hours = discharged ? of_discharged : of_capacity;
    return cycle && (discharged || (state && (capacity || !unitless.empty())));
  }
};

bool is_discharge(const std::string& state) {
  return state == "d" || state.starts_with("dis") || state.find("dch") != state.npos ||
         (state.size() == 3 && state.starts_with("dc")) || state == "drate";
}

/// How numbers are written, as far as they tell: "1.5" and "0,048" do, "1,061" does not.
struct Decimals {
  bool points = false, commas = false, may_be_points = false, may_be_commas = false;

  void see(std::string_view cell) {
    const auto point = cell.find_last_of('.'), comma = cell.find_last_of(',');
    if (point == cell.npos && comma == cell.npos) return;
    if (point != cell.npos && comma != cell.npos) {
      (point > comma ? points : commas) = true;
      return;
    }
    const char sign = point != cell.npos ? '.' : ',';
    const std::size_t at = cell.find(sign), lead = cell.find_first_of("123456789.,");
    const bool once = at == cell.find_last_of(sign);
    const bool may_group =
        at > lead && at - lead <= 3 && cell.size() - at == 4 && cell.find_last_not_of("0123456789") == at;
    if (!once)
      (sign == '.' ? commas : points) = true;  // several of them can only separate thousands
    else if (may_group)
      (sign == '.' ? may_be_points : may_be_commas) = true;
    else
      (sign == '.' ? points : commas) = true;
  }

  /// The sign of the decimals. Numbers that tell nothing have points, but not where they have commas.
  [[nodiscard]] char decide(const fs::path& file) const {
    if (points && commas)
      refuse(file, "some of its numbers have decimal points and some decimal commas; correct them in a copy");
    if (!points && !commas && may_be_commas)
      refuse(
          file,
          "its numbers have commas that may be decimal ones or separate thousands; write them in a copy with "
          "decimal points and without such commas");
    return commas ? ',' : '.';
  }
};

/// A number with the `decimal` sign, and thousands separated by the other where they are.
bool parse(std::string_view cell, char decimal, double& value) {
  std::string text(cell);
  const char group = decimal == '.' ? ',' : '.';
  const std::size_t end = std::min(text.find_first_of(std::string{decimal, 'e', 'E'}), text.size());
  for (std::size_t at = text.find(group); at != std::string::npos; at = text.find(group, at + 1))
    if (at == 0 || at > end || (end - at) % 4 != 0) return false;
  std::erase(text, group);
  std::ranges::replace(text, decimal, '.');
  return parse_number(text, value) && std::abs(value) <= 1e9;
}

/// Summed up row by row.
struct Cycles {
  struct Cycle {
    double first = 0, most = 0;  ///< Ah
    int rows = 0;
  };
  std::map<int, Cycle> discharged;
  int last = -1;
  double resistance = 0;
  bool falls = false;  ///< a column of discharged charge that begins again, as each cycle
  double before = 0;   ///< in the row before

  void add(double cycle_number, std::optional<double> ampere_hours) {
    const int number = static_cast<int>(cycle_number);
    last = std::max(last, number);
    if (!ampere_hours) return;
    Cycle& cycle = discharged[number];
    if (cycle.rows++ == 0) cycle.first = *ampere_hours;
    cycle.most = std::max(cycle.most, *ampere_hours);
    falls = falls || *ampere_hours < before;
    before = *ampere_hours;
  }

  /// What was discharged in each cycle. A column that never falls over many rows is a total of all cycles.
  [[nodiscard]] std::map<int, double> by_cycle(bool may_be_total) const {
    std::map<int, double> all;
    const bool many = std::ranges::any_of(discharged, [](const auto& one) { return one.second.rows > 1; });
    const bool is_total = may_be_total && !falls && many && discharged.size() > 1;
    double earlier = 0;
    for (const auto& [number, cycle] : discharged) {
      all[number] = is_total ? cycle.most - (all.empty() ? cycle.first : earlier) : cycle.most;
      earlier = cycle.most;
    }
    return all;
  }

  [[nodiscard]] Record record(bool may_be_total) const {
    Record sample{{"cycle", fmt::format("{}", last)}};
    std::map<int, double> all = by_cycle(may_be_total);
    std::erase_if(all, [](const auto& one) { return !(one.second > 0); });
    if (!all.empty()) {
      auto finished = std::prev(all.end());  // the last is one that was broken off if it has half only
      if (finished != all.begin() && finished->second < 0.5 * std::prev(finished)->second) --finished;
      sample.emplace_back("capacity_Ah", fmt::format("{:.6g}", finished->second));
      sample.emplace_back("capacity_of_cycle", fmt::format("{}", finished->first));
      sample.emplace_back("first_capacity_Ah", fmt::format("{:.6g}", all.begin()->second));
    }
    if (resistance > 0) sample.emplace_back("resistance_ohm", fmt::format("{:.6g}", resistance));
    return sample;
  }
};

/// One pass over the rows of a file: `visit(cells, line)`, once the columns are found.
class Export {
 public:
  explicit Export(const fs::path& file) : file_(file), lines_(file) {
    constexpr std::size_t longest_heading = 1000;  // lines before the columns' names
    for (std::string line; next(line) && number_ <= longest_heading;)
      if (columns.find(line)) {
        if (columns.discharged || columns.capacity) return;
        refuse(file, fmt::format(
                         "line {}: the column {} does not say its unit; name it {}(Ah) or {}(mAh) in a copy",
                         number_, columns.unitless, columns.unitless, columns.unitless));
      }
    refuse(file,
           "is neither a .toml nor a cycler's export: none of its lines names the columns of the cycle, the "
           "state "
           "and the capacity, as Cyc#, State and Amp-hr, or Cycle_Index and Discharge_Capacity(Ah)");
  }

  template <class Visit>
  void for_each_row(const Visit& visit) {
    bool first = true;
    for (std::string line; next(line);) {
      std::vector<std::string> cells = cells_of(line, columns.separator);
      while (!cells.empty() && cells.back().empty()) cells.pop_back();
      if (cells.empty()) continue;
      if (cells.size() > columns.width)
        refuse(file_,
               fmt::format("line {} has {} columns, but there are the names of {}; commas within numbers "
                           "cannot be told from those between columns",
                           number_, cells.size(), columns.width));
      cells.resize(columns.width);
      // Below the names some programs write a line of units.
      const bool is_units =
          first && cells[columns.cycle->at].find_first_of("0123456789") == std::string::npos;
      first = false;
      if (!is_units) visit(cells, number_);
    }
  }

  Columns columns;

 private:
  bool next(std::string& line) {
    if (!lines_.next(line, longest_line)) return false;
    ++number_;
    if (line.find('\0') != std::string::npos)
      refuse(file_, fmt::format(
                        "line {} is no text; a sample's file is a .toml, or the text that a cycler's program "
                        "exports",
                        number_));
    return true;
  }

  fs::path file_;
  TextLines lines_;
  std::size_t number_ = 0;
};

bool counts(const Columns& columns, const std::vector<std::string>& cells) {
  return columns.discharged || is_discharge(plain(cells[columns.state->at]));
}

char decimal_sign(const fs::path& file) {
  Export text(file);
  Decimals decimals;
  text.for_each_row([&](const std::vector<std::string>& cells, std::size_t) {
    const Columns& columns = text.columns;
    for (const auto& column :
         {columns.cycle, columns.discharged ? columns.discharged : columns.capacity, columns.resistance})
      if (column) decimals.see(cells[column->at]);
  });
  return decimals.decide(file);
}

}  // namespace

Record read_cycler(const fs::path& file) {
  const char decimal = decimal_sign(file);
  Export text(file);
  const Columns& columns = text.columns;
  Cycles cycles;
  text.for_each_row([&](const std::vector<std::string>& cells, std::size_t line) {
    const auto number = [&](const Column& column, const char* name) {
      double value = 0;
      if (!parse(cells[column.at], decimal, value))
        refuse(file, fmt::format("line {}: {} is '{}', which is no number", line, name,
                                 cells[column.at].substr(0, 40)));
      return value;
    };
    const double cycle = number(*columns.cycle, "the cycle");
    if (cycle != std::floor(cycle))
      refuse(file, fmt::format("line {}: the cycle is '{}', which is no whole number", line,
                               cells[columns.cycle->at].substr(0, 40)));
    std::optional<double> charge;
    if (counts(columns, cells))
      charge = columns.ampere_hours *
               std::abs(number(columns.discharged ? *columns.discharged : *columns.capacity, "the capacity"));
    cycles.add(cycle, charge);
    if (columns.resistance && !cells[columns.resistance->at].empty())
      if (const double ohms = number(*columns.resistance, "the resistance"); ohms > 0)
        cycles.resistance = ohms;
  });
  if (cycles.last < 0) refuse(file, "has the columns of a cycler's export, but no rows");
  return cycles.record(columns.discharged.has_value());
}

}  // namespace feldspar::io
