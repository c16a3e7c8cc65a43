#include "io/hdf5/nxtomo_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <memory>
#include <optional>

#include "io/described_scan.hpp"
#include "io/flat_series.hpp"
#include "io/hdf5/frame_stack.hpp"
#include "io/hdf5/nxtomo_places.hpp"
#include "io/hdf5/stored_geometry.hpp"
#include "io/hdf5/stored_units.hpp"

namespace feldspar::io {
namespace {

namespace fs = std::filesystem;
using namespace hdf5;
using geometry::Beam;
const Remedies right_pitch{{"pixel-size", "", "state the right one with"}};

class NxtomoSource final : public DescribedScan {
 public:
  NxtomoSource(const fs::path& path, const OpenOptions& options) : file_(path) {
    file_.guarded([&] { open(options); });
  }

  [[nodiscard]] CountType count_type() const override { return stack_.count_type(); }
  [[nodiscard]] std::vector<fs::path> files() const override { return files_; }

  void read(std::span<const int> views, const geometry::PixelWindow& window, void* counts) const override {
    std::vector<int> frames;
    frames.reserve(views.size());
    for (const int view : views) frames.push_back(frames_.at(static_cast<std::size_t>(view)));
    file_.guarded([&] { stack_.read(frames, window, count_type(), counts); });
  }

  /// The flats by the number of projections before them, where they were taken at several times.
  [[nodiscard]] const std::vector<FlatGroup>& flat_groups() const { return flat_groups_; }

 private:
  void open(const OpenOptions& options);
  void describe();
  void read_beam();
  void read_pitch(double stated);
  void read_frames(const OpenOptions& options);
  [[nodiscard]] std::vector<int> read_keys(bool allow_missing);
  void leave_out_lost(std::vector<int>& keys, bool allow_missing);
  void read_angles(const std::vector<int>& keys, bool reversed);
  void read_axis();
  [[nodiscard]] std::vector<float> read_flats(const std::vector<int>& flats);
  void read_references(const std::vector<int>& flats, const std::vector<int>& darks, double white_level);
  void mention_what_is_not_used();

  [[nodiscard]] std::string in_entry(const char* name) const { return places_.entry + "/" + name; }
  [[nodiscard]] std::string in_detector(const char* name) const { return places_.detector + "/" + name; }

