// The few facts that are taken from Inspect-X's acquisition profile, NAME.ctprofile.xml.
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "io/nikon/xtekct.hpp"
#include "io/scan_source.hpp"

namespace feldspar::io::nikon {

struct CtProfile {
  std::vector<SourceField> fields;  ///< the elements that were looked at
  Findings findings;                ///< what contradicts the .xtekct
  double exposure_s = 0;            ///< a projection, all its frames; 0 when unknown
};

/// Throws Error(unsupported) naming the element when the profile is that of a scan which is no full circle of
/// one panel: helical, panel-shifted or limited in angle.
[[nodiscard]] CtProfile parse_ct_profile(std::string_view xml, const std::filesystem::path& path,
                                         const XtekctFile& file);

}  // namespace feldspar::io::nikon
