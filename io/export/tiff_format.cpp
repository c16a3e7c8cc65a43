// TIFF 6.0, and BigTIFF where 4 GiB are not enough: every slice has tags of its own, and all of them stand
// before the voxels, which lie in one block as ImageJ expects them of its stacks.
#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <cstring>

#include "io/export/volume_format.hpp"

namespace feldspar::io {
namespace {

constexpr std::uint64_t most_of_classic = (std::uint64_t{1} << 32) - (std::uint64_t{1} << 20);
constexpr std::uint64_t alignment = 4096;  ///< of the voxels in the file

enum Tag : std::uint16_t {
  width = 256,
  height = 257,
  bits = 258,
  compression = 259,
  photometric = 262,
  description = 270,
  offset = 273,
  samples = 277,
  rows_of_strip = 278,
  bytes_of_strip = 279,
  x_resolution = 282,
  y_resolution = 283,
  resolution_unit = 296,
  sample_format = 339
};
enum Type : std::uint16_t { ascii = 2, word = 3, number = 4, rational = 5, number64 = 16 };

/// ImageJ's own words; codes of 16 bits are calibrated by a straight line.
std::string words_of(const ExportedVolume& volume) {
  const geometry::VolumeGrid& g = volume.grid;
  const auto stored = [&](double value) { return std::round((value - volume.intercept) / volume.slope); };
  const bool floats = volume.type == VoxelType::float32;
  std::string text = fmt::format(
      "ImageJ=1.54f\nimages={0}\nslices={0}\nunit=mm\nspacing={1}\nloop=false\nxorigin={2}\nyorigin={3}\n"
      "zorigin={4}\nmin={5}\nmax={6}\n",
      g.nz, g.spacing.z, -g.origin.x / g.spacing.x, -g.origin.y / g.spacing.y, -g.origin.z / g.spacing.z,
      floats ? volume.lowest : stored(volume.lowest), floats ? volume.highest : stored(volume.highest));
  if (floats) return text + "vunit=1/mm\n";
  return text + fmt::format("cf=0\nc0={}\nc1={}\nvunit=1/mm\n", volume.intercept, volume.slope);
}

/// The bytes before the voxels, of a file of either kind.
class Head {
 public:
  Head(const ExportedVolume& volume, bool big) : volume_(volume), big_(big), words_(words_of(volume)) {}

  [[nodiscard]] std::string text() {
    const geometry::VolumeGrid& g = volume_.grid;
    // Everything has the same place whatever the numbers are.
    const std::uint64_t all = begin_of_ifds() + static_cast<std::uint64_t>(g.nz) * ifd_bytes(false) +
                              (ifd_bytes(true) - ifd_bytes(false));
    voxels_ = (all + alignment - 1) / alignment * alignment;
    put<std::uint16_t>(0x4949);
    put<std::uint16_t>(big_ ? 43 : 42);
    if (big_) put<std::uint16_t>(8), put<std::uint16_t>(0);
    put_offset(begin_of_ifds());
    bytes_ += words_, bytes_ += '\0';
    bytes_.resize(begin_of_resolution(), '\0');
    for (const double spacing : {g.spacing.x, g.spacing.y}) {  // pixels a mm
      constexpr double nm_a_mm = 1e6;
      put(static_cast<std::uint32_t>(nm_a_mm)),
          put(static_cast<std::uint32_t>(std::lround(spacing * nm_a_mm)));
    }
    for (int slice = 0; slice < g.nz; ++slice) put_ifd(slice);
    bytes_.resize(voxels_, '\0');
    return bytes_;
  }

 private:
  static constexpr std::uint64_t tags = 13;

  [[nodiscard]] std::uint64_t header_bytes() const { return big_ ? 16 : 8; }
  [[nodiscard]] std::uint64_t begin_of_resolution() const {
    return (header_bytes() + words_.size() + 1 + 7) / 8 * 8;
  }
  [[nodiscard]] std::uint64_t begin_of_ifds() const { return begin_of_resolution() + 16; }
  [[nodiscard]] std::uint64_t ifd_bytes(bool first) const {
    const std::uint64_t entries = tags + (first ? 1 : 0);
    return big_ ? 8 + 20 * entries + 8 : 2 + 12 * entries + 4;
  }

  template <class Value>
  void put(Value value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void put_offset(std::uint64_t at) {
    if (big_)
      put(at);
    else
      put(static_cast<std::uint32_t>(at));
  }
  void put_tag(Tag tag, Type type, std::uint64_t count, std::uint64_t value) {
    put<std::uint16_t>(tag), put<std::uint16_t>(type);
    put_offset(count), put_offset(value);  // little-endian: short values stand first in their field
  }

  void put_ifd(int slice) {
    const geometry::VolumeGrid& g = volume_.grid;
    const bool first = slice == 0, floats = volume_.type == VoxelType::float32;
    const std::uint64_t plane = static_cast<std::uint64_t>(g.nx) * static_cast<std::uint64_t>(g.ny) *
                                volume_.bytes(),
                        entries = tags + (first ? 1 : 0);
    const Type place = big_ ? number64 : number;
    if (big_)
      put(entries);
    else
      put(static_cast<std::uint16_t>(entries));
    put_tag(width, number, 1, static_cast<std::uint64_t>(g.nx));
    put_tag(height, number, 1, static_cast<std::uint64_t>(g.ny));
    put_tag(bits, word, 1, 8 * volume_.bytes());
    put_tag(compression, word, 1, 1);
    put_tag(photometric, word, 1, 1);
    if (first) put_tag(description, ascii, words_.size() + 1, header_bytes());
    put_tag(offset, place, 1, voxels_ + static_cast<std::uint64_t>(slice) * plane);
    put_tag(samples, word, 1, 1);
    put_tag(rows_of_strip, number, 1, static_cast<std::uint64_t>(g.ny));
    put_tag(bytes_of_strip, place, 1, plane);
    put_resolution(x_resolution, 0), put_resolution(y_resolution, 8);
    put_tag(resolution_unit, word, 1, 1);
    put_tag(sample_format, word, 1, floats ? 3 : 1);
    put_offset(slice + 1 < g.nz ? bytes_.size() + (big_ ? 8 : 4) : 0);
  }
  /// Eight bytes stand in a field of BigTIFF itself.
  void put_resolution(Tag tag, std::uint64_t at) {
    std::uint64_t value = begin_of_resolution() + at;
    if (big_) std::memcpy(&value, bytes_.data() + value, sizeof value);
    put_tag(tag, rational, 1, value);
  }

  const ExportedVolume& volume_;
  bool big_;
  std::string words_;
  std::string bytes_;
  std::uint64_t voxels_ = 0;
};

ExportLayout lay_out(const std::filesystem::path& output, const ExportedVolume& volume) {
  const std::uint64_t voxels = volume.grid.voxels() * volume.bytes();
  std::string head = Head(volume, voxels >= most_of_classic).text();
  if (voxels < most_of_classic && voxels + head.size() >= most_of_classic) head = Head(volume, true).text();
  return {output, std::move(head)};
}

}  // namespace

extern const VolumeFormat tiff_format;
const VolumeFormat tiff_format{"tiff",
                               "TIFF or BigTIFF with ImageJ's tags: Fiji, ImageJ and nearly everything",
                               {".tif", ".tiff"},
                               lay_out};

}  // namespace feldspar::io
