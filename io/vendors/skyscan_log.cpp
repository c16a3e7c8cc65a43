// The .log of a SkyScan: geometry and names of the projections, which the instrument has corrected for dark
// and gain.
#include "io/vendors/skyscan_log.hpp"

#include <fmt/format.h>

#include <cmath>

#include "base/error.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "io/stack/stack_source.hpp"
#include "io/vendors/keyed_text.hpp"

namespace feldspar::io::vendors {
namespace {

namespace fs = std::filesystem;
constexpr const char* section = "Acquisition";

void refuse_other_trajectories(KeyedText& log) {
  const std::string path = log.text(section, "Scanning Trajectory");
  const double positions = log.number(section, "Number Of Horizontal Offset Positions").value_or(1);
  if ((!path.empty() && path != "ROUND") || positions != 1)
    throw Error(ErrorKind::unsupported,
                fmt::format("{}: Scanning Trajectory is {}, with {} horizontal positions of the camera; only "
                            "circles with one position can be reconstructed yet",
                            log.file().string(), path.empty() ? "not stated" : path, positions));
}

geometry::CircularScan geometry_of(KeyedText& log) {
  geometry::CircularScan scan{.source_object_distance = log.positive(section, "Object to Source (mm)"),
                              .source_detector_distance = log.positive(section, "Camera to Source (mm)"),
                              .detector = {},
                              .axis = {},
                              .angles = {},
                              .shifts = {}};
  geometry::Detector& d = scan.detector;
  d.columns = log.count(section, "Number Of Columns"), d.rows = log.count(section, "Number Of Rows");
  // Calibrated at the object, whatever camera, binning and lens.
  const double pixel_um = log.positive(section, "Image Pixel Size (um)");
  d.column_pitch = d.row_pitch = pixel_um / 1000 * scan.magnification();
  // The row of the central ray, counted from the lowest.
  if (const auto line = log.number(section, "Optical Axis (line)"))
    d.row_offset = (0.5 * (d.rows - 1) - *line) * d.row_pitch;
  return scan;
}

Findings doubts_of(KeyedText& log) {
  const std::string name = log.file().filename().string();
  Findings findings{
      {"conventions.assumed",
       fmt::format(
           "{}: Bruker documents neither the sense of rotation nor how images are stored: clockwise "
           "seen from above, first row on top and seen from the source are assumed; no scan with images "
           "was at hand to test it",
           name),
       "",
       {{"reverse-rotation", "", "for the other sense, give"}}}};
  const double parts =
      log.unused_number(section, "Number of connected scans", "only this one is read").value_or(1);
  if (parts > 1)
    findings.push_back({"scan.connected",
                        fmt::format("{}: is one of {} connected scans; only this one is read", name, parts),
                        "Number of connected scans"});
  if (log.unused_text(section, "Random Movement", "the shifts of single views are not read")
          .starts_with("ON"))
    findings.push_back(
        {"detector.moved",
         fmt::format(
             "{}: Random Movement is ON: the camera moved between views; shifts of single views are not read",
             name),
         "Random Movement"});
  if (!log.unused_text(section, "Flat Field Correction", "the images are taken as they are")
           .starts_with("ON"))
    findings.push_back({"flats.missing",
                        fmt::format("{}: Flat Field Correction is not ON: the images hold raw counts, and "
                                    "their pixels' gains show as rings",
                                    name),
                        "Flat Field Correction"});
  return findings;
}

stack::StackDescription describe(KeyedText& log) {
  refuse_other_trajectories(log);
  stack::StackDescription stack;
  stack.scan = geometry_of(log);
  std::string prefix = log.text(section, "Filename Prefix");
  if (prefix.empty()) prefix = log.file().stem().string();
  const double digits = log.number(section, "Filename Index Length").value_or(4);
  if (!(digits >= 1 && digits <= 12))
    log.refuse(section, "Filename Index Length",
               fmt::format("{} was found, but 1 to 12 was expected", digits));
  stack.projections = {prefix + std::string(static_cast<std::size_t>(digits), '?') + ".tif"};
  stack.projections_field = "Filename Prefix";
  stack.count = log.count(section, "Number Of Files");
  stack.count_may_differ_by = 1;
  stack.white_level = log.number(section, "Reference Intensity").value_or(0);
  stack.angle_source = stack::AngleSource::step;
  stack.amount = log.positive(section, "Rotation Step (deg)") * radians_per_degree;
  stack.about = {.format = "Bruker SkyScan",
                 .name = prefix,
                 .instrument = log.text("System", "Scanner"),
                 .voltage_kv = log.number(section, "Source Voltage (kV)").value_or(0),
                 .current_ua = log.number(section, "Source Current (uA)").value_or(0),
                 .exposure_s = log.number(section, "Exposure (ms)").value_or(0) / 1000,
                 .filter = log.text(section, "Filter"),
                 .date = log.text(section, "Study Date and Time")};
  stack.notes = doubts_of(log);
  stack.fields = log.fields();
  return stack;
}

bool recognises(const FileStart& file) {
  return file.path.extension() == ".log" && file.bytes.find("[System]") != std::string::npos &&
         file.bytes.find("Scanner=SkyScan") != std::string::npos;
}

std::unique_ptr<ScanSource> open(const fs::path& path, const OpenOptions& options) {
  if (path.stem().string().ends_with("_rec"))
    throw Error(ErrorKind::unsupported,
                fmt::format("{}: is the record of a reconstruction; give the .log beside the projections",
                            path.string()));
  KeyedText log(read_text(path, most_of_a_text), path);
  return stack::open_described(path, describe(log), options);
}

}  // namespace

const ScanFormat skyscan_log{"Bruker SkyScan (.log)", recognises, open};

}  // namespace feldspar::io::vendors
