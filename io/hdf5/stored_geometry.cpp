// Quantities by name, in the order of geometry/scan.hpp.
#include "io/hdf5/stored_geometry.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <sstream>
#include <string>
#include <utility>

#include "io/hdf5/text.hpp"

namespace feldspar::io::hdf5 {
namespace {

struct Quantity {
  const char* name;
  const char* unit;
  double& (*value)(geometry::CircularScan&);
};

constexpr std::array quantities{
    Quantity{"source_object_distance", "mm",
             [](geometry::CircularScan& s) -> double& { return s.source_object_distance; }},
    Quantity{"source_detector_distance", "mm",
             [](geometry::CircularScan& s) -> double& { return s.source_detector_distance; }},
    Quantity{"column_pitch", "mm",
             [](geometry::CircularScan& s) -> double& { return s.detector.column_pitch; }},
    Quantity{"row_pitch", "mm", [](geometry::CircularScan& s) -> double& { return s.detector.row_pitch; }},
    Quantity{"column_offset", "mm",
             [](geometry::CircularScan& s) -> double& { return s.detector.column_offset; }},
    Quantity{"row_offset", "mm", [](geometry::CircularScan& s) -> double& { return s.detector.row_offset; }},
    Quantity{"detector_roll", "rad", [](geometry::CircularScan& s) -> double& { return s.detector.roll; }},
    Quantity{"detector_tilt", "rad", [](geometry::CircularScan& s) -> double& { return s.detector.tilt; }},
    Quantity{"detector_slant", "rad", [](geometry::CircularScan& s) -> double& { return s.detector.slant; }},
    Quantity{"axis_offset", "mm", [](geometry::CircularScan& s) -> double& { return s.axis.offset; }},
    Quantity{"axis_roll", "rad", [](geometry::CircularScan& s) -> double& { return s.axis.roll; }},
    Quantity{"axis_tilt", "rad", [](geometry::CircularScan& s) -> double& { return s.axis.tilt; }},
};

void put_reference(hid_t group, const char* name, const std::vector<float>& counts) {
  const hsize_t size = counts.size();
  if (size == 0) return;
  const Space space(H5Screate_simple(1, &size, nullptr), "describing a reference");
  const Dataset set(H5Dcreate2(group, name, H5T_IEEE_F32LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
                    "making a reference");
  check(H5Dwrite(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, counts.data()), "writing a reference");
}

std::vector<float> get_reference(const InputFile& file, const std::string& path, std::size_t pixels) {
  const std::vector<double> values = file.numbers(path, pixels);
  if (values.size() > 1 && values.size() != pixels)
    file.refuse(ErrorKind::bad_file,
                fmt::format("{} has {} values, but 1 or {} were expected", path, values.size(), pixels));
  return {values.begin(), values.end()};
}

/// The numbers of a description. A file that lacks one was written without it.
struct Fact {
  const char* name;
  const char* unit;
  double ScanDescription::*value;
};

constexpr std::array facts{
    Fact{"voltage", "kV", &ScanDescription::voltage_kv},
    Fact{"current", "uA", &ScanDescription::current_ua},
    Fact{"exposure", "s", &ScanDescription::exposure_s},
};

struct FactInWords {
  const char* name;
  std::string ScanDescription::*value;
};

constexpr std::array facts_in_words{
    FactInWords{"instrument", &ScanDescription::instrument},
    FactInWords{"filter", &ScanDescription::filter},
    FactInWords{"date", &ScanDescription::date},
};

void put_facts(hid_t group, const ScanDescription& description) {
  for (const Fact& fact : facts)
    if (const double value = description.*fact.value; value > 0)
      put_attribute(put_number(group, fact.name, value), "units", fact.unit);
  for (const FactInWords& fact : facts_in_words)
    if (const std::string& words = description.*fact.value; !words.empty()) put_text(group, fact.name, words);
  if (!description.hardening.empty()) put_numbers(group, "hardening", description.hardening);
}

void put_quantities(hid_t group, geometry::CircularScan scan) {
  for (const Quantity& quantity : quantities)
    put_attribute(put_number(group, quantity.name, quantity.value(scan)), "units", quantity.unit);
}

void get_geometry(const InputFile& file, const std::string& group, geometry::CircularScan& scan,
                  References& references) {
  const auto numbers = [&](const char* name, std::size_t count) {
    const std::string path = fmt::format("{}/{}", group, name);
    std::vector<double> values = file.numbers(path);
    if (values.size() != count)
      file.refuse(ErrorKind::bad_file,
                  fmt::format("{} has {} values, but {} were expected", path, values.size(), count));
    return values;
  };
  const std::string beam = file.text(group + "/beam");
  if (beam != "cone" && beam != "parallel")
    file.refuse(ErrorKind::bad_file,
                fmt::format("{}/beam is '{}', but cone or parallel was expected", group, beam));
  scan.beam = beam == "cone" ? geometry::Beam::cone : geometry::Beam::parallel;
  for (const Quantity& quantity : quantities) quantity.value(scan) = numbers(quantity.name, 1)[0];
  const std::size_t views = scan.angles.size();
  scan.angles = numbers("angles", views);
  if (file.has(group + "/column_shifts")) {
    const auto columns = numbers("column_shifts", views), rows = numbers("row_shifts", views);
    scan.shifts.clear();
    for (std::size_t n = 0; n < views; ++n) scan.shifts.push_back({columns[n], rows[n]});
  }
  const auto pixels =
      static_cast<std::size_t>(scan.detector.columns) * static_cast<std::size_t>(scan.detector.rows);
  references.white = get_reference(file, group + "/white", pixels);
  references.dark = get_reference(file, group + "/dark", pixels);
  references.saturation = static_cast<float>(numbers("saturation", 1)[0]);
}

}  // namespace

bool apply_stored_geometry(const InputFile& file, const std::string& group, const OpenOptions& options,
                           geometry::CircularScan& scan, References& references, UnitReader& units) {
  if (!file.has(group)) return false;
  const std::vector<double> stated = scan.angles;
  get_geometry(file, group, scan, references);
  if (options.white_level > 0) references.white = {static_cast<float>(options.white_level)};
  if (options.pixel_pitch > 0) scan.detector.column_pitch = scan.detector.row_pitch = options.pixel_pitch;
  if (options.reverse_rotation)
    for (double& angle : scan.angles) angle = -angle;
  double worst = 0;
  for (std::size_t n = 0; n < stated.size(); ++n)
    worst = std::max(worst, std::abs(stated[n] - scan.angles[n]));
  units.note(group, "the whole geometry", SourceField::Use::used,
             "written by feldspar; it replaces what the format cannot say as exactly");
  for (const Finding& finding :
       findings_in_lines(file.text(group + "/findings"), file.text(group + "/finding_data")))
    units.find(finding_of_source(finding));
  if (worst > 1e-6)
    units.find({"geometry.contradicted",
                fmt::format("{} holds other angles than the rest of the file, by up to {:.3g} rad; those of "
                            "the group are used: remove it if the file was changed since",
                            group, worst),
                group});
  return true;
}

void apply_stored_facts(const InputFile& file, const std::string& group, ScanDescription& description) {
  for (const Fact& fact : facts)
    if (const auto value = file.numbers(fmt::format("{}/{}", group, fact.name)); value.size() == 1)
      description.*fact.value = value[0];
  for (const FactInWords& fact : facts_in_words)
    if (const std::string words = file.text(fmt::format("{}/{}", group, fact.name)); !words.empty())
      description.*fact.value = words;
  constexpr std::size_t most_coefficients = 100;
  description.hardening = file.numbers(group + "/hardening", most_coefficients);
}

namespace {

void put_shifts(const Group& group, const std::vector<geometry::ViewShift>& shifts) {
  if (shifts.empty()) return;
  std::vector<double> columns, rows;
  for (const geometry::ViewShift& shift : shifts) columns.push_back(shift.column), rows.push_back(shift.row);
  put_attribute(put_numbers(group, "column_shifts", columns), "units", "mm");
  put_attribute(put_numbers(group, "row_shifts", rows), "units", "mm");
}

}  // namespace

void put_geometry(hid_t parent, const ScanContent& content) {
  const geometry::CircularScan& scan = content.scan;
  const References& references = content.references;
  const Group group = make_group(parent, geometry_group, "NXcollection");
  put_text(group, "convention", "feldspar docs/geometry.md: lengths in mm, angles in rad");
  put_text(group, "beam", scan.beam == geometry::Beam::cone ? "cone" : "parallel");
  put_quantities(group, scan);
  put_attribute(put_numbers(group, "angles", scan.angles), "units", "rad");
  put_shifts(group, scan.shifts);
  put_reference(group, "white", references.white);
  put_reference(group, "dark", references.dark);
  put_number(group, "saturation", references.saturation);
  put_facts(group, content.description);
  if (content.findings.empty()) return;
  put_text(group, "findings", fmt::format("{}\n", fmt::join(texts_of(content.findings), "\n")));
  put_text(group, "finding_data", fmt::format("{}\n", fmt::join(data_of(content.findings), "\n")));
}

}  // namespace feldspar::io::hdf5
