#include "geometry/scan.hpp"

#include <fmt/format.h>

#include <cmath>
#include <string_view>

#include "base/error.hpp"

namespace feldspar::geometry {
namespace {

/// `v` turned by `angle` about the unit vector `axis`, right-handed (Rodrigues).
Vec3 turned(Vec3 v, Vec3 axis, double angle) {
  const double c = std::cos(angle), s = std::sin(angle);
  return c * v + s * cross(axis, v) + ((1 - c) * dot(axis, v)) * axis;
}

struct Frame {
  Vec3 origin, x, y, z;
  [[nodiscard]] Vec3 direction(Vec3 v) const { return {dot(v, x), dot(v, y), dot(v, z)}; }
  [[nodiscard]] Vec3 point(Vec3 p) const { return direction(p - origin); }
};

/// The laboratory seen from the object at angle 0: z along the rotation axis, y as near the beam as it can
/// be.
Frame object_frame(const RotationAxis& axis) {
  const Vec3 z{std::sin(axis.roll), std::sin(axis.tilt) * std::cos(axis.roll),
               std::cos(axis.tilt) * std::cos(axis.roll)};
  const Vec3 beam{0, 1, 0};
  const Vec3 y = normalised(beam - dot(beam, z) * z);
  return {{axis.offset, 0, 0}, cross(y, z), y, z};
}

View laboratory_view(const CircularScan& scan) {
  const Detector& d = scan.detector;
  const Vec3 x{1, 0, 0}, y{0, 1, 0}, z{0, 0, 1};
  const auto posed = [&](Vec3 v) { return turned(turned(turned(v, y, d.roll), x, d.tilt), z, d.slant); };
  const Vec3 u = d.column_pitch * posed(x), v = d.row_pitch * posed(z);
  const Vec3 centre{d.column_offset, scan.source_detector_distance - scan.source_object_distance,
                    d.row_offset};
  return {.source = {0, -scan.source_object_distance, 0},
          .pixel_origin = centre - (0.5 * (d.columns - 1)) * u - (0.5 * (d.rows - 1)) * v,
          .column_step = u,
          .row_step = v,
          .direction = scan.beam == Beam::parallel ? y : Vec3{}};
}

void require(bool holds, std::string_view field, double value, std::string_view expected) {
  if (!holds) throw Error(ErrorKind::bad_file, fmt::format("{} is {}, but {}", field, value, expected));
}

void require_distances(const CircularScan& scan) {
  const double sod = scan.source_object_distance, sdd = scan.source_detector_distance;
  if (scan.beam == Beam::parallel) {
    require(sod == 0, "source-to-object distance", sod, "of a parallel beam it must be 0");
    require(sdd == 0, "source-to-detector distance", sdd, "of a parallel beam it must be 0");
    return;
  }
  require(std::isfinite(sod) && sod > 0, "source-to-object distance", sod,
          "it must be a positive number of mm");
  require(std::isfinite(sdd) && sdd > sod, "source-to-detector distance", sdd,
          fmt::format("it must be larger than the source-to-object distance of {} mm", sod));
}

void require_offsets(const CircularScan& scan) {
  const Detector& d = scan.detector;
  const double half_width = 0.5 * d.columns * d.column_pitch, half_height = 0.5 * d.rows * d.row_pitch;
  if (scan.beam == Beam::parallel) {  // no central ray: only where the axis meets the detector matters
    require(std::abs(scan.axis.offset - d.column_offset) < half_width, "the rotation axis offset",
            scan.axis.offset, "it puts the axis outside the detector");
    require(std::isfinite(d.row_offset), "the detector's row offset", d.row_offset, "it must be a number");
    return;
  }
  require(std::abs(d.column_offset) < half_width, "the detector's column offset", d.column_offset,
          fmt::format("beyond half the detector's width of {} mm the central ray misses it", 2 * half_width));
  require(std::isfinite(d.row_offset) && std::abs(d.row_offset) < scan.source_detector_distance,
          "the detector's row offset", d.row_offset,
          fmt::format("the detector is only {} mm high", 2 * half_height));
  require(std::abs(scan.axis.offset) < half_width / scan.magnification(), "the rotation axis offset",
          scan.axis.offset, "it puts the axis outside the detector");
}

}  // namespace

RotationAxis axis_from_edges(double top, double bottom, const CircularScan& scan) {
  const double height = scan.detector.rows * scan.detector.row_pitch;
  return {.offset = 0.5 * (top + bottom) / scan.magnification(),
          .roll = std::atan((top - bottom) / height),
          .tilt = 0};
}

namespace {

void require_pixels(const Detector& d) {
  require(d.columns >= 1, "the number of detector columns", d.columns, "it must be at least 1");
  require(d.rows >= 1, "the number of detector rows", d.rows, "it must be at least 1");
  require(std::isfinite(d.column_pitch) && d.column_pitch > 0, "the detector's column pitch", d.column_pitch,
          "it must be a positive number of mm");
  require(std::isfinite(d.row_pitch) && d.row_pitch > 0, "the detector's row pitch", d.row_pitch,
          "it must be a positive number of mm");
}

}  // namespace

void validate(const CircularScan& scan) {
  require_distances(scan);
  const Detector& d = scan.detector;
  require_pixels(d);
  require_offsets(scan);
  for (const auto& [name, angle] : {std::pair{"detector roll", d.roll},
                                    {"detector tilt", d.tilt},
                                    {"detector slant", d.slant},
                                    {"axis roll", scan.axis.roll},
                                    {"axis tilt", scan.axis.tilt}})
    require(std::abs(angle) < 0.5, name, angle, "more than 0.5 rad is no circular scan");
  require(!scan.angles.empty(), "the number of views", 0, "there must be at least one");
  for (const double angle : scan.angles)
    require(std::isfinite(angle), "an angle", angle, "it must be a number");
  require(scan.shifts.empty() || scan.shifts.size() == scan.angles.size(), "the number of view shifts",
          static_cast<double>(scan.shifts.size()), fmt::format("there are {} views", scan.angles.size()));
}

namespace {

/// The laboratory around an object that is turned by `angle` in it.
View turned_around(const Frame& object, const View& laboratory, double angle) {
  // The object turned by +angle in the laboratory is the laboratory turned by -angle around the object.
  const double c = std::cos(angle), s = std::sin(angle);
  const auto around = [&](Vec3 p) { return Vec3{c * p.x + s * p.y, -s * p.x + c * p.y, p.z}; };
  View view{.source = {},
            .pixel_origin = around(object.point(laboratory.pixel_origin)),
            .column_step = around(object.direction(laboratory.column_step)),
            .row_step = around(object.direction(laboratory.row_step)),
            .direction = around(object.direction(laboratory.direction))};
  if (!view.is_parallel()) view.source = around(object.point(laboratory.source));
  return view;
}

}  // namespace

std::vector<View> make_views(const CircularScan& scan) {
  const Frame object = object_frame(scan.axis);
  const View laboratory = laboratory_view(scan);
  std::vector<View> views;
  views.reserve(scan.angles.size());
  for (std::size_t n = 0; n < scan.angles.size(); ++n) {
    View view = turned_around(object, laboratory, scan.angles[n]);
    if (!scan.shifts.empty())  // an image moved by +shift was taken by pixels that stand at -shift
      view = from_pixel(view, -scan.shifts[n].column / scan.detector.column_pitch,
                        -scan.shifts[n].row / scan.detector.row_pitch);
    views.push_back(view);
  }
  return views;
}

}  // namespace feldspar::geometry
