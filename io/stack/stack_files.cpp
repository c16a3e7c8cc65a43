// Patterns, references and lists of numbers.
#include "io/stack/stack_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "base/error.hpp"
#include "base/text.hpp"

namespace feldspar::io::stack {
namespace {

namespace fs = std::filesystem;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

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

/// The digits from `at` on without leading zeros; `at` is moved behind them.
std::string_view digits(const std::string& text, std::size_t& at) {
  while (at < text.size() && text[at] == '0') ++at;
  const std::size_t first = at;
  while (at < text.size() && is_digit(text[at])) ++at;
  return std::string_view(text).substr(first, at - first);
}

bool comes_before(const std::string& a, const std::string& b) {
  std::size_t i = 0, j = 0;
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

NumberTable read_numbers(const NumberFile& file, int columns) {
  constexpr std::uintmax_t most = 64 << 20;
  NumberColumns wanted = file.columns;
  wanted.count = columns;
  NumberTable table = parse_number_table(read_text(file.path, most), wanted, file.path.string());
  std::vector<double>& values = table.values;
  for (double& value : values) value *= file.unit;
  const auto skipped = static_cast<std::size_t>(columns) *
                       (static_cast<std::size_t>(file.skip_first) + static_cast<std::size_t>(file.skip_last));
  if (skipped >= values.size())
    throw Error(ErrorKind::bad_file, fmt::format("{}: has {} values, and all of them are skipped",
                                                 file.path.string(), values.size()));
  values.erase(values.end() - static_cast<std::ptrdiff_t>(columns) * file.skip_last, values.end());
  values.erase(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(columns) * file.skip_first);
  return table;
}

}  // namespace feldspar::io::stack
