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

/// The images that `names` (of the field `field`, relative to the folder of `description`) stand for: files
/// in the order given, those of a pattern with * and ? by the numbers in their names, the pages of each in
/// their order. Throws Error(io) when a name stands for no file, Error(bad_file) naming the missing when the
/// numbers of a pattern with one * have gaps, unless `allow_missing`.
[[nodiscard]] std::vector<StackImage> find_images(const std::vector<std::string>& names, const char* field,
                                                  const std::filesystem::path& description,
                                                  bool allow_missing);

/// True when `name` is what `pattern` with * and ? stands for.
[[nodiscard]] bool matches(std::string_view pattern, std::string_view name);

/// Order of people: "a2" before "a10".
[[nodiscard]] bool comes_before(const std::string& a, const std::string& b);

/// `columns` neighbouring numbers of each line, times the unit. Throws Error(io), or as parse_number_table.
[[nodiscard]] NumberTable read_numbers(const NumberFile& file, int columns);

}  // namespace feldspar::io::stack
