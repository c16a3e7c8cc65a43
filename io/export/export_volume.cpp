#include "io/export/export_volume.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/error.hpp"
#include "base/units.hpp"
#include "io/output_rule.hpp"
#include "io/partial_file.hpp"

namespace feldspar::io {
namespace {

constexpr std::size_t piece_bytes = std::size_t{64} << 20;
constexpr double highest_code = 65535;
constexpr double usual_range[] = {-0.25, 1};  ///< 1/mm, as `recon --type uint16` has it

/// The part of a volume that is exported, and what becomes of it.
struct Part {
  geometry::Range x, y, z;  ///< voxels of the volume, whole bins
  int bin = 1;

  [[nodiscard]] geometry::VolumeGrid of(const geometry::VolumeGrid& grid) const {
    geometry::VolumeGrid part = grid;
    part.origin =
        grid.centre_of(x.first + 0.5 * (bin - 1), y.first + 0.5 * (bin - 1), z.first + 0.5 * (bin - 1));
    part.spacing = bin * grid.spacing;
    part.nx = x.count() / bin, part.ny = y.count() / bin, part.nz = z.count() / bin;
    return part;
  }
};

Part part_of(const geometry::VolumeGrid& grid, const ExportOptions& options) {
  const std::array<int, 3> size{grid.nx, grid.ny, grid.nz};
  std::array<geometry::Range, 3> region{{{0, grid.nx}, {0, grid.ny}, {0, grid.nz}}};
  if (options.region) region = *options.region;
  if (options.bin < 1)
    throw Error(ErrorKind::usage, fmt::format("{} voxels along a side cannot become one", options.bin));
  for (std::size_t n = 0; n < 3; ++n) {
    geometry::Range& side = region[n];
    const char* const axis = n == 0 ? "x" : n == 1 ? "y" : "z";
    if (side.first < 0 || side.end > size[n] || side.count() < 1)
      throw Error(ErrorKind::usage,
                  fmt::format("the region {}:{} along {} is none of the volume's {} voxels", side.first,
                              side.end, axis, size[n]),
                  {{"roi", "", "voxels count from 0; choose others with"}});
    side.end -= side.count() % options.bin;
    if (side.count() < 1)
      throw Error(ErrorKind::usage,
                  fmt::format("along {} there are fewer than {} voxels to become one", axis, options.bin));
  }
  return {region[0], region[1], region[2], options.bin};
}

ExportedVolume about(const VolumeReader& volume, const Part& part, const ExportOptions& options) {
  const StoredRange stored = volume.range();
  const bool has_codes = stored.quantum > 0;
  ExportedVolume made{.grid = part.of(volume.grid()), .title = volume.title()};
  std::replace_if(
      made.title.begin(), made.title.end(), [](unsigned char c) { return c < ' '; }, ' ');
  made.type = options.type.value_or(has_codes ? VoxelType::uint16 : VoxelType::float32);
  made.lowest = has_codes ? stored.lowest : usual_range[0],
  made.highest = has_codes ? stored.highest : usual_range[1];
  if (options.range) made.lowest = (*options.range)[0], made.highest = (*options.range)[1];
  if (!(std::isfinite(made.lowest) && std::isfinite(made.highest) && made.lowest < made.highest))
    throw Error(ErrorKind::usage,
                fmt::format("a range from {} to {} 1/mm has no extent", made.lowest, made.highest),
                {{"range", "", "give the lower end first:"}});
  if (made.type == VoxelType::uint16)
    made.slope = (made.highest - made.lowest) / highest_code, made.intercept = made.lowest;
  return made;
}

/// Means of bin x bin x bin voxels.
Array3<float> binned(const Array3<float>& fine, int bin) {
  const View3<const float> from = fine.view();
  Array3<float> coarse(from.nx / bin, from.ny / bin, from.nz / bin, "voxels to export");
  std::vector<double> sums(static_cast<std::size_t>(from.nx / bin));
  for (int z = 0; z < from.nz / bin; ++z)
    for (int y = 0; y < from.ny / bin; ++y) {
      std::fill(sums.begin(), sums.end(), 0.0);
      for (int n = 0; n < bin * bin; ++n) {
        const float* const row = from.row(y * bin + n % bin, z * bin + n / bin);
        for (std::size_t x = 0; x < sums.size(); ++x)
          for (int i = 0; i < bin; ++i)
            sums[x] += row[x * static_cast<std::size_t>(bin) + static_cast<std::size_t>(i)];
      }
      float* const row = coarse.view().row(y, z);
      for (std::size_t x = 0; x < sums.size(); ++x)
        row[x] = static_cast<float>(sums[x] / (double(bin) * bin * bin));
    }
  return coarse;
}

/// The codes of voxels, in place of them. Returns how many were beyond the range, or NaN.
std::int64_t encode(const ExportedVolume& volume, const Array3<float>& voxels,
                    std::vector<std::uint16_t>& codes) {
  std::int64_t clipped = 0;
  codes.resize(voxels.size());
  for (std::size_t n = 0; n < voxels.size(); ++n) {
    const double code = std::round((double{voxels.data()[n]} - volume.intercept) / volume.slope);
    const bool inside = code >= 0 && code <= highest_code;
    clipped += !inside;
    codes[n] = static_cast<std::uint16_t>(inside ? code : code > 0 ? highest_code : 0);
  }
  return clipped;
}

void check_room(const PartialFile& file, std::uint64_t need) {
  if (file.room() < need)
    throw Error(
        ErrorKind::io,
        fmt::format(
            "{}: takes {}, and its disk has room for {}; free some, choose another disk, or store 16 bits or "
            "larger voxels",
            file.final_path().string(), format_bytes(need), format_bytes(file.room())));
}

void write_voxels(const VolumeReader& from, const Part& part, PartialFile& file, std::uint64_t at,
                  Exported& exported, Progress& progress) {
  const ExportedVolume& to = exported.volume;
  const std::size_t slice =
      sizeof(float) * static_cast<std::size_t>(part.x.count()) * static_cast<std::size_t>(part.y.count());
  const int layers = std::max(1, static_cast<int>(piece_bytes / slice) / part.bin);
  std::vector<std::uint16_t> codes;
  progress.expect(to.grid.nz);
  for (int first = 0; first < to.grid.nz; first += layers) {
    const int count = std::min(layers, to.grid.nz - first);
    Array3<float> voxels = from.read(part.x.first, part.x.count(), part.y.first, part.y.count(),
                                     part.z.first + first * part.bin, count * part.bin);
    if (part.bin > 1) voxels = binned(voxels, part.bin);
    const void* bytes = voxels.data();
    if (to.type == VoxelType::uint16) exported.clipped += encode(to, voxels, codes), bytes = codes.data();
    file.write(at, bytes, voxels.size() * to.bytes());
    at += voxels.size() * to.bytes();
    if (file.error() != 0)
      throw Error(ErrorKind::io, fmt::format("{}: cannot be written: {}", file.final_path().string(),
                                             std::strerror(file.error())));
    progress.advance(count, "exporting");
  }
}

}  // namespace

Exported export_volume(const std::filesystem::path& input, const std::filesystem::path& output,
                       const ExportOptions& options, Progress& progress) {
  const VolumeFormat& format = volume_format_of(output, options.format);
  const VolumeReader volume(input);
  const Part part = part_of(volume.grid(), options);
  Exported exported{.volume = about(volume, part, options), .files = {}};
  const ExportLayout layout = format.lay_out(output, exported.volume);
  RunFiles files{.inputs = volume.files(), .outputs = {{layout.data}}, .overwrite = options.overwrite};
  exported.files = {layout.data};
  for (const auto& [path, text] : layout.beside)
    files.outputs.push_back({path}), exported.files.push_back(path);
  check_outputs(files);

  PartialFile data(layout.data, options.overwrite);
  check_room(data, layout.head.size() + exported.volume.grid.voxels() * exported.volume.bytes());
  data.write(0, layout.head.data(), layout.head.size());
  write_voxels(volume, part, data, layout.head.size(), exported, progress);
  data.publish();
  for (const auto& [path, text] : layout.beside) write_file(path, text, options.overwrite);
  return exported;
}

}  // namespace feldspar::io
