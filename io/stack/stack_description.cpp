// Keys to quantities. The world's conventions are those of geometry/scan.hpp; the file says in words which
// way its images and its object run.
#include "io/stack/stack_description.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.hpp"
#include "base/units.hpp"
#include "io/stack/section.hpp"
#include "io/stack/toml_text.hpp"

namespace feldspar::io::stack {
namespace {

double required(Section& section, const std::string& key, std::optional<double> value) {
  if (!value) section.refuse(key, "is absent; `feldspar template` prints a description with every key");
  return *value;
}

/// Two lengths, or one that counts for both.
void read_pair(Section& section, const std::string& key, double& first, double& second) {
  const std::vector<double> values = section.one_or_two_lengths(key);
  if (values.empty()) return;
  first = values[0], second = values.back();
}

void read_beam(Section& top, geometry::CircularScan& scan) {
  const bool cone = top.choice("beam", "cone", "parallel", std::nullopt);
  scan.beam = cone ? geometry::Beam::cone : geometry::Beam::parallel;
  const auto object = top.length("source_to_object"), detector = top.length("source_to_detector");
  if (!cone && (object || detector))
    top.refuse(object ? "source_to_object" : "source_to_detector",
               "contradicts beam = \"parallel\", which has no source; remove one of them");
  if (!cone) return;
  scan.source_object_distance = required(top, "source_to_object", object);
  scan.source_detector_distance = required(top, "source_to_detector", detector);
}

void read_detector(const toml::table& root, const std::filesystem::path& file, StackDescription& stack) {
  Section section(root, "detector", file, stack.fields);
  geometry::Detector& d = stack.scan.detector;
  if (!section.has("pixel_size"))
    section.refuse("pixel_size", "is absent; `feldspar template` prints a description with every key");
  read_pair(section, "pixel_size", d.column_pitch, d.row_pitch);
  if (!(d.column_pitch > 0 && d.row_pitch > 0)) section.refuse("pixel_size", "must be positive");
  d.column_offset = section.length("offset_right").value_or(0);
  d.row_offset = section.length("offset_up").value_or(0);
  d.roll = section.angle("roll").value_or(0);
  d.tilt = section.angle("tilt").value_or(0);
  d.slant = section.angle("slant").value_or(0);
  section.finish();
}

void read_axis(const toml::table& root, const std::filesystem::path& file, StackDescription& stack) {
  Section section(root, "axis", file, stack.fields);
  const auto column = section.number("column");
  const auto offset = section.length("offset_right");
  if (column && offset) section.refuse("column", "and offset_right state the same thing; remove one of them");
  stack.has_axis = column || offset;
  stack.has_axis_column = column.has_value();
  stack.axis_column = column.value_or(0);
  stack.scan.axis = {.offset = offset.value_or(0),
                     .roll = section.angle("roll").value_or(0),
                     .tilt = section.angle("tilt").value_or(0)};
  section.finish();
}

void read_open_beam(Section& section, StackDescription& stack) {
  stack.flats = section.texts("flats");
  stack.flats_after = section.texts("flats_after");
  if (!stack.flats_after.empty() && stack.flats.empty())
    section.refuse("flats_after", "has no flats before it; state them as flats if there are no others");
  const auto white = section.number("white_level");
  if (white && stack.flats.size() > 0)
    section.refuse("white_level", "and flats state the open beam both; remove one of them");
  if (white && !(*white > 0)) section.refuse("white_level", "must be positive");
  stack.white_level = white.value_or(0);
}

void read_images(const toml::table& root, const std::filesystem::path& file, StackDescription& stack) {
  Section section(root, "images", file, stack.fields);
  stack.projections = section.texts("projections");
  if (stack.projections.empty()) section.refuse("projections", "is absent; write for example \"proj_*.tif\"");
  read_open_beam(section, stack);
  stack.darks = section.texts("darks");
  stack.count = section.count("count", 0);
  if (section.has("pixels"))
    stack.pixels = section.choice("pixels", "uint32", "float32", std::nullopt) ? UnstatedPixels::uint32
                                                                               : UnstatedPixels::float32;
  stack.top_row_first = section.choice("first_row", "top", "bottom", true);
  stack.seen_from_source = section.choice("seen_from", "source", "detector", true);
  section.finish();
}

/// What may stand between columns of numbers, in words.
struct Separators {
  std::array<std::string_view, 4> words{"blanks", "tab", "semicolon", "comma"};
  std::string_view signs = " \t;,";
};
constexpr Separators separators;

/// What the keys of a text file of numbers have in common.
NumberFile read_number_file(Section& section, const std::filesystem::path& file) {
  NumberFile numbers;
  if (const auto name = section.text("file"))
    numbers.path = name->empty() ? file.parent_path() : file.parent_path() / *name;
  numbers.columns.header_lines = section.count("header_lines", 0);
  numbers.columns.first = section.count("column", 1);
  if (numbers.columns.first < 1) section.refuse("column", "counts from 1");
  if (section.has("decimal"))
    numbers.columns.decimal = section.choice("decimal", "comma", "point", std::nullopt) ? ',' : '.';
  else
    (void)section.text("decimal");
  if (const auto name = section.text("separator")) {
    const auto& [words, signs] = separators;
    const auto found = std::ranges::find(words, *name);
    if (found == words.end())
      section.refuse("separator",
                     fmt::format("is \"{}\", but \"{}\" was expected", *name, fmt::join(words, "\", \"")));
    numbers.columns.separator = signs[static_cast<std::size_t>(found - words.begin())];
  }
  if (numbers.columns.separator == ',' && numbers.columns.decimal == ',')
    section.refuse("decimal", "and separator are both \"comma\"; columns need another separator");
  numbers.skip_first = section.count("skip_first", 0);
  numbers.skip_last = section.count("skip_last", 0);
  return numbers;
}

void read_angles(const toml::table& root, const std::filesystem::path& file, StackDescription& stack) {
  Section section(root, "angles", file, stack.fields);
  stack.clockwise = section.choice("turn", "clockwise", "counter-clockwise", std::nullopt);
  int ways = 0;
  const auto way = [&](const char* key, AngleSource source) {
    const auto value = section.angle(key);
    if (value) stack.angle_source = source, stack.amount = *value, ++ways;
  };
  way("step", AngleSource::step);
  way("range", AngleSource::range);
  way("last", AngleSource::last);
  const bool from_file = section.has("file");
  if (ways + from_file != 1)
    section.refuse("step", fmt::format("range, last and file: {} are stated, but exactly one says where the "
                                       "angles come from",
                                       ways + from_file == 0 ? "none" : "several"));
  const bool has_start = section.has("start");
  stack.start = section.angle("start").value_or(0);
  if (from_file) {
    if (has_start) section.refuse("start", "contradicts file, which holds every angle; remove one of them");
    stack.angle_source = AngleSource::file;
    stack.angle_file = read_number_file(section, file);
    stack.angle_file.unit = section.choice("unit", "deg", "rad", std::nullopt) ? radians_per_degree : 1.0;
  }
  section.finish();
}

void read_shifts(const toml::table& root, const std::filesystem::path& file, StackDescription& stack) {
  Section section(root, "shifts", file, stack.fields);
  if (!section.has("file")) return section.finish();
  stack.shift_file = read_number_file(section, file);
  stack.shift_file.unit = section.choice("unit", "mm", "um", std::nullopt) ? 1.0 : 1e-3;
  section.finish();
}

void read_about(const toml::table& root, const std::filesystem::path& file, StackDescription& stack) {
  Section section(root, "about", file, stack.fields);
  stack.about = {.format = "TIFF stack",
                 .name = section.text("name").value_or(file.parent_path().filename().string()),
                 .instrument = section.text("instrument").value_or(""),
                 .voltage_kv = section.number("voltage_kv").value_or(0),
                 .current_ua = section.number("current_ua").value_or(0),
                 .exposure_s = section.number("exposure_s").value_or(0),
                 .filter = section.text("filter").value_or(""),
                 .date = section.text("date").value_or(""),
                 .hardening = section.numbers("hardening")};
  stack.findings = findings_in(section.texts("findings"), section.texts("finding_data"));
  section.finish();
}

}  // namespace

StackDescription parse_stack(std::string_view text, const std::filesystem::path& file) {
  const toml::table root = parse_toml(text, file.string(), ErrorKind::bad_file);
  StackDescription stack;
  Section top(root, "", file, stack.fields);
  const std::string version_key(key_of_scans);
  if (top.count(version_key, 0) != 1) top.refuse(version_key, "must be 1, the version of the description");
  read_beam(top, stack.scan);
  for (const char* const table : {"detector", "axis", "images", "angles", "shifts", "about"})
    top.expect_table(table);
  top.finish();
  read_detector(root, file, stack);
  read_axis(root, file, stack);
  read_images(root, file, stack);
  read_angles(root, file, stack);
  read_shifts(root, file, stack);
  read_about(root, file, stack);
  return stack;
}

namespace {

constexpr std::string_view template_text =
    R"(# A scan kept as TIFF images, for feldspar. Save as scan.toml beside the images, fill in, and try:
#   feldspar info scan.toml
# Every length and angle has its unit: "36 um", "0.036 mm", "1.2 cm", "0.2 deg", "0.0035 rad".
# Lines that begin with # are comments; those with a key show what may be added.

feldspar_scan = 1               # version of this description

beam = "cone"                   # "cone" or "parallel"
source_to_object = "176.9 mm"   # source to rotation axis; not for a parallel beam
source_to_detector = "983 mm"

[images]                        # a pattern, a list of files, or one file of many pages, sorted by number
projections = "proj_*.tif"
# count = 3176                  # how many there must be
flats = "flat_*.tif"            # open beam, averaged; or white_level = 60000 when the images are corrected
# flats_after = "after_*.tif"   # open beam after the scan: between flats and these it is interpolated in time
darks = "dark_*.tif"            # without beam, averaged
# pixels = "float32"            # or "uint32": of 32-bit images that do not say which
# first_row = "top"             # the first stored row is the "top" or the "bottom" one
# seen_from = "source"          # the images show the detector as seen from the "source" or the "detector"

[detector]
pixel_size = "200 um"           # or ["200 um", "210 um"]: width, height; at the object for a parallel beam
# offset_right = "0 mm"         # of its centre from the central ray, to the right seen from the source
# offset_up = "0 mm"
# roll = "0 deg"                # positive lowers the right edge seen from the source
# tilt = "0 deg"                # positive leans the upper edge towards the source
# slant = "0 deg"               # positive moves the right edge away from the source

[axis]                          # without a place the axis is taken to cross the central ray
# column = 999.5                # of the images as stored, counted from 0, where the axis is seen
# offset_right = "0 mm"         # or: its distance from the central ray at the object, seen from the source
# roll = "0 deg"                # positive leans its top to the right
# tilt = "0 deg"                # positive leans its top towards the detector

[angles]
turn = "clockwise"              # how the object turns seen from above: "clockwise" or "counter-clockwise"
range = "360 deg"               # even steps of range / projections, the last one step before the end
# step = "0.11335 deg"          # instead of range
# last = "360 deg"              # instead of range: the angle of the last projection
# start = "0 deg"
# file = "angles.txt"           # instead of all these: one angle a line
# unit = "deg"                  # of the file
# column = 1                    # of the file, counted from 1
# header_lines = 0
# separator = "tab"             # of columns: "blanks", "tab", "semicolon" or "comma"; what all lines agree on
# decimal = "comma"             # 0,5 is a half: numbers with decimal commas must say so
# skip_first = 0                # values that belong to no projection
# skip_last = 0

# [shifts]                      # of single images, to the right and up as stored columns and rows see it
# file = "shifts.txt"           # two numbers a line
# unit = "mm"                   # at the detector; column, header_lines, separator ... as above

# [about]
# name = "cell 7"
# instrument = "X"
# voltage_kv = 205
# current_ua = 330
# exposure_s = 1.0
# filter = "1 mm Cu"
# date = "2024-05-01"
# hardening = [0, 0.75, 0.25]   # p becomes 0 + 0.75 p + 0.25 p^2: the scan's own correction of beam hardening
)";

}  // namespace

std::string_view stack_template() { return template_text; }

}  // namespace feldspar::io::stack
