// Names with numbers sort by the numbers, and a number that is absent is an image that is missing.
#include "io/stack/stack_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <system_error>

#include "base/error.hpp"
#include "base/text.hpp"

namespace feldspar::io::stack {
namespace {

namespace fs = std::filesystem;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// The number that the only * of `pattern` stands for in `name`.
std::optional<long long> number_in(const std::string& pattern, const std::string& name) {
  const std::size_t star = pattern.find('*');
  if (star == std::string::npos || pattern.find_first_of("*?", star + 1) != std::string::npos ||
      pattern.find('?') != std::string::npos)
    return std::nullopt;
  const char* const first = name.data() + star;
  const char* const end = name.data() + name.size() - (pattern.size() - star - 1);
  long long value = 0;
  const auto [stop, error] = std::from_chars(first, end, value);
  if (error != std::errc{} || stop != end || first == end || !is_digit(*first)) return std::nullopt;
  return value;
}

std::vector<std::string> files_like(const fs::path& folder, const std::string& pattern) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (!name.starts_with(".") && !name.ends_with(".partial") && matches(pattern, name))
      names.push_back(name);
  }
  if (error)
    throw Error(ErrorKind::io, fmt::format("{}: cannot be read: {}", folder.string(), error.message()));
  std::sort(names.begin(), names.end(), comes_before);
  return names;
}

struct NumberedFile {
  fs::path path;
  int index = 0;  ///< counted from the first file's number
};

/// The files of a pattern; `gaps` receives the numbers that are missing between the first and the last.
std::vector<NumberedFile> expand(const fs::path& folder, const std::string& pattern, std::string& gaps) {
  const std::vector<std::string> names = files_like(folder, pattern);
  std::vector<NumberedFile> files;
  long long first = 0, expected = 0;
  bool numbered = true;
  for (const std::string& name : names) numbered = numbered && number_in(pattern, name).has_value();
  for (std::size_t n = 0; n < names.size(); ++n) {
    const long long number = numbered ? *number_in(pattern, names[n]) : static_cast<long long>(n);
    if (n == 0) first = expected = number;
    constexpr long long most = 10'000'000;
    if (number < expected || number - first > most)
      throw Error(ErrorKind::bad_file,
                  fmt::format("{}: its number {} {}; list the files instead of a pattern",
                              (folder / names[n]).string(), number,
                              number < expected ? "is there twice" : "is out of range"));
    if (number > expected && gaps.size() < 200)
      gaps += fmt::format("{}{}{}", gaps.empty() ? "" : ", ", expected,
                          number - expected > 1 ? fmt::format("-{}", number - 1) : "");
    expected = number + 1;
    files.push_back({folder / names[n], static_cast<int>(number - first)});
  }
  return files;
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

std::vector<StackImage> find_images(const std::vector<std::string>& names, const char* field,
                                    const fs::path& description, bool allow_missing) {
  std::vector<StackImage> images;
  for (const std::string& name : names) {
    const fs::path path = description.parent_path() / name;
    const bool is_pattern = path.filename().string().find_first_of("*?") != std::string::npos;
    std::string gaps;
    const std::vector<NumberedFile> files =
        is_pattern ? expand(path.has_parent_path() ? path.parent_path() : fs::path("."),
                            path.filename().string(), gaps)
                   : std::vector<NumberedFile>{{path, 0}};
    if (files.empty())
      throw Error(
          ErrorKind::io,
          fmt::format(
              "{}: {} = \"{}\" matches no file in {}; the images it stands for are missing: put them there",
              description.string(), field, name, path.parent_path().string()));
    if (!gaps.empty() && !allow_missing)
      throw Error(ErrorKind::bad_file,
                  fmt::format("{}: {} = \"{}\" lacks the numbers {}; to leave those views out, give "
                              "--allow-missing, or list the files if none is missing",
                              description.string(), field, name, gaps));
    const int base = images.empty() ? 0 : images.back().index + 1;
    const std::size_t before = images.size();
    for (const NumberedFile& file : files) {
      const std::vector<TiffPage> pages = tiff_pages(file.path);
      if (pages.size() > 1 && !gaps.empty())
        throw Error(ErrorKind::bad_file,
                    fmt::format("{}: lacks files of many pages, so the views behind have no angles: {}",
                                description.string(), gaps));
      for (const TiffPage page : pages) images.push_back({file.path, page, base + file.index});
    }
    const bool many_pages = images.size() - before != files.size();
    for (std::size_t n = before; many_pages && n < images.size(); ++n)
      images[n].index = base + static_cast<int>(n - before);
  }
  return images;
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
