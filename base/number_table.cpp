// Every way in which the lines may be meant is tried on all of them. One way that is left is what is meant.
#include "base/number_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/error.hpp"
#include "base/text.hpp"
#include "base/units.hpp"

namespace feldspar {
namespace {

/// One way to read lines.
struct Reading {
  char separator = ' ';
  char decimal = '.';
  bool grouped = false;  ///< thousands are separated by the comma or point that is not the decimal one
};

/// How far a reading comes: its values, or the line that it fails at and why.
struct Attempt {
  Reading reading;
  std::vector<double> values;
  int line = 0;
  std::string why;  ///< empty when all lines could be read
};

std::vector<std::string_view> cells_of(std::string_view line, char separator) {
  std::vector<std::string_view> cells;
  if (separator == ' ') line = trimmed(line);
  for (;;) {
    const std::size_t end = separator == ' ' ? line.find_first_of(" \t") : line.find(separator);
    cells.push_back(trimmed(line.substr(0, end)));
    if (end == line.npos) return cells;
    line.remove_prefix(end + 1);
    if (separator == ' ') line = trimmed(line);
  }
}

bool are_digits(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

/// "1,234.5" without its comma, when it is so written.
std::optional<std::string> ungrouped(std::string_view cell, Reading reading) {
  const char group = reading.decimal == '.' ? ',' : '.';
  if (cell.find(group) == cell.npos || (group == '.' && cell.find(',') == cell.npos)) return std::nullopt;
  const std::size_t end = std::min(cell.find(reading.decimal), cell.size());
  const bool is_signed = cell.starts_with('+') || cell.starts_with('-');
  std::string_view whole = cell.substr(is_signed ? 1 : 0, end - (is_signed ? 1 : 0));
  std::string plain(cell.substr(0, is_signed ? 1 : 0));
  for (bool leads = true; !whole.empty(); leads = false) {
    const std::size_t length = std::min(whole.find(group), whole.size());
    if (!are_digits(whole.substr(0, length)) || length == 0 || (leads ? length > 3 : length != 3))
      return std::nullopt;
    plain += whole.substr(0, length);
    whole.remove_prefix(std::min(length + 1, whole.size()));
  }
  return plain + std::string(cell.substr(end));
}

bool parse_cell(std::string_view cell, Reading reading, double& value) {
  std::string plain(cell);
  if (reading.grouped)
    if (const auto without = ungrouped(cell, reading)) plain = *without;
  if (reading.decimal == ',') {
    if (plain.find('.') != std::string::npos || std::ranges::count(plain, ',') > 1 || plain.ends_with(','))
      return false;
    std::ranges::replace(plain, ',', '.');
  }
  return parse_number(plain, value);
}

Attempt attempt(std::string_view text, const NumberColumns& columns, Reading reading) {
  Attempt result{.reading = reading, .values = {}, .why = {}};
  std::size_t width = 0;
  while (!text.empty()) {
    const std::string_view line = take_line(text), start = trimmed(line).substr(0, 1);
    if (++result.line <= columns.header_lines || start.empty() || start == "#") continue;
    const std::vector<std::string_view> cells = cells_of(line, reading.separator);
    if (width == 0) width = cells.size();
    for (int n = 0; n < columns.count; ++n) {
      const auto column = static_cast<std::size_t>(columns.first) + static_cast<std::size_t>(n) - 1;
      double value = 0;
      if (column >= cells.size() || !parse_cell(cells[column], reading, value)) {
        result.why = fmt::format(
            "has {} in column {}, but a number was expected",
            column < cells.size() ? fmt::format("\"{}\"", cells[column].substr(0, 60)) : "nothing",
            column + 1);
        return result;
      }
      result.values.push_back(value);
    }
    if (cells.size() != width) {
      result.why = fmt::format("has {} columns, but the lines before it have {}", cells.size(), width);
      return result;
    }
  }
  return result;
}

std::vector<Reading> readings(const NumberColumns& columns) {
  std::vector<Reading> all;
  for (const char separator : {' ', '\t', ';', ','})
    for (const char decimal : {'.', ','})
      for (const bool grouped : {false, true}) {
        if (columns.separator != 0 && separator != columns.separator) continue;
        if (columns.decimal != 0 && decimal != columns.decimal) continue;
        if (separator == ',' && (decimal == ',' || grouped)) continue;
        all.push_back({separator, decimal, grouped});
      }
  return all;
}

constexpr const char* way_out =
    "state decimal = \"comma\" or separator = \"comma\" beside the file's name, or write the numbers with "
    "decimal points";

[[noreturn]] void refuse(const std::string& file, const std::string& why) {
  throw Error(ErrorKind::bad_file, fmt::format("{}: {}", file, why));
}

/// Where two attempts begin to differ, in words.
std::string difference(const Attempt& a, const Attempt& b) {
  std::size_t n = 0;
  while (n < a.values.size() && n < b.values.size() && a.values[n] == b.values[n]) ++n;
  return n < a.values.size() && n < b.values.size()
             ? fmt::format("{} or {}", a.values[n], b.values[n])
             : fmt::format("{} or {} numbers", a.values.size(), b.values.size());
}

}  // namespace

NumberTable parse_number_table(std::string_view text, const NumberColumns& columns, const std::string& file) {
  std::optional<Attempt> found, furthest;
  for (const Reading reading : readings(columns)) {
    Attempt next = attempt(text, columns, reading);
    if (!next.why.empty()) {
      if (!furthest || next.line > furthest->line) furthest = std::move(next);
    } else if (!found) {
      found = std::move(next);
    } else if (found->values != next.values) {
      refuse(file, fmt::format("its numbers can be read in more than one way, as {}; {}",
                               difference(*found, next), way_out));
    }
  }
  if (!found)
    refuse(file, fmt::format("line {} {}; header_lines, column, separator and decimal say where the numbers "
                             "are and how they are written",
                             furthest ? furthest->line : 1, furthest ? furthest->why : "holds no number"));
  const Reading reading = found->reading;
  if (reading.grouped) refuse(file, "separates thousands within its numbers; write them without, as 1234.5");
  if (reading.decimal == ',' && columns.decimal == 0)
    refuse(file, fmt::format("its numbers have decimal commas; {}", way_out));
  NumberTable table{std::move(found->values), {}};
  if (reading.separator == ',' && columns.separator == 0)
    table.finding = fmt::format(
        "{}: its commas are taken to separate columns, as every line can only be read "
        "so",
        file);
  return table;
}

}  // namespace feldspar
