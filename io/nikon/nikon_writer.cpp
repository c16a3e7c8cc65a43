// The .xtekct and its companions, and images turned into Nikon's orientation.
#include "io/nikon/nikon_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <fstream>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "base/units.hpp"
#include "io/tiff/tiff_file.hpp"

namespace feldspar::io {
namespace {

namespace fs = std::filesystem;

constexpr double degrees_per_radian = 1 / radians_per_degree;

/// Everything that Inspect-X and CT Pro write, in their order.
constexpr const char* keys = R"([XTekCT]
Name={name}
OperatorID=
InputSeparator=_
InputFolderName=
OutputSeparator=_
OutputFolderName={name}
VoxelsX={columns}
VoxelSizeX={voxel_x}
OffsetX=0.0
VoxelsY={columns}
VoxelSizeY={voxel_x}
OffsetY=0.0
VoxelsZ={rows}
VoxelSizeZ={voxel_z}
OffsetZ=0.0
SrcToObject={sod}
SrcToDetector={sdd}
MaskRadius={mask}
DetectorPixelsX={columns}
DetectorPixelSizeX={pitch_x}
DetectorOffsetX={detector_x}
DetectorPixelsY={rows}
DetectorPixelSizeY={pitch_y}
DetectorOffsetY={detector_y}
RegionStartX=0
RegionPixelsX={columns}
RegionStartY=0
RegionPixelsY={rows}
Units=mm
Scaling=1000.0
OutputUnits=/m
OutputType=0
ImportConversion=0
AutoScalingType=0
ScalingMinimum=0.0
ScalingMaximum=1000.0
LowPercentile=0.2
HighPercentile=99.8
Projections={views}
InitialAngle={initial}
AngularStep={step}
WhiteLevel={white}
InterpolationType=1
BeamHardeningLUTFile=
CoefX4={x4}
CoefX3={x3}
CoefX2={x2}
CoefX1={x1}
CoefX0={x0}
Scale=1.0
FilterType=0
CutOffFrequency={nyquist}
Exponent=1.0
Normalisation=1.0
Scattering=0.0
MedianFilterKernelSize=1
ConvolutionKernelSize=0
Increment=1
ModifierID=
InputName={name}
InputDigits={digits}
OutputName={name}
OutputDigits={digits}
VirtualDetectorPixelsX={columns}
VirtualDetectorPixelsY={rows}
VirtualDetectorPixelSizeX={pitch_x}
VirtualDetectorPixelSizeY={pitch_y}
VirtualDetectorOffsetX={detector_x}
VirtualDetectorOffsetY={detector_y}
SrcToVirtualDetector={sdd}
AutomaticCentreOfRotation=0
ObjectOffsetX={object_x}
ObjectOffsetY=0.0
ObjectTilt={tilt}
ObjectRoll={roll}
Blanking=0
OrderFFT={fft}
TimeStampFolder=0
[Xrays]
XraykV={kv}
XrayuA={ua}
[CTPro]
Version=V5.4
Product=feldspar simulate
Filter_ThicknessMM={filter_mm}
Filter_Material={filter}
Shuttling=False
AngleFile_Use={angle_file}
AngleFile_IgnoreErrors={ignore_errors}
[DICOM]
DICOMTags=
)";

/// A decimal number without exponent, as the format has them: "0.2", "176.94", "0.0", in the fewest digits
/// that give the same number back.
std::string number(double value) {
  std::array<char, 400> digits{};  // the smallest number has 324 zeros behind the point
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value == 0 ? 0.0 : value,
                                 std::chars_format::fixed)
                       .ptr;
  std::string text(digits.data(), end);
  return text.find('.') == std::string::npos ? text + ".0" : text;
}

void require_expressible(bool holds, std::string_view what) {
  if (!holds)
    throw Error(
        ErrorKind::unsupported,
        fmt::format("Nikon's format cannot express {}; the formats nxtomo, dxchange and tiff can", what));
}

/// The mean difference of the angles; a single view has none.
double mean_step(const std::vector<double>& angles) {
  return angles.size() < 2 ? 0 : (angles.back() - angles.front()) / static_cast<double>(angles.size() - 1);
}

bool has_one_step(const std::vector<double>& angles) {
  const double step = mean_step(angles);
  for (std::size_t n = 0; n < angles.size(); ++n)
    if (std::abs(angles[n] - angles.front() - static_cast<double>(n) * step) >= 1e-9) return false;
  return angles.size() < 2 || step != 0;
}

