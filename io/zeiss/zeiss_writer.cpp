// A .txrm file whose reference is the white level everywhere.
#include "io/zeiss/zeiss_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.hpp"
#include "base/units.hpp"

namespace feldspar::io {
namespace {

/// Passes the file on when there is room for it.
const std::filesystem::path& claimed(const std::filesystem::path& file, const geometry::CircularScan& scan,
                                     std::size_t pixel_bytes) {
  std::error_code unknown;
  const auto needed = std::uintmax_t{pixel_bytes} * static_cast<std::uintmax_t>(scan.detector.columns) *
                      static_cast<std::uintmax_t>(scan.detector.rows) * (scan.angles.size() + 2);
  const std::filesystem::path folder = file.has_parent_path() ? file.parent_path() : ".";
  const std::filesystem::space_info space = std::filesystem::space(folder, unknown);
  if (!unknown && space.available < needed)
    throw Error(ErrorKind::io,
                fmt::format("{}: the scan needs {}, but only {} are free; choose another folder, "
                            "fewer views or a smaller scale",
                            file.string(), format_bytes(needed), format_bytes(space.available)));
  return file;
}

}  // namespace

ZeissWriter::ZeissWriter(const std::filesystem::path& file, const geometry::CircularScan& scan,
                         const ScanNotes& notes, bool overwrite, ZeissPixels pixels)
    : file_(claimed(file, scan, io::bytes_of(pixels.type)), scan,
            {.type = pixels.type == CountType::uint16 ? zeiss::PixelType::uint16 : zeiss::PixelType::float32,
             .voltage_kv = notes.voltage_kv,
             .current_ua = notes.current_ua,
             .exposure_s = notes.exposure_s,
             .reference_exposure_s = notes.exposure_s,
             .filter = notes.filter_material.empty()
                           ? ""
                           : fmt::format("{:g} mm {}", notes.filter_mm, notes.filter_material)},
            overwrite),
      reference_(std::move(pixels.white)),
      written_(scan.angles.size(), false) {
  const std::size_t count =
      static_cast<std::size_t>(scan.detector.columns) * static_cast<std::size_t>(scan.detector.rows);
  if (reference_.empty()) reference_.assign(count, static_cast<float>(notes.white_level));
  expects(reference_.size() == count, "an open beam that is not of the detector's size");
}

void ZeissWriter::write_view(int view, View3<const std::uint16_t> counts) {
  expects(counts.size() == reference_.size() && counts.nz == 1,
          "an image that is not of the detector's size");
  write_view(view, static_cast<const void*>(counts.data));
}

void ZeissWriter::write_view(int view, const void* counts) {
  expects(view >= 0 && static_cast<std::size_t>(view) < written_.size(),
          "a view that the scan does not have");
  file_.write_view(view, counts);
  written_[static_cast<std::size_t>(view)] = true;
}

void ZeissWriter::finish() {
  expects(std::all_of(written_.begin(), written_.end(), [](bool done) { return done; }),
          "a scan was finished before all of its views were written");
  file_.write_reference(reference_);
  file_.finish();
}

}  // namespace feldspar::io
