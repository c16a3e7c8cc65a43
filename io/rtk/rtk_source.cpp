// A geometry and its projections put together. Float projections are line integrals, as RTK takes them.
#include "io/rtk/rtk_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>
#include <vector>

#include "base/error.hpp"
#include "base/text.hpp"
#include "io/described_scan.hpp"
#include "io/rtk/circular_geometry.hpp"
#include "io/rtk/meta_image.hpp"
#include "io/zeiss/random_access_file.hpp"

namespace feldspar::io::rtk {
namespace {

namespace fs = std::filesystem;

// Counts that a line integral of 0 is delivered as: from there to the one count that a pixel without signal
// is taken for, line integrals of up to 69 fit, and simulated ones go far.
constexpr float open_beam = 1e30F;

constexpr std::uintmax_t most = 256 << 20;  // of a geometry

/// The stack of the geometry's own name, else the only one in its folder.
fs::path find_projections(const fs::path& geometry) {
  std::vector<fs::path> all;
  std::error_code error;
  const fs::path folder = geometry.has_parent_path() ? geometry.parent_path() : ".";
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const fs::path& path = entry->path();
    if (path.extension() != ".mha" && path.extension() != ".mhd") continue;
    if (path.stem() == geometry.stem()) return path;
    all.push_back(path);
  }
  if (all.size() == 1) return all.front();
  throw Error(ErrorKind::io,
              fmt::format("{}: {} .mha or .mhd in {} with its projections; put one there, named {}.mha",
                          geometry.string(), all.empty() ? "there is no" : "there are several",
                          folder.string(), geometry.stem().string()));
}

class RtkSource final : public DescribedScan {
 public:
  RtkSource(const fs::path& geometry, const OpenOptions& options);

  [[nodiscard]] CountType count_type() const override {
    return image_.floats ? CountType::float32 : CountType::uint16;
  }
  [[nodiscard]] std::vector<fs::path> files() const override { return files_; }
  void read(std::span<const int> views, const geometry::PixelWindow& window, void* counts) const override;

 private:
  void take_counts(double white_level);

