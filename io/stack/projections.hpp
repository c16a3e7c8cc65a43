// Which images are a stack's projections, which are absent, and which cannot be used.
#pragma once

#include <filesystem>
#include <vector>

#include "base/findings.hpp"
#include "io/stack/stack_description.hpp"
#include "io/stack/stack_files.hpp"
#include "io/tiff/tiff_file.hpp"

namespace feldspar::io::stack {

struct Projections {
  std::vector<StackImage> images;  ///< those that can be read, in the order of the scan; never none
  TiffInfo info;                   ///< of all of them
  int planned = 0;                 ///< views with those that are absent or left out
  bool open_end = false;  ///< the last file is cut off, and only a list of angles says how many there were
  Findings findings;
};

/// Finds and looks at the projections that `stack`, read from `description`, names: files in the order given,
/// those of a pattern by the numbers in their names, the pages of each in their order. With `allow_missing`
/// files that are absent, damaged (compressed pixels are decoded to know) or unlike the others are left out,
/// and the others keep their places. Throws Error(io) when a name stands for no file, Error(bad_file) naming
/// what is missing, or when the places of those that are left cannot be known.
[[nodiscard]] Projections find_projections(const StackDescription& stack,
                                           const std::filesystem::path& description, bool allow_missing);

}  // namespace feldspar::io::stack
