// Patterns, references and lists of numbers.
#include "io/stack/stack_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <system_error>

#include "base/error.hpp"
#include "base/units.hpp"

namespace feldspar::io::stack {
namespace {

namespace fs = std::filesystem;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string read_text(const fs::path& path) {
  constexpr std::uintmax_t most = 64 << 20;
  std::error_code error;
  const auto size = fs::file_size(path, error);
  std::ifstream stream(path, std::ios::binary);
  if (error || !stream) throw Error(ErrorKind::io, fmt::format("{}: cannot be opened", path.string()));
  if (size > most)
    throw Error(ErrorKind::bad_file,
                fmt::format("{}: has {} bytes, too many for a list of numbers", path.string(), size));
  std::string text(size, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(size));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  if (stream.bad()) throw Error(ErrorKind::io, fmt::format("{}: cannot be read", path.string()));
  return text;
}

std::vector<std::string_view> words_of(std::string_view line) {
  constexpr std::string_view separators = " \t\r,;";
  std::vector<std::string_view> words;
  for (;;) {
    const std::size_t first = line.find_first_not_of(separators);
    if (first == std::string_view::npos) return words;
    line.remove_prefix(first);
    const std::size_t end = std::min(line.find_first_of(separators), line.size());
    words.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
}

}  // namespace

bool matches(std::string_view pattern, std::string_view name) {
  std::size_t p = 0, n = 0, star = std::string_view::npos, behind_star = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++, behind_star = n;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
      ++p, ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1, n = ++behind_star;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool comes_before(const std::string& a, const std::string& b) {
  std::size_t i = 0, j = 0;
  const auto digits = [](const std::string& text, std::size_t& at) {
    while (at < text.size() && text[at] == '0') ++at;
    const std::size_t first = at;
    while (at < text.size() && is_digit(text[at])) ++at;
    return std::string_view(text).substr(first, at - first);
  };
  while (i < a.size() && j < b.size()) {
    if (is_digit(a[i]) && is_digit(b[j])) {
      const std::string_view x = digits(a, i), y = digits(b, j);
      if (x.size() != y.size()) return x.size() < y.size();
      if (x != y) return x < y;
    } else if (a[i] != b[j]) {
      return a[i] < b[j];
    } else {
      ++i, ++j;
    }
  }
  const std::size_t left_a = a.size() - i, left_b = b.size() - j;
  return left_a != left_b ? left_a < left_b : a < b;
}

std::vector<std::string> files_like(const fs::path& pattern) {
  const fs::path folder = pattern.has_parent_path() ? pattern.parent_path() : fs::path(".");
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (!name.starts_with(".") && !name.ends_with(".partial") && matches(pattern.filename().string(), name))
      names.push_back(name);
  }
  if (error)
    throw Error(ErrorKind::io, fmt::format("{}: cannot be read: {}", folder.string(), error.message()));
  std::sort(names.begin(), names.end(), comes_before);
  return names;
}

bool is_pattern(const fs::path& path) {
  return path.filename().string().find_first_of("*?") != std::string::npos;
}

std::vector<StackImage> find_references(const std::vector<std::string>& names, const char* field,
                                        const fs::path& description) {
  std::vector<StackImage> images;
  for (const std::string& name : names) {
    const fs::path path = description.parent_path() / name;
    std::vector<fs::path> files;
    if (!is_pattern(path))
      files.push_back(path);
    else
      for (const std::string& file : files_like(path)) files.push_back(path.parent_path() / file);
    if (files.empty()) refuse_absent(name, field, description);
    for (const fs::path& file : files) {
      const TiffPages found = tiff_pages(file);
      if (!found.damage.empty()) throw Error(ErrorKind::bad_file, found.damage);
      for (const TiffPage page : found.pages) images.push_back({file, page, static_cast<int>(images.size())});
    }
  }
  return images;
}

void refuse_absent(const std::string& name, const char* field, const fs::path& description) {
  throw Error(
      ErrorKind::io,
      fmt::format("{}: {} = \"{}\" matches no file in {}; the images it stands for are missing: put them "
                  "there",
                  description.string(), field, name,
                  (description.parent_path() / name).parent_path().string()));
}

std::vector<double> read_numbers(const NumberFile& file, int columns) {
  const std::string text = read_text(file.path);
  std::vector<double> values;
  int number = 0;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    const std::vector<std::string_view> words = words_of(std::string_view(text).substr(start, end - start));
    start = end + 1;
    if (++number <= file.header_lines || words.empty() || words[0].starts_with('#')) continue;
    for (int n = 0; n < columns; ++n) {
      const auto column = static_cast<std::size_t>(file.column - 1 + n);
      double value = 0;
      if (column >= words.size() || !parse_number(words[column], value))
        throw Error(ErrorKind::bad_file,
                    fmt::format("{}: line {} has {} in column {}, but a number was expected; header_lines "
                                "and column say where the numbers are",
                                file.path.string(), number,
                                column < words.size() ? fmt::format("\"{}\"", words[column]) : "nothing",
                                column + 1));
      values.push_back(value * file.unit);
    }
  }
  const auto skipped = static_cast<std::size_t>(columns) *
                       (static_cast<std::size_t>(file.skip_first) + static_cast<std::size_t>(file.skip_last));
  if (skipped >= values.size())
    throw Error(ErrorKind::bad_file, fmt::format("{}: has {} values, and all of them are skipped",
                                                 file.path.string(), values.size()));
  values.erase(values.end() - static_cast<std::ptrdiff_t>(columns) * file.skip_last, values.end());
  values.erase(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(columns) * file.skip_first);
  return values;
}

}  // namespace feldspar::io::stack
