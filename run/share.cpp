#include "run/share.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "base/error.hpp"
#include "io/hdf5/volume_file.hpp"

namespace feldspar::run {

std::string Share::text() const { return fmt::format("{}/{}", number, count); }

Share share_of(const ShareOf& wanted, int slices) {
  constexpr int layer = io::VolumeWriter::layer_slices;
  const int layers = (slices + layer - 1) / layer;
  if (wanted.count > layers && wanted.count > 1)
    throw Error(
        ErrorKind::usage,
        fmt::format(
            "slabs '{}/{}' asks for {} shares, but a volume of {} slices has {} layers of {}; ask for "
            "{} shares or fewer",
            wanted.number, wanted.count, wanted.count, slices, layers, layer, layers));
  const auto begin = [&](std::int64_t n) {
    return std::min(slices, static_cast<int>(n * layers / wanted.count) * layer);
  };
  return {wanted, {begin(wanted.number - 1), wanted.is_whole() ? slices : begin(wanted.number)}};
}

std::filesystem::path part_path(const std::filesystem::path& volume, const ShareOf& share) {
  if (share.is_whole()) return volume;
  const auto digits = fmt::formatted_size("{}", share.count);
  std::filesystem::path part = volume;
  part.replace_filename(fmt::format("{}.part-{:0{}}-of-{}{}", volume.stem().string(), share.number, digits,
                                    share.count, volume.extension().string()));
  return part;
}

}  // namespace feldspar::run
