#include "io/hdf5/exchange_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <numbers>
#include <optional>

#include "base/units.hpp"
#include "io/described_scan.hpp"
#include "io/flat_series.hpp"
#include "io/hdf5/frame_stack.hpp"
#include "io/hdf5/stored_geometry.hpp"
#include "io/hdf5/stored_units.hpp"

namespace feldspar::io {
namespace {

namespace fs = std::filesystem;
using namespace hdf5;

/// Drafts of the format have a group of that name with the dataset in it.
std::string frames_at(const InputFile& file, const std::string& name) {
  const std::string place = "/exchange/" + name;
  return file.is_dataset(place) || !file.has(place) ? place : place + "/" + name;
}

/// From "theta:y:x", "y:theta_white:x" and the like; frames x rows x columns where nothing is stated.
FrameOrder order_of(const InputFile& file, const std::string& dataset) {
  const auto texts = file.attribute(dataset, "axes");
  if (texts.empty()) return {};
  FrameOrder order{-1, -1, -1};
  std::string rest = texts[0] + ":";
  for (int dimension = 0; !rest.empty(); ++dimension) {
    const std::string word = rest.substr(0, rest.find(':'));
    rest.erase(0, word.size() + 1);
    if (word.starts_with("theta") || word.starts_with("angle")) order.frame = dimension;
    if (word == "y") order.row = dimension;
    if (word == "x") order.column = dimension;
  }
  if (order.frame + order.row + order.column != 3 || order.frame < 0 || order.row < 0 || order.column < 0)
    file.refuse(ErrorKind::bad_file,
                fmt::format("{}@axes is '{}', but theta, y and x in some order were expected, as theta:y:x",
                            dataset, texts[0]));
  return order;
}

class ExchangeSource final : public DescribedScan {
 public:
  ExchangeSource(const fs::path& path, const OpenOptions& options) : file_(path) {
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

  /// The flats by the number of views before them, where they were taken at several times.
  [[nodiscard]] const std::vector<FlatGroup>& flat_groups() const { return flat_groups_; }

 private:
  void open(const OpenOptions& options);
  void read_pitch(double stated);
  void leave_out_lost(const FrameStack& stack, const std::string& place);
  void read_angles(bool reversed);
  [[nodiscard]] std::optional<FrameStack> reference_frames(const char* name);
  [[nodiscard]] std::vector<int> views_before_flats(std::size_t count, bool reversed);
  [[nodiscard]] std::vector<float> read_flats(bool reversed);
  void read_references(double white_level, bool reversed);
  void describe();

  InputFile file_;
  UnitReader units_{file_, fields_, findings_};
  FrameStack stack_;
  std::vector<int> frames_;  ///< of the views
  std::vector<fs::path> files_;
  bool allow_missing_ = false;
  std::vector<FlatGroup> flat_groups_;
};

void ExchangeSource::open(const OpenOptions& options) {
  const std::string data = frames_at(file_, "data");
  stack_ = FrameStack(file_, data, order_of(file_, data));
  units_.note(data, fmt::format("{} frames of {} x {}", stack_.frames(), stack_.columns(), stack_.rows()));
  scan_.beam = geometry::Beam::parallel;
  scan_.detector.rows = stack_.rows(), scan_.detector.columns = stack_.columns();
  allow_missing_ = options.allow_missing;
  leave_out_lost(stack_, data);
  frames_ = stack_.there();
  if (frames_.empty()) file_.refuse(ErrorKind::bad_file, data + " lacks every frame");
  read_pitch(options.pixel_pitch);
  read_angles(options.reverse_rotation);
  read_references(options.white_level, options.reverse_rotation);
  const std::string group = std::string("/") + geometry_group;
  if (apply_stored_geometry(file_, group, options, scan_, references_, units_)) {
    flat_groups_.clear();
  } else {
    units_.find({"conventions.assumed",
                 "Data Exchange states no sense of rotation: clockwise seen from above is taken",
                 "theta",
                 {{"reverse-rotation", "", "for the mirror image, give"}}});
    units_.find({"axis.unstated", "Data Exchange states no rotation axis"});
  }
  describe();
  apply_stored_facts(file_, group, description_);
  geometry::validate(scan_);
}

/// Says which frames no file holds, and refuses them unless that is allowed.
void ExchangeSource::leave_out_lost(const FrameStack& stack, const std::string& place) {
  const std::string losses = stack.losses();
  if (losses.empty()) return;
  if (!allow_missing_)
    file_.refuse(ErrorKind::bad_file, fmt::format("{} lacks {}", place, losses),
                 {{"allow-missing", "", "bring that back, or leave those frames out with"}});
  units_.find({"views.missing", fmt::format("{} lacks {}; those frames are left out", place, losses), place});
}

void ExchangeSource::read_pitch(double stated) {
  constexpr const char* at_the_sample = "/measurement/instrument/detection_system/objective/resolution";
  auto pitch = stated > 0
                   ? std::optional(stated)
                   : units_.length(at_the_sample, "um", {{"pixel-size", "", "or state the right one with"}});
  if (stated > 0) units_.leave_out(at_the_sample, "replaced by the pixel size that was given");
  if (!pitch) {
    units_.find({"pixel-size.unstated",
                 "no pixel size at the sample is stated: 1 mm is taken, so lengths count pixels",
                 "resolution",
                 {{"pixel-size", "", "state the right one with"}}});
    pitch = 1.0;
  }
  if (!(*pitch > 0 && *pitch < 1000))
    file_.refuse(ErrorKind::bad_file, fmt::format("{} is {} mm", at_the_sample, *pitch),
                 {{"pixel-size", "", "state the right one with"}});
  scan_.detector.column_pitch = scan_.detector.row_pitch = *pitch;
}

void ExchangeSource::read_angles(bool reversed) {
  const auto views = static_cast<std::size_t>(stack_.frames());
  std::vector<double> angles = units_.angles("/exchange/theta");
  const auto number = [&](const char* name) {
    const auto values = file_.numbers(std::string("/process/acquisition/rotation/rotation_") + name);
    return values.empty() ? 0.0 : values[0];
  };
  if (angles.empty()) {
    const double step = number("step") * radians_per_degree;
    for (std::size_t n = 0; n < views; ++n)
      angles.push_back(step != 0 ? number("start") * radians_per_degree + static_cast<double>(n) * step
                                 : std::numbers::pi * static_cast<double>(n) / static_cast<double>(views));
    units_.find({"angles.assumed",
                 fmt::format("exchange/theta is absent; {}",
                             step != 0 ? "rotation_start and rotation_step of process/acquisition are used"
                                       : "half a turn in even steps is assumed"),
                 "exchange/theta"});
  }
  if (angles.size() < views)
    file_.refuse(
        ErrorKind::bad_file,
        fmt::format("/exchange/theta has {} values, but there are {} projections", angles.size(), views));
  if (angles.size() > views)
    units_.find({"angles.surplus",
                 fmt::format("exchange/theta has {} values, but there are {} projections; the first are used",
                             angles.size(), views),
                 "exchange/theta"});
  for (const int frame : frames_) {
    const double angle = angles[static_cast<std::size_t>(frame)];
    if (!std::isfinite(angle))
      file_.refuse(ErrorKind::bad_file, fmt::format("/exchange/theta of projection {} is no number", frame));
    scan_.angles.push_back(reversed ? angle : -angle);
  }
}

/// The frames of that name, if there are any.
std::optional<FrameStack> ExchangeSource::reference_frames(const char* name) {
  const std::string place = frames_at(file_, name);
  if (!file_.is_dataset(place)) {
    const std::string why = file_.why_absent(place);
    if (why != "is absent") file_.refuse(ErrorKind::bad_file, fmt::format("{} {}", place, why));
    return std::nullopt;
  }
  FrameStack frames(file_, place, order_of(file_, place));
  const bool one_value = frames.rows() == 1 && frames.columns() == 1;
  if (!one_value && (frames.rows() != stack_.rows() || frames.columns() != stack_.columns()))
    file_.refuse(ErrorKind::bad_file,
                 fmt::format("{} has {} x {} pixels, but the projections have {} x {}", place,
                             frames.columns(), frames.rows(), stack_.columns(), stack_.rows()));
  units_.note(place, fmt::format("{} frames", frames.frames()));
  leave_out_lost(frames, place);
  if (frames.there().empty()) return std::nullopt;
  return frames;
}

/// How many views came before each of the `count` flats, as theta_white tells where the views' angles run one
/// way; empty where it does not.
std::vector<int> ExchangeSource::views_before_flats(std::size_t count, bool reversed) {
  constexpr const char* place = "/exchange/theta_white";
  const std::vector<double> flats = units_.angles(place);
  if (flats.empty()) return {};
  std::vector<double> views = scan_.angles;
  const double sense = reversed ? 1 : -1;
  const bool down = sense * (views.back() - views.front()) < 0;
  for (double& angle : views) angle *= down ? -sense : sense;
  const bool known = std::ranges::all_of(flats, [](double angle) { return std::isfinite(angle); });
  if (flats.size() != count || !known || !std::is_sorted(views.begin(), views.end())) {
    units_.leave_out(place, "does not say between which views the flats were taken");
    units_.find({"flats.averaged",
                 fmt::format("{} has {} values for {} flats of views whose angles {} one way: the flats' "
                             "mean is used for all views",
                             place, flats.size(), count,
                             std::is_sorted(views.begin(), views.end()) ? "run" : "do not run"),
                 place});
    return {};
  }
  std::vector<int> before;
  before.reserve(flats.size());
  for (const double angle : flats)
    before.push_back(static_cast<int>(std::lower_bound(views.begin(), views.end(), down ? -angle : angle) -
                                      views.begin()));
  return before;
}

std::vector<float> ExchangeSource::read_flats(bool reversed) {
  const auto frames = reference_frames("data_white");
  if (!frames) return {};
  std::map<int, std::vector<int>> groups;
  const auto before = views_before_flats(static_cast<std::size_t>(frames->frames()), reversed);
  const std::vector<int> there = frames->there();
  for (std::size_t n = 0; n < before.size(); ++n)
    if (std::binary_search(there.begin(), there.end(), static_cast<int>(n)))
      groups[before[n]].push_back(static_cast<int>(n));
  const auto pixels = static_cast<std::size_t>(frames->rows()) * static_cast<std::size_t>(frames->columns());
  if (groups.size() < 2 || frames->columns() != stack_.columns() || !may_keep_flats(groups.size(), pixels))
    groups = {{0, frames->there()}};
  ReferenceFrames flats = frames->as_references("flats", true);
  flats.name = [](int frame) { return fmt::format("frame {} of data_white", frame); };
  return mean_of_groups(flats, groups, flat_groups_, findings_);
}

void ExchangeSource::read_references(double white_level, bool reversed) {
  references_.saturation = stack_.highest();
  if (const auto darks = reference_frames("data_dark")) {
    ReferenceFrames frames = darks->as_references("darks", false);
    frames.name = [](int frame) { return fmt::format("frame {} of data_dark", frame); };
    references_.dark = means_of(frames, {darks->there()}, findings_)[0].counts;
  }
  if (references_.dark.empty())
    units_.find({"dark.assumed", "exchange/data_dark is absent: 0 counts without beam are assumed",
                 "exchange/data_dark"});
  references_.white =
      white_level > 0 ? std::vector<float>{static_cast<float>(white_level)} : read_flats(reversed);
  const auto& white = references_.white;
  if (std::none_of(white.begin(), white.end(), [](float count) { return count > 0; }))
    file_.refuse(ErrorKind::bad_file, "exchange/data_white is absent or holds nothing but 0",
                 {{"white-level", "", "give the open beam's counts with"}});
  expect_beam(references_, file_.path().string());
}

void ExchangeSource::describe() {
  description_.format =
      fmt::format("Data Exchange, {} beam", scan_.beam == geometry::Beam::cone ? "cone" : "parallel");
  description_.name = file_.text("/measurement/sample/name");
  if (description_.name.empty()) description_.name = file_.path().stem().string();
  description_.instrument = file_.text("/measurement/instrument/name");
  for (const char* const name : {"/exchange/title", "/implements"})
    if (const std::string text = file_.text(name); !text.empty())
      units_.note(name, text, SourceField::Use::informative);
  for (const char* const name : {"/exchange/data_shift_x", "/exchange/data_shift_y"}) {
    if (!file_.is_dataset(name)) continue;
    units_.note(name, "shifts of the views", SourceField::Use::ignored, "not used");
    units_.find({"shifts.unused", fmt::format("{} is not used", name), name});
  }
  files_ = files_of(file_, stack_);
}

bool recognises(const FileStart& start) {
  if (!looks_like_hdf5(start.path)) return false;
  try {
    const InputFile file(start.path);
    bool found = false;
    file.guarded([&] { found = file.has("/exchange/data"); });
    return found;
  } catch (const Error&) {
    return false;
  }
}

std::unique_ptr<ScanSource> open_exchange(const fs::path& path, const OpenOptions& options) {
  auto source = std::make_unique<ExchangeSource>(path, options);
  std::vector<FlatGroup> groups = source->flat_groups();
  if (groups.empty()) return source;
  return with_flats_in_time(std::move(source), std::move(groups));
}

}  // namespace

const ScanFormat exchange_format{"Data Exchange (.h5)", recognises, open_exchange};

}  // namespace feldspar::io
