// One line a quantity: distances, pitch at the detector, angles, shifts.
#include "io/zeiss/txrm_scan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "base/error.hpp"
#include "base/units.hpp"

namespace feldspar::io::zeiss {
namespace {

constexpr int cone_geometry = 1;  // XrayGeometry; every other value seen is a parallel beam's

std::string name_of_mode(int mode) {
  switch (mode) {
    case 2: return "a single image";
    case 4: return "a focus series";
    case 10: return "a reconstruction";
    default: return "no tomography";
  }
}

/// Throws unless all images were taken at the first one's distance.
void require_constant(const TxrmHeader& header, const char* name, const std::vector<double>& values) {
  const double first = values.empty() ? 0 : std::abs(values.front());
  if (first == 0) return;
  const auto taken = std::min(values.size(), static_cast<std::size_t>(header.taken));
  for (std::size_t n = 0; n < taken; ++n)
    if (!(std::abs(std::abs(values[n]) - first) <= 1e-3 * first) && values[n] != 0)
      throw Error(ErrorKind::unsupported,
                  fmt::format("{}: ImageInfo/{} is {} mm for image 1, but {} mm for image {}; scans whose "
                              "distances change while they run cannot be reconstructed",
                              header.path.string(), name, values.front(), values[n], n + 1));
}

double distance(const TxrmHeader& header, const char* name, const std::vector<double>& values, double old_um,
                Findings& findings) {
  double found = values.empty() ? 0 : std::abs(values.front());  // the source's is negative in most files
  if (!(found > 0) && std::isfinite(old_um) && old_um != 0) {
    found = std::abs(old_um) / 1000;
    findings.push_back({"distance.substituted",
                        fmt::format("{}: ImageInfo/{} is absent or 0; AutoRecon/{}, {} um, is used instead",
                                    header.path.filename().string(), name, name, old_um),
                        name});
  }
  if (!std::isfinite(found) || !(found > 0))
    throw Error(
        ErrorKind::bad_file,
        fmt::format("{}: ImageInfo/{} is {}, but a cone beam needs a distance in mm", header.path.string(),
                    name, values.empty() ? "absent" : fmt::format("{}", values.front())));
  require_constant(header, name, values);
  return found;
}

/// Shifts are how far to move the images' contents to set them right: +X to higher stored columns, +Y to
/// higher stored rows (CIL, mbirjax and xrmreader agree; Zeiss does not say). So they stand wrong by the
/// opposite.
std::vector<geometry::ViewShift> shifts_of(const TxrmHeader& header, double pitch, Findings& findings) {
  double largest[2] = {0, 0};
  for (const double x : header.x_shifts) largest[0] = std::max(largest[0], std::abs(x));
  for (const double y : header.y_shifts) largest[1] = std::max(largest[1], std::abs(y));
  if (largest[0] == 0 && largest[1] == 0) return {};
  for (const auto& [name, value, most] :
       {std::tuple{"X-Shifts", largest[0], header.columns}, {"Y-Shifts", largest[1], header.rows}})
    if (value >= most)
      throw Error(ErrorKind::bad_file,
                  fmt::format("{}: Alignment/{} are up to {} pixels, more than the image's {}",
                              header.path.string(), name, value, most));
  std::vector<geometry::ViewShift> shifts(static_cast<std::size_t>(header.taken));
  for (std::size_t n = 0; n < shifts.size(); ++n) {
    if (!header.x_shifts.empty()) shifts[n].column = -header.x_shifts[n] * pitch;
    if (!header.y_shifts.empty()) shifts[n].row = -header.y_shifts[n] * pitch;
  }
  if (std::max(largest[0], largest[1]) > 0.1)
    findings.push_back(
        {"shifts.used",
         fmt::format("{}: Alignment/X-Shifts and Y-Shifts of up to {:.2f} and {:.2f} pixels are used, as "
                     "fractions of pixels: the image's contents belong that much further right and up. Zeiss "
                     "does not document the signs; other readers agree on these",
                     header.path.filename().string(), largest[0], largest[1]),
         "Alignment/X-Shifts"});
  return shifts;
}

}  // namespace

geometry::Beam beam_of(const TxrmHeader& header) {
  return header.geometry.value_or(cone_geometry) == cone_geometry ? geometry::Beam::cone
                                                                  : geometry::Beam::parallel;
}

std::string why_no_scan(const TxrmHeader& header) {
  const std::string file = header.path.string();
  if (header.mode.value_or(0) != 0)
    return fmt::format("{}: is {} (AcquisitionMode {}), not a tomography scan; give the scan's .txrm file",
                       file, name_of_mode(*header.mode), *header.mode);
  if (header.file_type.value_or(0) > 1)
    return fmt::format("{}: is a reconstruction (FileType {}), not a scan; give the scan's .txrm file", file,
                       *header.file_type);
  if (header.taken < 2)
    return fmt::format("{}: holds {} image, not a tomography scan; give the scan's .txrm file", file,
                       header.taken);
  if (header.mosaic_mode.value_or(0) != 0 || header.mosaic_rows * std::int64_t{header.mosaic_columns} > 1)
    return fmt::format(
        "{}: is a mosaic of {} x {} fields (MosiacMode, MosiacRows, MosiacColumns), which cannot "
        "be read; stitch it with the instrument's software",
        file, header.mosaic_columns, header.mosaic_rows);
  const int type = header.data_type.value_or(0);
  if (type != static_cast<int>(PixelType::uint16) && type != static_cast<int>(PixelType::float32))
    return fmt::format(
        "{}: ImageInfo/DataType is {}, but 5 (uint16) or 10 (float32) was expected; export the "
        "scan as one of them",
        file, name_of_data_type(type));
  if (header.column_binning != header.row_binning)
    return fmt::format("{}: HorizontalBin is {}, but VerticalalBin is {}; only square pixels can be read",
                       file, header.column_binning, header.row_binning);
  return {};
}

namespace {

/// mm at the object.
double pixel_size_of(const TxrmHeader& header) {
  if (!std::isfinite(header.pixel_size_um) || !(header.pixel_size_um > 0))
    throw Error(ErrorKind::bad_file,
                fmt::format("{}: ImageInfo/PixelSize is {}, but um at the object were expected",
                            header.path.string(), header.pixel_size_um));
  return header.pixel_size_um / 1000;
}

}  // namespace

geometry::CircularScan to_scan(const TxrmHeader& header, bool reverse_rotation, Findings& findings) {
  geometry::CircularScan scan;
  scan.beam = beam_of(header);
  double pitch = pixel_size_of(header);
  if (scan.beam == geometry::Beam::cone) {
    const double source = distance(header, "StoRADistance", header.source_mm, header.old_source_um, findings);
    const double detector =
        distance(header, "DtoRADistance", header.detector_mm, header.old_detector_um, findings);
    scan.source_object_distance = source;
    scan.source_detector_distance = source + detector;
    pitch *= scan.magnification();  // PixelSize is that of the voxels, whatever lens and binning
  }
  scan.detector = {.columns = header.columns, .rows = header.rows, .column_pitch = pitch, .row_pitch = pitch};
  const double sense = reverse_rotation ? -1 : 1;
  for (const double angle : header.angles_deg) scan.angles.push_back(sense * angle * radians_per_degree);
  scan.shifts = shifts_of(header, pitch, findings);
  return scan;
}

}  // namespace feldspar::io::zeiss