/// "NAME_0001.tif" for this name.
bool is_view_of(const std::string& name, const std::string& file) {
  if (!file.starts_with(name + "_") || !file.ends_with(".tif")) return false;
  const std::string_view digits =
      std::string_view(file).substr(name.size() + 1, file.size() - name.size() - 5);
  return !digits.empty() &&
         std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// What an earlier scan of this name in the folder consists of; nothing where an instrument wrote it.
PartialFolder::IsOurs files_of_earlier(const fs::path& folder, const std::string& name) {
  bool ours = false;
  std::ifstream description(folder / (name + ".xtekct"));
  for (std::string line; !ours && std::getline(description, line);)
    ours = line.starts_with("Product=feldspar simulate");
  return [ours, name](const fs::path& path) {
    const std::string file = path.filename().string();
    return ours && (file == name + ".xtekct" || file == name + ".ang" || file == "_ctdata.txt" ||
                    is_view_of(name, file));
  };
}

}  // namespace

NikonWriter::NikonWriter(const fs::path& folder, std::string name, geometry::CircularScan scan,
                         ScanNotes notes, bool overwrite)
    : name_(std::move(name)),
      scan_(std::move(scan)),
      notes_(std::move(notes)),
      digits_(std::max(4, static_cast<int>(fmt::formatted_size("{}", scan_.angles.size())))),
      written_(scan_.angles.size(), false) {
  geometry::validate(scan_);
  const geometry::Detector& d = scan_.detector;
  require_expressible(d.roll == 0 && d.tilt == 0 && d.slant == 0,
                      "a detector that is rolled, tilted or slanted");
  require_expressible(scan_.shifts.empty(), "shifts of single views");
  require_expressible(notes_.hardening.size() <= 5, "a polynomial of hardening beyond the fourth power");
  notes_.hardening.resize(5);
  if (notes_.hardening == std::vector<double>(5)) notes_.hardening[1] = 1;
  step_deg_ = -mean_step(scan_.angles) * degrees_per_radian;
  even_ = has_one_step(scan_.angles);
  if (name_.empty() || name_.find_first_of("/\\\r\n") != std::string::npos || name_.front() == '.')
    throw Error(ErrorKind::usage,
                fmt::format("'{}' cannot name a scan; use letters, digits, spaces, - or _", name_));
  folder_.emplace(folder, overwrite, files_of_earlier(folder, name_));
  require_space();
  image_.resize(static_cast<std::size_t>(d.columns) * static_cast<std::size_t>(d.rows));
}

void NikonWriter::require_space() const {
  const geometry::Detector& d = scan_.detector;
  const std::uintmax_t needed = std::uintmax_t{2} * static_cast<std::uintmax_t>(d.columns) *
                                static_cast<std::uintmax_t>(d.rows) * scan_.angles.size();
  std::error_code unknown;
  const fs::space_info space = fs::space(folder_->path(), unknown);
  if (!unknown && space.available < needed)
    throw Error(
        ErrorKind::io,
        fmt::format("{}: the scan needs {}, but only {} are free; choose another folder, fewer views or "
                    "a smaller scale",
                    folder_->path().string(), format_bytes(needed), format_bytes(space.available)));
}

fs::path NikonWriter::view_file(int view) const {
  return folder_->path() / fmt::format("{}_{:0{}}.tif", name_, view + 1, digits_);
}

void NikonWriter::write_view(int view, View3<const std::uint16_t> counts) {
  expects(view >= 0 && static_cast<std::size_t>(view) < written_.size(),
          "a view that the scan does not have");
  expects(counts.nx == scan_.detector.columns && counts.ny == scan_.detector.rows && counts.nz == 1,
          "an image that is not of the detector's size");
  // Seen from the other side columns run backwards, and top-down storage turns the rows: half a turn in all.
  const auto values = counts.values();
  std::reverse_copy(values.begin(), values.end(), image_.begin());
  write_tiff(view_file(view), {image_.data(), counts.nx, counts.ny, 1});
  written_[static_cast<std::size_t>(view)] = true;
}

void NikonWriter::write_view(int view, const void* counts) {
  const geometry::Detector& d = scan_.detector;
  write_view(view,
             View3<const std::uint16_t>{static_cast<const std::uint16_t*>(counts), d.columns, d.rows, 1});
}

