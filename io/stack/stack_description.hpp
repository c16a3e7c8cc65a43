// The TOML file that describes a scan kept as a stack of TIFFs, as people write it.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/number_table.hpp"
#include "geometry/scan.hpp"
#include "io/scan_source.hpp"
#include "io/tiff/tiff_file.hpp"

namespace feldspar::io::stack {

/// The key that makes a TOML file a scan.
inline constexpr std::string_view key_of_scans = "feldspar_scan";

/// Where a view's angle comes from: a step, the range of all, the last view's angle, or a file.
enum class AngleSource { step, range, last, file };

/// Numbers in columns of a text file.
struct NumberFile {
  std::filesystem::path path;         ///< of the file
  NumberColumns columns;              ///< their count apart, which whoever reads them knows
  int skip_first = 0, skip_last = 0;  ///< numbers left out at either end
  double unit = 1;                    ///< what the numbers are multiplied by: mm or rad
};

/// What the file says, with lengths in mm and angles in radians.
struct StackDescription {
  /// Everything but the counts of the detector, the angles and the shifts, which need the files.
  geometry::CircularScan scan;
  bool has_axis_column = false;  ///< axis_column is stated
  double axis_column = 0;        ///< in the images as stored
  bool has_axis = false;         ///< its place is stated, as a column or an offset

  std::vector<std::string> projections, flats, darks;    ///< paths or patterns  ///< paths or patterns
  std::vector<std::string> flats_after;                  ///< taken after the projections; `flats` then before
  const char* projections_field = "images.projections";  ///< what errors call the first
  int count = 0;                                         ///< of the projections; 0 when not stated
  int count_may_differ_by = 0;                           ///< for makers whose counts and images differ
  double white_level = 0;                                ///< 0 when not stated
  UnstatedPixels pixels = UnstatedPixels::refused;       ///< of images that do not say what theirs are
  bool top_row_first = true;                             ///< of the images as stored
  bool seen_from_source = true;  ///< column 0 is leftmost seen from the source, not from the detector
  bool transposed = false;       ///< stored rows are columns: then top_row_first is said of the last stored
                                 ///< column, and seen_from_source of stored rows that run to the right

  AngleSource angle_source = AngleSource::file;  ///< which of the following say the angles
  bool clockwise = true;                         ///< seen from above
  double start = 0;                              ///< rad
  double amount = 0;                             ///< rad: the step, the range, or the angle of the last view
  NumberFile angle_file;                         ///< its path is empty when the angles are not in a file
  NumberFile shift_file;                         ///< its path is empty when there are no shifts

  ScanDescription about;            ///< facts for people
  Findings findings;                ///< of the scan that this one was converted from
  Findings notes;                   ///< of the description itself
  std::vector<SourceField> fields;  ///< all that the file says
};

/// Reads the text of `file`. Throws Error(bad_file) naming file and field for what is absent, unknown, of the
/// wrong kind, without a unit, or contradicts another field.
[[nodiscard]] StackDescription parse_stack(std::string_view text, const std::filesystem::path& file);

/// A commented description for people to fill in.
[[nodiscard]] std::string_view stack_template();

}  // namespace feldspar::io::stack
