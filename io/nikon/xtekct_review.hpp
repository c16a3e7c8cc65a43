// What became of every key of an .xtekct file, and what people must know about it: contradictions, processing
// that CT Pro would do and we do not, values that are suspicious.
#pragma once

#include <string>
#include <vector>

#include "geometry/scan.hpp"
#include "io/nikon/xtekct.hpp"
#include "io/scan_source.hpp"

namespace feldspar::io::nikon {

struct Review {
  std::vector<SourceField> fields;  ///< one an entry, in the order of the file
  Findings findings;
};

/// What was not taken from the file, but from options or from a file of measured angles.
struct Replacements {
  bool white_level = false;
  bool pixel_size = false;
  bool angles = false;
};

/// `scan` is what to_scan made of the file without what was replaced. Throws Error(bad_file) when a key that
/// had to be compared is no number.
[[nodiscard]] Review review(const XtekctFile& file, const geometry::CircularScan& scan,
                            const Replacements& replaced);

/// The first key that is used and differs between two files; empty when both describe the same scan.
[[nodiscard]] std::string first_difference(const XtekctFile& a, const XtekctFile& b);

}  // namespace feldspar::io::nikon