  std::vector<fs::path> files_;
  MetaImage image_;
  bool line_integrals_ = false;
  std::unique_ptr<zeiss::RandomAccessFile> pixels_;
};

RtkSource::RtkSource(const fs::path& geometry, const OpenOptions& options) {
  const std::string text = read_text(geometry, most);
  const std::vector<Projection> projections = parse_geometry(text, geometry);
  const fs::path stack = find_projections(geometry);
  image_ = read_meta_image(stack);
  fields_ = fields_of(text);
  fields_.insert(fields_.end(), image_.fields.begin(), image_.fields.end());
  if (static_cast<std::size_t>(image_.views) != projections.size())
    throw Error(ErrorKind::bad_file,
                fmt::format("{}: describes {} projections, but {} holds {}", geometry.string(),
                            projections.size(), stack.string(), image_.views));
  if (options.pixel_pitch > 0) {
    image_.grid.spacing_x = image_.grid.spacing_y = options.pixel_pitch;
    findings_.push_back({"pixel-size.replaced",
                         fmt::format("{}: ElementSpacing is replaced by the pixel size that was given",
                                     stack.filename().string()),
                         "ElementSpacing"});
  }
  if (options.pixel_pitch > 0)
    mark(stack.filename().string(), "ElementSpacing", SourceField::Use::ignored,
         "replaced by the pixel size that was given");
  scan_ = to_scan(projections, image_.grid, geometry);
  if (scan_.beam == geometry::Beam::parallel)
    mark("geometry", "SourceToIsocenterDistance", SourceField::Use::ignored, "the beam is parallel");
  if (options.reverse_rotation) {
    for (double& angle : scan_.angles) angle = -angle;
    findings_.push_back({"rotation.reversed",
                         fmt::format("{}: GantryAngle is taken the other way round, as was asked",
                                     geometry.filename().string()),
                         "GantryAngle"});
  }
  if (const double height = height_of_source(projections.front()); height != 0)
    findings_.push_back(
        {"geometry.height",
         fmt::format(
             "{}: SourceOffsetY is not 0, and heights are counted from the source: RTK's are {:.6g} mm more",
             geometry.filename().string(), height),
         "SourceOffsetY"});
  files_ = {geometry, stack};
  if (image_.pixels != stack) files_.push_back(image_.pixels);
  pixels_ = std::make_unique<zeiss::RandomAccessFile>(image_.pixels);
  description_.format = "RTK geometry";
  description_.name = stack.stem().string();
  take_counts(options.white_level);
}

void RtkSource::take_counts(double white_level) {
  const std::string name = files_[1].filename().string();
  if (!image_.floats && !(white_level > 0))
    throw Error(
        ErrorKind::bad_file,
        fmt::format("{}: holds counts (MET_USHORT), but not those of the open beam", files_[1].string()),
        {{"white-level", "", "give them with"}});
  line_integrals_ = image_.floats && !(white_level > 0);
  references_.white = {line_integrals_ ? open_beam : static_cast<float>(white_level)};
  if (!image_.floats) references_.saturation = 65535;
  if (line_integrals_)
    findings_.push_back({"counts.taken",
                         fmt::format("{}: its numbers (MET_FLOAT) are taken for line integrals", name),
                         "ElementType",
                         {{"white-level", "", "if they are counts, give those of the open beam with"}}});
  else
    findings_.push_back({"dark.assumed",
                         fmt::format("{}: its numbers are taken for counts, 0 of them without beam", name),
                         "ElementType"});
}

void RtkSource::read(std::span<const int> views, const geometry::PixelWindow& window, void* counts) const {
  const auto width = static_cast<std::size_t>(image_.grid.columns);
  const auto height = static_cast<std::size_t>(image_.grid.rows);
  expects(window.columns.first >= 0 && window.columns.end <= image_.grid.columns && window.rows.first >= 0 &&
              window.rows.end <= image_.grid.rows,
          "RtkSource::read: window outside the detector");
  if (window.columns.empty() || window.rows.empty()) return;
  const std::size_t bytes = image_.floats ? 4 : 2, rows = static_cast<std::size_t>(window.rows.count());
  const auto columns = static_cast<std::size_t>(window.columns.count());
  std::vector<unsigned char> stored(rows * width * bytes);
  auto* out = static_cast<unsigned char*>(counts);
  for (const int view : views) {
    expects(view >= 0 && view < image_.views, "RtkSource::read: no such view");
    const std::uint64_t row =
        static_cast<std::uint64_t>(view) * height + static_cast<std::uint64_t>(window.rows.first);
    pixels_->read(image_.offset + row * width * bytes, stored.data(), stored.size());
    if (image_.swapped)
      for (std::size_t n = 0; n < stored.size(); n += bytes)
        std::reverse(stored.begin() + static_cast<std::ptrdiff_t>(n),
                     stored.begin() + static_cast<std::ptrdiff_t>(n + bytes));
    for (std::size_t n = 0; n < rows; ++n, out += columns * bytes)
      std::copy_n(stored.data() + (n * width + static_cast<std::size_t>(window.columns.first)) * bytes,
                  columns * bytes, out);
  }
  if (line_integrals_) {
    auto* const values = static_cast<float*>(counts);
    for (std::size_t n = 0; n < views.size() * rows * columns; ++n)
      values[n] = open_beam * std::exp(-values[n]);
  }
  pixels_->expect_unchanged();
}

bool recognises(const FileStart& file) {
  return file.bytes.find("RTKThreeDCircularGeometry") != std::string::npos ||
         file.bytes.find("RTKGeometry") != std::string::npos;
}

std::unique_ptr<ScanSource> open(const fs::path& path, const OpenOptions& options) {
  return std::make_unique<RtkSource>(path, options);
}

}  // namespace

const ScanFormat format{"RTK geometry (.xml) with a MetaImage", recognises, open};

}  // namespace feldspar::io::rtk