void NikonWriter::finish() {
  expects(std::all_of(written_.begin(), written_.end(), [](bool done) { return done; }),
          "a scan was finished before all of its views were written");
  if (even_)
    folder_->write_text("_ctdata.txt", angle_table());
  else
    folder_->write_text(name_ + ".ang", angle_list());
  folder_->write_text(name_ + ".xtekct", description());
  folder_->publish();
}

std::string NikonWriter::angle_table() const {
  const std::size_t views = scan_.angles.size();
  std::string text =
      fmt::format("Projections\tFrames\tExposure(ms)\r\n{}\t1\t{:.2f}\r\nProjection\tAngle(deg)\tTime(s)\r\n",
                  views, 1000 * notes_.exposure_s);
  // One row more than there are projections: where the stage came to rest.
  for (std::size_t n = 0; n <= views; ++n)
    text += fmt::format("{}\t{:08.4f}\t{:08.4f}\r\n", n + 1, static_cast<double>(n) * step_deg_,
                        static_cast<double>(n) * notes_.exposure_s);
  return text;
}

/// From the last projection to the first, as Nikon does, and with every digit: nothing else has these angles.
std::string NikonWriter::angle_list() const {
  std::string text = "Proj\tAngle(deg)\r\n";
  const std::size_t views = scan_.angles.size();
  for (std::size_t n = 0; n < views; ++n)
    text += fmt::format("{}:\t{}\r\n", n + 1,
                        number((scan_.angles.front() - scan_.angles[views - 1 - n]) * degrees_per_radian));
  return text;
}

std::string NikonWriter::description() const {
  const geometry::Detector& d = scan_.detector;
  const double sod = scan_.source_object_distance, sdd = scan_.source_detector_distance;
  const double fan = std::atan(0.5 * d.columns * d.column_pitch / sdd);
  const double object_offset = -scan_.axis.offset;
  double initial = std::fmod(180 - scan_.angles.front() * degrees_per_radian, 360);
  if (initial < 0) initial += 360;
  const std::string text = fmt::format(
      fmt::runtime(keys), fmt::arg("name", name_), fmt::arg("digits", digits_),
      fmt::arg("columns", d.columns), fmt::arg("rows", d.rows), fmt::arg("pitch_x", number(d.column_pitch)),
      fmt::arg("pitch_y", number(d.row_pitch)), fmt::arg("detector_x", number(-d.column_offset)),
      fmt::arg("detector_y", number(d.row_offset)), fmt::arg("sod", number(sod)),
      fmt::arg("sdd", number(sdd)), fmt::arg("voxel_x", number(d.column_pitch * sod / sdd)),
      fmt::arg("voxel_z", number(d.row_pitch * sod / sdd)),
      fmt::arg("mask", number(sod * std::sin(fan) - std::abs(object_offset) * std::cos(fan))),
      fmt::arg("object_x", number(object_offset)),
      fmt::arg("tilt", number(scan_.axis.tilt * degrees_per_radian)),
      fmt::arg("roll", number(scan_.axis.roll * degrees_per_radian)), fmt::arg("views", scan_.angles.size()),
      fmt::arg("initial", number(initial)), fmt::arg("step", number(step_deg_)),
      fmt::arg("white", number(notes_.white_level)), fmt::arg("nyquist", number(0.5 / d.column_pitch)),
      fmt::arg("fft", static_cast<int>(std::ceil(std::log2(d.columns))) + 2),
      fmt::arg("kv", number(notes_.voltage_kv)), fmt::arg("ua", number(notes_.current_ua)),
      fmt::arg("x0", number(notes_.hardening[0])), fmt::arg("x1", number(notes_.hardening[1])),
      fmt::arg("x2", number(notes_.hardening[2])), fmt::arg("x3", number(notes_.hardening[3])),
      fmt::arg("x4", number(notes_.hardening[4])), fmt::arg("angle_file", even_ ? "False" : "True"),
      fmt::arg("ignore_errors", even_ ? "True" : "False"), fmt::arg("filter_mm", number(notes_.filter_mm)),
      fmt::arg("filter", notes_.filter_material));
  std::string with_returns;
  for (const char c : text) {
    if (c == '\n') with_returns += '\r';
    with_returns += c;
  }
  return with_returns;
}

}  // namespace feldspar::io
