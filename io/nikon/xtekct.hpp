// The text of an .xtekct file as Nikon's Inspect-X and CT Pro write it: sections, keys and values, with the
// file's own names and units. Nothing is interpreted here; docs/formats.md lists the keys.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/findings.hpp"
#include "base/text.hpp"

namespace feldspar::io::nikon {

struct XtekctEntry {
  std::string section;  ///< as the file spells it: "XTekCT"
  std::string key;
  std::string value;      ///< UTF-8; may be empty
  int line = 0;           ///< counted from 1
  bool repeated = false;  ///< an earlier line of the same section has this key, and counts
};

struct XtekctFile {
  std::filesystem::path path;        ///< names the file in messages
  std::vector<XtekctEntry> entries;  ///< in the order of the file, unknown keys included
  Findings findings;                 ///< lines that were skipped, keys that are repeated

  /// The entry that counts, or null. Section and key are compared without case.
  [[nodiscard]] const XtekctEntry* find(std::string_view section, std::string_view key) const;

  /// A value of [XTekCT]; empty when the key is absent.
  [[nodiscard]] std::string text(std::string_view key, std::string_view section = "XTekCT") const;

  /// A number of [XTekCT]; nothing when the key is absent or its value empty. Throws Error(bad_file) quoting
  /// file, line, key and value when it is no plain number.
  [[nodiscard]] std::optional<double> number(std::string_view key, std::string_view section = "XTekCT") const;

  /// The same of a number that the scan cannot do without.
  [[nodiscard]] double required(std::string_view key) const;

  /// The same of a whole number in [1, most]; "2000.0" is one.
  [[nodiscard]] int count(std::string_view key, int most) const;
};

/// True when `text` begins like an .xtekct file: its first section is [XTekCT] or one that goes with it.
[[nodiscard]] bool looks_like_xtekct(std::string_view text);

/// Reads the text of the file `path`: LF or CRLF lines, with or without byte order mark, UTF-8 or Latin-1;
/// the first of repeated keys counts, as in Windows. Throws Error(bad_file) naming the file when it has no
/// [XTekCT].
[[nodiscard]] XtekctFile parse_xtekct(std::string_view text, const std::filesystem::path& path);

}  // namespace feldspar::io::nikon
