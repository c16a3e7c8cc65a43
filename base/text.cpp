#include "base/text.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "base/error.hpp"
#include "base/units.hpp"

namespace feldspar {
namespace {

constexpr std::string_view blanks = " \t\r\n\f\v";

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// The UTF-8 character that `text` starts with and its length; a length of 0 when there is none.
struct Character {
  char32_t code = 0;
  std::size_t length = 0;
};

Character character_of(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  if (lead < 0x80) return {lead, 1};
  const std::size_t length = lead >= 0xC2 && lead < 0xE0   ? 2
                             : lead >= 0xE0 && lead < 0xF0 ? 3
                             : lead >= 0xF0 && lead < 0xF5 ? 4
                                                           : 0;
  if (length == 0 || length > text.size()) return {};
  char32_t code = lead & (0x7FU >> length);
  for (std::size_t n = 1; n < length; ++n) {
    const auto next = static_cast<unsigned char>(text[n]);
    if ((next & 0xC0U) != 0x80) return {};
    code = code << 6 | (next & 0x3FU);
  }
  return {code, length};
}

void append_utf8(std::string& text, char32_t code) {
  const auto byte = [&](char32_t value) { text += static_cast<char>(value); };
  if (code < 0x80) return byte(code);
  if (code < 0x800) {
    byte(0xC0 | code >> 6);
  } else if (code < 0x10000) {
    byte(0xE0 | code >> 12), byte(0x80 | (code >> 6 & 0x3F));
  } else {
    byte(0xF0 | code >> 18), byte(0x80 | (code >> 12 & 0x3F)), byte(0x80 | (code >> 6 & 0x3F));
  }
  byte(0x80 | (code & 0x3F));
}

bool is_dangerous(char32_t code) {
  const bool control = (code < 0x20 && code != '\n' && code != '\t') || (code >= 0x7F && code < 0xA0);
  const bool reorders = (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
  return control || reorders || code == 0x2028 || code == 0x2029;
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(blanks);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::string_view take_line(std::string_view& text) {
  const auto end = std::min(text.find('\n'), text.size());
  std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::string lower_case(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), lower);
  return result;
}

bool same_letters(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

std::string as_utf8(std::string_view text) {
  std::size_t length = 0;
  for (std::string_view rest = text; !rest.empty(); rest.remove_prefix(length))
    if (length = character_of(rest).length; length == 0) break;
  if (text.empty() || length > 0) return std::string(text);
  std::string result;
  for (const char c : text) append_utf8(result, static_cast<unsigned char>(c));
  return result;
}

std::string printable(std::string_view text) {
  std::string shown;
  while (!text.empty()) {
    const Character next = character_of(text);
    const auto byte = static_cast<unsigned char>(text.front());
    // A byte that is no UTF-8 may be of a name in Latin-1; only what Latin-1 has as control is dangerous.
    if (const char32_t code = next.length > 0 ? next.code : byte; is_dangerous(code))
      shown += fmt::format("\\u{:04x}", static_cast<unsigned>(code));
    else
      shown += text.substr(0, std::max<std::size_t>(next.length, 1));
    text.remove_prefix(std::max<std::size_t>(next.length, 1));
  }
  return shown;
}

namespace {

void refuse_all_but_files(const std::filesystem::path& path, mode_t mode) {
  if (S_ISDIR(mode))
    throw Error(ErrorKind::io, fmt::format("{}: is a folder, but a text file was expected", path.string()));
  if (!S_ISREG(mode))
    throw Error(ErrorKind::io,
                fmt::format("{}: is a pipe or a device; save the text in a file", path.string()));
}

}  // namespace

TextLines::TextLines(const std::filesystem::path& file) : file_(file) {
  struct stat facts {};
  const bool is_there = ::stat(file.c_str(), &facts) == 0;
  const std::string why = is_there ? "" : std::generic_category().message(errno);
  if (is_there) refuse_all_but_files(file, facts.st_mode);
  if (is_there) stream_.open(file, std::ios::binary);
  if (!is_there || !stream_)
    throw Error(ErrorKind::io,
                fmt::format("{}: cannot be opened{}{}", file.string(), why.empty() ? "" : ": ", why));
  size_ = static_cast<std::uintmax_t>(facts.st_size);
  char mark[3] = {};
  stream_.read(mark, 3);
  const std::string_view start(mark, static_cast<std::size_t>(stream_.gcount()));
  stream_.clear();
  if (start.starts_with("\xFF\xFE")) encoding_ = Encoding::utf16_little;
  if (start.starts_with("\xFE\xFF")) encoding_ = Encoding::utf16_big;
  stream_.seekg(encoding_ != Encoding::bytes ? 2 : start == "\xEF\xBB\xBF" ? 3 : 0);
}

bool TextLines::fill() {
  std::string raw(1 << 16, '\0');
  stream_.read(raw.data(), static_cast<std::streamsize>(raw.size()));
  raw.resize(static_cast<std::size_t>(stream_.gcount()));
  if (stream_.bad()) throw Error(ErrorKind::io, fmt::format("{}: reading failed", file_.string()));
  if (raw.empty()) return false;
  decoded_.erase(0, taken_);
  taken_ = 0;
  if (encoding_ == Encoding::bytes) {
    decoded_ += raw;
    return true;
  }
  const std::size_t high = encoding_ == Encoding::utf16_big ? 0 : 1;
  for (std::size_t n = 0; n + 1 < raw.size(); n += 2) {
    const auto unit = static_cast<char16_t>(static_cast<unsigned char>(raw[n + high]) << 8 |
                                            static_cast<unsigned char>(raw[n + 1 - high]));
    const bool second = unit >= 0xDC00 && unit < 0xE000;
    if (second && surrogate_ != 0)
      append_utf8(decoded_, 0x10000 + ((surrogate_ - 0xD800U) << 10) + (unit - 0xDC00U));
    else if (second || surrogate_ != 0)
      append_utf8(decoded_, 0xFFFD);
    surrogate_ = unit >= 0xD800 && unit < 0xDC00 ? unit : u'\0';
    if (unit < 0xD800 || unit >= 0xE000) append_utf8(decoded_, unit);
  }
  return true;
}

bool TextLines::next(std::string& line, std::size_t longest) {
  std::size_t searched = taken_;
  std::size_t end = decoded_.find('\n', searched);
  while (end == std::string::npos && decoded_.size() - taken_ <= longest) {
    searched = decoded_.size() - taken_;
    if (!fill()) {
      end = decoded_.size();
      if (end == taken_) return false;
      break;
    }
    end = decoded_.find('\n', searched);
  }
  if (end == std::string::npos || end - taken_ > longest)
    throw Error(ErrorKind::bad_file,
                fmt::format("{}: is no text: a line of it has more than {} bytes", file_.string(), longest));
  line.assign(decoded_, taken_, end - taken_);
  if (line.ends_with('\r')) line.pop_back();
  taken_ = std::min(end + 1, decoded_.size());
  return true;
}

std::string read_text(const std::filesystem::path& file, std::uintmax_t most) {
  TextLines text(file);
  if (text.size_ > most)
    throw Error(ErrorKind::bad_file,
                fmt::format("{}: has {}, too much for a text of its kind: {} is the most", file.string(),
                            format_bytes(text.size_), format_bytes(most)));
  while (text.decoded_.size() <= 2 * most && text.fill()) {
  }
  return std::move(text.decoded_);
}

}  // namespace feldspar
