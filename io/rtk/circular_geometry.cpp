// A scan through the tags, and one line a quantity from RTK's frame to the world's.
#include "io/rtk/circular_geometry.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "base/text.hpp"
#include "base/units.hpp"

namespace feldspar::io::rtk {
namespace {

struct Tag {
  std::string_view name;
  double Projection::*value;
};

constexpr std::array tags{
    Tag{"SourceToIsocenterDistance", &Projection::source_to_isocenter},
    Tag{"SourceToDetectorDistance", &Projection::source_to_detector},
    Tag{"SourceOffsetX", &Projection::source_x},
    Tag{"SourceOffsetY", &Projection::source_y},
    Tag{"ProjectionOffsetX", &Projection::detector_x},
    Tag{"ProjectionOffsetY", &Projection::detector_y},
    Tag{"InPlaneAngle", &Projection::in_plane},
    Tag{"OutOfPlaneAngle", &Projection::out_of_plane},
    Tag{"GantryAngle", &Projection::gantry},
    Tag{"Angle", &Projection::gantry},  // in files of version 1
    Tag{"RadiusCylindricalDetector", &Projection::cylinder_radius},
};

[[noreturn]] void refuse_varying(const std::filesystem::path& file, const char* tag, const char* meaning) {
  throw Error(
      ErrorKind::unsupported,
      fmt::format("{}: {} differs between projections ({}), and only one circle with one rigid source "
                  "and detector can be reconstructed yet",
                  file.string(), tag, meaning));
}

void require_constant(const std::vector<Projection>& all, const std::filesystem::path& file) {
  constexpr double same_mm = 1e-6, same_degrees = 1e-7;
  const auto check = [&](double Projection::*value, double tolerance, const char* tag, const char* meaning) {
    for (const Projection& each : all)
      if (!(std::abs(each.*value - all.front().*value) <= tolerance)) refuse_varying(file, tag, meaning);
  };
  check(&Projection::source_to_isocenter, same_mm, "SourceToIsocenterDistance", "no circle");
  check(&Projection::source_to_detector, same_mm, "SourceToDetectorDistance", "the detector moves");
  check(&Projection::source_x, same_mm, "SourceOffsetX", "the source moves");
  check(&Projection::source_y, same_mm, "SourceOffsetY", "the source moves along the axis, as in a helix");
  check(&Projection::in_plane, same_degrees, "InPlaneAngle", "the detector turns");
  check(&Projection::out_of_plane, same_degrees, "OutOfPlaneAngle", "the axis leans differently");
}

/// The axis in the laboratory is RTK's y turned out of the plane by -OutOfPlaneAngle and in it by
/// -InPlaneAngle.
geometry::RotationAxis axis_of(const Projection& view) {
  const double in = view.in_plane * radians_per_degree, out = view.out_of_plane * radians_per_degree;
  const double roll = std::asin(std::sin(in) * std::cos(out));
  const double tilt = std::atan2(std::sin(out), std::cos(in) * std::cos(out));
  // Where the axis crosses the plane at the height of the source, from the ray through the source.
  return {
      .offset = view.source_y * std::tan(roll) / std::cos(tilt) - view.source_x, .roll = roll, .tilt = tilt};
}

/// By how much an object at gantry angle 0 is turned about the leaning axis against the world's angle 0, at
/// which its y lies in the plane of axis and beam. Both angles must be there for it.
double twist_of(const Projection& view, const geometry::RotationAxis& axis) {
  const double in = view.in_plane * radians_per_degree, out = view.out_of_plane * radians_per_degree;
  const geometry::Vec3 up{std::sin(axis.roll), std::sin(axis.tilt) * std::cos(axis.roll),
                          std::cos(axis.tilt) * std::cos(axis.roll)};
  const geometry::Vec3 y{-std::sin(in) * std::sin(out), std::cos(out), -std::cos(in) * std::sin(out)};
  const geometry::Vec3 beam{0, 1, 0};
  const geometry::Vec3 facing = beam - dot(beam, up) * up;
  return std::atan2(dot(cross(facing, y), up), dot(facing, y));
}

}  // namespace

double height_of_source(const Projection& projection) {
  const geometry::RotationAxis axis = axis_of(projection);
  return projection.source_y / (std::cos(axis.tilt) * std::cos(axis.roll));
}

std::vector<Projection> parse_geometry(std::string_view text, const std::filesystem::path& file) {
  const auto refuse = [&](const std::string& what) {
    throw Error(ErrorKind::bad_file, fmt::format("{}: {}", file.string(), what));
  };
  std::vector<Projection> views;
  Projection common;
  bool within = false;
  for (std::size_t open = text.find('<'); open != text.npos; open = text.find('<', open)) {
    if (text.substr(open).starts_with("<!--")) {
      open = std::min(text.find("-->", open), text.size());
      continue;
    }
    const std::size_t close = text.find('>', open);
    if (close == text.npos) refuse("ends within a tag; the file is cut off");
    const std::string_view tag = text.substr(open + 1, close - open - 1);
    const std::string_view value = trimmed(text.substr(close + 1, text.find('<', close) - close - 1));
    open = close + 1;
    if (tag == "Projection") views.push_back(common), within = true;
    if (tag == "/Projection") within = false;
    const auto known =
        std::find_if(tags.begin(), tags.end(), [&](const Tag& each) { return each.name == tag; });
    if (known == tags.end()) continue;
    double number = 0;
    if (!parse_number(value, number) || !std::isfinite(number))
      refuse(
          fmt::format("{} of projection {} is \"{}\", but a number was expected", tag, views.size(), value));
    Projection& target = within ? views.back() : common;
    target.*known->value = number;
  }
  if (views.empty()) refuse("has no <Projection>, so it describes no views");
  return views;
}

std::vector<SourceField> fields_of(std::string_view text) {
  std::vector<SourceField> fields;
  std::map<std::string_view, std::pair<std::size_t, std::size_t>> seen;  // place among the fields, and count
  for (std::size_t open = text.find('<'); open != text.npos; open = text.find('<', open + 1)) {
    if (text.substr(open).starts_with("<!--")) open = std::min(text.find("-->", open), text.size() - 1);
    const std::size_t close = text.find('>', open);
    if (close == text.npos) break;
    const std::string_view tag = text.substr(open + 1, close - open - 1);
    const std::string_view value = trimmed(text.substr(close + 1, text.find('<', close) - close - 1));
    if (value.empty() || tag.starts_with('/')) continue;
    const auto [at, is_new] = seen.try_emplace(tag, fields.size(), 0);
    ++at->second.second;
    if (!is_new) continue;
    const bool known = std::ranges::find(tags, tag, &Tag::name) != tags.end();
    fields.push_back({"geometry", std::string(tag), std::string(value),
                      known ? SourceField::Use::used : SourceField::Use::ignored,
                      known             ? ""
                      : tag == "Matrix" ? "the other tags say the same"
                                        : "not known"});
  }
  for (const auto& [tag, place] : seen)
    if (place.second > 1) fields[place.first].value += fmt::format(" (the first of {})", place.second);
  return fields;
}

geometry::CircularScan to_scan(const std::vector<Projection>& projections, const PixelGrid& grid,
                               const std::filesystem::path& file) {
  require_constant(projections, file);
  const Projection& first = projections.front();
  if (first.cylinder_radius != 0)
    throw Error(ErrorKind::unsupported,
                fmt::format("{}: RadiusCylindricalDetector is {} mm; curved detectors cannot be used yet",
                            file.string(), first.cylinder_radius));
  const bool parallel = first.source_to_detector == 0;
  geometry::CircularScan scan;
  scan.beam = parallel ? geometry::Beam::parallel : geometry::Beam::cone;
  if (!parallel) {
    scan.source_object_distance = first.source_to_isocenter + first.source_y * std::tan(axis_of(first).tilt);
    scan.source_detector_distance = first.source_to_detector;
  }
  scan.detector.columns = grid.columns, scan.detector.rows = grid.rows;
  scan.detector.column_pitch = grid.spacing_x, scan.detector.row_pitch = grid.spacing_y;
  const double middle_x = grid.origin_x + 0.5 * (grid.columns - 1) * grid.spacing_x;
  const double middle_y = grid.origin_y + 0.5 * (grid.rows - 1) * grid.spacing_y;
  scan.detector.column_offset = middle_x + first.detector_x - first.source_x;
  scan.detector.row_offset = middle_y + first.detector_y - first.source_y;
  scan.axis = axis_of(first);
  const double twist = twist_of(first, scan.axis);
  bool moves = false;
  for (const Projection& view : projections) {
    scan.angles.push_back(twist - view.gantry * radians_per_degree);
    scan.shifts.push_back({first.detector_x - view.detector_x, first.detector_y - view.detector_y});
    moves = moves || scan.shifts.back().column != 0 || scan.shifts.back().row != 0;
  }
  if (!moves) scan.shifts.clear();
  try {
    geometry::validate(scan);
  } catch (const Error& error) {
    throw Error(error, fmt::format("{}: {}", file.string(), error.what()));
  }
  return scan;
}

}  // namespace feldspar::io::rtk
