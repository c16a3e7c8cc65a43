// How attenuation becomes the voxels of a file: as it is, or as 16-bit codes with one slope and offset.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "io/hdf5/handle.hpp"
#include "io/hdf5/volume_file.hpp"

namespace feldspar::io::hdf5 {

struct VoxelCoding {
  VoxelType type = VoxelType::float32;
  double factor = 1;  ///< 1/mm of one step of the code
  double offset = 0;  ///< 1/mm of code 0

  static constexpr double highest_code = 65535;

  [[nodiscard]] std::size_t bytes() const noexcept { return type == VoxelType::float32 ? 4 : 2; }

  /// Writes `count` voxels to `out` and returns how many of them were clipped. NaN has no code: it becomes
  /// code 0 and counts as clipped.
  std::int64_t encode(const float* values, int count, std::byte* out) const noexcept {
    if (type == VoxelType::float32) {
      std::memcpy(out, values, static_cast<std::size_t>(count) * sizeof(float));
      return 0;
    }
    std::int64_t clipped = 0;
    for (int i = 0; i < count; ++i) {
      const double code = (static_cast<double>(values[i]) - offset) / factor;
      const bool inside = code >= 0 && code <= highest_code;
      clipped += !inside;
      const double nearest = inside ? code + 0.5 : (code > highest_code ? highest_code : 0.0);
      const auto stored = static_cast<std::uint16_t>(nearest);
      std::memcpy(out + static_cast<std::size_t>(i) * sizeof stored, &stored, sizeof stored);
    }
    return clipped;
  }

  /// Turns codes, already read as numbers, into 1/mm.
  void decode(float* values, std::size_t count) const noexcept {
    if (type == VoxelType::float32) return;
    std::transform(values, values + count, values,
                   [this](float code) { return static_cast<float>(code * factor + offset); });
  }
};

/// How the voxels of the group of a volume file are coded. Throws Failure.
[[nodiscard]] VoxelCoding coding_in(hid_t group, const Dataset& voxels);

}  // namespace feldspar::io::hdf5
