// The streams that readers of the format ask for.
#include "io/zeiss/txrm_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/error.hpp"
#include "base/units.hpp"
#include "io/zeiss/compound_layout.hpp"

namespace feldspar::io::zeiss {
namespace {

void require_expressible(bool holds, const char* what) {
  if (!holds)
    throw Error(ErrorKind::unsupported,
                fmt::format("a .txrm file cannot express {}; leave it out of the scan", what));
}

void require_expressible(const geometry::CircularScan& scan) {
  const geometry::Detector& d = scan.detector;
  require_expressible(d.column_offset == 0 && d.row_offset == 0, "a detector offset");
  require_expressible(d.roll == 0 && d.tilt == 0 && d.slant == 0,
                      "a detector that is rolled, tilted or slanted");
  require_expressible(std::abs(d.column_pitch - d.row_pitch) < 1e-9 * d.column_pitch,
                      "pixels that are not square");
}

std::vector<std::byte> text(const std::string& value, std::size_t size) {
  std::vector<std::byte> bytes(size);
  std::memcpy(bytes.data(), value.data(), std::min(value.size(), size - 1));
  return bytes;
}

}  // namespace

TxrmWriter::Contents TxrmWriter::contents_of(const geometry::CircularScan& scan, const TxrmNotes& notes) {
  Contents all;
  const auto add = [&](const std::string& path, std::vector<std::byte> bytes) {
    const std::size_t size = bytes.size();
    all.emplace_back(NewStream{path, size}, std::move(bytes));
  };
  const auto integer = [&](const char* path, std::int32_t value) {
    std::vector<std::byte> bytes(4);
    cfb::put(bytes.data(), 0, value);
    add(path, std::move(bytes));
  };
  const auto floats = [&](const char* path, std::size_t count, const auto& value_of) {
    std::vector<std::byte> bytes(4 * count);
    for (std::size_t n = 0; n < count; ++n) cfb::put(bytes.data(), 4 * n, static_cast<float>(value_of(n)));
    add(path, std::move(bytes));
  };
  const auto constant = [](double value) { return [value](std::size_t) { return value; }; };
  const geometry::Detector& d = scan.detector;
  const std::size_t views = scan.angles.size();
  const auto count = static_cast<std::int32_t>(views);
  floats("Version", 1, constant(5));
  integer("ImageInfo/ImageWidth", d.columns);
  integer("ImageInfo/ImageHeight", d.rows);
  integer("ImageInfo/NoOfImages", count);
  integer("ImageInfo/ImagesTaken", count);
  integer("ImageInfo/DataType", static_cast<int>(notes.type));
  integer("ImageInfo/AcquisitionMode", 0);
  integer("ImageInfo/FileType", 0);
  const bool cone = scan.beam == geometry::Beam::cone;
  integer("ImageInfo/XrayGeometry", cone ? 1 : 2);
  integer("ImageInfo/OriginalDataRefCorrected", 0);
  floats("ImageInfo/PixelSize", 1, constant(1000 * d.column_pitch / scan.magnification()));
  const double to_source = cone ? scan.source_object_distance : 1;  // 1 means nothing, as in real files
  floats("ImageInfo/StoRADistance", views, constant(-to_source));
  floats("ImageInfo/DtoRADistance", views, constant(cone ? scan.source_detector_distance - to_source : 1));
  floats("ImageInfo/Angles", views, [&](std::size_t n) { return scan.angles[n] / radians_per_degree; });
  floats("ImageInfo/ExpTimes", views, constant(notes.exposure_s));
  floats("ImageInfo/XrayVoltage", views, constant(notes.voltage_kv));
  floats("ImageInfo/XrayCurrent", views, constant(notes.current_ua));
  floats("ImageInfo/XrayMagnification", views, constant(scan.magnification()));
  add("ImageInfo/SourceFilterName", text(notes.filter, 260));
  const bool shifted = !scan.shifts.empty();
  floats("Alignment/X-Shifts", views,
         [&](std::size_t n) { return shifted ? -scan.shifts[n].column / d.column_pitch : 0; });
  floats("Alignment/Y-Shifts", views,
         [&](std::size_t n) { return shifted ? -scan.shifts[n].row / d.row_pitch : 0; });
  integer("ReferenceData/DataType", static_cast<int>(PixelType::float32));
  floats("ReferenceData/ExpTime", 1, constant(notes.reference_exposure_s));
  return all;
}

std::vector<NewStream> TxrmWriter::streams_of(const Contents& contents, const geometry::CircularScan& scan,
                                              PixelType type) {
  geometry::validate(scan);
  require_expressible(scan);
  const std::uint64_t pixels =
      static_cast<std::uint64_t>(scan.detector.columns) * static_cast<std::uint64_t>(scan.detector.rows);
  std::vector<NewStream> streams;
  for (const auto& [stream, bytes] : contents) streams.push_back(stream);
  streams.push_back({"ReferenceData/Image", 4 * pixels});
  for (std::size_t n = 0; n < scan.angles.size(); ++n)
    streams.push_back({image_stream(static_cast<int>(n) + 1), pixels * bytes_of(type)});
  return streams;
}

TxrmWriter::TxrmWriter(const std::filesystem::path& path, const geometry::CircularScan& scan,
                       const TxrmNotes& notes, bool overwrite)
    : TxrmWriter(path, scan, notes, contents_of(scan, notes), overwrite) {}

TxrmWriter::TxrmWriter(const std::filesystem::path& path, const geometry::CircularScan& scan,
                       const TxrmNotes& notes, const Contents& contents, bool overwrite)
    : pixels_(static_cast<std::size_t>(scan.detector.columns) * static_cast<std::size_t>(scan.detector.rows)),
      views_(scan.angles.size()),
      first_image_(contents.size() + 1),
      reference_(contents.size()),
      type_(notes.type),
      file_(path, streams_of(contents, scan, notes.type), notes.sector_bytes, overwrite) {
  for (std::size_t n = 0; n < contents.size(); ++n)
    file_.write(n, 0, contents[n].second.data(), contents[n].second.size());
}

void TxrmWriter::write_view(int view, const void* counts) const {
  expects(view >= 0 && static_cast<std::size_t>(view) < views_, "a view that the scan does not have");
  file_.write(first_image_ + static_cast<std::size_t>(view), 0, counts, pixels_ * bytes_of(type_));
}

void TxrmWriter::write_reference(std::span<const float> counts) const {
  expects(counts.size() == pixels_, "a reference that is not of the detector's size");
  file_.write(reference_, 0, counts.data(), counts.size_bytes());
}

}  // namespace feldspar::io::zeiss
