// A volume file's voxels in a format of other programs, slab by slab.
#pragma once

#include <array>
#include <optional>

#include "base/progress.hpp"
#include "io/export/volume_format.hpp"

namespace feldspar::io {

/// What is exported, and how.
struct ExportOptions {
  std::string format;                               ///< VolumeFormat::name; empty: by the output's ending
  std::optional<VoxelType> type = {};               ///< as the volume stores it where there is none
  std::optional<std::array<double, 2>> range = {};  ///< 1/mm that uint16 spans
  std::optional<std::array<geometry::Range, 3>> region =
      {};       ///< voxels along x, y, z; all where there is none
  int bin = 1;  ///< voxels along each side that become one, by their mean; incomplete ones are left out
  bool overwrite = false;  ///< replace files that are there
};

/// What became of it.
struct Exported {
  ExportedVolume volume;                     ///< as it was stored
  std::vector<std::filesystem::path> files;  ///< that were written, the voxels' first
  std::int64_t clipped = 0;                  ///< voxels beyond the range of uint16, or NaN
};

/// Writes the volume at `input` to `output` and what belongs beside it, in pieces of up to 64 MiB. Each file
/// gets its name when it is complete. Throws Error(usage) for a region beside the volume or a range without
/// extent, Error(unsupported) for what the format cannot hold, Error(io) when a file exists and may not be
/// replaced or the disk has no room, and what VolumeReader throws.
Exported export_volume(const std::filesystem::path& input, const std::filesystem::path& output,
                       const ExportOptions& options, Progress& progress);

}  // namespace feldspar::io
