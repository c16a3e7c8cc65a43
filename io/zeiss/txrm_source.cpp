// Puts the pieces of a .txrm file together and serves its pixels: rows lie bottom-up, as they are wanted.
#include "io/zeiss/txrm_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/error.hpp"
#include "io/zeiss/compound_file.hpp"
#include "io/zeiss/txrm_header.hpp"
#include "io/zeiss/txrm_references.hpp"
#include "io/zeiss/txrm_review.hpp"
#include "io/zeiss/txrm_scan.hpp"

namespace feldspar::io::zeiss {
namespace {

class TxrmSource final : public ScanSource {
 public:
  TxrmSource(const std::filesystem::path& path, const OpenOptions& options);

  [[nodiscard]] const geometry::CircularScan& scan() const override { return scan_; }
  [[nodiscard]] const ScanDescription& description() const override { return description_; }
  [[nodiscard]] const std::vector<SourceField>& fields() const override { return fields_; }
  [[nodiscard]] const Findings& findings() const override { return findings_; }
  [[nodiscard]] const References& references() const override { return references_; }
  [[nodiscard]] const ProposedGrid& proposed_grid() const override { return grid_; }
  [[nodiscard]] CountType count_type() const override {
    return type_ == PixelType::uint16 && factors_.empty() ? CountType::uint16 : CountType::float32;
  }
  [[nodiscard]] std::vector<std::filesystem::path> files() const override { return files_; }
  void read(std::span<const int> views, const geometry::PixelWindow& window, void* counts) const override;

 private:
  void locate_images(const TxrmHeader& header, bool allow_missing);
  void expect_apart() const;
  void keep(const std::vector<int>& views);
  void read_rows(const Extents& image, const geometry::PixelWindow& window, void* out) const;
  void read_scaled(const Extents& image, const geometry::PixelWindow& window, float factor, float* out) const;

