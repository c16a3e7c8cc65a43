// Measured stage angles: _ctdata.txt of continuous scans, NAME.ang of stop-start scans.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/findings.hpp"

namespace feldspar::io::nikon {

struct AngleFile {
  std::filesystem::path path;
  std::vector<double> degrees;  ///< one a row, in the order of the file
};

/// Reads either kind: rows "index angle [time]" after the header lines; a colon may follow the index. Throws
/// Error(bad_file) naming file and line when a row is damaged or missing, or when there is none.
[[nodiscard]] AngleFile parse_angle_file(std::string_view text, const std::filesystem::path& path);

/// The angle file of the scan NAME in `folder`: _ctdata.txt, NAME_ctdata.txt or NAME.ang, in this order;
/// empty when there is none.
[[nodiscard]] std::filesystem::path find_angle_file(const std::filesystem::path& folder,
                                                    const std::string& name);

/// Measured angles brought into the order of the projections and held against the nominal ones.
struct MeasuredAngles {
  std::vector<double> degrees;  ///< one a projection
  Findings findings;            ///< disagreement of more than half a step, rows in reverse order
};

/// `nominal` are the stage angles of the projections, relative to the first. One row more than projections is
/// usual, and dropped. The rows of an .ang file run from the last projection to the first unless only the
/// other order agrees with `nominal`. Nominal angles without a step are not compared. Throws Error(bad_file)
/// when the counts do not fit.
[[nodiscard]] MeasuredAngles match_angles(const AngleFile& file, const std::vector<double>& nominal);

}  // namespace feldspar::io::nikon
