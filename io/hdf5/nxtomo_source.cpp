#include "io/hdf5/nxtomo_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <optional>
#include <utility>

#include "base/error.hpp"
#include "base/units.hpp"
#include "io/hdf5/handle.hpp"
#include "io/hdf5/text.hpp"

namespace feldspar::io {
namespace {

namespace fs = std::filesystem;
using namespace hdf5;

constexpr hsize_t most_pixels = 1 << 16, most_frames = 1'000'000;

/// Places of the entry, as the writers of the field's laboratories choose them.
constexpr std::array entries{"/entry", "/entry1/tomo_entry", "/raw_data_1/tomo_entry"};

class NxtomoSource final : public ScanSource {
 public:
  NxtomoSource(const fs::path& path, const OpenOptions& options) : path_(path) {
    silence();
    guarded([&] { open(options); });
  }

  [[nodiscard]] const geometry::CircularScan& scan() const override { return scan_; }
  [[nodiscard]] const ScanDescription& description() const override { return description_; }
  [[nodiscard]] const std::vector<SourceField>& fields() const override { return fields_; }
  [[nodiscard]] const Findings& findings() const override { return findings_; }
  [[nodiscard]] const References& references() const override { return references_; }
  [[nodiscard]] const ProposedGrid& proposed_grid() const override { return grid_; }
  [[nodiscard]] CountType count_type() const override { return CountType::float32; }
  [[nodiscard]] std::vector<fs::path> files() const override { return {path_}; }

  void read(std::span<const int> views, const geometry::PixelWindow& window, void* counts) const override {
    const auto pixels = static_cast<std::size_t>(window.columns.count()) * window.rows.count();
    guarded([&] {
      silence();
      auto* out = static_cast<float*>(counts);
      for (const int view : views) {
        read_frame(frames_.at(static_cast<std::size_t>(view)), window, out);
        out += pixels;
      }
    });
  }

 private:
  void guarded(const std::function<void()>& work) const {
    try {
      work();
    } catch (const Failure& failure) {
      throw Error(ErrorKind::bad_file, fmt::format("{}: {}", path_.string(), failure.what()));
    }
  }
  [[noreturn]] void refuse(ErrorKind kind, const std::string& what) const {
    throw Error(kind, fmt::format("{}: {}", path_.string(), what));
  }

  [[nodiscard]] bool has(const std::string& name) const {
    for (std::size_t at = name.find('/', 1); at != std::string::npos; at = name.find('/', at + 1))
      if (H5Lexists(file_, name.substr(0, at).c_str(), H5P_DEFAULT) <= 0) return false;
    return H5Lexists(file_, name.c_str(), H5P_DEFAULT) > 0 &&
           H5Oexists_by_name(file_, name.c_str(), H5P_DEFAULT) > 0;
  }

  /// All numbers of a dataset below the entry; empty when there is none.
  [[nodiscard]] std::vector<double> numbers(const std::string& name) const {
    if (!has(entry_ + name)) return {};
    const Dataset set(H5Dopen2(file_, (entry_ + name).c_str(), H5P_DEFAULT), "opening a dataset");
    const Space space(H5Dget_space(set), "asking for a dataset's size");
    const hssize_t count = H5Sget_simple_extent_npoints(space);
    if (count < 1 || count > static_cast<hssize_t>(most_frames))
      refuse(ErrorKind::bad_file, fmt::format("{} has {} values", entry_ + name, count));
    std::vector<double> values(static_cast<std::size_t>(count));
    check(H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), "reading numbers");
    return values;
  }

  /// The text attribute "units" of a dataset; empty when there is none.
  [[nodiscard]] std::string units(const std::string& name) const {
    const Dataset set(H5Dopen2(file_, (entry_ + name).c_str(), H5P_DEFAULT), "opening a dataset");
    if (check(H5Aexists(set, "units"), "asking for units") == 0) return {};
    const Attribute attribute(H5Aopen(set, "units", H5P_DEFAULT), "opening units");
    const Type type(H5Aget_type(attribute), "asking for a type");
    std::string text;
    if (check(H5Tis_variable_str(type), "asking for a type") > 0) {
      char* value = nullptr;
      check(H5Aread(attribute, type, &value), "reading units");
      text = value ? value : "";
      (void)H5free_memory(value);
    } else if (H5Tget_class(type) == H5T_STRING) {
      text.resize(H5Tget_size(type));
      check(H5Aread(attribute, type, text.data()), "reading units");
    }
    return as_utf8(text);
  }