  CompoundFile file_;
  std::vector<std::filesystem::path> files_;  ///< the scan, and its reference where that is another file
  geometry::CircularScan scan_;
  ScanDescription description_;
  std::vector<SourceField> fields_;
  Findings findings_;
  References references_;
  ProposedGrid grid_;
  PixelType type_ = PixelType::uint16;
  std::vector<Extents> images_;  ///< one a view; empty when only headers were wanted and pixels are unusable
  std::vector<float> factors_;   ///< of the counts; empty or one a view
};

TxrmSource::TxrmSource(const std::filesystem::path& path, const OpenOptions& options)
    : file_(path), files_{path} {
  if (!looks_like_txrm(file_))
    throw Error(
        ErrorKind::unsupported,
        fmt::format("{}: is a compound file, but none of an Xradia microscope (ImageInfo/ImageWidth is "
                    "absent)",
                    path.string()));
  const TxrmHeader header = read_txrm_header(file_);
  description_ = describe(file_, header);
  scan_ = to_scan(header, options.reverse_rotation, findings_);
  findings_.push_back({"axis.unstated", "no rotation axis is stated in a way that is confirmed"});
  if (options.reverse_rotation)
    findings_.push_back(
        {"rotation.reversed",
         fmt::format("{}: the object is taken to turn against Zeiss's convention, as was asked",
                     path.filename().string())});
  OpenBeam beam;
  try {
    if (const std::string why = why_no_scan(header); !why.empty()) throw Error(ErrorKind::unsupported, why);
    if (*header.data_type == static_cast<int>(PixelType::float32)) type_ = PixelType::float32;
    beam = open_beam(file_, header, options, findings_);
    references_.white = beam.white;
    if (!beam.file.empty()) files_.push_back(beam.file);
    factors_ = beam.factors;
    if (count_type() == CountType::uint16) references_.saturation = 65535;
    locate_images(header, options.allow_missing);
  } catch (const Error& error) {
    if (!options.headers_only) throw;
    images_.clear();
    findings_.push_back({"scan.unreadable", error.what(), "", error.remedies()});
  }
  Review reviewed = review(file_, header, scan_, beam);
  fields_ = std::move(reviewed.fields);
  findings_.insert(findings_.end(), reviewed.findings.begin(), reviewed.findings.end());
}

void TxrmSource::locate_images(const TxrmHeader& header, bool allow_missing) {
  const std::uint64_t bytes =
      static_cast<std::uint64_t>(header.columns) * static_cast<std::uint64_t>(header.rows) * bytes_of(type_);
  std::vector<int> views;
  std::string first_complaint;
  for (int n = 0; n < header.taken; ++n) {
    try {
      const std::string name = image_stream(n + 1);
      const CompoundFile::Stream* const stream = file_.find(name);
      if (!stream)
        throw Error(ErrorKind::bad_file, fmt::format("{}: {} is absent, but {} images were taken",
                                                     file_.path().string(), name, header.taken));
      if (stream->size != bytes)
        throw Error(ErrorKind::bad_file,
                    fmt::format("{}: {} has {} bytes, but {} x {} pixels of {} bytes were expected",
                                file_.path().string(), name, stream->size, header.columns, header.rows,
                                bytes_of(type_)));
      images_.push_back(file_.locate(*stream));
      views.push_back(n);
    } catch (const Error& error) {
      if (!allow_missing || error.kind() != ErrorKind::bad_file)
        throw Error(error, error.what(), {{"allow-missing", "", "to leave its view out, give"}});
      if (first_complaint.empty()) first_complaint = error.what();
    }
  }
  if (views.empty()) throw Error(ErrorKind::bad_file, first_complaint);
  expect_apart();
  if (views.size() == static_cast<std::size_t>(header.taken)) return;
  findings_.push_back(
      {"views.unusable",
       fmt::format("{} of {} images cannot be used and are left out (the first: {})",
                   header.taken - static_cast<int>(views.size()), header.taken, first_complaint)});
  keep(views);
}

/// A damaged table can lead two images to the same bytes.
void TxrmSource::expect_apart() const {
  std::vector<Extent> all;
  for (const Extents& image : images_) all.insert(all.end(), image.begin(), image.end());
  std::sort(all.begin(), all.end(), [](const Extent& a, const Extent& b) { return a.offset < b.offset; });
  for (std::size_t n = 1; n < all.size(); ++n)
    if (all[n].offset < all[n - 1].offset + all[n - 1].bytes)
      throw Error(
          ErrorKind::bad_file,
          fmt::format("{}: two images claim the same bytes at {}; the file is damaged, copy it again from "
                      "the instrument",
                      file_.path().string(), all[n].offset));
}

void TxrmSource::keep(const std::vector<int>& views) {
  const auto select = [&](auto& values) {
    if (values.empty()) return;
    for (std::size_t n = 0; n < views.size(); ++n) values[n] = values[static_cast<std::size_t>(views[n])];
    values.resize(views.size());
  };
  select(scan_.angles);
  select(scan_.shifts);
  select(factors_);
}

/// Whole rows lie in one piece; parts of rows are read one by one.
void TxrmSource::read_rows(const Extents& image, const geometry::PixelWindow& window, void* out) const {
  const std::size_t pixel = bytes_of(type_), row = pixel * static_cast<std::size_t>(scan_.detector.columns);
  const std::size_t part = pixel * static_cast<std::size_t>(window.columns.count());
  const std::uint64_t first = static_cast<std::uint64_t>(window.rows.first) * row;
  if (part == row) {
    file_.read(image, first, out, row * static_cast<std::size_t>(window.rows.count()));
    return;
  }
  const std::uint64_t left = pixel * static_cast<std::uint64_t>(window.columns.first);
  for (int n = 0; n < window.rows.count(); ++n)
    file_.read(image, first + static_cast<std::uint64_t>(n) * row + left,
               static_cast<char*>(out) + static_cast<std::size_t>(n) * part, part);
}

void TxrmSource::read_scaled(const Extents& image, const geometry::PixelWindow& window, float factor,
                             float* out) const {
  const std::size_t pixels =
      static_cast<std::size_t>(window.columns.count()) * static_cast<std::size_t>(window.rows.count());
  if (type_ == PixelType::float32) {
    read_rows(image, window, out);
    for (std::size_t n = 0; n < pixels; ++n) out[n] *= factor;
    return;
  }
  std::vector<std::uint16_t> stored(pixels);
  read_rows(image, window, stored.data());
  for (std::size_t n = 0; n < pixels; ++n) out[n] = factor * static_cast<float>(stored[n]);
}

void TxrmSource::read(std::span<const int> views, const geometry::PixelWindow& window, void* counts) const {
  if (images_.empty())
    throw Error(ErrorKind::io,
                fmt::format("{}: its images cannot be used, so no pixel can be read", file_.path().string()));
  const bool inside = window.columns.first >= 0 && window.columns.end <= scan_.detector.columns &&
                      window.rows.first >= 0 && window.rows.end <= scan_.detector.rows;
  expects(inside, "TxrmSource::read: window outside the detector");
  if (window.columns.empty() || window.rows.empty()) return;
  const std::size_t pixels =
      static_cast<std::size_t>(window.columns.count()) * static_cast<std::size_t>(window.rows.count());
  for (std::size_t n = 0; n < views.size(); ++n) {
    const auto view = static_cast<std::size_t>(views[n]);
    expects(views[n] >= 0 && view < images_.size(), "TxrmSource::read: no such view");
    char* const out = static_cast<char*>(counts) + n * pixels * io::bytes_of(count_type());
    if (factors_.empty())
      read_rows(images_[view], window, out);
    else
      read_scaled(images_[view], window, factors_[view], reinterpret_cast<float*>(out));
  }
  file_.expect_unchanged();
}

bool recognises(const FileStart& start) { return looks_like_compound_file(start.bytes); }

std::unique_ptr<ScanSource> open_txrm(const std::filesystem::path& path, const OpenOptions& options) {
  return std::make_unique<TxrmSource>(path, options);
}

}  // namespace

/// Every image's place is checked. Single images, focus series, mosaics and reconstructions are refused with
/// Error(unsupported), unless only their headers are wanted.
const ScanFormat format{"Zeiss Xradia (.txrm)", recognises, open_txrm};

}  // namespace feldspar::io::zeiss
