// One way to every writer, and what each of them cannot hold.
#include "io/create_scan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/units.hpp"
#include "io/hdf5/scan_files.hpp"
#include "io/stack/stack_writer.hpp"
#include "io/zeiss/zeiss_writer.hpp"

namespace feldspar::io {
namespace {

void refuse(const ScanTarget& target, const std::string& what) {
  throw Error(ErrorKind::unsupported,
              fmt::format("{}: the format {} cannot hold {}; nxtomo, dxchange and tiff can",
                          target.path.string(), target.format, what));
}

/// The open beam as one number where it is the same everywhere.
float white_level_of(const References& references) {
  const std::vector<float>& white = references.white;
  return std::all_of(white.begin(), white.end(), [&](float count) { return count == white.front(); })
             ? white.front()
             : 0;
}

/// What Nikon's and Zeiss's writers share.
ScanNotes notes_of(const ScanTarget& target, const ScanContent& content) {
  for (const float dark : content.references.dark)
    if (dark != 0) refuse(target, "dark counts (its images are corrected)");
  const ScanDescription& about = content.description;
  ScanNotes notes{.white_level = white_level_of(content.references),
                  .voltage_kv = about.voltage_kv,
                  .current_ua = about.current_ua,
                  .exposure_s = about.exposure_s,
                  .hardening = about.hardening};
  const std::size_t unit = about.filter.find(" mm ");
  if (unit != std::string::npos && parse_number(about.filter.substr(0, unit), notes.filter_mm))
    notes.filter_material = about.filter.substr(unit + 4);
  else if (!about.filter.empty())
    log_warning(fmt::format("{}: the filter \"{}\" is left out", target.path.string(), about.filter));
  return notes;
}

std::string file_name_of(const std::string& text) {
  std::string name = text;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c == '/' || c == '\\' || c == '\r' || c == '\n'; }, '_');
  return name.empty() || name.front() == '.' ? "scan" + name : name;
}

void warn_of_what_others_miss(const ScanTarget& target, const ScanContent& content) {
  const geometry::Detector& d = content.scan.detector;
  if (target.format == "dxchange" && content.scan.beam == geometry::Beam::cone)
    log_warning(
        fmt::format("{}: Data Exchange has no words for a cone beam: feldspar reads it back exactly, "
                    "other programs take it for a parallel one",
                    target.path.string()));
  if (d.roll != 0 || d.tilt != 0 || d.slant != 0 || d.row_offset != 0 || content.scan.axis.roll != 0 ||
      content.scan.axis.tilt != 0 || !content.scan.shifts.empty())
    log_warning(
        fmt::format("{}: {} has no words for roll, tilt, vertical offset or shifts of views: "
                    "feldspar reads them back exactly, other programs do not see them",
                    target.path.string(), target.format));
}

std::unique_ptr<ScanSink> create_nikon(const ScanTarget& target, const ScanContent& content) {
  if (content.scan.beam != geometry::Beam::cone) refuse(target, "a parallel beam");
  if (content.type != CountType::uint16) refuse(target, "counts that are no 16-bit integers");
  const ScanNotes notes = notes_of(target, content);
  if (!(notes.white_level > 0))
    refuse(target, "an open beam that differs from pixel to pixel (its images are corrected)");
  return std::make_unique<NikonWriter>(
      target.path, file_name_of(target.name.empty() ? content.description.name : target.name), content.scan,
      notes, target.overwrite);
}

std::unique_ptr<ScanSink> create_zeiss(const ScanTarget& target, const ScanContent& content) {
  const ScanNotes notes = notes_of(target, content);
  const geometry::RotationAxis& axis = content.scan.axis;
  if (axis.offset != 0 || axis.roll != 0 || axis.tilt != 0)
    log_warning(
        fmt::format("{}: a .txrm file has no place for the rotation axis, so it does not tell where it is",
                    target.path.string()));
  if (!notes.hardening.empty())
    log(LogLevel::warning,
        fmt::format("{}: a .txrm file has no place for the polynomial of beam hardening, which is left out",
                    target.path.string()),
        {{"hardening", fmt::format("{}", fmt::join(notes.hardening | std::views::drop(1), ",")),
          "when it is reconstructed, give"}});
  const std::vector<float>& white = content.references.white;
  return std::make_unique<ZeissWriter>(
      target.path, content.scan, notes, target.overwrite,
      ZeissPixels{content.type, white.size() > 1 ? white : std::vector<float>{}});
}

}  // namespace

const std::vector<std::string>& scan_formats() {
  static const std::vector<std::string> names{"nikon", "zeiss", "nxtomo", "dxchange", "tiff"};
  return names;
}

std::string format_of(const std::filesystem::path& path) {
  const std::string extension = path.extension().string();
  if (extension == ".nxs" || extension == ".nx") return "nxtomo";
  if (extension == ".h5" || extension == ".hdf5" || extension == ".hdf") return "dxchange";
  if (extension == ".txrm") return "zeiss";
  return "";
}

std::vector<Output> outputs_of(const ScanTarget& target) {
  const bool folder = target.format == "tiff" || target.format == "nikon";
  return {{target.path, folder ? Output::Kind::folder : Output::Kind::file}};
}

std::unique_ptr<ScanSink> create_scan(const ScanTarget& target, const ScanContent& content) {
  if (target.format == "tiff") {
    if (target.overwrite)
      throw Error(ErrorKind::usage,
                  fmt::format("{}: a folder of TIFFs is never overwritten; choose another name or remove it",
                              target.path.string()));
    return std::make_unique<stack::StackWriter>(target.path, content);
  }
  if (target.format == "nxtomo" || target.format == "dxchange") {
    warn_of_what_others_miss(target, content);
    const auto create = target.format == "nxtomo" ? create_nxtomo : create_exchange;
    return create(target.path, content, target.overwrite);
  }
  return target.format == "nikon" ? create_nikon(target, content) : create_zeiss(target, content);
}

}  // namespace feldspar::io
