// Lines to entries: tolerant of how text is written, strict about what a number is.
#include "io/nikon/xtekct.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "base/error.hpp"
#include "base/units.hpp"

namespace feldspar::io::nikon {
namespace {

/// The name of a section line such as "[Xrays]"; empty for any other line.
std::string_view section_of(std::string_view line) {
  const bool is_section = line.size() > 2 && line.front() == '[' && line.back() == ']';
  return is_section ? trimmed(line.substr(1, line.size() - 2)) : std::string_view{};
}

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

std::string_view without_mark(std::string_view text) {
  return text.starts_with(byte_order_mark) ? text.substr(byte_order_mark.size()) : text;
}

void refuse_other_encodings(std::string_view text, const std::filesystem::path& path) {
  if (text.find('\0') != text.npos)
    throw Error(
        ErrorKind::bad_file,
        fmt::format("{}: is no plain text (it may be UTF-16); save it as UTF-8 or ANSI text", path.string()));
}

/// The first entry of every section and key, in lower case.
using FirstEntries = std::unordered_map<std::string, std::size_t>;

void add_entry(XtekctFile& file, FirstEntries& firsts, XtekctEntry entry) {
  const auto [place, is_first] =
      firsts.emplace(lower_case(entry.section + '\n' + entry.key), file.entries.size());
  if (!is_first) {
    const XtekctEntry& first = file.entries[place->second];
    entry.repeated = true;
    file.findings.push_back(
        {"file.key-repeated",
         fmt::format("{}: {} is given twice, as \"{}\" in line {} and \"{}\" in line {}; the first counts",
                     file.path.string(), entry.key, first.value, first.line, entry.value, entry.line),
         entry.key});
  }
  file.entries.push_back(std::move(entry));
}

}  // namespace

bool looks_like_xtekct(std::string_view text) {
  text = without_mark(text);
  while (!text.empty()) {
    const std::string_view line = trimmed(take_line(text));
    if (line.empty() || line.front() == ';') continue;
    const std::string_view section = section_of(line);
    return same_letters(section, "XTekCT") || same_letters(section, "Xrays") ||
           same_letters(section, "CTPro") || same_letters(section, "DICOM");
  }
  return false;
}

XtekctFile parse_xtekct(std::string_view text, const std::filesystem::path& path) {
  refuse_other_encodings(text, path);
  XtekctFile file{.path = path, .entries = {}, .findings = {}};
  FirstEntries firsts;
  std::string section;
  bool has_scan = false;
  text = without_mark(text);
  for (int number = 1; !text.empty(); ++number) {
    const std::string_view line = trimmed(take_line(text));
    if (line.empty() || line.front() == ';') continue;
    if (const std::string_view name = section_of(line); !name.empty()) {
      section = as_utf8(name);
      has_scan = has_scan || same_letters(section, "XTekCT");
      continue;
    }
    const auto equals = line.find('=');  // values may hold more of them: DICOMTags is XML
    if (equals == line.npos || equals == 0) {
      file.findings.push_back(
          {"file.line-skipped",
           fmt::format("{}: line {} is neither [section] nor key=value and was skipped: \"{}\"",
                       path.string(), number, as_utf8(line.substr(0, 60)))});
      continue;
    }
    add_entry(file, firsts,
              {.section = section,
               .key = as_utf8(trimmed(line.substr(0, equals))),
               .value = as_utf8(trimmed(line.substr(equals + 1))),
               .line = number});
  }
  if (!has_scan)
    throw Error(ErrorKind::bad_file,
                fmt::format("{}: has no section [XTekCT], so it is no Nikon X-Tek CT scan", path.string()));
  return file;
}

const XtekctEntry* XtekctFile::find(std::string_view section, std::string_view key) const {
  const auto found = std::find_if(entries.begin(), entries.end(), [&](const XtekctEntry& entry) {
    return same_letters(entry.key, key) && same_letters(entry.section, section);
  });
  return found == entries.end() ? nullptr : &*found;
}

std::string XtekctFile::text(std::string_view key, std::string_view section) const {
  const XtekctEntry* const entry = find(section, key);
  return entry ? entry->value : std::string{};
}

std::optional<double> XtekctFile::number(std::string_view key, std::string_view section) const {
  const XtekctEntry* const entry = find(section, key);
  if (!entry || entry->value.empty()) return {};
  double value = 0;
  if (parse_number(entry->value, value)) return value;
  const bool comma = entry->value.find(',') != std::string::npos;
  throw Error(ErrorKind::bad_file,
              fmt::format("{}: {} in line {} is \"{}\", which is no number; {}", path.string(), key,
                          entry->line, entry->value,
                          comma ? "decimals are written with a point: correct them in a copy of the file"
                                : "correct it in a copy of the file"));
}

double XtekctFile::required(std::string_view key) const {
  if (const auto value = number(key)) return *value;
  throw Error(ErrorKind::bad_file,
              fmt::format("{}: [XTekCT] has no {}; the scan cannot be used without it", path.string(), key));
}

int XtekctFile::count(std::string_view key, int most) const {
  const double value = required(key);
  if (value < 1 || value > most || value != std::floor(value))
    throw Error(ErrorKind::bad_file,
                fmt::format("{}: {} in line {} is \"{}\", but a whole number from 1 to {} was expected",
                            path.string(), key, find("XTekCT", key)->line, text(key), most));
  return static_cast<int>(value);
}

}  // namespace feldspar::io::nikon
