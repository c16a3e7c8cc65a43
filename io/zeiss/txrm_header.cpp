// Streams without headers: the length tells a value from a list, the name tells the kind.
#include "io/zeiss/txrm_header.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <utility>

#include "base/error.hpp"
#include "io/zeiss/compound_layout.hpp"

namespace feldspar::io::zeiss {
namespace {

constexpr std::size_t most_bytes = 64 << 20;  // of a list of numbers, far beyond a million images
constexpr int most_pixels = 1 << 16, most_images = 1'000'000;

[[noreturn]] void refuse(const std::filesystem::path& path, const std::string& what) {
  throw Error(ErrorKind::bad_file, fmt::format("{}: {}", path.string(), what));
}

int required(const CompoundFile& file, const char* name, int most) {
  const auto value = Values(file).integer(name);
  if (!value) refuse(file.path(), fmt::format("{} is absent; this is no complete Xradia file", name));
  if (*value < 1 || *value > most)
    refuse(file.path(), fmt::format("{} is {}, but 1 to {} was expected", name, *value, most));
  return *value;
}

/// One value an image taken: lists may be longer, and a single value is for all. Empty when there are none.
std::vector<double> each_image(const CompoundFile& file, const char* name, int taken) {
  std::vector<double> values = Values(file).numbers(name);
  if (values.empty()) return values;
  if (values.size() == 1) values.resize(static_cast<std::size_t>(taken), values.front());
  if (values.size() < static_cast<std::size_t>(taken))
    refuse(file.path(),
           fmt::format("{} has {} values, but {} images were taken", name, values.size(), taken));
  values.resize(static_cast<std::size_t>(taken));
  for (std::size_t n = 0; n < values.size(); ++n)
    if (!std::isfinite(values[n]))
      refuse(file.path(), fmt::format("{} of image {} is {}, which is no number", name, n + 1, values[n]));
  return values;
}

/// A positive, finite number, or 0.
double positive(std::optional<double> value) {
  return value && std::isfinite(*value) && *value > 0 ? *value : 0;
}

}  // namespace

std::string name_of_data_type(int code) {
  constexpr const char* names[] = {"",       "",      "int8",   "uint8",   "int16",   "uint16", "int32",
                                   "uint32", "int64", "uint64", "float32", "float64", "string"};
  const bool known = code >= 2 && code < static_cast<int>(std::size(names));
  return fmt::format("{} ({})", code, known ? names[code] : "unknown");
}

std::vector<std::byte> Values::bytes(std::string_view path) const {
  const CompoundFile::Stream* const stream = file_.find(path);
  return stream ? file_.read_all(*stream, most_bytes) : std::vector<std::byte>{};
}

std::optional<int> Values::integer(std::string_view path) const {
  const auto raw = bytes(path);
  if (raw.empty()) return std::nullopt;
  if (raw.size() < 4)
    refuse(file_.path(), fmt::format("{} has {} bytes, but a number has 4", path, raw.size()));
  return cfb::get<std::int32_t>(raw.data(), 0);
}

std::vector<double> Values::numbers(std::string_view path) const {
  const auto raw = bytes(path);
  if (raw.size() % 4 != 0)
    refuse(file_.path(), fmt::format("{} has {} bytes, but numbers have 4 each", path, raw.size()));
  std::vector<double> values(raw.size() / 4);
  for (std::size_t n = 0; n < values.size(); ++n)
    values[n] = static_cast<double>(cfb::get<float>(raw.data(), 4 * n));
  return values;
}

std::optional<double> Values::number(std::string_view path) const {
  const auto values = numbers(path);
  return values.empty() ? std::nullopt : std::optional(values.front());
}

std::optional<double> Values::number_of(std::initializer_list<std::string_view> paths) const {
  for (const std::string_view path : paths)
    if (const auto value = number(path)) return value;
  return std::nullopt;
}

std::string Values::text(std::string_view path) const {
  std::string result;
  for (const std::byte byte : bytes(path)) {
    const auto c = static_cast<unsigned char>(byte);
    if (c == 0) break;
    if (c >= 0x80)  // Latin-1
      result += static_cast<char>(0xC0 | (c >> 6)), result += static_cast<char>(0x80 | (c & 0x3F));
    else
      result += c < 0x20 ? ' ' : static_cast<char>(c);
  }
  return result;
}

std::string image_stream(int number) {
  return fmt::format("ImageData{}/Image{}", (number + 99) / 100, number);
}

bool looks_like_txrm(const CompoundFile& file) {
  return file.find("ImageInfo/ImageWidth") && file.find("ImageInfo/ImageHeight");
}

TxrmHeader read_txrm_header(const CompoundFile& file) {
  const Values values(file);
  TxrmHeader h;
  h.path = file.path();
  h.columns = required(file, "ImageInfo/ImageWidth", most_pixels);
  h.rows = required(file, "ImageInfo/ImageHeight", most_pixels);
  h.planned = required(file, "ImageInfo/NoOfImages", most_images);
  h.taken = values.integer("ImageInfo/ImagesTaken") ? required(file, "ImageInfo/ImagesTaken", most_images)
                                                    : h.planned;
  h.data_type = values.integer("ImageInfo/DataType");
  h.mode = values.integer("ImageInfo/AcquisitionMode");
  h.file_type = values.integer("ImageInfo/FileType");
  h.geometry = values.integer("ImageInfo/XrayGeometry");
  h.mosaic_mode = values.integer("ImageInfo/MosiacMode");  // the misspelling is the format's
  h.mosaic_rows = values.integer("ImageInfo/MosiacRows").value_or(0);
  h.mosaic_columns = values.integer("ImageInfo/MosiacColumns").value_or(0);
  const int binning = values.integer("ImageInfo/CameraBinning").value_or(0);
  h.column_binning = values.integer("ImageInfo/HorizontalBin").value_or(binning);
  h.row_binning = values.integer("ImageInfo/VerticalalBin").value_or(binning);
  h.reference_corrected = values.integer("ImageInfo/OriginalDataRefCorrected").value_or(0) == 1;
  h.pixel_size_um = values.number("ImageInfo/PixelSize").value_or(0);
  h.source_mm = values.numbers("ImageInfo/StoRADistance");
  h.detector_mm = values.numbers("ImageInfo/DtoRADistance");
  h.old_source_um = values.number("AutoRecon/StoRADistance").value_or(0);
  h.old_detector_um = values.number("AutoRecon/DtoRADistance").value_or(0);
  h.angles_deg = each_image(file, "ImageInfo/Angles", h.taken);
  h.x_shifts = each_image(file, "Alignment/X-Shifts", h.taken);
  h.y_shifts = each_image(file, "Alignment/Y-Shifts", h.taken);
  h.exposures_s = each_image(file, "ImageInfo/ExpTimes", h.taken);
  if (h.exposures_s.empty()) h.exposures_s = each_image(file, "ImageInfo/ExpTime", h.taken);
  h.camera_pixel_um = positive(values.number_of({"ImageInfo/CamPixelSize", "DetAssemblyInfo/CamPixelSize"}));
  h.optical_magnification =
      positive(values.number_of({"ImageInfo/OpticalMagnification", "DetAssemblyInfo/OpticalMagnification"}));
  h.xray_magnification = positive(values.number("ImageInfo/XrayMagnification"));
  if (h.angles_deg.empty()) refuse(h.path, "ImageInfo/Angles is absent");
  return h;
}

}  // namespace feldspar::io::zeiss
