// Reads line by line and keeps every key, so that `feldspar info --fields` shows what was not asked for, too.
#include "io/vendors/keyed_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <system_error>

#include "base/error.hpp"
#include "base/units.hpp"

namespace feldspar::io::vendors {
namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\"";
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

bool same(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

/// The texts are Latin-1 where they are not ASCII.
std::string utf8(std::string_view latin) {
  std::string text;
  for (const char c : latin) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      text += c;
    } else {
      text += static_cast<char>(0xC0 | (byte >> 6));
      text += static_cast<char>(0x80 | (byte & 0x3F));
    }
  }
  return text;
}

}  // namespace

KeyedText::KeyedText(std::string_view text, std::filesystem::path file) : file_(std::move(file)) {
  std::string section;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t equals = line.find('=');
    if (line.starts_with('[') && line.ends_with(']'))
      section = utf8(trimmed(line.substr(1, line.size() - 2)));
    else if (equals != line.npos)
      fields_.push_back({.section = section,
                         .name = utf8(trimmed(line.substr(0, equals))),
                         .value = utf8(trimmed(line.substr(equals + 1))),
                         .use = SourceField::Use::informative,
                         .note = {}});
  }
}

KeyedText KeyedText::read(const std::filesystem::path& file) {
  constexpr std::uintmax_t most = 16 << 20;
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(file, error);
  std::ifstream stream(file, std::ios::binary);
  if (error || !stream) throw Error(ErrorKind::io, fmt::format("{}: cannot be opened", file.string()));
  if (size > most)
    throw Error(ErrorKind::bad_file,
                fmt::format("{}: has {} bytes, too many for a text of its kind", file.string(), size));
  std::string text(size, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(size));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  return {text, file};
}

std::string KeyedText::text(std::string_view section, std::string_view key) {
  for (SourceField& field : fields_)
    if (same(field.section, section) && same(field.name, key)) {
      field.use = SourceField::Use::used;
      return field.value;
    }
  return {};
}

std::optional<double> KeyedText::number(std::string_view section, std::string_view key) {
  const std::string value = text(section, key);
  if (value.empty()) return std::nullopt;
  double number = 0;
  if (!parse_number(value, number))
    refuse(section, key, fmt::format("\"{}\" was found, but a number was expected", value));
  return number;
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
