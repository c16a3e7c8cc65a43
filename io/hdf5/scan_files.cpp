// The groups and datasets of NXtomo and Data Exchange around the frames.
#include "io/hdf5/scan_files.hpp"

#include <algorithm>
#include <cmath>

#include "base/units.hpp"
#include "io/hdf5/frames_writer.hpp"
#include "io/hdf5/stored_geometry.hpp"
#include "io/hdf5/text.hpp"

namespace feldspar::io {
namespace {

using namespace hdf5;
using geometry::Beam;

void put_length(hid_t group, const char* name, double value, const char* units) {
  put_attribute(put_number(group, name, value), "units", units);
}

/// Both formats turn the object clockwise seen from above where the angle grows, as far as anyone reads them.
std::vector<double> degrees_clockwise(const geometry::CircularScan& scan) {
  std::vector<double> degrees;
  for (const double angle : scan.angles) degrees.push_back(-angle / radians_per_degree);
  return degrees;
}

/// The column in which the axis is seen at the height of the central ray.
double axis_column(const geometry::CircularScan& scan) {
  const geometry::Detector& d = scan.detector;
  return 0.5 * (d.columns - 1) + (scan.axis.offset * scan.magnification() - d.column_offset) / d.column_pitch;
}

class NxtomoWriter final : public ScanFileWriter {
 public:
  NxtomoWriter(const std::filesystem::path& path, const ScanContent& content, bool overwrite)
      : ScanFileWriter(path, content, overwrite) {
    guarded([&] { write_all(content); });
  }

 private:
  void write_all(const ScanContent& content);
  void write_instrument(hid_t entry, const ScanContent& content);
  void write_detector(hid_t instrument, const ScanContent& content);
};

void NxtomoWriter::write_all(const ScanContent& content) {
  const ScanDescription& about = content.description;
  put_attribute(file_, "default", "entry");
  const Group entry = make_group(file_, "entry", "NXentry");
  put_attribute(entry, "default", "data");
  put_text(entry, "definition", "NXtomo");
  put_text(entry, "title", about.name);
  if (!about.date.empty()) put_text(entry, "start_time", about.date);
  first_view_ = 1 + !content.references.dark.empty();
  write_instrument(entry, content);
  const Group sample = make_group(entry, "sample", "NXsample");
  put_text(sample, "name", about.name);
  const std::vector<double> turned = degrees_clockwise(content.scan);
  std::vector<double> angles(static_cast<std::size_t>(first_view_) + turned.size(), turned.front());
  std::copy(turned.begin(), turned.end(), angles.end() - static_cast<std::ptrdiff_t>(turned.size()));
  put_attribute(put_numbers(sample, "rotation_angle", angles), "units", "deg");
  const Group data = make_group(entry, "data", "NXdata");
  put_attribute(data, "signal", "data");
  for (const auto& [target, name] : {std::pair{"/entry/instrument/detector/data", "data"},
                                     std::pair{"/entry/instrument/detector/image_key", "image_key"},
                                     std::pair{"/entry/sample/rotation_angle", "rotation_angle"}})
    check(H5Lcreate_soft(target, data, name, H5P_DEFAULT, H5P_DEFAULT), "linking the data");
  put_geometry(entry, content);
}

void NxtomoWriter::write_instrument(hid_t entry, const ScanContent& content) {
  const ScanDescription& about = content.description;
  const Group instrument = make_group(entry, "instrument", "NXinstrument");
  if (!about.instrument.empty()) put_text(instrument, "name", about.instrument);
  const Group source = make_group(instrument, "source", "NXsource");
  put_text(source, "probe", "x-ray");
  if (content.scan.beam == Beam::cone)
    put_length(source, "distance", -1e-3 * content.scan.source_object_distance, "m");  // upstream
  if (about.voltage_kv > 0) put_length(source, "voltage", about.voltage_kv, "kV");
  if (about.current_ua > 0) put_length(source, "current", about.current_ua, "uA");
  if (!about.filter.empty()) put_text(source, "filter", about.filter);
  write_detector(instrument, content);
}

namespace {

void put_geometry(const Group& detector, const ScanContent& content) {
  const geometry::CircularScan& scan = content.scan;
  put_length(detector, "x_pixel_size", 1e-3 * scan.detector.column_pitch, "m");
  put_length(detector, "y_pixel_size", 1e-3 * scan.detector.row_pitch, "m");
  if (scan.beam == Beam::cone)
    put_length(detector, "distance", 1e-3 * (scan.source_detector_distance - scan.source_object_distance),
               "m");
  put_length(detector, "x_rotation_axis_pixel_position", axis_column(scan), "px");
  if (content.description.exposure_s > 0)
    put_length(detector, "count_time", content.description.exposure_s, "s");
}

}  // namespace

void NxtomoWriter::write_detector(hid_t instrument, const ScanContent& content) {
  const geometry::CircularScan& scan = content.scan;
  const Group detector = make_group(instrument, "detector", "NXdetector");
  put_geometry(detector, content);
  std::vector<double> keys(static_cast<std::size_t>(first_view_) + scan.angles.size(), 0);
  for (int n = 0; n < first_view_; ++n) keys[static_cast<std::size_t>(n)] = n + 1;  // a flat, a dark
  put_numbers(detector, "image_key", keys);
  frames_ = FramesWriter(detector, "data", static_cast<int>(keys.size()), scan.detector, content.type);
  for (int n = 0; n < first_view_; ++n) {
    auto image = as_image(n == 0 ? content.references.white : content.references.dark, scan.detector);
    if (content.type == CountType::uint16)
      for (float& count : image) count = std::round(count);
    frames_.write(n, image.data(), true);
  }
}

class ExchangeWriter final : public ScanFileWriter {
 public:
  ExchangeWriter(const std::filesystem::path& path, const ScanContent& content, bool overwrite)
      : ScanFileWriter(path, content, overwrite) {
    guarded([&] { write_all(content); });
  }

