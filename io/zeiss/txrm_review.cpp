// What is known about the streams by their names, and contradictions between them.
#include "io/zeiss/txrm_review.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <optional>
#include <tuple>
#include <utility>

#include "base/error.hpp"
#include "io/zeiss/compound_layout.hpp"

namespace feldspar::io::zeiss {
namespace {

using Use = SourceField::Use;

enum class Kind { integer, number, text, dates };

struct Known {
  std::string_view path;
  Kind kind;
  Use use;
  const char* note;
};

constexpr const char* shift_part = "a part of X-Shifts and Y-Shifts";
constexpr const char* their_own = "steers Zeiss's own reconstruction";

constexpr std::array known{
    Known{"ImageInfo/ImageWidth", Kind::integer, Use::used, ""},
    Known{"ImageInfo/ImageHeight", Kind::integer, Use::used, ""},
    Known{"ImageInfo/NoOfImages", Kind::integer, Use::used, ""},
    Known{"ImageInfo/ImagesTaken", Kind::integer, Use::used, ""},
    Known{"ImageInfo/DataType", Kind::integer, Use::used, ""},
    Known{"ImageInfo/AcquisitionMode", Kind::integer, Use::used, "0 is tomography"},
    Known{"ImageInfo/FileType", Kind::integer, Use::used, "0 and 1 are scans"},
    Known{"ImageInfo/XrayGeometry", Kind::integer, Use::used, "1 is a cone beam, others are parallel"},
    Known{"ImageInfo/Angles", Kind::number, Use::used, ""},
    Known{"ImageInfo/PixelSize", Kind::number, Use::used, "um at the object"},
    Known{"ImageInfo/StoRADistance", Kind::number, Use::used, "mm"},
    Known{"ImageInfo/DtoRADistance", Kind::number, Use::used, "mm"},
    Known{"ImageInfo/HorizontalBin", Kind::integer, Use::used, "PixelSize holds for the binned pixels"},
    Known{"ImageInfo/VerticalalBin", Kind::integer, Use::used, "PixelSize holds for the binned pixels"},
    Known{"ImageInfo/CameraBinning", Kind::integer, Use::used, "PixelSize holds for the binned pixels"},
    Known{"ImageInfo/MosiacMode", Kind::integer, Use::used, "mosaics are refused"},
    Known{"ImageInfo/MosiacRows", Kind::integer, Use::used, "mosaics are refused"},
    Known{"ImageInfo/MosiacColumns", Kind::integer, Use::used, "mosaics are refused"},
    Known{"ImageInfo/OriginalDataRefCorrected", Kind::integer, Use::used, ""},
    Known{"ImageInfo/XPosition", Kind::number, Use::ignored, "the shifts hold what it does to the images"},
    Known{"ImageInfo/YPosition", Kind::number, Use::ignored, "the shifts hold what it does to the images"},
    Known{"ImageInfo/ZPosition", Kind::number, Use::ignored, "the shifts hold what it does to the images"},
    Known{"ImageInfo/CamPixelSize", Kind::number, Use::informative, "PixelSize is calibrated, this is not"},
    Known{"ImageInfo/OpticalMagnification", Kind::number, Use::informative, ""},
    Known{"ImageInfo/XrayMagnification", Kind::number, Use::informative, ""},
    Known{"ImageInfo/ConeAngle", Kind::number, Use::informative, ""},
    Known{"ImageInfo/FanAngle", Kind::number, Use::informative, ""},
    Known{"ImageInfo/CameraOffset", Kind::number, Use::ignored, "its meaning is not documented"},
    Known{"ImageInfo/ExpTimes", Kind::number, Use::informative, ""},
    Known{"ImageInfo/ExpTime", Kind::number, Use::informative, ""},
    Known{"ImageInfo/XrayVoltage", Kind::number, Use::informative, "kV"},
    Known{"ImageInfo/Voltage", Kind::number, Use::informative, "kV"},
    Known{"ImageInfo/XrayCurrent", Kind::number, Use::informative, "uA"},
    Known{"ImageInfo/Current", Kind::number, Use::informative, "uA"},
    Known{"ImageInfo/IonChamberCurrent", Kind::number, Use::ignored, "intensities are not corrected by it"},
    Known{"ImageInfo/Energy", Kind::number, Use::informative, ""},
    Known{"ImageInfo/Temperature", Kind::integer, Use::informative, ""},
    Known{"ImageInfo/Date", Kind::dates, Use::informative, ""},
    Known{"ImageInfo/ReferenceFile", Kind::text, Use::ignored,
          "looked for beside the scan when the file holds no reference"},
    Known{"ImageInfo/RefTypeToApplyIfAvailable", Kind::integer, Use::ignored,
          "a reference is always applied"},
    Known{"ImageInfo/TransmissionScaleFactor", Kind::number, Use::ignored, "-1 means unused"},
    Known{"ImageInfo/AbsorptionScaleFactor", Kind::number, Use::ignored, "-1 means unused"},
    Known{"ImageInfo/AbsorptionScaleOffset", Kind::number, Use::ignored, "-1 means unused"},
    Known{"ImageInfo/ReadoutFreq", Kind::number, Use::informative, ""},
    Known{"ImageInfo/TubelensPosition", Kind::number, Use::informative, ""},
    Known{"Alignment/X-Shifts", Kind::number, Use::used, "pixels to higher columns"},
    Known{"Alignment/Y-Shifts", Kind::number, Use::used, "pixels to higher rows"},
    Known{"Alignment/MetrologyXShifts", Kind::number, Use::ignored, shift_part},
    Known{"Alignment/MetrologyYShifts", Kind::number, Use::ignored, shift_part},
    Known{"Alignment/EncoderXShifts", Kind::number, Use::ignored, shift_part},
    Known{"Alignment/EncoderYShifts", Kind::number, Use::ignored, shift_part},
    Known{"Alignment/StageShifts", Kind::number, Use::ignored, shift_part},
    Known{"Alignment/ReferenceShifts", Kind::number, Use::ignored, shift_part},
    Known{"Alignment/TemperatureXShifts", Kind::number, Use::ignored, shift_part},
    Known{"Alignment/TemperatureYShifts", Kind::number, Use::ignored, shift_part},
    Known{"Alignment/SourceDriftXShifts", Kind::number, Use::ignored, shift_part},
    Known{"Alignment/SourceDriftYShifts", Kind::number, Use::ignored, shift_part},
    Known{"Alignment/AlignMode", Kind::integer, Use::ignored, "the shifts hold its result"},
    Known{"ReconSettings/CenterShift", Kind::number, Use::ignored, "its sign is not confirmed"},
    Known{"AutoRecon/CenterShift", Kind::number, Use::ignored, "its sign is not confirmed"},
    Known{"AutoRecon/AutoCenterShift", Kind::number, Use::ignored, "its sign is not confirmed"},
    Known{"AutoRecon/StoRADistance", Kind::number, Use::ignored, "um; ImageInfo's is used"},
    Known{"AutoRecon/DtoRADistance", Kind::number, Use::ignored, "um; ImageInfo's is used"},
    Known{"ReconSettings/RotationAngle", Kind::number, Use::ignored, their_own},
    Known{"ReferenceData/DataType", Kind::integer, Use::used, ""},
    Known{"ReferenceData/ExpTime", Kind::number, Use::informative, ""},
    Known{"ReferenceData/IonCurrent", Kind::number, Use::ignored, "intensities are not corrected by it"},
    Known{"PositionInfo/AxisNames", Kind::text, Use::informative, ""},
    Known{"PositionInfo/AxisUnits", Kind::text, Use::informative, ""},
    Known{"PositionInfo/MotorPositions", Kind::number, Use::ignored,
          "the shifts hold what they do to the images"},
    Known{"Version", Kind::number, Use::informative, "of the format"},
};

bool same_letters(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

bool starts_with(std::string_view text, std::string_view beginning) {
  return same_letters(text.substr(0, beginning.size()), beginning);
}

const Known* find_known(std::string_view path) {
  for (const Known& entry : known)
    if (same_letters(entry.path, path)) return &entry;
  return nullptr;
}

std::string some_numbers(const std::vector<double>& values) {
  std::string text;
  for (std::size_t n = 0; n < std::min<std::size_t>(values.size(), 3); ++n)
    text += fmt::format("{}{:.7g}", n > 0 ? ", " : "", values[n]);
  if (values.size() > 3) text += fmt::format(", ... {:.7g} ({} values)", values.back(), values.size());
  return text;
}

/// A stream of which nothing is known: its bytes decide, and four may be either kind of number.
std::string guess_value(const CompoundFile& file, const CompoundFile::Stream& stream) {
  constexpr std::size_t most = 1 << 16;
  if (stream.size == 0) return "empty";
  if (stream.size > most) return fmt::format("{} bytes", stream.size);
  const auto raw = file.read_all(stream, most);
  if (raw.size() == 4) {
    const auto whole = cfb::get<std::int32_t>(raw.data(), 0);
    const double real = static_cast<double>(cfb::get<float>(raw.data(), 0));
    const bool plausible = std::isfinite(real) && std::abs(real) > 1e-6 && std::abs(real) < 1e9;
    return plausible ? fmt::format("{:.7g}", real) : fmt::format("{}", whole);
  }
  const auto end = std::find(raw.begin(), raw.end(), std::byte{0});
  const bool printable = std::all_of(raw.begin(), end, [](std::byte b) {
    return static_cast<unsigned char>(b) >= 0x20 && static_cast<unsigned char>(b) < 0x7F;
  });
  if (printable && end - raw.begin() >= 2) return Values(file).text(stream.path);
  const bool zero = std::all_of(raw.begin(), raw.end(), [](std::byte b) { return b == std::byte{0}; });
  return zero ? "empty" : fmt::format("{} bytes", stream.size);
}

std::string value_of(const CompoundFile& file, const CompoundFile::Stream& stream, const Known* entry) {
  const Values values(file);
  if (!entry) return guess_value(file, stream);
  switch (entry->kind) {
    case Kind::integer: return fmt::format("{}", values.integer(stream.path).value_or(0));
    case Kind::number: return some_numbers(values.numbers(stream.path));
    default: return values.text(stream.path);
  }
}

/// Images are counted, not listed one by one.
bool is_image(std::string_view path) { return starts_with(path, "ImageData"); }

SourceField field_of(const CompoundFile& file, const CompoundFile::Stream& stream, const OpenBeam& beam) {
  const std::size_t slash = stream.path.rfind('/');
  SourceField field;
  field.section = slash == std::string::npos ? "Xradia" : stream.path.substr(0, slash);
  field.name = slash == std::string::npos ? stream.path : stream.path.substr(slash + 1);
  const Known* const entry = find_known(stream.path);
  if (entry) field.use = entry->use, field.note = entry->note;
  if (starts_with(stream.path, "ConfigureBackup/")) field.note = "the instrument's configuration";
  if (!entry && starts_with(stream.path, "AutoRecon/")) field.use = Use::ignored, field.note = their_own;
  if (!entry && starts_with(stream.path, "ReconSettings/")) field.use = Use::ignored, field.note = their_own;
  if (!entry && starts_with(stream.path, "Alignment/")) field.use = Use::ignored, field.note = shift_part;
  for (const char* const folder : {"ReferenceData", "MultiReferenceData"}) {
    if (!starts_with(stream.path, std::string(folder) + "/Image") ||
        starts_with(stream.path, std::string(folder) + "/ImageInfo"))
      continue;
    field.use = beam.used == folder ? Use::used : Use::ignored;
    field.note = beam.used == folder ? "the open beam of every view" : "";
    field.value = fmt::format("{} bytes", stream.size);
    return field;
  }
  if (stream.path == beam.used) field.use = Use::used, field.note = "the open beam of every view";
  const bool exposure = field.name == "ExpTimes" || field.name == "ExpTime";
  if (exposure && beam.exposures_used)
    field.use = Use::used, field.note = "brings images and reference together";
  try {
    field.value = value_of(file, stream, entry);
  } catch (const Error& error) {
    if (field.use == Use::used) throw;
    field.use = Use::ignored, field.note = error.what();
  }
  return field;
}

/// Streams that count only where others are absent or 0.
void settle_substitutes(const Values& values, std::vector<SourceField>& fields) {
  const bool binned = values.integer("ImageInfo/HorizontalBin") && values.integer("ImageInfo/VerticalalBin");
  for (SourceField& field : fields) {
    if (binned && field.section == "ImageInfo" && field.name == "CameraBinning")
      field.use = Use::ignored, field.note = "HorizontalBin and VerticalalBin count";
    if (field.section != "AutoRecon" || (field.name != "StoRADistance" && field.name != "DtoRADistance"))
      continue;
    if (values.number("ImageInfo/" + field.name).value_or(0) == 0)
      field.use = Use::used, field.note = "um; ImageInfo's is absent or 0";
  }
}

/// Facts that a second stream states too.
void compare(const TxrmHeader& header, const geometry::CircularScan& scan, Review& made) {
  const auto contradict = [&](FindingCode code, const char* name, const std::string& why) {
    for (SourceField& field : made.fields)
      if (field.name == name && (field.section == "ImageInfo" || field.section == "DetAssemblyInfo"))
        field.use = Use::contradicted, field.note = why;
    made.findings.push_back(
        {code, fmt::format("{}: {}: {}", header.path.filename().string(), name, why), name});
  };
  if (header.planned != header.taken)
    contradict("scan.stopped", "NoOfImages",
               fmt::format("{} images were planned, but ImagesTaken is {}: the scan was {}", header.planned,
                           header.taken, header.taken < header.planned ? "stopped early" : "continued"));
  if (scan.beam != geometry::Beam::cone || !(scan.source_object_distance > 0)) return;
  const double magnification = scan.magnification();
  if (header.xray_magnification > 0 && std::abs(header.xray_magnification / magnification - 1) > 0.05)
    contradict("field.contradicted", "XrayMagnification",
               fmt::format("is {:g}, but the distances make it {:g}; they are used",
                           header.xray_magnification, magnification));
  if (header.camera_pixel_um > 0 && header.optical_magnification > 0) {
    const double lens = header.camera_pixel_um / header.optical_magnification;
    const double pitch = 1000 * scan.detector.column_pitch;
    const double binned =
        lens * std::max(1, header.column_binning);  // stated for one or for all binned pixels
    if (std::min(std::abs(lens / pitch - 1), std::abs(binned / pitch - 1)) > 0.05)
      contradict(
          "field.contradicted", "CamPixelSize",
          fmt::format("camera, binning and lens make pixels of {:.4g} um at the scintillator, but PixelSize "
                      "and the distances make them {:.4g} um; these are used",
                      binned, pitch));
  }
}

}  // namespace

Review review(const CompoundFile& file, const TxrmHeader& header, const geometry::CircularScan& scan,
              const OpenBeam& beam) {
  Review made;
  std::size_t images = 0;
  std::uint64_t bytes = 0;
  for (const CompoundFile::Stream& stream : file.streams())
    if (is_image(stream.path))
      ++images, bytes += stream.size;
    else
      made.fields.push_back(field_of(file, stream, beam));
  std::sort(made.fields.begin(), made.fields.end(), [](const SourceField& a, const SourceField& b) {
    return std::tie(a.section, a.name) < std::tie(b.section, b.name);
  });
  made.fields.push_back({"ImageData", "Image", fmt::format("{} images of {} bytes in all", images, bytes),
                         SourceField::Use::used, ""});
  compare(header, scan, made);
  const Values values(file);
  settle_substitutes(values, made.fields);
  for (const char* const name :
       {"ReconSettings/CenterShift", "AutoRecon/CenterShift", "AutoRecon/AutoCenterShift"})
    if (const auto shift = values.number(name); shift && std::isfinite(*shift) && std::abs(*shift) > 0.05) {
      const double offset = std::abs(*shift) * header.pixel_size_um / 1000;
      made.findings.push_back({"axis.unused",
                               fmt::format("{}: {} is {:.3f} pixels, from Zeiss's own reconstruction; it is "
                                           "not used since its sign is not confirmed",
                                           header.path.filename().string(), name, *shift),
                               name,
                               {{"axis-offset", fmt::format("{:.6g}mm", offset), "whichever is sharp, give"},
                                {"axis-offset", fmt::format("-{:.6g}mm", offset), ""}}});
    }
  return made;
}

ScanDescription describe(const CompoundFile& file, const TxrmHeader& header) {
  const Values values(file);
  const auto fact = [&](std::initializer_list<std::string_view> paths) {
    for (const std::string_view path : paths)
      if (const auto value = values.number(path); value && std::isfinite(*value) && *value > 0) return *value;
    return 0.0;
  };
  ScanDescription about;
  about.format = "Zeiss Xradia";
  about.name = header.path.stem().string();
  about.instrument = values.text("ImageInfo/ObjectiveName");
  about.voltage_kv = fact({"ImageInfo/XrayVoltage", "ImageInfo/Voltage"});
  about.current_ua = fact({"ImageInfo/XrayCurrent", "ImageInfo/Current"});
  about.exposure_s = header.exposures_s.empty() ? 0 : header.exposures_s.front();
  about.filter = values.text("ImageInfo/SourceFilterName");
  if (about.filter.empty()) about.filter = values.text("AcquisitionSettings/SourceFilterName");
  about.date = values.text("ImageInfo/Date");
  return about;
}

}  // namespace feldspar::io::zeiss
