// Reads line by line and keeps every key, so that `feldspar info --fields` shows what was not asked for, too.
#include "io/vendors/keyed_text.hpp"

#include <fmt/format.h>

#include <cmath>

#include "base/error.hpp"
#include "base/text.hpp"
#include "base/units.hpp"

namespace feldspar::io::vendors {
namespace {

std::string_view unquoted(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\"";
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

}  // namespace

KeyedText::KeyedText(std::string_view text, std::filesystem::path file) : file_(std::move(file)) {
  std::string section;
  while (!text.empty()) {
    const std::string_view line = unquoted(take_line(text));
    const std::size_t equals = line.find('=');
    if (line.starts_with('[') && line.ends_with(']'))
      section = as_utf8(unquoted(line.substr(1, line.size() - 2)));
    else if (equals != line.npos)
      fields_.push_back({.section = section,
                         .name = as_utf8(unquoted(line.substr(0, equals))),
                         .value = as_utf8(unquoted(line.substr(equals + 1))),
                         .use = SourceField::Use::informative,
                         .note = {}});
  }
}

SourceField* KeyedText::find(std::string_view section, std::string_view key) {
  SourceField* first = nullptr;
  for (SourceField& field : fields_)
    if (same_letters(field.section, section) && same_letters(field.name, key)) {
      if (first)
        field.use = SourceField::Use::contradicted,
        field.note = "an earlier line has the same key, and counts";
      if (!first) first = &field;
    }
  return first;
}

std::string KeyedText::text(std::string_view section, std::string_view key) {
  SourceField* const field = find(section, key);
  if (!field) return {};
  field->use = SourceField::Use::used, field->note.clear();
  return field->value;
}

std::optional<double> KeyedText::number(std::string_view section, std::string_view key) {
  const std::string value = text(section, key);
  if (value.empty()) return std::nullopt;
  double number = 0;
  if (!parse_number(value, number))
    refuse(section, key,
           fmt::format("\"{}\" was found, but a number{} was expected", value,
                       value.find(',') == value.npos ? "" : " whose decimals have a point"));
  return number;
}

std::string KeyedText::unused_text(std::string_view section, std::string_view key, const std::string& note) {
  SourceField* const field = find(section, key);
  if (!field) return {};
  field->use = SourceField::Use::ignored, field->note = note;
  return field->value;
}

std::optional<double> KeyedText::unused_number(std::string_view section, std::string_view key,
                                               const std::string& note) {
  const std::optional<double> value = number(section, key);
  (void)unused_text(section, key, note);
  return value;
}

double KeyedText::required(std::string_view section, std::string_view key) {
  const std::optional<double> value = number(section, key);
  if (!value) refuse(section, key, "is missing, but the geometry needs it; add it in a copy of the file");
  return *value;
}

double KeyedText::positive(std::string_view section, std::string_view key) {
  const double value = required(section, key);
  if (!(value > 0)) refuse(section, key, fmt::format("{} was found, but more than 0 was expected", value));
  return value;
}

int KeyedText::count(std::string_view section, std::string_view key) {
  const double value = required(section, key);
  if (!(value >= 1 && value <= 1e6) || value != std::floor(value))
    refuse(section, key, fmt::format("{} was found, but a whole number from 1 was expected", value));
  return static_cast<int>(value);
}

void KeyedText::refuse(std::string_view section, std::string_view key, const std::string& what) const {
  throw Error(ErrorKind::bad_file, fmt::format("{}: [{}] {}: {}", file_.string(), section, key, what));
}

}  // namespace feldspar::io::vendors
