// Numbers are written in the fewest digits that give the same number back.
#include "io/stack/stack_writer.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/units.hpp"
#include "io/tiff/tiff_file.hpp"

namespace feldspar::io::stack {
namespace {

namespace fs = std::filesystem;

/// `text` as TOML writes it.
std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    if (static_cast<unsigned char>(c) >= 0x20 || c == '\t') result += c;
  }
  return result + "\"";
}

}  // namespace

StackWriter::StackWriter(const fs::path& folder, ScanContent content)
    : folder_(folder, false, nullptr),
      content_(std::move(content)),
      written_(content_.scan.angles.size(), false) {
  geometry::validate(content_.scan);
}

template <class Count>
void StackWriter::write_image(const fs::path& name, const Count* counts) const {
  const geometry::Detector& d = content_.scan.detector;
  const auto columns = static_cast<std::size_t>(d.columns), rows = static_cast<std::size_t>(d.rows);
  std::vector<Count> top_first(columns * rows);
  for (std::size_t row = 0; row < rows; ++row)
    std::copy_n(counts + (rows - 1 - row) * columns, columns, top_first.data() + row * columns);
  write_tiff(folder_.path() / name, View3<const Count>{top_first.data(), d.columns, d.rows, 1});
}

void StackWriter::write_view(int view, const void* counts) {
  expects(view >= 0 && static_cast<std::size_t>(view) < written_.size(),
          "a view that the scan does not have");
  const std::string name = fmt::format("proj_{:05}.tif", view);
  if (content_.type == CountType::uint16)
    write_image(name, static_cast<const std::uint16_t*>(counts));
  else
    write_image(name, static_cast<const float*>(counts));
  written_[static_cast<std::size_t>(view)] = true;
}

void StackWriter::write_references() const {
  const References& references = content_.references;
  const auto pixels = static_cast<std::size_t>(content_.scan.detector.columns) *
                      static_cast<std::size_t>(content_.scan.detector.rows);
  if (references.white.size() > 1) write_image("flat.tif", references.white.data());
  if (references.dark.empty()) return;
  const std::vector<float> dark =
      references.dark.size() > 1 ? references.dark : std::vector<float>(pixels, references.dark[0]);
  write_image("dark.tif", dark.data());
}

void StackWriter::write_lists() const {
  std::string angles = "# radians, counter-clockwise seen from above\n", shifts = "# mm: columns, rows\n";
  for (const double angle : content_.scan.angles) angles += fmt::format("{}\n", angle);
  for (const geometry::ViewShift& shift : content_.scan.shifts)
    shifts += fmt::format("{} {}\n", shift.column, shift.row);
  folder_.write_text("angles.txt", angles);
  if (!content_.scan.shifts.empty()) folder_.write_text("shifts.txt", shifts);
}

std::string StackWriter::description() const {
  const geometry::CircularScan& scan = content_.scan;
  const geometry::Detector& d = scan.detector;
  const ScanDescription& about = content_.description;
  std::string text = fmt::format(
      "# A scan kept as TIFF images; `feldspar template` explains every key.\n"
      "feldspar_scan = 1\nbeam = \"{}\"\n",
      scan.beam == geometry::Beam::cone ? "cone" : "parallel");
  if (scan.beam == geometry::Beam::cone)
    text += fmt::format("source_to_object = \"{} mm\"\nsource_to_detector = \"{} mm\"\n",
                        scan.source_object_distance, scan.source_detector_distance);
  text += fmt::format("\n[images]\nprojections = \"proj_*.tif\"\ncount = {}\n", scan.angles.size());
  text += content_.references.white.size() > 1
              ? "flats = \"flat.tif\"\n"
              : fmt::format("white_level = {}\n", content_.references.white.at(0));
  if (!content_.references.dark.empty()) text += "darks = \"dark.tif\"\n";
  text += fmt::format(
      "\n[detector]\npixel_size = [\"{} mm\", \"{} mm\"]\noffset_right = \"{} mm\"\noffset_up = \"{} mm\"\n"
      "roll = \"{} rad\"\ntilt = \"{} rad\"\nslant = \"{} rad\"\n",
      d.column_pitch, d.row_pitch, d.column_offset, d.row_offset, d.roll, d.tilt, d.slant);
  text += fmt::format("\n[axis]\noffset_right = \"{} mm\"\nroll = \"{} rad\"\ntilt = \"{} rad\"\n",
                      scan.axis.offset, scan.axis.roll, scan.axis.tilt);
  text += "\n[angles]\nturn = \"counter-clockwise\"\nfile = \"angles.txt\"\nunit = \"rad\"\n";
  if (!scan.shifts.empty()) text += "\n[shifts]\nfile = \"shifts.txt\"\nunit = \"mm\"\n";
  text += fmt::format(
      "\n[about]\nname = {}\ninstrument = {}\nvoltage_kv = {}\ncurrent_ua = {}\n"
      "exposure_s = {}\nfilter = {}\ndate = {}\n",
      quoted(about.name), quoted(about.instrument), about.voltage_kv, about.current_ua, about.exposure_s,
      quoted(about.filter), quoted(about.date));
  if (!about.hardening.empty()) text += fmt::format("hardening = [{}]\n", fmt::join(about.hardening, ", "));
  if (content_.findings.empty()) return text;
  for (const auto& [key, lines] :
       {std::pair{"findings", texts_of(content_.findings)}, {"finding_data", data_of(content_.findings)}}) {
    text += fmt::format("{} = [\n", key);
    for (const std::string& line : lines) text += fmt::format("  {},\n", quoted(line));
    text += "]\n";
  }
  return text;
}

void StackWriter::finish() {
  expects(std::all_of(written_.begin(), written_.end(), [](bool done) { return done; }),
          "a scan was finished before all of its views were written");
  write_references();
  write_lists();
  folder_.write_text("scan.toml", description());
  folder_.publish();
}

}  // namespace feldspar::io::stack
