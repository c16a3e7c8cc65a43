// A description and its images put together, pixels served in the orientation of scan_source.hpp.
#include "io/stack/stack_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <sstream>

#include "base/error.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "io/described_scan.hpp"
#include "io/flat_series.hpp"
#include "io/scan_sink.hpp"
#include "io/stack/projections.hpp"
#include "io/stack/stack_description.hpp"
#include "io/stack/stack_files.hpp"

namespace feldspar::io::stack {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t most = 16 << 20;  // of a description

class StackSource final : public DescribedScan {
 public:
  StackSource(const fs::path& path, StackDescription stack, const OpenOptions& options);

  [[nodiscard]] CountType count_type() const override { return info_.count_type; }
  [[nodiscard]] std::vector<fs::path> files() const override;
  void read(std::span<const int> views, const geometry::PixelWindow& window, void* counts) const override;

  /// The flats before and after the scan, where both are stated.
  [[nodiscard]] const std::vector<FlatGroup>& flat_groups() const { return flat_groups_; }

 private:
  void open_images(const OpenOptions& options);
  void find_projections(bool allow_missing);
  void place_axis();
  void read_angles(const OpenOptions& options);
  void read_shifts();
  std::vector<double> numbers_of(const NumberFile& file, int columns);
  void read_references(double white_level);
  [[nodiscard]] ReferenceFrames as_references(const std::vector<StackImage>& images, const char* kind);
  [[nodiscard]] std::vector<StackImage> references_of(const std::vector<std::string>& names,
                                                      const char* field) const;
  [[nodiscard]] std::vector<float> read_darks();
  [[nodiscard]] std::vector<float> read_flats();
  void check_size(const StackImage& image, const TiffInfo& info) const;
  [[noreturn]] void refuse(const std::string& what, const Remedies& remedies = {}) const;
  template <class Count>
  void read_transposed(const StackImage& image, const TiffInfo& info, const geometry::PixelWindow& window,
                       Count* counts) const;
  template <class Count>
  void read_view(const StackImage& image, const TiffInfo& info, const geometry::PixelWindow& window,
                 Count* counts) const;

