// The one door through which TOML comes in: what would exhaust the parser is refused before it.
#pragma once

#include <toml++/toml.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace feldspar::io::stack {

/// Throws Error(`kind`) naming `source` and the line of what is no TOML, of names with very many parts, and
/// of values that are nested very deeply.
[[nodiscard]] toml::table parse_toml(std::string_view text, const std::string& source, ErrorKind kind);

/// The same of a file; throws Error(io) when it cannot be read and Error(bad_file) when it is larger than a
/// megabyte.
[[nodiscard]] toml::table read_toml(const std::filesystem::path& file, ErrorKind kind);

/// A text, number, true or false as people would type it. Throws Error(usage) naming `where` for another
/// value.
[[nodiscard]] std::string text_of_value(const toml::node& value, const std::string& where);

}  // namespace feldspar::io::stack
