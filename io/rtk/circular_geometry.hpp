// The geometry files of RTK (ThreeDCircularProjectionGeometry): their numbers, and the scan that they
// describe.
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "geometry/scan.hpp"
#include "io/scan_source.hpp"

namespace feldspar::io::rtk {

/// One view in RTK's own words: mm, and degrees as written.
struct Projection {
  double source_to_isocenter = 0;
  double source_to_detector = 0;  ///< 0 for a parallel beam
  double source_x = 0, source_y = 0;
  double detector_x = 0, detector_y = 0;  ///< ProjectionOffsetX and Y
  double in_plane = 0, out_of_plane = 0, gantry = 0;
  double cylinder_radius = 0;
};

/// The views of an RTK geometry. What stands before the first Projection holds for all views, what is absent
/// is 0. Throws Error(bad_file) naming file, tag and what was found.
[[nodiscard]] std::vector<Projection> parse_geometry(std::string_view text,
                                                     const std::filesystem::path& file);

/// Every tag with a value: the first one, and how often it stands there.
[[nodiscard]] std::vector<SourceField> fields_of(std::string_view text);

/// Pixels of the projections in RTK's detector coordinates, mm.
struct PixelGrid {
  int columns = 0, rows = 0;
  double origin_x = 0, origin_y = 0;  ///< of the first pixel's centre
  double spacing_x = 0, spacing_y = 0;
};

/// How far along the axis the plane of the source and the beam crosses it, in RTK's y.
[[nodiscard]] double height_of_source(const Projection& projection);

/// The scan of an object whose X, Y, Z are RTK's x, -z, y - height_of_source(). Throws Error(unsupported)
/// naming the tag for a scan that is no circle with one rigid source and detector, whose detector may move in
/// its plane.
[[nodiscard]] geometry::CircularScan to_scan(const std::vector<Projection>& projections,
                                             const PixelGrid& grid, const std::filesystem::path& file);

}  // namespace feldspar::io::rtk
