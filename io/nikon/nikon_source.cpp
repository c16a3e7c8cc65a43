// Puts the pieces of a Nikon scan together and serves its pixels in the orientation of scan_source.hpp.
#include "io/nikon/nikon_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <system_error>
#include <utility>

#include "base/error.hpp"
#include "io/nikon/angle_file.hpp"
#include "io/nikon/ct_profile.hpp"
#include "io/nikon/half_turn.hpp"
#include "io/nikon/projection_files.hpp"
#include "io/nikon/xtekct.hpp"
#include "io/nikon/xtekct_review.hpp"
#include "io/nikon/xtekct_scan.hpp"
#include "io/numbered_names.hpp"
#include "io/tiff/tiff_file.hpp"

namespace feldspar::io::nikon {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t most = 16 << 20;  // of a text: far beyond any list of angles

/// What tells that a file was replaced or written to.
struct Stamp {
  std::uintmax_t size = 0;
  fs::file_time_type time;
  friend bool operator==(const Stamp&, const Stamp&) = default;
};

Stamp stamp_of(const fs::path& path) {
  std::error_code error;
  Stamp stamp;
  stamp.size = fs::file_size(path, error);
  if (!error) stamp.time = fs::last_write_time(path, error);
  if (error)
    throw Error(ErrorKind::io, fmt::format("{}: cannot be read: {}", path.string(), error.message()));
  return stamp;
}

class NikonSource final : public ScanSource {
 public:
  NikonSource(const fs::path& path, const OpenOptions& options);

  [[nodiscard]] const geometry::CircularScan& scan() const override { return scan_; }
  [[nodiscard]] const ScanDescription& description() const override { return description_; }
  [[nodiscard]] const std::vector<SourceField>& fields() const override { return fields_; }
  [[nodiscard]] const Findings& findings() const override { return findings_; }
  [[nodiscard]] const References& references() const override { return references_; }
  [[nodiscard]] const ProposedGrid& proposed_grid() const override { return grid_; }
  [[nodiscard]] CountType count_type() const override { return info_.count_type; }
  [[nodiscard]] std::vector<fs::path> files() const override;
  void read(std::span<const int> views, const geometry::PixelWindow& window, void* counts) const override;

  void add_finding(Finding finding) { findings_.push_back(std::move(finding)); }

 private:
  struct Projection {
    fs::path path;
    Stamp stamp;
  };

  static void expect_unchanged(const Projection& projection) {
    if (stamp_of(projection.path) != projection.stamp)
      throw Error(ErrorKind::io,
                  fmt::format("{}: changed while the scan was open; wait until the scan is complete",
                              projection.path.string()));
  }
  [[nodiscard]] std::vector<double> stage_angles(const XtekctFile& file, const OpenOptions& options);
  void read_profile(const XtekctFile& file);
  void open_projections(const XtekctFile& file, const OpenOptions& options);
  [[nodiscard]] std::vector<int> check_projections(const std::vector<ProjectionFile>& found,
                                                   bool allow_unreadable);
  void check_size(const fs::path& path, const TiffInfo& info) const;
  template <class Count>
  void read_view(const Projection& projection, const geometry::PixelWindow& window, Count* counts) const;

