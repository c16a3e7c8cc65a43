// The .pca of a phoenix scan: geometry and open beam; the .pcp beside it has the angles. The images are
// corrected.
#include "io/vendors/phoenix_pca.hpp"

#include <fmt/format.h>

#include <system_error>

#include "base/error.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "io/stack/stack_source.hpp"
#include "io/vendors/keyed_text.hpp"

namespace feldspar::io::vendors {
namespace {

namespace fs = std::filesystem;

void refuse_other_trajectories(KeyedText& pca) {
  for (const char* section : {"Multiscan", "Helixscan", "SectorScan", "Trajectory"})
    if (pca.number(section, "Active").value_or(0) != 0)
      throw Error(ErrorKind::unsupported,
                  fmt::format("{}: [{}] Active is not 0; only one plain circle can be reconstructed yet",
                              pca.file().string(), section));
  if (pca.number("VSensor", "NumTiles").value_or(1) > 1)
    throw Error(
        ErrorKind::unsupported,
        fmt::format("{}: [VSensor] NumTiles is more than 1; tiled detectors cannot be reconstructed yet",
                    pca.file().string()));
}

geometry::CircularScan geometry_of(KeyedText& pca) {
  geometry::CircularScan scan{.source_object_distance = pca.positive("Geometry", "FOD"),
                              .source_detector_distance = pca.positive("Geometry", "FDD"),
                              .detector = {},
                              .axis = {},
                              .angles = {},
                              .shifts = {}};
  geometry::Detector& d = scan.detector;
  d.columns = pca.count("Image", "DimX"), d.rows = pca.count("Image", "DimY");
  d.column_pitch = pca.positive("Detector", "PixelsizeX"),
  d.row_pitch = pca.positive("Detector", "PixelsizeY");
  // The pixel of the central ray, rows counted from the top.
  const double middle_x = 0.5 * (d.columns - 1), middle_y = 0.5 * (d.rows - 1);
  d.column_offset = (middle_x - pca.number("Geometry", "cx").value_or(middle_x)) * d.column_pitch;
  d.row_offset = (pca.number("Geometry", "cy").value_or(middle_y) - middle_y) * d.row_pitch;
  return scan;
}

/// Both places of an axis that is `offset` mm beside the middle.
Remedies either_side(double offset) {
  return {{"axis-offset", fmt::format("{:.4f}mm", offset), "whichever is sharp, give"},
          {"axis-offset", fmt::format("-{:.4f}mm", offset), ""}};
}

Findings doubts_of(KeyedText& pca, const geometry::CircularScan& scan) {
  const std::string name = pca.file().filename().string();
  Findings findings{
      {"conventions.assumed",
       fmt::format(
           "{}: the maker documents no conventions: those of an open reader (CIL) are taken, clockwise seen "
           "from above, first row on top, seen from the source; no scan with images was at hand to test them",
           name),
       "",
       {{"reverse-rotation", "", "for the other sense, give"}}}};
  const double centre =
      pca.unused_number("Geometry", "CalibValue", "to a side that is not documented").value_or(0);
  if (centre != 0)
    findings.push_back({"axis.unused",
                        fmt::format("{}: CalibValue puts the axis {} columns beside the middle, to a side "
                                    "that is not documented, and is not used",
                                    name, centre),
                        "CalibValue",
                        either_side(centre * scan.detector.column_pitch / scan.magnification())});
  if (pca.unused_number("DetectorShift", "Enable", "in a sense that is not documented").value_or(0) != 0)
    findings.push_back(
        {"detector.moved",
         fmt::format(
             "{}: the detector was moved by up to {} columns between views (DetectorShift), in a sense that "
             "is not documented: these shifts (XDShift of the .pcp) are not used, and edges blur by as much",
             name,
             pca.unused_number("DetectorShift", "Amplitude", "in a sense that is not documented")
                 .value_or(0)),
         "DetectorShift"});
  for (const char* key : {"DetectorRot", "Tilt"})
    if (const double angle = pca.unused_number("Geometry", key, "its sense is not documented").value_or(0);
        angle != 0)
      findings.push_back({"detector.tilt-unused",
                          fmt::format("{}: {} is {} degrees, and is not used: its sense is not documented",
                                      name, key, angle),
                          key});
  return findings;
}

stack::StackDescription describe(KeyedText& pca) {
  refuse_other_trajectories(pca);
  stack::StackDescription stack;
  stack.scan = geometry_of(pca);
  const std::string stem = pca.file().stem().string();
  stack.projections = {stem + "_????.tif"};
  stack.projections_field = "the projections";
  stack.count = pca.count("CT", "NumberImages");
  stack.count_may_differ_by = 1;
  stack.white_level = pca.number("Image", "FreeRay").value_or(0);
  stack.notes = doubts_of(pca, stack.scan);
  const fs::path angles = fs::path(pca.file()).replace_extension(".pcp");
  if (std::error_code unreadable; fs::is_regular_file(angles, unreadable)) {
    stack.angle_file = {
        .path = angles, .columns = {.header_lines = 2, .first = 2}, .unit = radians_per_degree};
  } else {
    stack.angle_source = stack::AngleSource::range;
    stack.amount = pca.positive("CT", "RotationSector") * radians_per_degree;
    stack.notes.push_back({"angles.assumed",
                           fmt::format("{}: is absent, so even steps over RotationSector are assumed",
                                       angles.filename().string()),
                           "RotationSector"});
  }
  stack.about = {.format = "GE phoenix datos|x",
                 .name = stem,
                 .instrument = pca.text("General", "SystemName"),
                 .voltage_kv = pca.number("Xray", "Voltage").value_or(0),
                 .current_ua = pca.number("Xray", "Current").value_or(0),
                 .exposure_s = pca.number("Detector", "TimingVal").value_or(0) / 1000 *
                               pca.number("Detector", "Avg").value_or(1),
                 .filter = {},
                 .date = {}};
  stack.fields = pca.fields();
  return stack;
}

bool recognises(const FileStart& file) {
  return file.bytes.find("Version-pca=") != std::string::npos ||
         (file.path.extension() == ".pca" && file.bytes.find("[Geometry]") != std::string::npos);
}

std::unique_ptr<ScanSource> open(const fs::path& path, const OpenOptions& options) {
  KeyedText pca(read_text(path, most_of_a_text), path);
  return stack::open_described(path, describe(pca), options);
}

}  // namespace

const ScanFormat phoenix_pca{"GE phoenix datos|x (.pca)", recognises, open};

}  // namespace feldspar::io::vendors