  InputFile file_;
  UnitReader units_{file_, fields_, findings_};
  NxtomoPlaces places_;
  FrameStack stack_;
  std::vector<int> frames_;  ///< of the projections, in order
  std::vector<FlatGroup> flat_groups_;
  std::vector<fs::path> files_;
};

void NxtomoSource::open(const OpenOptions& options) {
  places_ = find_places(file_);
  findings_ = places_.findings;
  stack_ = FrameStack(file_, in_detector("data"));
  scan_.detector.rows = stack_.rows(), scan_.detector.columns = stack_.columns();
  read_beam();
  read_pitch(options.pixel_pitch);
  read_frames(options);
  const bool complete =
      apply_stored_geometry(file_, in_entry(geometry_group), options, scan_, references_, units_);
  if (complete) {
    flat_groups_.clear();
  } else {
    read_axis();
    units_.find(
        {"conventions.assumed",
         fmt::format(
             "NXtomo does not state which way the object turns; {} seen from above is assumed, with the "
             "first row on top{}",
             options.reverse_rotation ? "counter-clockwise" : "clockwise",
             scan_.beam == Beam::parallel ? "; in a parallel beam the wrong one mirrors the volume" : ""),
         "rotation_angle",
         {{"reverse-rotation", "", "for the other sense, give"}}});
  }
  describe();
  apply_stored_facts(file_, in_entry(geometry_group), description_);
  mention_what_is_not_used();
  geometry::validate(scan_);
}

void NxtomoSource::describe() {
  description_.format = fmt::format("NeXus NXtomo, {} beam", scan_.beam == Beam::cone ? "cone" : "parallel");
  description_.name = file_.text(in_entry("sample/name"));
  if (description_.name.empty()) description_.name = file_.path().stem().string();
  description_.instrument = file_.text(in_entry("instrument/name"));
  description_.date = file_.text(in_entry("start_time"));
  const auto exposure = file_.numbers(in_detector("count_time"));
  if (!exposure.empty() && exposure[0] > 0) description_.exposure_s = exposure[0];
  for (const char* const name : {"title", "instrument/source/name", "instrument/source/probe", "note"})
    if (const std::string text = file_.text(in_entry(name)); !text.empty())
      units_.note(in_entry(name), text, SourceField::Use::informative);
  files_ = files_of(file_, stack_);
}

/// NeXus counts upstream as negative and in metres.
void NxtomoSource::read_beam() {
  const auto source = units_.length(in_entry("instrument/source/distance"), "m"),
             object = units_.length(in_detector("distance"), "m");
  if (source && object && *source != 0) {
    scan_.source_object_distance = std::abs(*source);
    scan_.source_detector_distance = std::abs(*source) + std::abs(*object);
    return;
  }
  scan_.beam = Beam::parallel;
  for (const std::string& place : {in_entry("instrument/source/distance"), in_detector("distance")})
    units_.leave_out(place, "a cone beam needs both distances, so a parallel one is assumed");
  units_.find({"beam.parallel",
               fmt::format("{} is not stated, so the beam is taken for a parallel one",
                           source ? "the detector's distance" : "the source's distance"),
               source ? "distance" : "source/distance"});
}

/// Of a parallel beam the pitch at the sample counts, where a microscope's file has both.
void NxtomoSource::read_pitch(double stated) {
  std::optional<double> pitch[2];
  for (const int n : {0, 1}) {
    const std::string axis = n == 0 ? "x_" : "y_";
    std::vector<std::string> places{in_detector((axis + "pixel_size").c_str())};
    if (scan_.beam == Beam::parallel) {
      places.insert(places.begin(), in_detector((axis + "magnified_pixel_size").c_str()));
      places.insert(places.begin(), in_entry(("sample/" + axis + "pixel_size").c_str()));
    }
    for (const std::string& place : places)
      if (stated > 0 || pitch[n])
        units_.leave_out(place, stated > 0 ? "replaced by the pixel size that was given"
                                           : "the pitch at the sample counts");
      else
        pitch[n] = units_.length(place, "m", {{"pixel-size", "", "or state the right one with"}});
  }
  if (stated > 0) {
    pitch[0] = pitch[1] = stated;
    units_.find({"pixel-size.replaced", "the pixel size that was given is taken, whatever the file states",
                 "x_pixel_size"});
  }
  if (!pitch[0] && !pitch[1]) {
    if (scan_.beam == Beam::cone)
      file_.refuse(ErrorKind::bad_file, in_detector("x_pixel_size") + " is absent", right_pitch);
    units_.find({"pixel-size.unstated", "no pixel size is stated: 1 mm is taken, so lengths count pixels",
                 "x_pixel_size", right_pitch});
    pitch[0] = 1.0;
  }
  scan_.detector.column_pitch = pitch[0] ? *pitch[0] : *pitch[1];
  scan_.detector.row_pitch = pitch[1] ? *pitch[1] : *pitch[0];
  for (const double value : {scan_.detector.column_pitch, scan_.detector.row_pitch})
    if (!(value > 0 && value < 1000))
      file_.refuse(ErrorKind::bad_file, fmt::format("the pixel size is {} mm", value), right_pitch);
}

/// The kind of every frame; without keys all are projections. Frames of alignment count as invalid (3).
std::vector<int> NxtomoSource::read_keys(bool allow_missing) {
  const auto frames = static_cast<std::size_t>(stack_.frames());
  std::vector<int> keys(frames, 0);
  if (places_.image_key.empty()) {
    units_.find(
        {"views.unmarked", "there is no image_key: every frame is taken for a projection", "image_key"});
    leave_out_lost(keys, allow_missing);
    return keys;
  }
  const std::vector<double> stored = file_.numbers(places_.image_key),
                            control = file_.numbers(in_detector("image_key_control"));
  const bool fits = stored.size() == frames || (allow_missing && stored.size() > frames);
  if (!fits)
    file_.refuse(
        ErrorKind::bad_file,
        fmt::format("{} has {} values, but there are {} frames", places_.image_key, stored.size(), frames),
        stored.size() > frames ? Remedies{{"allow-missing", "", "to use those there are, give"}}
                               : Remedies{});
  if (stored.size() != frames)
    units_.find({"views.surplus",
                 fmt::format("{} has {} values; the first {} are used, one a frame there is",
                             places_.image_key, stored.size(), frames),
                 places_.image_key});
  for (std::size_t n = 0; n < frames; ++n) {
    if (stored[n] != std::floor(stored[n]) || stored[n] < -1 || stored[n] > 3)
      file_.refuse(ErrorKind::bad_file,
                   fmt::format("{} of frame {} is {}, but 0 (projection), 1 (flat), 2 (dark) or 3 (invalid) "
                               "was expected",
                               places_.image_key, n, stored[n]));
    const bool alignment = stored[n] < 0 || (n < control.size() && control[n] == -1);
    keys[n] = alignment ? 3 : static_cast<int>(stored[n]);
  }
  if (const auto out = std::count(keys.begin(), keys.end(), 3); out > 0)
    units_.find({"views.marked",
                 fmt::format("{} frames are marked invalid or for alignment and are left out", out),
                 places_.image_key});
  leave_out_lost(keys, allow_missing);
  units_.note(places_.image_key,
              fmt::format("{} projections, {} flats, {} darks", std::count(keys.begin(), keys.end(), 0),
                          std::count(keys.begin(), keys.end(), 1), std::count(keys.begin(), keys.end(), 2)));
  return keys;
}

/// Frames that no file holds count as invalid, when that is allowed.
void NxtomoSource::leave_out_lost(std::vector<int>& keys, bool allow_missing) {
  const std::string losses = stack_.losses();
  if (losses.empty()) return;
  std::vector<int> left(keys.size(), 3);
  for (const int frame : stack_.there())
    left[static_cast<std::size_t>(frame)] = keys[static_cast<std::size_t>(frame)];
  if (left == keys) return;
  if (!allow_missing)
    file_.refuse(ErrorKind::bad_file, fmt::format("{} lacks {}", in_detector("data"), losses),
                 {{"allow-missing", "", "bring that back, or leave those frames out with"}});
  units_.find({"views.missing",
               fmt::format("{} lacks {}; those frames are left out", in_detector("data"), losses),
               in_detector("data")});
  keys = std::move(left);
}

void NxtomoSource::read_frames(const OpenOptions& options) {
  const std::vector<int> keys = read_keys(options.allow_missing);
  std::vector<int> flats, darks;
  for (std::size_t n = 0; n < keys.size(); ++n) {
    const auto frame = static_cast<int>(n);
    if (keys[n] == 0) frames_.push_back(frame);
    if (keys[n] == 1) flats.push_back(frame);
    if (keys[n] == 2) darks.push_back(frame);
  }
  if (frames_.empty())
    file_.refuse(ErrorKind::bad_file,
                 fmt::format("{} marks no frame as a projection (0)", places_.image_key));
  read_angles(keys, options.reverse_rotation);
  read_references(flats, darks, options.white_level);
}

void NxtomoSource::read_angles(const std::vector<int>& keys, bool reversed) {
  if (places_.angle.empty())
    file_.refuse(ErrorKind::bad_file, in_entry("sample/rotation_angle") + " is absent");
  const std::vector<double> angles = units_.angles(places_.angle);
  const double sense = reversed ? 1 : -1;
  const bool of_projections = angles.size() == frames_.size() && angles.size() != keys.size();
  if (!of_projections && angles.size() < keys.size())
    file_.refuse(ErrorKind::bad_file,
                 fmt::format("{} has {} values, but there are {} frames, {} of them projections",
                             places_.angle, angles.size(), keys.size(), frames_.size()));
  if (of_projections)
    units_.find({"angles.order",
                 fmt::format("{} has a value for each projection, not for each frame", places_.angle),
                 places_.angle});
  else if (angles.size() > keys.size())
    units_.find({"angles.surplus",
                 fmt::format("{} has {} values; the first {} are used, one a frame", places_.angle,
                             angles.size(), keys.size()),
                 places_.angle});
  for (std::size_t n = 0; n < frames_.size(); ++n) {
    const std::size_t at = of_projections ? n : static_cast<std::size_t>(frames_[n]);
    if (!std::isfinite(angles[at]))
      file_.refuse(ErrorKind::bad_file,
                   fmt::format("{} of frame {}, a projection, is no number", places_.angle, frames_[n]));
    scan_.angles.push_back(sense * angles[at]);
  }
}

/// Writers mean the column itself or its distance from the middle: the reading that puts the axis into the
/// middle quarter of the detector is taken, when there is just one.
void NxtomoSource::read_axis() {
  const geometry::Detector& d = scan_.detector;
  const double middle = 0.5 * (d.columns - 1), most = d.columns / 8.0;
  std::string place = in_detector("x_rotation_axis_pixel_position");
  if (file_.numbers(place).empty()) place = in_detector("estimated_cor_from_motor");
  const std::vector<double> values = file_.numbers(place);
  if (values.empty()) {
    units_.find({"axis.unstated", "no rotation axis is stated", "x_rotation_axis_pixel_position"});
    return;
  }
  const double value = values[0];
  const bool as_column = std::abs(value - middle) <= most, as_distance = std::abs(value) <= most;
  if (!std::isfinite(value) || as_column == as_distance) {
    units_.note(place, fmt::format("{}", value), SourceField::Use::ignored,
                "may be a column or a distance from the middle");
    units_.find({"axis.ambiguous",
                 fmt::format("{} is {}, which may be a column or a distance from the middle: it is not used",
                             place, value),
                 place});
    return;
  }
  const double columns = as_column ? value - middle : value;
  const double magnification = scan_.beam == Beam::cone ? scan_.magnification() : 1;
  scan_.axis.offset = columns * d.column_pitch / magnification;
  units_.note(place, fmt::format("{}", value), SourceField::Use::used,
              as_column ? "taken for a column" : "taken for a distance from the middle, in pixels");
}

/// Flats that were taken without a projection between them, by how many projections came before.
std::map<int, std::vector<int>> groups_of(const std::vector<int>& flats,
                                          const std::vector<int>& projections) {
  std::map<int, std::vector<int>> groups;
  for (const int flat : flats) {
    const auto next = std::lower_bound(projections.begin(), projections.end(), flat);
    groups[static_cast<int>(next - projections.begin())].push_back(flat);
  }
  return groups;
}

std::vector<float> NxtomoSource::read_flats(const std::vector<int>& flats) {
  if (flats.empty())
    file_.refuse(ErrorKind::bad_file, "no frame is marked as a flat (image_key 1)",
                 {{"white-level", "", "give the open beam's counts with"}});
  auto groups = groups_of(flats, frames_);
  const std::size_t pixels =
      static_cast<std::size_t>(stack_.rows()) * static_cast<std::size_t>(stack_.columns());
  if (!may_keep_flats(groups.size(), pixels)) {
    units_.find(
        {"flats.averaged",
         fmt::format(
             "the {} flats were taken in {} groups, too many to keep; their mean is used for all views",
             flats.size(), groups.size())});
    groups = {{0, flats}};
  }
  return mean_of_groups(stack_.as_references("flats", true), groups, flat_groups_, findings_);
}

void NxtomoSource::read_references(const std::vector<int>& flats, const std::vector<int>& darks,
                                   double white_level) {
  references_.saturation = stack_.highest();
  references_.white =
      white_level > 0 ? std::vector<float>{static_cast<float>(white_level)} : read_flats(flats);
  if (!darks.empty())
    references_.dark = means_of(stack_.as_references("darks", false), {darks}, findings_)[0].counts;
  else
    units_.find({"dark.assumed",
                 "no frame is marked as a dark (image_key 2): 0 counts without beam are assumed",
                 "image_key"});
  expect_beam(references_, file_.path().string());
}

void NxtomoSource::mention_what_is_not_used() {
  for (const char* const name :
       {"control/data", "sample/x_translation", "sample/y_translation", "sample/z_translation"}) {
    const std::string place = in_entry(name);
    const std::vector<double> values = file_.numbers(place);
    if (values.empty()) continue;
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    units_.note(place, fmt::format("{} values from {} to {}", values.size(), *low, *high),
                SourceField::Use::ignored, "not used");
    if (*low != *high)
      units_.find({"field.unused",
                   fmt::format("{} varies from {} to {} over the frames and is not used", place, *low, *high),
                   place});
  }
  for (const char* const name : {"x_flipped", "y_flipped"}) {
    const std::vector<double> value = file_.numbers(in_detector(name));
    if (value.empty() || value[0] == 0) continue;
    units_.note(in_detector(name), "true", SourceField::Use::ignored, "not used");
    units_.find({"detector.flipped",
                 fmt::format("{} is set, and is not used: the volume may be mirrored", in_detector(name)),
                 in_detector(name)});
  }
}

/// True for damaged HDF5 files too, so that someone says what is wrong with them.
bool recognises(const FileStart& start) {
  if (!looks_like_hdf5(start.path)) return false;
  try {
    const InputFile file(start.path);
    bool found = false;
    file.guarded([&] { found = !nxtomo_entries(file).empty(); });
    return found;
  } catch (const Error&) {
    return true;
  }
}

std::unique_ptr<ScanSource> open_nxtomo(const fs::path& path, const OpenOptions& options) {
  auto source = std::make_unique<NxtomoSource>(path, options);
  std::vector<FlatGroup> groups = source->flat_groups();
  if (groups.empty()) return source;
  return with_flats_in_time(std::move(source), std::move(groups));
}

}  // namespace

const ScanFormat nxtomo_format{"NeXus NXtomo (.nxs, .h5)", recognises, open_nxtomo};

}  // namespace feldspar::io