  /// A length in mm; NeXus' own unit, the metre, where none is stated.
  [[nodiscard]] std::optional<double> length(const std::string& name) {
    const auto values = numbers(name);
    if (values.empty()) return std::nullopt;
    const std::string unit = units(name);
    const double factor = unit.empty() ? 1000 : parse_length_mm("1" + unit, entry_ + name + "@units");
    note(name, fmt::format("{} {}", values[0], unit));
    return values[0] * factor;
  }

  void note(const std::string& name, const std::string& value, const std::string& why = {}) {
    fields_.push_back({entry_.substr(1), name.substr(1), value, SourceField::Use::used, why});
  }

  void open(const OpenOptions& options) {
    file_ = File(H5Fopen(path_.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), "opening the file");
    for (const char* const entry : entries)
      if (has(entry) && has(std::string(entry) + "/instrument/detector/data")) entry_ = entry;
    if (entry_.empty())
      refuse(ErrorKind::unsupported, "this HDF5 file holds no NXtomo entry (instrument/detector/data)");
    read_geometry();
    read_frames(options);
    description_.format = "NeXus NXtomo, cone beam";
    description_.name = get_text(file_, entry_.substr(1) + "/sample/name");
    if (description_.name.empty()) description_.name = path_.stem().string();
    geometry::validate(scan_);
  }

  void read_geometry() {
    const auto source = length("/instrument/source/distance"),
               object = length("/instrument/detector/distance");
    if (!source || !object)
      refuse(
          ErrorKind::unsupported,
          "a parallel beam: instrument/source/distance or instrument/detector/distance is absent, and only "
          "cone beams can be reconstructed yet");
    scan_.source_object_distance = std::abs(*source);  // NeXus counts upstream as negative
    scan_.source_detector_distance = std::abs(*source) + std::abs(*object);
    const auto x = length("/instrument/detector/x_pixel_size"),
               y = length("/instrument/detector/y_pixel_size");
    if (!x && !y) refuse(ErrorKind::bad_file, "instrument/detector/x_pixel_size is absent");
    scan_.detector.column_pitch = x ? *x : *y;
    scan_.detector.row_pitch = y ? *y : *x;
  }

