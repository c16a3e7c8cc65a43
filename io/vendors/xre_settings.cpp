// "data settings XRE.txt" of a Tescan (XRE) scan: geometry and names of raw projections, open beams and
// darks.
#include "io/vendors/xre_settings.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "base/units.hpp"
#include "io/stack/stack_source.hpp"
#include "io/vendors/keyed_text.hpp"

namespace feldspar::io::vendors {
namespace {

namespace fs = std::filesystem;
constexpr const char* camera = "Camera settings";
constexpr const char* acquisition = "Acquisition settings";
constexpr const char* parameters = "CT-parameters IN";

geometry::CircularScan geometry_of(KeyedText& text) {
  geometry::CircularScan scan{.source_object_distance = text.positive(parameters, "SOD"),
                              .source_detector_distance = text.positive(parameters, "SDD"),
                              .detector = {},
                              .axis = {},
                              .angles = {},
                              .shifts = {}};
  geometry::Detector& d = scan.detector;
  d.columns = text.count(camera, "Columns"), d.rows = text.count(camera, "Rows");
  d.column_pitch = d.row_pitch = text.positive(camera, "Binned pixelsize (mm)");
  return scan;
}

stack::StackDescription describe(KeyedText& text) {
  stack::StackDescription stack;
  stack.scan = geometry_of(text);
  if (const auto column = text.number(parameters, "COR")) {
    stack.has_axis = stack.has_axis_column = true;
    stack.axis_column = *column;
  }
  std::string base = text.text("Data set settings", "basename");
  if (base.empty()) base = "scan_";
  stack.projections = {base + "*.tif"};
  stack.projections_field = "basename";
  stack.flats = {"io*.tif"};
  stack.darks = {"di*.tif"};
  stack.count = text.count(acquisition, "total projections");
  stack.count_may_differ_by = 1;
  stack.angle_source = stack::AngleSource::step;
  const double start = text.required(acquisition, "CT start angle"),
               stop = text.required(acquisition, "CT stop angle");
  stack.start = start * radians_per_degree;
  stack.amount = (stop - start) / stack.count * radians_per_degree;
  stack.about = {.format = "Tescan XRE",
                 .name = text.text("Sample info", "Sample name"),
                 .instrument = text.text("Scan info", "scanner type"),
                 .voltage_kv = text.number("Tube settings", "kV set value").value_or(0),
                 .current_ua = text.number("Tube settings", "Target current actual value").value_or(0),
                 .exposure_s = text.number(camera, "Exposure time (ms)").value_or(0) / 1000,
                 .filter = {},
                 .date = text.text("Scan info", "Start")};
  stack.notes = {{"conventions.assumed",
                  fmt::format("{}: the maker documents no conventions: clockwise seen from above, first row "
                              "on top, seen from the source, and COR as a column counted from 0 are assumed; "
                              "no scan with images was at hand to test them",
                              text.file().filename().string()),
                  "COR",
                  {{"reverse-rotation", "", "for the other sense, give"},
                   {"axis-offset", "auto", "to find the axis, give"}}}};
  stack.fields = text.fields();
  return stack;
}

bool recognises(const FileStart& file) {
  return file.path.extension() == ".txt" && file.bytes.find("[Camera settings]") != std::string::npos &&
         file.bytes.find("[Scan info]") != std::string::npos &&
         file.bytes.find("Binned pixelsize (mm)") != std::string::npos;
}

std::unique_ptr<ScanSource> open(const fs::path& path, const OpenOptions& options) {
  KeyedText text(read_text(path, most_of_a_text), path);
  return stack::open_described(path, describe(text), options);
}

/// The instrument leaves copies whose names say more; the shortest is what it measured with.
std::unique_ptr<ScanSource> choose(const std::vector<fs::path>& files, const OpenOptions& options) {
  return open(files.front(), options);
}

}  // namespace

const ScanFormat xre_settings{"Tescan XRE (data settings XRE.txt)", recognises, open, choose};

}  // namespace feldspar::io::vendors
