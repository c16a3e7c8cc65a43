// Which files of a folder are a scan's projections, and which projection each one is.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/findings.hpp"
#include "io/nikon/xtekct.hpp"

namespace feldspar::io::nikon {

/// One projection on disk.
struct ProjectionFile {
  std::filesystem::path path;
  int index = 0;  ///< of the projection, counted from 0; the file's number is one more
};

struct ProjectionFiles {
  std::vector<ProjectionFile> projections;  ///< by index
  Findings findings;                        ///< files that were ignored, dropped or looked for elsewhere
};

/// The number in a file name that is prefix + digits + .tif or .tiff in any case; -1 when it is none.
[[nodiscard]] long long projection_number(const std::string& name, const std::string& prefix);

/// Finds the projections of the scan of `file`: InputName (or Name) + InputSeparator + number + .tif, numbers
/// from 1 to `count` with any number of digits, in InputFolderName or beside the file. A projection `count` +
/// 1 repeats the first one and is dropped. Throws Error(bad_file) listing what is missing unless
/// `allow_missing`, or what does not fit; Error(io) when there is no projection at all.
[[nodiscard]] ProjectionFiles find_projections(const XtekctFile& file, int count, bool allow_missing);

}  // namespace feldspar::io::nikon