  void read_frames(const OpenOptions& options) {
    data_ =
        Dataset(H5Dopen2(file_, (entry_ + "/instrument/detector/data").c_str(), H5P_DEFAULT), "opening data");
    const Space space(H5Dget_space(data_), "asking for the data's size");
    std::array<hsize_t, 3> size{};
    if (H5Sget_simple_extent_ndims(space) != 3)
      refuse(ErrorKind::bad_file, "instrument/detector/data is not frames x rows x columns");
    check(H5Sget_simple_extent_dims(space, size.data(), nullptr), "asking for the data's size");
    if (size[0] < 1 || size[0] > most_frames || size[1] < 1 || size[1] > most_pixels || size[2] < 1 ||
        size[2] > most_pixels)
      refuse(ErrorKind::bad_file,
             fmt::format("instrument/detector/data is {} x {} x {}", size[0], size[1], size[2]));
    scan_.detector.rows = static_cast<int>(size[1]), scan_.detector.columns = static_cast<int>(size[2]);

    const auto keys = numbers("/instrument/detector/image_key"), angles = numbers("/sample/rotation_angle");
    for (const auto& [name, values] :
         {std::pair{"instrument/detector/image_key", &keys}, {"sample/rotation_angle", &angles}})
      if (values->size() != size[0])
        refuse(ErrorKind::bad_file,
               fmt::format("{} has {} values, but there are {} frames", name, values->size(), size[0]));
    const std::string unit = units("/sample/rotation_angle");
    const double widest = std::abs(*std::max_element(
        angles.begin(), angles.end(), [](double a, double b) { return std::abs(a) < std::abs(b); }));
    const bool degrees = unit.empty() ? widest > 7 : unit.starts_with("deg");
    const double sense = options.reverse_rotation ? 1 : -1;
    std::vector<int> flats, darks;
    for (std::size_t n = 0; n < keys.size(); ++n) {
      const auto frame = static_cast<int>(n);
      if (keys[n] == 1) flats.push_back(frame);
      if (keys[n] == 2) darks.push_back(frame);
      if (keys[n] != 0) continue;
      frames_.push_back(frame);
      scan_.angles.push_back(sense * angles[n] * (degrees ? radians_per_degree : 1));
    }
    note("/sample/rotation_angle",
         fmt::format("{} angles in {}", frames_.size(), degrees ? "degrees" : "radians"));
    findings_.push_back(
        fmt::format("{}: NXtomo does not state which way the object turns; {} seen from above is assumed "
                    "(--reverse-rotation "
                    "for the other), with the first row on top",
                    path_.filename().string(), options.reverse_rotation ? "counter-clockwise" : "clockwise"));
    if (frames_.empty()) refuse(ErrorKind::bad_file, "image_key marks no frame as a projection (0)");
    if (options.white_level > 0)
      references_.white = {static_cast<float>(options.white_level)};
    else if (!flats.empty())
      references_.white = mean_of(flats);
    else
      refuse(ErrorKind::bad_file,
             "image_key marks no frame as a flat (1); give the open beam's counts with --white-level");
    if (!darks.empty()) references_.dark = mean_of(darks);
  }

  [[nodiscard]] std::vector<float> mean_of(const std::vector<int>& frames) const {
    const auto& d = scan_.detector;
    std::vector<float> frame(static_cast<std::size_t>(d.columns) * static_cast<std::size_t>(d.rows)),
        mean(frame.size());
    std::vector<double> sum(frame.size());
    for (const int n : frames) {
      read_frame(n, {{0, d.columns}, {0, d.rows}}, frame.data());
      for (std::size_t p = 0; p < sum.size(); ++p) sum[p] += frame[p];
    }
    for (std::size_t p = 0; p < sum.size(); ++p)
      mean[p] = static_cast<float>(sum[p] / static_cast<double>(frames.size()));
    return mean;
  }

  /// Rows are stored from the top, and counted from the bottom here.
  void read_frame(int frame, const geometry::PixelWindow& window, float* out) const {
    const auto width = static_cast<std::size_t>(window.columns.count());
    const int top = scan_.detector.rows - window.rows.end;
    const std::array<hsize_t, 3> start{hsize_t(frame), hsize_t(top), hsize_t(window.columns.first)},
        count{1, hsize_t(window.rows.count()), hsize_t(width)};
    const Space space(H5Dget_space(data_), "asking for the data's size");
    check(H5Sselect_hyperslab(space, H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr),
          "choosing pixels");
    const Space memory(H5Screate_simple(3, count.data(), nullptr), "describing pixels");
    check(H5Dread(data_, H5T_NATIVE_FLOAT, memory, space, H5P_DEFAULT, out), "reading pixels");
    for (int low = 0, high = window.rows.count() - 1; low < high; ++low, --high)
      std::swap_ranges(out + low * width, out + (low + 1) * width, out + high * width);
  }

  fs::path path_;
  File file_;
  Dataset data_;
  std::string entry_;
  std::vector<int> frames_;  ///< of the projections, in order
  geometry::CircularScan scan_;
  ScanDescription description_;
  std::vector<SourceField> fields_;
  Findings findings_;
  References references_;
  ProposedGrid grid_;
};

}  // namespace

bool looks_like_hdf5(const fs::path& path) {
  hdf5::silence();
  return H5Fis_hdf5(path.c_str()) > 0;
}

std::unique_ptr<ScanSource> open_nxtomo(const fs::path& path, const OpenOptions& options) {
  return std::make_unique<NxtomoSource>(path, options);
}

}  // namespace feldspar::io
