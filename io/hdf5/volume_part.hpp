// A volume file that holds some slices of a larger volume: which ones, and of which volume.
#pragma once

#include <filesystem>
#include <string>

#include "geometry/coverage.hpp"
#include "io/hdf5/volume_file.hpp"

namespace feldspar::io {

/// Which slices, and of which volume.
struct VolumePart {
  std::string identity;    ///< of the whole: the same inputs, options and grid make the same one
  geometry::Range slices;  ///< of the whole
  int whole_slices = 0;    ///< that the whole has
  double origin_z = 0;     ///< of the whole's slice 0, mm
};

/// For VolumeRecord::part.
[[nodiscard]] Record record_of(const VolumePart& part);

/// What the file at `path`, open in `volume`, says of itself. Throws Error(bad_file) when it is no part or
/// has not the slices that it claims.
[[nodiscard]] VolumePart part_in(const VolumeReader& volume, const std::filesystem::path& path);

}  // namespace feldspar::io
