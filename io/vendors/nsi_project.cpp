// The .nsipro of a North Star scan: the calibrated places of source, axis and detector, and names of raw
// projections, one open beam and one dark.
#include "io/vendors/nsi_project.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <sstream>

#include "base/error.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "geometry/vec3.hpp"
#include "io/stack/stack_source.hpp"
#include "io/vendors/keyed_text.hpp"

namespace feldspar::io::vendors {
namespace {

namespace fs = std::filesystem;
using geometry::Vec3;

constexpr const char* result = "Geometry/Result";
constexpr const char* radiographs = "Object Radiograph";
constexpr const char* technique = "CT Project Configuration/Technique Configuration";
constexpr const char* detector = "CT Project Configuration/Technique Configuration/Detector";

/// "<tag>value" lines, of which only groups are closed, as "[group/group]" and "tag=value".
std::string as_keys(std::string_view text) {
  constexpr std::size_t deepest = 32;
  std::set<std::string, std::less<>> closed;  // tags that are groups
  for (std::size_t at = text.find("</"); at != text.npos; at = text.find("</", at + 1))
    closed.emplace(text.substr(at + 2, text.find('>', at) - at - 2));
  std::vector<std::string> groups;
  std::string keys;
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    const std::size_t open = line.find('<'), close = line.find('>');
    if (open == line.npos || close == line.npos || close < open) continue;
    const std::string tag(line.substr(open + 1, close - open - 1));
    std::string value(line.substr(close + 1));
    while (!value.empty() && (value.back() == '\r' || value.back() == ' ')) value.pop_back();
    if (tag.starts_with('/')) {
      if (!groups.empty() && groups.back() == tag.substr(1)) groups.pop_back();
    } else if (value.empty() && closed.contains(tag)) {
      if (groups.size() < deepest) groups.push_back(tag);
    } else {
      keys += "[";
      for (std::size_t n = 1; n < groups.size(); ++n) {
        if (n > 1) keys += "/";
        keys += groups[n];
      }
      keys += fmt::format("]\n{}={}\n", tag, value);
    }
  }
  return keys;
}

std::vector<double> numbers(KeyedText& text, const char* section, const char* key, std::size_t count) {
  std::istringstream words(text.text(section, key));
  std::vector<double> all;
  for (std::string word; words >> word;) {
    double value = 0;
    if (!parse_number(word, value)) text.refuse(section, key, fmt::format("\"{}\" is no number", word));
    all.push_back(value);
  }
  if (all.size() != count)
    text.refuse(section, key, fmt::format("has {} numbers, but {} were expected", all.size(), count));
  return all;
}

Vec3 vector(KeyedText& text, const char* key) {
  const std::vector<double> all = numbers(text, result, key, 3);
  return {all[0], all[1], all[2]};
}

Vec3 direction(KeyedText& text, const char* key) {
  const Vec3 v = vector(text, key);
  if (!(norm(v) > 0)) text.refuse(result, key, "is no direction");
  return normalised(v);
}

bool is_true(KeyedText& text, const char* section, const char* key) {
  return text.text(section, key).starts_with('T');
}

/// How stored images become upright ones: flipped, then turned clockwise.
void orient(KeyedText& text, stack::StackDescription& stack) {
  const double turn = text.number("Correction", "rotate").value_or(0);
  if (turn != 0 && turn != 90 && turn != 180 && turn != 270)
    text.refuse("Correction", "rotate", fmt::format("is {}, but 0, 90, 180 or 270 was expected", turn));
  stack.transposed = turn == 90 || turn == 270;
  bool reversed = turn < 180, mirrored = turn == 90 || turn == 180;
  const bool rows = is_true(text, "Correction", "flipV"), columns = is_true(text, "Correction", "flipH");
  if (stack.transposed ? columns : rows) reversed = !reversed;
  if (stack.transposed ? rows : columns) mirrored = !mirrored;
  stack.top_row_first = reversed, stack.seen_from_source = !mirrored;
}

/// The world's x runs along the columns of upright images, y along the detector's normal, z against the rows.
geometry::CircularScan geometry_of(KeyedText& text, bool transposed) {
  const Vec3 source = vector(text, "source"), first_pixel = vector(text, "reference");
  const Vec3 y = direction(text, "normal"), x = direction(text, "horizontal"), z = cross(x, y);
  if (std::abs(dot(x, y)) > 1e-6) text.refuse(result, "horizontal", "is not at right angles to normal");
  Vec3 up = direction(text, "axis");
  if (dot(up, z) < 0) up = -1.0 * up;
  geometry::CircularScan scan;
  scan.source_detector_distance = dot(first_pixel - source, y);
  geometry::Detector& d = scan.detector;
  d.columns = text.count(detector, transposed ? "height pixels" : "width pixels");
  d.rows = text.count(detector, transposed ? "width pixels" : "height pixels");
  const std::vector<double> pitch = numbers(text, radiographs, "pitch", 2);
  d.column_pitch = pitch[0], d.row_pitch = pitch[1];
  const Vec3 from_ray = first_pixel - source;
  d.column_offset = dot(from_ray, x) + 0.5 * (d.columns - 1) * pitch[0];
  d.row_offset = dot(from_ray, z) - 0.5 * (d.rows - 1) * pitch[1];
  if (!(dot(up, z) > 0.5)) text.refuse(result, "axis", "does not stand upright on the detector's rows");
  // The axis goes through 0; what counts is where it is at the height of the source.
  scan.source_object_distance = dot(source, z) * dot(up, y) / dot(up, z) - dot(source, y);
  scan.axis = {.offset = dot(-1.0 * source, x) + dot(source, z) * dot(up, x) / dot(up, z),
               .roll = std::asin(dot(up, x)),
               .tilt = std::atan2(dot(up, y), dot(up, z))};
  return scan;
}

/// Relative to the project, with the separators of Windows.
std::string path_of(KeyedText& text, const char* section, const char* key) {
  std::string path = text.text(section, key);
  std::replace(path.begin(), path.end(), '\\', '/');
  if (path.empty()) text.refuse(section, key, "is missing");
  return path;
}

stack::StackDescription describe(KeyedText& text) {
  stack::StackDescription stack;
  orient(text, stack);
  stack.scan = geometry_of(text, stack.transposed);
  stack.has_axis = true;
  stack.projections = {path_of(text, radiographs, "file")};
  stack.projections_field = "Object Radiograph, file";
  stack.flats = {"Corrections/gain0.tif"};
  stack.darks = {"Corrections/offset.tif"};
  stack.count = text.count(radiographs, "number");
  stack.count_may_differ_by = 1;
  stack.angle_source = stack::AngleSource::step;
  stack.amount = text.positive(radiographs, "angleStep") * radians_per_degree;
  stack.clockwise = is_true(text, "Geometry/Processed", "clockwise");
  const std::string source = std::string(technique) + "/Source";
  stack.about = {.format = "North Star Imaging",
                 .name = text.text("", "Project Name"),
                 .instrument = text.text(std::string(technique) + "/System Info", "Model Name"),
                 .voltage_kv = text.number(source, "kV").value_or(0),
                 .current_ua = text.number(source, "uA").value_or(0),
                 .exposure_s = text.number(detector, "integration time ms").value_or(0) / 1000 *
                               text.number("CT Project Configuration", "Frame averaging").value_or(1),
                 .filter = text.text(std::string(technique) + "/Setup", "phys filter"),
                 .date = text.text("", "Creation Date")};
  stack.notes = {
      {"conventions.assumed",
       fmt::format("{}: the maker documents no conventions: those of an open reader (mbirjax) are taken, "
                   "projections are raw, Corrections/gain0.tif is the open beam and offset.tif the dark, and "
                   "the object turns {} seen from above; no scan with images was at hand to test them",
                   text.file().filename().string(), stack.clockwise ? "clockwise" : "counter-clockwise"),
       "",
       {{"reverse-rotation", "", "for the other sense, give"}}}};
  stack.fields = text.fields();
  return stack;
}

bool recognises(const FileStart& file) {
  return file.bytes.find("<NSI Reconstruction Project>") != std::string::npos;
}

std::unique_ptr<ScanSource> open(const fs::path& path, const OpenOptions& options) {
  KeyedText text(as_keys(read_text(path, most_of_a_text)), path);
  return stack::open_described(path, describe(text), options);
}

}  // namespace

const ScanFormat nsi_project{"North Star Imaging (.nsipro)", recognises, open};

}  // namespace feldspar::io::vendors
