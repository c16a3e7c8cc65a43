// The images and the columns of numbers that a stack's description names.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "io/stack/stack_description.hpp"
#include "io/tiff/tiff_file.hpp"

namespace feldspar::io::stack {

/// One image, and its place in the order of the scan: missing numbers leave gaps.
struct StackImage {
  std::filesystem::path path;
  TiffPage page = the_only_image;
  int index = 0;
};

/// The images that `names` (of the field `field`, relative to the folder of `description`) stand for, in an
/// order that means nothing. Throws Error(io) when a name stands for no file, or as tiff_pages;
/// Error(bad_file) for files of many pages that are cut off.
[[nodiscard]] std::vector<StackImage> find_references(const std::vector<std::string>& names,
                                                      const char* field,
                                                      const std::filesystem::path& description);

/// Throws Error(io): `name` of the field stands for no file.
[[noreturn]] void refuse_absent(const std::string& name, const char* field,
                                const std::filesystem::path& description);

/// True when the last part of `path` is a pattern with * or ?.
[[nodiscard]] bool is_pattern(const std::filesystem::path& path);

/// The names of the files in its folder that `pattern` stands for. Throws Error(io) when that cannot be read.
[[nodiscard]] std::vector<std::string> files_like(const std::filesystem::path& pattern);

/// True when `name` is what `pattern` with * and ? stands for.
[[nodiscard]] bool matches(std::string_view pattern, std::string_view name);

/// Order of people: "a2" before "a10".
[[nodiscard]] bool comes_before(const std::string& a, const std::string& b);

/// `columns` neighbouring numbers of each line, times the unit. Throws Error(io), or as parse_number_table.
[[nodiscard]] NumberTable read_numbers(const NumberFile& file, int columns);

}  // namespace feldspar::io::stack
