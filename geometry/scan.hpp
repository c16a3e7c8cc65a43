// What was measured and where: the circular scan of a cone or parallel beam as instruments describe it, and
// the list of views that every operator works from.
//
//                          z, v (rows)
//                          ^   ^
//   source        axis     |   |  detector, `source_detector_distance` from the source
//     *-------------|------+---+---> y (the beam)
//     |<--- SOD --->|          |
//     |<--------- SDD -------->|          x, u (columns) point to the right seen from the source
//
// Laboratory axes: y from the source along the central ray, z up, x = y cross z (to the right when
// looking along the beam). World axes, in which views and volumes live, are fixed to the object: z is
// the rotation axis, the origin is the point of the axis at the height of the central ray, and at angle
// 0 with an untilted axis they coincide with the laboratory's. A positive angle turns the object
// counter-clockwise seen from +z, which is source and detector turning clockwise around it.
// Pixel centres are at integer indices; column 0 is the leftmost, row 0 the lowest.
// Lengths are millimetres, angles radians. docs/geometry.md has the drawings and other programs' signs.
#pragma once

#include <vector>

#include "geometry/vec3.hpp"

namespace feldspar::geometry {

/// A flat detector and how it stands in the laboratory. All zero: centred on the central ray and
/// perpendicular to it, columns along x, rows along z.
struct Detector {
  int columns = 0;           ///< pixels of a row
  int rows = 0;              ///< pixels of a column
  double column_pitch = 0;   ///< mm from column to column
  double row_pitch = 0;      ///< mm from row to row
  double column_offset = 0;  ///< of the detector's centre from the central ray, along x
  double row_offset = 0;     ///< of the detector's centre from the central ray, along z
  double roll = 0;           ///< about y: positive lowers the right edge seen from the source
  double tilt = 0;           ///< about x: positive leans the upper edge towards the source
  double slant = 0;          ///< about z: positive moves the right edge away from the source
};

/// Where the rotation axis stands in the laboratory. All zero: through the central ray, along z.
struct RotationAxis {
  double offset = 0;  ///< of its crossing with the plane z = 0, along x, at the object
  double roll = 0;    ///< positive leans its top towards +x
  double tilt = 0;    ///< positive leans its top towards the detector
};

/// How far one view's image sits from where the detector's description puts it, at the detector.
struct ViewShift {
  double column = 0;  ///< mm along the columns; positive when the image moved to higher columns
  double row = 0;     ///< mm along the rows; positive when the image moved to higher rows
};

/// How the rays reach the detector: from a point, or side by side along y (a synchrotron's).
enum class Beam { cone, parallel };

/// An object that turns before a beam. Of a parallel beam both distances stay 0, and pitches and offsets
/// are what they are at the object.
struct CircularScan {
  Beam beam = Beam::cone;               ///< cone or parallel
  double source_object_distance = 0;    ///< source to the rotation axis (SOD)
  double source_detector_distance = 0;  ///< source to the detector along y (SDD)
  Detector detector;                    ///< one for all views
  RotationAxis axis;                    ///< one for all views
  std::vector<double> angles;     ///< one a view, in the order of the views; any sense, start and spacing
  std::vector<ViewShift> shifts;  ///< empty, or one a view

  /// 1 for a parallel beam.
  [[nodiscard]] double magnification() const {
    return beam == Beam::parallel ? 1 : source_detector_distance / source_object_distance;
  }
};

/// One exposure with every convention resolved into world vectors.
struct View {
  Vec3 source;          ///< of a cone beam; zero for a parallel one
  Vec3 pixel_origin;    ///< centre of pixel (0, 0)
  Vec3 column_step;     ///< from a pixel to its neighbour in the next column
  Vec3 row_step;        ///< from a pixel to its neighbour in the next row
  Vec3 direction = {};  ///< unit vector along the rays of a parallel beam; zero for a cone

  [[nodiscard]] constexpr bool is_parallel() const { return direction != Vec3{}; }  ///< of a parallel beam
};

/// The axis of instruments that state its position at the height of the detector's upper and lower edge,
/// `top` and `bottom` in mm along x at the detector (Nikon's CentreOfRotationTop and Bottom).
[[nodiscard]] RotationAxis axis_from_edges(double top, double bottom, const CircularScan& scan);

/// Throws Error(bad_file) naming the quantity when the scan is impossible: distances that are not
/// positive or not in order (or not 0 for a parallel beam), an axis beside the detector, pitches, counts,
/// angles that are not finite, shifts of another count.
void validate(const CircularScan& scan);

/// The views of a valid scan. This is the only place where angles, offsets, roll, tilt and shifts become
/// vectors.
[[nodiscard]] std::vector<View> make_views(const CircularScan& scan);

/// The same view of a detector whose pixel (0, 0) is the one at (column, row).
[[nodiscard]] constexpr View from_pixel(View view, double column, double row) {
  view.pixel_origin = view.pixel_origin + column * view.column_step + row * view.row_step;
  return view;
}

}  // namespace feldspar::geometry