  geometry::CircularScan scan_;
  ScanDescription description_;
  std::vector<SourceField> fields_;
  Findings findings_;
  References references_;
  ProposedGrid grid_;
  bool angles_measured_ = false;         ///< and used instead of AngularStep
  TiffInfo info_;                        ///< of every projection
  std::vector<fs::path> texts_;          ///< the .xtekct and what was used beside it
  std::vector<Projection> projections_;  ///< one a view; empty when they were not found
};

NikonSource::NikonSource(const fs::path& path, const OpenOptions& options) : texts_{path} {
  const XtekctFile file = parse_xtekct(read_text(path, most), path);
  const std::vector<double> angles = stage_angles(file, options);
  scan_ = to_scan(file, angles, options.reverse_rotation ? Turn::counter_clockwise : Turn::clockwise,
                  options.pixel_pitch);
  const double white = white_level(file, options.white_level);
  references_.white = {static_cast<float>(white)};
  grid_ = nikon::proposed_grid(file);
  description_ = describe(file);

  Review reviewed = review(file, scan_,
                           {.white_level = options.white_level > 0,
                            .pixel_size = options.pixel_pitch > 0,
                            .angles = angles_measured_});
  fields_ = std::move(reviewed.fields);
  findings_.insert(findings_.begin(), reviewed.findings.begin(), reviewed.findings.end());
  if (options.reverse_rotation)
    findings_.push_back(
        {"rotation.reversed",
         fmt::format("{}: the object is taken to turn counter-clockwise seen from above, against Nikon's "
                     "convention, as was asked",
                     path.filename().string())});
  if (options.pixel_pitch > 0)
    findings_.push_back({"pixel-size.replaced",
                         fmt::format("{}: DetectorPixelSizeX and DetectorPixelSizeY, {} and {} mm, are "
                                     "replaced by the pixel size that was given",
                                     path.filename().string(), file.text("DetectorPixelSizeX"),
                                     file.text("DetectorPixelSizeY")),
                         "DetectorPixelSizeX"});
  read_profile(file);
  try {
    open_projections(file, options);
  } catch (const Error& error) {
    if (!options.headers_only) throw;
    projections_.clear();
    findings_.push_back({"scan.unreadable", error.what(), "", error.remedies()});
  }
}

std::vector<double> NikonSource::stage_angles(const XtekctFile& file, const OpenOptions& options) {
  const bool demanded = same_letters(file.text("AngleFile_Use", "CTPro"), "True");
  const std::string name = file.text("Name").empty() ? file.path.stem().string() : file.text("Name");
  const fs::path path = find_angle_file(file.path.parent_path(), name);
  if (options.angles == "file" && path.empty())
    throw Error(ErrorKind::bad_file,
                fmt::format("{}: there is no file of measured angles (_ctdata.txt or {}.ang) beside it",
                            file.path.string(), name),
                {{"angles", "nominal"}});
  const bool measured = options.angles == "file" || (options.angles == "auto" && demanded && !path.empty());
  if (demanded && !measured)
    findings_.push_back(
        {"angles.nominal",
         fmt::format("{}: AngleFile_Use is True, but AngularStep is used, because {}",
                     file.path.filename().string(),
                     path.empty() ? fmt::format("there is no _ctdata.txt or {}.ang beside it", name)
                                  : "the nominal angles were asked for"),
         "AngleFile_Use"});
  const bool has_step = file.number("AngularStep").value_or(0) != 0;
  std::vector<double> nominal = measured && !has_step
                                    ? std::vector<double>(static_cast<std::size_t>(projection_count(file)))
                                    : nominal_stage_angles(file);
  if (path.empty()) return nominal;
  try {
    MeasuredAngles angles = match_angles(parse_angle_file(read_text(path, most), path), nominal);
    findings_.insert(findings_.end(), angles.findings.begin(), angles.findings.end());
    if (!measured) return nominal;
    texts_.push_back(path);
    angles_measured_ = true;
    findings_.push_back(
        {"angles.measured",
         fmt::format("{}: the measured angles are used instead of AngularStep{}", path.filename().string(),
                     options.angles == "auto" ? ", as AngleFile_Use demands" : ""),
         "AngularStep"});
    return std::move(angles.degrees);
  } catch (const Error& error) {
    if (measured)
      throw Error(error, error.what(), {{"angles", "nominal", "to use AngularStep instead, give"}});
    findings_.push_back(
        {"angles.unused", fmt::format("{} (AngularStep is used, so this does not matter)", error.what())});
    return nominal;
  }
}

void NikonSource::read_profile(const XtekctFile& file) {
  const fs::path folder = file.path.parent_path();
  for (const fs::path& stem : {file.path.stem(), fs::path(file.text("Name"))}) {
    const fs::path path = folder / (stem.string() + ".ctprofile.xml");
    if (std::error_code unreadable; !fs::is_regular_file(path, unreadable)) continue;
    const CtProfile profile = parse_ct_profile(read_text(path, most), path, file);
    texts_.push_back(path);
    fields_.insert(fields_.end(), profile.fields.begin(), profile.fields.end());
    findings_.insert(findings_.end(), profile.findings.begin(), profile.findings.end());
    description_.exposure_s = profile.exposure_s;
    return;
  }
}

void NikonSource::open_projections(const XtekctFile& file, const OpenOptions& options) {
  const auto found = find_projections(file, static_cast<int>(scan_.angles.size()), options.allow_missing);
  findings_.insert(findings_.end(), found.findings.begin(), found.findings.end());
  const std::vector<int> views = check_projections(found.projections, options.allow_missing);

  references_.saturation = info_.highest;
  if (info_.highest > 0 && references_.white.front() > info_.highest)
    throw Error(
        ErrorKind::bad_file,
        fmt::format("{}: WhiteLevel is {}, but the pixels of {} hold at most {}", file.path.string(),
                    references_.white.front(), projections_.front().path.filename().string(), info_.highest),
        {{"white-level", "", "give the open beam's counts with"}});
  std::vector<double> angles;
  angles.reserve(views.size());
  for (const int view : views) angles.push_back(scan_.angles[view]);
  scan_.angles = std::move(angles);
}

/// The views whose projections can be read. Files of the wrong size are damaged; pixels of another type are
/// another scan's, and never left out.
std::vector<int> NikonSource::check_projections(const std::vector<ProjectionFile>& found,
                                                bool allow_unreadable) {
  std::vector<int> views, unreadable;
  std::string first_complaint;
  for (const ProjectionFile& file : found) {
    TiffInfo info;
    Stamp stamp;
    try {
      stamp = stamp_of(file.path);
      info = read_tiff_info(file.path);
      check_size(file.path, info);
      if (allow_unreadable) check_tiff_pixels(file.path);
    } catch (const Error& error) {
      if (!allow_unreadable)
        throw Error(error, error.what(), {{"allow-missing", "", "to leave its view out, give"}});
      if (views.empty() && &file == &found.back()) throw;  // none is left
      if (unreadable.empty()) first_complaint = error.what();
      unreadable.push_back(file.index + 1);
      continue;
    }
    if (info.is_signed)
      throw Error(ErrorKind::unsupported,
                  fmt::format("{}: its pixels are signed integers, but Nikon's are unsigned; save the "
                              "projections as 16-bit unsigned TIFFs",
                              file.path.string()));
    if (projections_.empty()) info_ = info;
    if (info != info_)
      throw Error(ErrorKind::bad_file,
                  fmt::format("{}: its pixels are of another type than those of {}", file.path.string(),
                              projections_.front().path.filename().string()));
    projections_.push_back({file.path, stamp});
    views.push_back(file.index);
  }
  if (!unreadable.empty())
    findings_.push_back(
        {"views.unusable",
         fmt::format("{} of {} projections cannot be used and are left out: {} (the first: {})",
                     unreadable.size(), found.size(), format_numbers(unreadable), first_complaint)});
  return views;
}

void NikonSource::check_size(const fs::path& path, const TiffInfo& info) const {
  if (info.columns != scan_.detector.columns || info.rows != scan_.detector.rows)
    throw Error(
        ErrorKind::bad_file,
        fmt::format("{}: has {} x {} pixels, but {} has DetectorPixelsX = {} and DetectorPixelsY = {}",
                    path.string(), info.columns, info.rows, texts_.front().filename().string(),
                    scan_.detector.columns, scan_.detector.rows));
}

std::vector<fs::path> NikonSource::files() const {
  std::vector<fs::path> all = texts_;
  for (const Projection& projection : projections_) all.push_back(projection.path);
  return all;
}

template <class Count>
void NikonSource::read_view(const Projection& projection, const geometry::PixelWindow& window,
                            Count* counts) const {
  // Stored rows run from the top and stored columns from the right as seen from the source, ours from the
  // bottom and from the left: the wanted rows are the last ones seen from the other end, and the block is
  // turned half around.
  const geometry::Range stored{info_.rows - window.rows.end, info_.rows - window.rows.first};
  const int columns = window.columns.count(), rows = window.rows.count();
  if (columns == info_.columns) {
    read_tiff_rows(projection.path, info_, stored, counts);
    half_turn_in_place(counts, columns, rows);
  } else {
    std::vector<Count> whole_rows(static_cast<std::size_t>(rows) * static_cast<std::size_t>(info_.columns));
    read_tiff_rows(projection.path, info_, stored, whole_rows.data());
    const Count* const first = whole_rows.data() + (info_.columns - window.columns.end);
    half_turn(first, info_.columns, columns, rows, counts);
  }
  expect_unchanged(projection);
}

void NikonSource::read(std::span<const int> views, const geometry::PixelWindow& window, void* counts) const {
  if (projections_.empty())
    throw Error(ErrorKind::io, fmt::format("{}: its projections were not found, so no pixel can be read",
                                           texts_.front().string()));
  const bool inside = window.columns.first >= 0 && window.columns.end <= info_.columns &&
                      window.rows.first >= 0 && window.rows.end <= info_.rows;
  expects(inside, "NikonSource::read: window outside the detector");
  if (window.columns.empty() || window.rows.empty()) return;
  const std::size_t size =
      static_cast<std::size_t>(window.columns.count()) * static_cast<std::size_t>(window.rows.count());
  for (std::size_t n = 0; n < views.size(); ++n) {
    expects(views[n] >= 0 && static_cast<std::size_t>(views[n]) < projections_.size(),
            "NikonSource::read: no such view");
    const Projection& projection = projections_[views[n]];
    if (info_.count_type == CountType::uint16)
      read_view(projection, window, static_cast<std::uint16_t*>(counts) + n * size);
    else
      read_view(projection, window, static_cast<float*>(counts) + n * size);
  }
}

bool has_extension(const fs::path& path, std::string_view extension) {
  return same_letters(path.extension().string(), extension);
}

/// A file of that name without the text is a damaged one.
bool recognises(const FileStart& file) {
  return looks_like_xtekct(file.bytes) || has_extension(file.path, ".xtekct");
}

/// Nikon's other trajectories have files of their own, with the same kind of text.
std::unique_ptr<ScanSource> open(const fs::path& xtekct, const OpenOptions& options) {
  for (const char* const other : {".xtekhelixct", ".xtek2dct"})
    if (has_extension(xtekct, other))
      throw Error(ErrorKind::unsupported,
                  fmt::format("{}: {} is no circular cone-beam scan, and no other can be reconstructed yet",
                              xtekct.string(), other));
  return std::make_unique<NikonSource>(xtekct, options);
}

/// Throws unless `other` describes the scan that `chosen` does.
void require_alike(const XtekctFile& chosen, const fs::path& other) {
  const std::string difference = first_difference(chosen, parse_xtekct(read_text(other, most), other));
  if (!difference.empty())
    throw Error(ErrorKind::usage,
                fmt::format("{}: {} and {} describe different scans ({} differs); give the file that is "
                            "meant instead of its folder",
                            chosen.path.parent_path().string(), chosen.path.filename().string(),
                            other.filename().string(), difference));
}

std::unique_ptr<ScanSource> choose(const std::vector<fs::path>& xtekcts, const OpenOptions& options) {
  const fs::path& first = xtekcts.front();
  const XtekctFile chosen = parse_xtekct(read_text(first, most), first);
  std::string others;
  for (std::size_t n = 1; n < xtekcts.size(); ++n) {
    require_alike(chosen, xtekcts[n]);
    others += (n > 1 ? ", " : "") + xtekcts[n].filename().string();
  }
  auto source = std::make_unique<NikonSource>(first, options);
  if (!others.empty())
    source->add_finding(
        {"scan.duplicate", fmt::format("{}: the folder also holds {}, which describe the same scan",
                                       first.filename().string(), others)});
  return source;
}

}  // namespace

const ScanFormat format{"Nikon X-Tek CT (.xtekct)", recognises, open, choose};

}  // namespace feldspar::io::nikon
