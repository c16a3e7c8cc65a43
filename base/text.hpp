// Texts that other people and programs have written: read without surprises, and shown without them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace feldspar {

/// `text` without blanks and line ends at its ends.
[[nodiscard]] std::string_view trimmed(std::string_view text);

/// Takes the first line off `text`: what stands before its line end, LF or CRLF.
[[nodiscard]] std::string_view take_line(std::string_view& text);

/// ASCII letters in lower case; all other bytes as they are.
[[nodiscard]] std::string lower_case(std::string_view text);

/// Compares ASCII letters without case.
[[nodiscard]] bool same_letters(std::string_view a, std::string_view b);

/// The text itself when it is UTF-8, else the same with its bytes read as Latin-1.
[[nodiscard]] std::string as_utf8(std::string_view text);

/// `text` as a terminal may be given it: control characters but tab and line end, as of colours and cursor
/// movements, and those that reorder what is beside them, are written as `\u001b`, as JSON does.
[[nodiscard]] std::string printable(std::string_view text);

/// The lines of a file one by one, as UTF-8 where it is UTF-16 with its mark; a mark is no part of the text.
class TextLines {
 public:
  /// Throws Error(io) when the file cannot be opened or is no regular file: a pipe could wait for ever.
  explicit TextLines(const std::filesystem::path& file);

  /// The next line without its line end; false after the last. Throws Error(io) when reading fails and
  /// Error(bad_file) for a line of more than `longest` bytes.
  bool next(std::string& line, std::size_t longest);

 private:
  friend std::string read_text(const std::filesystem::path& file, std::uintmax_t most);
  enum class Encoding { bytes, utf16_little, utf16_big };

  bool fill();  ///< decodes some more; false at the end

  std::filesystem::path file_;
  std::ifstream stream_;
  std::uintmax_t size_ = 0;
  Encoding encoding_ = Encoding::bytes;
  std::string decoded_;
  std::size_t taken_ = 0;   ///< of decoded_
  char16_t surrogate_ = 0;  ///< the first half of a character whose second has not come yet
};

/// The whole text of a file of at most `most` bytes, decoded as by TextLines. Throws as that, and
/// Error(bad_file) when the file is larger.
[[nodiscard]] std::string read_text(const std::filesystem::path& file, std::uintmax_t most);

}  // namespace feldspar
