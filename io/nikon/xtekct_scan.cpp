// Keys to geometry. Where Nikon documents no sign, that of CIL's open reader is taken.
#include "io/nikon/xtekct_scan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.hpp"
#include "base/units.hpp"

// Nikon's frame and ours. Both look from the source along the beam with z up and x to the right. The TIFFs
// show the detector from behind, towards the source, first row on top: their columns run along -x and their
// rows along -z, and the reader reverses both. A positive offset in the file points towards higher TIFF
// columns, which is -x.
namespace feldspar::io::nikon {
namespace {

constexpr int most_pixels = 1 << 16;
constexpr int most_projections = 1'000'000;

double number_or(const XtekctFile& file, std::string_view key, double otherwise) {
  return file.number(key).value_or(otherwise);
}

/// Throws Error(unsupported) unless the virtual detector, where there is one, is the real one: the
/// projections of panel-shifted and stitched scans need steps that are not in the file.
/// Keys of the virtual detector, and of the real one.
constexpr std::array<std::array<std::string_view, 2>, 7> pairs{
    {{"VirtualDetectorPixelsX", "DetectorPixelsX"},
     {"VirtualDetectorPixelsY", "DetectorPixelsY"},
     {"VirtualDetectorPixelSizeX", "DetectorPixelSizeX"},
     {"VirtualDetectorPixelSizeY", "DetectorPixelSizeY"},
     {"VirtualDetectorOffsetX", "DetectorOffsetX"},
     {"VirtualDetectorOffsetY", "DetectorOffsetY"},
     {"SrcToVirtualDetector", "SrcToDetector"}}};

void check_virtual_detector(const XtekctFile& file) {
  constexpr double rounding = 1e-5;  // of values written with six or more digits
  for (const auto& [virtual_key, key] : pairs) {
    const auto virtual_value = file.number(virtual_key);
    if (!virtual_value) continue;
    const double value = number_or(file, key, 0);
    if (std::abs(*virtual_value - value) > rounding * std::max(1.0, std::abs(value)))
      throw Error(
          ErrorKind::unsupported,
          fmt::format("{}: {} is {}, but {} is {}: a scan with a shifted or stitched panel is not supported; "
                      "stitch it in Inspect-X or CT Pro first",
                      file.path.string(), virtual_key, *virtual_value, key, value));
  }
}

void check_units(const XtekctFile& file) {
  const std::string units = file.text("Units");
  if (!units.empty() && !same_letters(units, "mm"))
    throw Error(ErrorKind::bad_file, fmt::format("{}: Units is \"{}\", but lengths in \"mm\" were expected",
                                                 file.path.string(), units));
}

geometry::Detector detector_of(const XtekctFile& file) {
  return {.columns = file.count("DetectorPixelsX", most_pixels),
          .rows = file.count("DetectorPixelsY", most_pixels),
          .column_pitch = file.required("DetectorPixelSizeX"),
          .row_pitch = file.required("DetectorPixelSizeY"),
          .column_offset = -number_or(file, "DetectorOffsetX", 0),  // positive towards higher TIFF columns
          .row_offset = number_or(file, "DetectorOffsetY", 0)};     // positive upwards (as CIL reads it)
}

/// The time of the scan, with which Inspect-X ends the folder's name: "Name [2023-10-18 11.22.08]". Else
/// empty.
std::string date_in(const std::string& folder) {
  constexpr std::string_view form = "[0000-00-00 00.00.00]";
  if (folder.size() < form.size()) return {};
  std::string date = folder.substr(folder.size() - form.size());
  for (std::size_t n = 0; n < form.size(); ++n) {
    const bool is_digit = date[n] >= '0' && date[n] <= '9';
    if (form[n] == '0' ? !is_digit : date[n] != form[n]) return {};
  }
  std::replace(date.begin(), date.end(), '.', ':');
  return date.substr(1, form.size() - 2);
}

}  // namespace

int projection_count(const XtekctFile& file) { return file.count("Projections", most_projections); }

std::vector<double> nominal_stage_angles(const XtekctFile& file) {
  const int count = projection_count(file);
  const auto step = file.number("AngularStep");
  if (count > 1 && (!step || *step == 0))
    throw Error(ErrorKind::bad_file,
                fmt::format("{}: AngularStep is {}, but the {} projections must differ in angle; correct it "
                            "in a copy of the file",
                            file.path.string(), step ? "0" : "missing", count),
                {{"angles", "file", "to use the measured angles, give"}});
  std::vector<double> angles(static_cast<std::size_t>(count));
  for (int n = 0; n < count; ++n) angles[n] = n * step.value_or(0);
  return angles;
}

bool has_new_axis(const XtekctFile& file) {
  return file.number("ObjectOffsetX") || file.number("ObjectRoll");
}

bool has_old_axis(const XtekctFile& file) {
  return file.number("CentreOfRotationTop") || file.number("CentreOfRotationBottom") ||
         file.number("CentreOfRotation");
}

geometry::RotationAxis axis_from_new_keys(const XtekctFile& file) {
  // The axis passes through x = -ObjectOffsetX and leans along (sin r, sin t cos r, cos t cos r) with r =
  // ObjectRoll, t = ObjectTilt, which is how geometry::RotationAxis leans too.
  return {.offset = -number_or(file, "ObjectOffsetX", 0),
          .roll = number_or(file, "ObjectRoll", 0) * radians_per_degree,
          .tilt = number_or(file, "ObjectTilt", 0) * radians_per_degree};
}

geometry::RotationAxis axis_from_old_keys(const XtekctFile& file, const geometry::CircularScan& scan) {
  // CentreOfRotationTop and Bottom are mm at the detector, positive towards higher TIFF columns like every
  // offset of the file, so the axis crosses the detector's upper edge at x = -Top and its lower edge at x =
  // -Bottom. In new keys that is ObjectOffsetX = (Top + Bottom) / 2 * SOD / SDD and ObjectRoll = -atan((Top -
  // Bottom) / height): the top leans towards +x when Top < Bottom. Magnification scales lengths along and
  // across the axis alike, so the slope needs none.
  const auto whole = file.number("CentreOfRotation");
  auto top = file.number("CentreOfRotationTop"), bottom = file.number("CentreOfRotationBottom");
  if (!top) top = whole ? whole : bottom;
  if (!bottom) bottom = whole ? whole : top;
  geometry::RotationAxis axis = geometry::axis_from_edges(-top.value_or(0), -bottom.value_or(0), scan);
  axis.tilt = number_or(file, "ObjectTilt", 0) * radians_per_degree;  // no old key states it
  return axis;
}

geometry::CircularScan to_scan(const XtekctFile& file, std::span<const double> stage_angles, Turn turn,
                               double pixel_pitch) {
  check_units(file);
  geometry::CircularScan scan{.source_object_distance = file.required("SrcToObject"),
                              .source_detector_distance = file.required("SrcToDetector"),
                              .detector = detector_of(file),
                              .axis = {},
                              .angles = {},
                              .shifts = {}};
  check_virtual_detector(file);
  if (pixel_pitch > 0) scan.detector.column_pitch = scan.detector.row_pitch = pixel_pitch;
  scan.axis =
      has_old_axis(file) && !has_new_axis(file) ? axis_from_old_keys(file, scan) : axis_from_new_keys(file);

  // The object turns clockwise seen from above while the stage angle grows, and stands half a turn from our
  // angle 0 at stage angle 0. InitialAngle and the half turn only turn the volume about its axis.
  const double sense = turn == Turn::clockwise ? -1 : 1;
  const double initial = number_or(file, "InitialAngle", 0);
  for (const double angle : stage_angles)
    scan.angles.push_back((sense * (angle + initial) + 180) * radians_per_degree);

  try {
    geometry::validate(scan);
  } catch (const Error& error) {
    throw Error(error,
                fmt::format("{}: {}; correct it in a copy of the file", file.path.string(), error.what()));
  }
  return scan;
}

double white_level(const XtekctFile& file, double replacement) {
  if (replacement > 0) return replacement;
  const std::string text = file.text("WhiteLevel");
  double level = 0;
  if (parse_number(text, level) && level > 0) return level;
  throw Error(ErrorKind::bad_file,
              fmt::format("{}: WhiteLevel is {}, but the counts of the open beam were expected; read them "
                          "off a projection's empty border",
                          file.path.string(), text.empty() ? "missing" : "\"" + text + "\""),
              {{"white-level", "", "give them with"}});
}

ProposedGrid proposed_grid(const XtekctFile& file) {
  ProposedGrid grid;
  if (!file.number("VoxelsX") || !file.number("VoxelsY") || !file.number("VoxelsZ")) return grid;
  const auto count = [&](std::string_view key) {
    const double value = number_or(file, key, 0);
    return value >= 1 && value <= most_pixels ? static_cast<int>(value) : 0;
  };
  grid = {.nx = count("VoxelsX"),
          .ny = count("VoxelsY"),
          .nz = count("VoxelsZ"),
          .spacing = number_or(file, "VoxelSizeX", 0),
          .offset_x = number_or(file, "OffsetX", 0),
          .offset_y = number_or(file, "OffsetY", 0),
          .offset_z = number_or(file, "OffsetZ", 0)};
  const bool usable = grid.nx > 0 && grid.ny > 0 && grid.nz > 0 && grid.spacing > 0;
  return usable ? grid : ProposedGrid{};
}

std::vector<double> hardening_of(const XtekctFile& file) {
  std::vector<double> polynomial;
  for (const char* const key : {"CoefX0", "CoefX1", "CoefX2", "CoefX3", "CoefX4"})
    polynomial.push_back(number_or(file, key, key == std::string_view("CoefX1") ? 1 : 0));
  const double scale = number_or(file, "Scale", 1);
  for (double& coefficient : polynomial) coefficient *= scale;
  while (!polynomial.empty() && polynomial.back() == 0) polynomial.pop_back();
  if (polynomial.size() < 2 || polynomial == std::vector<double>{0, 1}) return {};
  return polynomial;
}

ScanDescription describe(const XtekctFile& file) {
  ScanDescription description{.format = "Nikon X-Tek CT",
                              .name = file.text("Name"),
                              .instrument = "Nikon X-Tek",
                              .voltage_kv = file.number("XraykV", "Xrays").value_or(0),
                              .current_ua = file.number("XrayuA", "Xrays").value_or(0),
                              .exposure_s = 0,
                              .filter = {},
                              .date = {}};
  if (description.name.empty()) description.name = file.path.stem().string();
  const double thickness = file.number("Filter_ThicknessMM", "CTPro").value_or(0);
  if (thickness > 0)
    description.filter = fmt::format("{} mm {}", thickness, file.text("Filter_Material", "CTPro"));
  description.hardening = hardening_of(file);
  description.date = date_in(file.path.parent_path().filename().string());
  return description;
}

}  // namespace feldspar::io::nikon