  fs::path path_;
  StackDescription stack_;
  TiffInfo info_;  ///< of every projection
  std::vector<StackImage> projections_;
  std::vector<fs::path> beside_;  ///< angles, shifts, flats and darks
  int planned_ = 0;               ///< views with those that are missing
  bool open_end_ = false;         ///< as that of Projections
  std::vector<FlatGroup> flat_groups_;
};

StackSource::StackSource(const fs::path& path, StackDescription stack, const OpenOptions& options)
    : path_(path), stack_(std::move(stack)) {
  scan_ = stack_.scan;
  fields_ = stack_.fields;
  description_ = stack_.about;
  for (const Finding& finding : stack_.findings) findings_.push_back(finding_of_source(finding));
  findings_.insert(findings_.end(), stack_.notes.begin(), stack_.notes.end());
  if (options.pixel_pitch > 0) {
    scan_.detector.column_pitch = scan_.detector.row_pitch = options.pixel_pitch;
    findings_.push_back({"pixel-size.replaced",
                         "detector.pixel_size is replaced by the pixel size that was given",
                         "detector.pixel_size"});
    mark("detector", "pixel_size", SourceField::Use::ignored, "replaced by the pixel size that was given");
  }
  open_images(options);
  try {
    geometry::validate(scan_);
  } catch (const Error& error) {
    refuse(error.what(), error.remedies());
  }
}

/// A description that states its detector and its count of views can be shown without its images.
void StackSource::open_images(const OpenOptions& options) {
  const bool shows_without = options.headers_only && stack_.count > 0 && scan_.detector.columns > 0;
  std::optional<Error> missing;
  try {
    find_projections(options.allow_missing);
  } catch (const Error& error) {
    if (!shows_without || error.kind() != ErrorKind::io) throw;
    missing = error;
    planned_ = stack_.count;
    for (int view = 0; view < planned_; ++view) projections_.push_back({.path = path_, .index = view});
  }
  place_axis();
  read_angles(options);
  read_shifts();
  if (!missing) {
    read_references(options.white_level);
  } else {
    projections_.clear();
    findings_.push_back({"scan.unreadable", missing->what(), "", missing->remedies()});
  }
}

void StackSource::refuse(const std::string& what, const Remedies& remedies) const {
  throw Error(ErrorKind::bad_file, fmt::format("{}: {}", path_.string(), what), remedies);
}

void StackSource::find_projections(bool allow_missing) {
  Projections found = stack::find_projections(stack_, path_, allow_missing);
  projections_ = std::move(found.images);
  info_ = found.info, planned_ = found.planned, open_end_ = found.open_end;
  findings_.insert(findings_.end(), found.findings.begin(), found.findings.end());
  geometry::Detector& d = scan_.detector;
  const int columns = stack_.transposed ? info_.rows : info_.columns,
            rows = stack_.transposed ? info_.columns : info_.rows;
  if (d.columns > 0 && (d.columns != columns || d.rows != rows))
    refuse(fmt::format("states {} x {} pixels, but {} has {} x {}", d.columns, d.rows,
                       projections_[0].path.string(), columns, rows));
  d.columns = columns, d.rows = rows;
}

void StackSource::check_size(const StackImage& image, const TiffInfo& info) const {
  if (info.columns != info_.columns || info.rows != info_.rows)
    throw Error(ErrorKind::bad_file,
                fmt::format("{}: has {} x {} pixels, but {} has {} x {}", image.path.string(), info.columns,
                            info.rows, projections_[0].path.filename().string(), info_.columns, info_.rows));
}

/// A column of the images as stored becomes the axis' distance from the central ray at the object.
void StackSource::place_axis() {
  if (!stack_.has_axis) {
    findings_.push_back({"axis.unstated", "no rotation axis is stated", "axis"});
    return;
  }
  if (!stack_.has_axis_column) return;
  const geometry::Detector& d = scan_.detector;
  if (!(stack_.axis_column >= 0 && stack_.axis_column <= d.columns - 1))
    refuse(
        fmt::format("axis.column is {}, but the images have the columns 0 to {}; use axis.offset_right for "
                    "an axis beside them",
                    stack_.axis_column, d.columns - 1));
  const double from_left = stack_.seen_from_source ? stack_.axis_column : d.columns - 1 - stack_.axis_column;
  scan_.axis.offset =
      ((from_left - 0.5 * (d.columns - 1)) * d.column_pitch + d.column_offset) / scan_.magnification();
}

std::vector<double> StackSource::numbers_of(const NumberFile& file, int columns) {
  NumberTable table = read_numbers(file, columns);
  if (!table.finding.empty()) findings_.push_back({"file.read-otherwise", table.finding});
  return std::move(table.values);
}

/// A positive angle of ours turns the object counter-clockwise seen from above.
void StackSource::read_angles(const OpenOptions& options) {
  std::vector<double> turned;
  if (stack_.angle_source == AngleSource::file) {
    turned = numbers_of(stack_.angle_file, 1);
    // Of a stack that is cut off the angles say how many views there were.
    if (open_end_) planned_ = std::max(planned_, static_cast<int>(turned.size()));
  }
  const auto planned = static_cast<std::size_t>(planned_);
  if (stack_.angle_source == AngleSource::file) {
    beside_.push_back(stack_.angle_file.path);
    const auto slack = static_cast<std::size_t>(stack_.count_may_differ_by);
    if (turned.size() > planned && turned.size() - planned <= slack) turned.resize(planned);
    if (turned.size() != planned)
      throw Error(ErrorKind::bad_file,
                  fmt::format("{}: has {} angles, but there are {} projections; angles.skip_first and "
                              "angles.skip_last leave out those that belong to other images",
                              stack_.angle_file.path.string(), turned.size(), planned));
  } else {
    const bool inclusive = stack_.angle_source == AngleSource::last;
    const double reach = inclusive ? stack_.amount - stack_.start : stack_.amount;
    const auto steps = static_cast<double>(inclusive ? std::max<std::size_t>(planned - 1, 1) : planned);
    const double step = stack_.angle_source == AngleSource::step ? stack_.amount : reach / steps;
    if (step == 0 && planned > 1) refuse("angles: the step is 0, but the projections must differ in angle");
    for (std::size_t n = 0; n < planned; ++n) turned.push_back(stack_.start + static_cast<double>(n) * step);
  }
  if (options.reverse_rotation)
    findings_.push_back({"rotation.reversed", "angles.turn is reversed, as was asked", "angles.turn"});
  const double sense = stack_.clockwise != options.reverse_rotation ? -1 : 1;
  for (const StackImage& image : projections_)
    scan_.angles.push_back(sense * turned[static_cast<std::size_t>(image.index)]);
}

void StackSource::read_shifts() {
  if (stack_.shift_file.path.empty()) return;
  const std::vector<double> values = numbers_of(stack_.shift_file, 2);
  beside_.push_back(stack_.shift_file.path);
  if (values.size() != 2 * static_cast<std::size_t>(planned_))
    throw Error(ErrorKind::bad_file,
                fmt::format("{}: has {} pairs of shifts, but there are {} projections",
                            stack_.shift_file.path.string(), values.size() / 2, planned_));
  for (const StackImage& image : projections_)
    scan_.shifts.push_back({values[2 * static_cast<std::size_t>(image.index)],
                            values[2 * static_cast<std::size_t>(image.index) + 1]});
}

std::vector<StackImage> StackSource::references_of(const std::vector<std::string>& names,
                                                   const char* field) const {
  std::vector<StackImage> images = find_references(names, field, path_);
  for (StackImage& image : images) image.page.unstated = stack_.pixels;
  return images;
}

ReferenceFrames StackSource::as_references(const std::vector<StackImage>& images, const char* kind) {
  for (const StackImage& image : images) {
    check_size(image, read_tiff_info(image.path, image.page));
    if (beside_.empty() || beside_.back() != image.path) beside_.push_back(image.path);
  }
  const auto read = [this, &images](std::span<const int> frames, float* counts) {
    const geometry::PixelWindow whole{{0, scan_.detector.columns}, {0, scan_.detector.rows}};
    const auto pixels = static_cast<std::size_t>(info_.columns) * static_cast<std::size_t>(info_.rows);
    std::vector<std::uint16_t> integers(pixels);
    for (const int frame : frames) {
      const StackImage& image = images[static_cast<std::size_t>(frame)];
      const TiffInfo info = read_tiff_info(image.path, image.page);
      if (info.count_type == CountType::uint16) {
        read_view(image, info, whole, integers.data());
        std::copy(integers.begin(), integers.end(), counts);
      } else {
        read_view(image, info, whole, counts);
      }
      counts += pixels;
    }
  };
  const auto name = [&images](int frame) {
    const StackImage& image = images[static_cast<std::size_t>(frame)];
    const std::string file = image.path.filename().string();
    return image.page.directory == 0 ? file : fmt::format("image {} ({})", frame + 1, file);
  };
  return {.kind = kind,
          .open_beam = kind == std::string("flats"),
          .columns = scan_.detector.columns,
          .rows = scan_.detector.rows,
          .read = read,
          .name = name,
          .source = path_.string()};
}

std::vector<float> StackSource::read_flats() {
  if (stack_.flats.empty()) return {};
  std::vector<StackImage> flats = references_of(stack_.flats, "images.flats");
  std::map<int, std::vector<int>> groups;
  for (std::size_t n = 0; n < flats.size(); ++n) groups[0].push_back(static_cast<int>(n));
  if (!stack_.flats_after.empty())
    for (const StackImage& image : references_of(stack_.flats_after, "images.flats_after")) {
      groups[static_cast<int>(projections_.size())].push_back(static_cast<int>(flats.size()));
      flats.push_back(image);
    }
  return mean_of_groups(as_references(flats, "flats"), groups, flat_groups_, findings_);
}

std::vector<float> StackSource::read_darks() {
  if (stack_.darks.empty()) return {};
  const std::vector<StackImage> darks = references_of(stack_.darks, "images.darks");
  std::vector<int> all(darks.size());
  std::iota(all.begin(), all.end(), 0);
  return means_of(as_references(darks, "darks"), {all}, findings_)[0].counts;
}

void StackSource::read_references(double white_level) {
  references_.saturation = info_.highest;
  references_.dark = read_darks();
  if (white_level > 0)
    for (const char* const name : {"white_level", "flats", "flats_after"})
      mark("images", name, SourceField::Use::ignored, "replaced by the white level that was given");
  const double level = white_level > 0 ? white_level : stack_.white_level;
  references_.white = level > 0 ? std::vector<float>{static_cast<float>(level)} : read_flats();
  const auto& white = references_.white;
  if (white.empty())
    refuse("neither images.flats nor images.white_level is stated, so the open beam's counts are unknown",
           {{"white-level", "", "state one of them, or give"}});
  if (std::none_of(white.begin(), white.end(), [](float count) { return count > 0; }))
    refuse("images.flats hold nothing but 0", {{"white-level", "", "give the open beam's counts with"}});
  if (info_.is_signed)
    findings_.push_back(
        {"counts.signed",
         "the projections are signed integers: negative counts are taken as they are (a program that stored "
         "unsigned counts as signed ones would have made the upper half of them negative)"});
  if (stack_.darks.empty())
    findings_.push_back(
        {"dark.assumed", "images.darks is absent: 0 counts without beam are assumed", "images.darks"});
  expect_beam(references_, path_.string());
}

std::vector<fs::path> StackSource::files() const {
  std::vector<fs::path> all{path_};
  all.insert(all.end(), beside_.begin(), beside_.end());
  for (const StackImage& image : projections_)
    if (all.back() != image.path) all.push_back(image.path);
  return all;
}

/// Stored rows are our columns: all that the window's columns are on are read, and turned.
template <class Count>
void StackSource::read_transposed(const StackImage& image, const TiffInfo& info,
                                  const geometry::PixelWindow& window, Count* counts) const {
  const bool reversed = stack_.top_row_first, mirrored = !stack_.seen_from_source;
  const geometry::Range columns = window.columns;
  const geometry::Range stored =
      mirrored ? geometry::Range{info.rows - columns.end, info.rows - columns.first} : columns;
  const auto width = static_cast<std::size_t>(info.columns);
  std::vector<Count> whole_rows(static_cast<std::size_t>(columns.count()) * width);
  read_tiff_rows(image.path, info, stored, whole_rows.data(), image.page);
  for (int row = window.rows.first; row < window.rows.end; ++row) {
    const auto at = static_cast<std::size_t>(reversed ? info.columns - 1 - row : row);
    for (int n = 0; n < columns.count(); ++n)
      *counts++ = whole_rows[static_cast<std::size_t>(mirrored ? columns.count() - 1 - n : n) * width + at];
  }
}

template <class Count>
void StackSource::read_view(const StackImage& image, const TiffInfo& info,
                            const geometry::PixelWindow& window, Count* counts) const {
  if (stack_.transposed) return read_transposed(image, info, window, counts);
  const bool flipped = stack_.top_row_first, mirrored = !stack_.seen_from_source;
  const int columns = window.columns.count(), rows = window.rows.count();
  const geometry::Range stored =
      flipped ? geometry::Range{info.rows - window.rows.end, info.rows - window.rows.first} : window.rows;
  const auto width = static_cast<std::size_t>(info.columns);
  std::vector<Count> whole_rows(static_cast<std::size_t>(rows) * width);
  read_tiff_rows(image.path, info, stored, whole_rows.data(), image.page);
  const int first = mirrored ? info.columns - window.columns.end : window.columns.first;
  for (int row = 0; row < rows; ++row, counts += columns) {
    const Count* const from =
        whole_rows.data() + static_cast<std::size_t>(flipped ? rows - 1 - row : row) * width + first;
    if (mirrored)
      std::reverse_copy(from, from + columns, counts);
    else
      std::copy(from, from + columns, counts);
  }
}

void StackSource::read(std::span<const int> views, const geometry::PixelWindow& window, void* counts) const {
  if (projections_.empty())
    throw Error(ErrorKind::io,
                fmt::format("{}: its projections were not found, so no pixel can be read", path_.string()));
  expects(window.columns.first >= 0 && window.columns.end <= scan_.detector.columns &&
              window.rows.first >= 0 && window.rows.end <= scan_.detector.rows,
          "StackSource::read: window outside the detector");
  if (window.columns.empty() || window.rows.empty()) return;
  const std::size_t size =
      static_cast<std::size_t>(window.columns.count()) * static_cast<std::size_t>(window.rows.count());
  for (std::size_t n = 0; n < views.size(); ++n) {
    const StackImage& image = projections_.at(static_cast<std::size_t>(views[n]));
    if (info_.count_type == CountType::uint16)
      read_view(image, info_, window, static_cast<std::uint16_t*>(counts) + n * size);
    else
      read_view(image, info_, window, static_cast<float*>(counts) + n * size);
  }
}

/// A text with the key at the beginning of a line.
bool recognises(const FileStart& file) {
  const std::string key(key_of_scans);
  return file.bytes.find('\0') == std::string::npos &&
         (file.bytes.starts_with(key) || file.bytes.find("\n" + key) != std::string::npos);
}

std::unique_ptr<ScanSource> open(const fs::path& path, const OpenOptions& options) {
  return open_described(path, parse_stack(read_text(path, most), path), options);
}

}  // namespace

std::unique_ptr<ScanSource> open_described(const fs::path& path, StackDescription stack,
                                           const OpenOptions& options) {
  auto source = std::make_unique<StackSource>(path, std::move(stack), options);
  std::vector<FlatGroup> groups = source->flat_groups();
  if (groups.empty()) return source;
  return with_flats_in_time(std::move(source), std::move(groups));
}

const ScanFormat format{"TIFF stack with a description (scan.toml)", recognises, open};

}  // namespace feldspar::io::stack
