#include "cli/slab_share.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "base/error.hpp"
#include "base/units.hpp"
#include "io/hdf5/volume_file.hpp"

namespace feldspar::cli {

std::string SlabShare::text() const { return fmt::format("{}/{}", number, count); }

SlabShare parse_share(const std::string& text, int slices) {
  if (text.empty()) return {1, 1, {0, slices}};
  constexpr int layer = io::VolumeWriter::layer_slices;
  const int layers = (slices + layer - 1) / layer;
  const std::size_t slash = text.find('/');
  double number = 0, count = 0;
  if (slash == std::string::npos || !parse_number(text.substr(0, slash), number) ||
      !parse_number(text.substr(slash + 1), count) || !(1 <= number && number <= count && count <= 1e6) ||
      number != static_cast<int>(number) || count != static_cast<int>(count))
    throw Error(
        ErrorKind::usage,
        fmt::format("--slabs: '{}' is not a share K/N with K from 1 to N; write for example 3/16", text));
  if (count > layers)
    throw Error(
        ErrorKind::usage,
        fmt::format("--slabs: '{}' asks for {} shares, but a volume of {} slices has {} layers of {}; ask "
                    "for {} shares or fewer",
                    text, count, slices, layers, layer, layers));
  const auto begin = [&](std::int64_t n) {
    return std::min(slices, static_cast<int>(n * layers / static_cast<std::int64_t>(count)) * layer);
  };
  const int k = static_cast<int>(number);
  return {k, static_cast<int>(count), {begin(k - 1), begin(k)}};
}

std::filesystem::path part_path(const std::filesystem::path& volume, int number, int count) {
  if (count == 1) return volume;
  const auto digits = fmt::formatted_size("{}", count);
  std::filesystem::path part = volume;
  part.replace_filename(fmt::format("{}.part-{:0{}}-of-{}{}", volume.stem().string(), number, digits, count,
                                    volume.extension().string()));
  return part;
}

}  // namespace feldspar::cli