 private:
  void write_all(const ScanContent& content);
};

void ExchangeWriter::write_all(const ScanContent& content) {
  const geometry::CircularScan& scan = content.scan;
  put_text(file_, "implements", "exchange:measurement");
  const Group exchange = make_group(file_, "exchange", "NXcollection");
  const auto put_frames = [&](const char* name, int count, CountType type) {
    FramesWriter frames(exchange, name, count, scan.detector, type);
    put_attribute(frames.id(), "axes", "theta:y:x");
    put_attribute(frames.id(), "units", "counts");
    return frames;
  };
  put_frames("data_white", 1, CountType::float32)
      .write(0, as_image(content.references.white, scan.detector).data(), true);
  if (!content.references.dark.empty())
    put_frames("data_dark", 1, CountType::float32)
        .write(0, as_image(content.references.dark, scan.detector).data(), true);
  frames_ = put_frames("data", static_cast<int>(scan.angles.size()), content.type);
  put_attribute(put_numbers(exchange, "theta", degrees_clockwise(scan)), "units", "deg");
  const Group measurement = make_group(file_, "measurement", "NXcollection");
  put_text(make_group(measurement, "sample", "NXcollection"), "name", content.description.name);
  const Group instrument = make_group(measurement, "instrument", "NXcollection");
  if (!content.description.instrument.empty()) put_text(instrument, "name", content.description.instrument);
  const Group system = make_group(instrument, "detection_system", "NXcollection");
  const double at_the_sample = scan.detector.column_pitch / scan.magnification();
  put_length(make_group(system, "objective", "NXcollection"), "resolution", 1e3 * at_the_sample, "um");
  put_geometry(file_, content);
}

}  // namespace

std::unique_ptr<ScanSink> create_nxtomo(const std::filesystem::path& path, const ScanContent& content,
                                        bool overwrite) {
  return std::make_unique<NxtomoWriter>(path, content, overwrite);
}

std::unique_ptr<ScanSink> create_exchange(const std::filesystem::path& path, const ScanContent& content,
                                          bool overwrite) {
  return std::make_unique<ExchangeWriter>(path, content, overwrite);
}

}  // namespace feldspar::io
