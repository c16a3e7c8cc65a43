#include "io/stack/toml_text.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"

namespace feldspar::io::stack {
namespace {

/// Where a string that begins at `at` ends: behind its closing quotes, or at the end of the text.
std::size_t end_of_string(std::string_view text, std::size_t at) {
  const char quote = text[at];
  const bool is_long = text.substr(at, 3) == std::string(3, quote);
  const std::size_t length = is_long ? 3 : 1;
  for (at += length; at < text.size(); ++at) {
    if (quote == '"' && text[at] == '\\')
      ++at;
    else if (text.substr(at, length) == std::string(length, quote))
      return at + length;
    else if (!is_long && text[at] == '\n')
      return at;
  }
  return text.size();
}

/// The parser builds names with many parts, and deep values, one inside the other and takes them down by
/// recursion.
void refuse_depth(std::string_view text, const std::string& source, ErrorKind kind) {
  constexpr int most = 64;
  int dots = 0, depth = 0, line = 1;
  for (std::size_t n = 0; n < text.size();) {
    const char c = text[n];
    if (c == '"' || c == '\'') {
      const std::size_t end = end_of_string(text, n);
      for (; n < end; ++n) line += text[n] == '\n' ? 1 : 0;
      continue;
    }
    if (c == '#') {
      n = std::min(text.find('\n', n), text.size());
      continue;
    }
    if (c == '[' || c == '{') ++depth;
    if (c == ']' || c == '}') depth = std::max(0, depth - 1);
    if (c == '.') ++dots;
    if (c == '\n' || c == ',' || c == '=' || c == '[' || c == '{') dots = 0;
    if (dots > most || depth > most)
      throw Error(kind, fmt::format("{}: line {}: {} more than {} deep", source, line,
                                    dots > most ? "a name is" : "its values are nested", most));
    line += c == '\n' ? 1 : 0;
    ++n;
  }
}

}  // namespace

toml::table parse_toml(std::string_view text, const std::string& source, ErrorKind kind) {
  refuse_depth(text, source, kind);
  try {
    return toml::parse(text);
  } catch (const toml::parse_error& error) {
    throw Error(kind, fmt::format("{}: line {}: {}", source, error.source().begin.line, error.description()));
  }
}

toml::table read_toml(const std::filesystem::path& file, ErrorKind kind) {
  constexpr std::uintmax_t most = 1 << 20;
  return parse_toml(read_text(file, most), file.string(), kind);
}

std::string text_of_value(const toml::node& value, const std::string& where) {
  if (const auto text = value.value_exact<std::string>()) return *text;
  if (const auto flag = value.value_exact<bool>()) return *flag ? "true" : "false";
  if (const auto whole = value.value_exact<std::int64_t>()) return fmt::format("{}", *whole);
  if (value.is_number()) return fmt::format("{}", *value.value<double>());
  throw Error(ErrorKind::usage, fmt::format("{}: the value must be a text, a number, true or false", where));
}

}  // namespace feldspar::io::stack
